//! Secrets and long messages of the service.

use super::*;

/// A service that repeats the secret does not get it into a log.
#[test]
fn secrets_are_struck_out_everywhere() {
    for context in [pair(), key()] {
        for error in [
            http(401, "key hunter2hunter2 is unknown"),
            code(45_000_010, "hunter2hunter2"),
            SessionError::Closed {
                code: 1008,
                reason: "hunter2hunter2".into(),
            }
            .into(),
            ClientError::from(SessionError::Protocol("hunter2hunter2".into())),
        ] {
            let report = report(&error, true, &context);
            let (debug, details) = (report.debug, report.details);
            let all = format!("{} {debug:?} {details:?}", report.error.message());
            assert!(!all.contains("hunter2"), "{all}");
            assert!(all.contains("***"), "{all}");
        }
    }
}

#[test]
fn the_service_s_words_never_hide_the_advice() {
    let long = "word ".repeat(90);
    let whole = format!("HTTP 404: {}", long.trim_end());
    let (short, cut) = ("\"no such path\": check", "word word…\": check");
    for (error, shown, debug) in [
        (http(404, "no such path"), short, "HTTP 404"),
        (http(404, &long), cut, &whole),
        (code(45_000_001, "bad"), "\"bad\": it", "45000001"),
    ] {
        let report = report(&error, false, &pair());
        let text = report.error.message();
        assert!(text.contains(shown) && text.chars().count() < 420, "{text}");
        assert_eq!(report.debug.as_deref(), Some(debug));
    }
}

#[test]
fn half_a_secret_is_not_shown() {
    let message = format!("{}hunter2hunter2 and more", "x".repeat(MAX_EXCERPT - 7));
    let report = report(&code(45_000_001, &message), false, &pair());
    let all = format!("{} {:?}", report.error.message(), report.debug);
    assert!(!all.contains("hunter2"), "{all}");
}
