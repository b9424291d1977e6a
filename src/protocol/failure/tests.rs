use proptest::prelude::*;

use super::*;
use crate::protocol::text::MAX_MESSAGE;

/// Codes, what comes with them, and what they are.
const CODES: &[(u32, &str, Cause, Retry)] = &[
    (45_000_000, "said", Cause::OutOfOrder, Retry::Never),
    (45_000_001, "said", Cause::Parameters, Retry::Never),
    (45_000_002, "said", Cause::EmptyAudio, Retry::Never),
    (
        45_000_007,
        "no request object before data",
        Cause::NoRequest,
        Retry::Never,
    ),
    (45_000_010, "said", Cause::Credentials, Retry::Never),
    (45_000_030, "said", Cause::NotGranted, Retry::Never),
    (
        45_000_030,
        "the account is in arrears",
        Cause::Overdue,
        Retry::Never,
    ),
    (45_000_292, "账户欠费", Cause::Overdue, Retry::Never),
    (
        45_000_081,
        "[Timeout waiting next packet] session has ended",
        Cause::Idle,
        Retry::Soon,
    ),
    (45_000_151, "said", Cause::AudioFormat, Retry::Never),
    (
        45_000_292,
        r#"{"error":"quota exceeded for types: concurrency"}"#,
        Cause::Concurrency,
        Retry::Later,
    ),
    (
        45_000_292,
        r#"{"error":"quota exceeded for types: audio_duration_lifetime"}"#,
        Cause::QuotaSpent,
        Retry::Never,
    ),
    (
        45_000_292,
        "quota exceeded for types: concurrency, duration_lifetime",
        Cause::QuotaSpent,
        Retry::Never,
    ),
    (55_000_031, "said", Cause::Busy, Retry::Later),
    (55_000_031, "field", Cause::Busy, Retry::Later),
    (
        55_000_000,
        "internal error",
        Cause::Internal,
        Retry::Limited,
    ),
    (55_099_999, "", Cause::Internal, Retry::Limited),
    (
        55_000_000,
        r#"{"message":"json: cannot unmarshal string into Go struct field A.rate of type int"}"#,
        Cause::WrongType,
        Retry::Never,
    ),
    (
        55_000_001,
        "Field 'rate': integer expected",
        Cause::WrongType,
        Retry::Never,
    ),
    (45_000_999, "said", Cause::Unknown, Retry::Never),
    (45_999_999, "said", Cause::Unknown, Retry::Never),
    (46_000_000, "said", Cause::Unknown, Retry::Limited),
    (55_100_000, "field", Cause::Unknown, Retry::Limited),
    (0, "said", Cause::Unknown, Retry::Limited),
    (u32::MAX, "said", Cause::Unknown, Retry::Limited),
];

#[test]
fn every_documented_code() {
    for &(code, body, cause, retry) in CODES {
        let failure = Failure::from_error_frame(code, body.as_bytes());
        assert_eq!(
            (failure.cause, failure.retry()),
            (cause, retry),
            "{code} {body}"
        );
        assert_eq!((failure.code, failure.http_status), (Some(code), None));
    }
}

#[test]
fn every_refusal() {
    for (status, body, cause, retry) in [
        (
            400,
            r#"{"error":"resourceId volc.x is not allowed"}"#,
            Cause::Parameters,
            Retry::Never,
        ),
        (
            400,
            r#"{"error":"get resource id empty"}"#,
            Cause::Parameters,
            Retry::Never,
        ),
        (
            401,
            r#"{"error":"Invalid X-Api-Key"}"#,
            Cause::Credentials,
            Retry::Never,
        ),
        (
            401,
            r#"{"error":"load grant: requested grant not found in SaaS storage"}"#,
            Cause::Credentials,
            Retry::Never,
        ),
        (
            403,
            r#"{"error":"[resource_id=x] requested resource not granted"}"#,
            Cause::NotGranted,
            Retry::Never,
        ),
        (
            403,
            r#"{"error":"quota exceeded for types: audio_duration_lifetime"}"#,
            Cause::QuotaSpent,
            Retry::Never,
        ),
        (
            403,
            r#"{"error":{"message":"AccountOverdue: pay first"}}"#,
            Cause::Overdue,
            Retry::Never,
        ),
        (402, "", Cause::Overdue, Retry::Never),
        (402, "x_lifetime", Cause::QuotaSpent, Retry::Never),
        (407, "", Cause::ProxyCredentials, Retry::Never),
        (429, "", Cause::RateLimited, Retry::Later),
        (429, "x_lifetime", Cause::QuotaSpent, Retry::Never),
        (404, "404 page not found", Cause::Refused, Retry::Never),
        (408, "", Cause::Refused, Retry::Never),
        (302, "", Cause::Refused, Retry::Never),
        (500, "", Cause::Unavailable, Retry::Later),
        (502, "<html>", Cause::Unavailable, Retry::Later),
        (599, "", Cause::Unavailable, Retry::Later),
        (200, "<html>", Cause::NoWebSocket, Retry::Never),
        (100, "", Cause::NoWebSocket, Retry::Never),
        (600, "", Cause::Unknown, Retry::Limited),
    ] {
        let failure = Failure::from_http(status, body.as_bytes());
        assert_eq!(
            (failure.cause, failure.retry()),
            (cause, retry),
            "{status} {body}"
        );
        assert_eq!((failure.code, failure.http_status), (None, Some(status)));
    }
}

#[test]
fn the_message_is_found_in_every_kind_of_body() {
    for (body, message) in [
        (
            &br#"{"error":"decode ws request failed: \"x\""}"#[..],
            "decode ws request failed: \"x\"",
        ),
        (br#"{"code":1,"message":"bad"}"#, "bad"),
        (br#"{"error":"","message":"bad"}"#, "bad"),
        (br#"{"error":"first","message":"second"}"#, "first"),
        (br#"{"error":{"message":"inner","code":7}}"#, "inner"),
        (br#"{"error":{"code":7},"message":"outer"}"#, "outer"),
        (br#"{"error":{"error":{"message":"deep"}}}"#, "deep"),
        (
            br#"{"code":45000001,"payload_msg":{"error":"wrapped"}}"#,
            "wrapped",
        ),
        (br#"{"error":{"error":{"error":{"error":"x"}}}}"#, "x"),
        (
            br#"{"error":{"error":{"error":{"error":{"error":"x"}}}}}"#,
            r#"{"error":{"error":{"error":{"error":{"error":"x"}}}}}"#,
        ),
        (br#"{"error":{"inner":"x"}}"#, r#"{"error":{"inner":"x"}}"#),
        (br#"["x"]"#, r#"["x"]"#),
        (b"{}", "{}"),
        (b" plain text\n", "plain text"),
        (b"a\xffb", "a\u{fffd}b"),
        (b"", ""),
    ] {
        let failure = Failure::from_error_frame(1, body);
        assert_eq!(failure.message, message);
    }
}

#[test]
fn messages_are_printable_and_short() {
    let failure = Failure::from_error_frame(1, "a\x1b[2J\r\nb\u{202e}c\u{2028}d".as_bytes());
    assert_eq!(failure.message, "a [2J  b c d");

    let long = Failure::from_error_frame(1, "雨".repeat(100_000).as_bytes()).message;
    assert_eq!(long.chars().count(), MAX_MESSAGE);
    assert!(long.ends_with("雨…"));
    let json = format!(r#"{{"error":"{}"}}"#, "x".repeat(1_000_000));
    let long = Failure::from_error_frame(1, json.as_bytes()).message;
    assert_eq!(long.chars().count(), MAX_MESSAGE);
    assert!(long.starts_with("xxx"));
    let just = "x".repeat(MAX_MESSAGE);
    assert_eq!(Failure::from_error_frame(1, just.as_bytes()).message, just);
}

#[test]
fn a_code_in_a_refusal_is_kept_but_does_not_decide() {
    let failure = Failure::from_http(403, br#"{"code":45000010,"message":"no"}"#);
    assert_eq!(
        (failure.cause, failure.code),
        (Cause::NotGranted, Some(45_000_010))
    );
    assert_eq!(failure.to_string(), "HTTP 403, 45000010: no");
    let nested = br#"{"error":{"code":"45000010","message":"no"}}"#;
    assert_eq!(Failure::from_http(403, nested), failure);
    assert_eq!(Failure::from_http(502, b"").to_string(), "HTTP 502");
    assert_eq!(
        Failure::from_error_frame(45_000_002, b"no audio").to_string(),
        "45000002: no audio"
    );
}

#[test]
fn of_a_page_only_the_title_is_kept() {
    for (page, words) in [
        (
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n\
             <body><h1>404 Not Found</h1>nginx</body></html>",
            "404 Not Found",
        ),
        (
            "<!DOCTYPE html><TITLE lang=en>\n Log\n in </TITLE>",
            "Log in",
        ),
        (
            "<style>a > b { x: y }</style><title>No\u{a0}way</title><p>Here",
            "No way",
        ),
        ("<title></title>", "<title></title>"),
        ("<title>It goes on", "<title>It goes on"),
        (
            "<html>It <b>works</b>!</html>",
            "<html>It <b>works</b>!</html>",
        ),
        ("<html", "<html"),
        ("< 5 sessions", "< 5 sessions"),
        ("a < b", "a < b"),
    ] {
        assert_eq!(Failure::from_http(404, page.as_bytes()).message, words);
    }
    let styled = format!(
        "<style>{}</style><title>Here</title>",
        "a { b: c } ".repeat(1000)
    );
    assert_eq!(Failure::from_http(404, styled.as_bytes()).message, "Here");
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(
        code: u32,
        status: u16,
        body in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        for failure in [Failure::from_error_frame(code, &body), Failure::from_http(status, &body)] {
            prop_assert!(failure.message.chars().count() <= MAX_MESSAGE);
            prop_assert!(!failure.message.chars().any(char::is_control));
            failure.retry();
        }
    }

    #[test]
    fn no_page_makes_it_panic(page in "<(<|>|/|é|title|script|style| |a){0,40}") {
        let _ = Failure::from_http(404, page.as_bytes());
    }
}
