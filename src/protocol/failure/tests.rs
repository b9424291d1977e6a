use proptest::prelude::*;

use super::*;
use crate::protocol::text::MAX_MESSAGE;

/// Codes, what they are, and what comes with them.
const CODES: &str = r#"
    45000000 OutOfOrder Never: said
    45000001 Parameters Never: said
    45000002 EmptyAudio Never: said
    45000007 NoRequest Never: no request object before data
    45000010 Credentials Never: said
    45000030 NotGranted Never: said
    45000030 Overdue Never: the account is in arrears
    45000292 Overdue Never: 账户欠费
    45000081 Idle Soon: [Timeout waiting next packet] session has ended
    45000151 AudioFormat Never: said
    45000292 Concurrency Later: {"error":"quota exceeded for types: concurrency"}
    45000292 QuotaSpent Never: {"error":"quota exceeded for types: audio_duration_lifetime"}
    45000292 QuotaSpent Never: quota exceeded for types: concurrency, duration_lifetime
    55000031 Busy Later: said
    55000031 Busy Later: field
    55000000 Internal Limited: internal error
    55099999 Internal Limited:
    55000000 WrongType Never: {"message":"json: cannot unmarshal string into Go struct field A"}
    55000001 WrongType Never: Field 'rate': integer expected
    45000999 Unknown Never: said
    45999999 Unknown Never: said
    46000000 Unknown Limited: said
    55100000 Unknown Limited: field
    0 Unknown Limited: said
    4294967295 Unknown Limited: said"#;

/// Statuses of a refused handshake, likewise.
const REFUSALS: &str = r#"
    400 Parameters Never: {"error":"resourceId volc.x is not allowed"}
    400 Parameters Never: {"error":"get resource id empty"}
    401 Credentials Never: {"error":"Invalid X-Api-Key"}
    401 Credentials Never: {"error":"load grant: requested grant not found in SaaS storage"}
    403 NotGranted Never: {"error":"[resource_id=x] requested resource not granted"}
    403 QuotaSpent Never: {"error":"quota exceeded for types: audio_duration_lifetime"}
    403 Overdue Never: {"error":{"message":"AccountOverdue: pay first"}}
    402 Overdue Never:
    402 QuotaSpent Never: x_lifetime
    407 ProxyCredentials Never:
    429 RateLimited Later:
    429 QuotaSpent Never: x_lifetime
    404 Refused Never: 404 page not found
    408 Refused Never:
    302 Refused Never:
    500 Unavailable Later:
    502 Unavailable Later: <html>
    599 Unavailable Later:
    200 NoWebSocket Never: <html>
    100 NoWebSocket Never:
    600 Unknown Limited:"#;

#[test]
fn every_documented_code_and_every_refusal_has_its_cause() {
    for (table, is_http) in [(CODES, false), (REFUSALS, true)] {
        for line in table.trim().lines() {
            let (head, body) = line.trim().split_once(':').expect("a body");
            let (number, is) = head.split_once(' ').expect("a number");
            let number: u32 = number.parse().expect("a number");
            let body = body.trim_start().as_bytes();
            let (failure, numbers) = match is_http {
                true => (
                    Failure::from_http(number as u16, body),
                    (None, Some(number as u16)),
                ),
                false => (
                    Failure::from_error_frame(number, body),
                    (Some(number), None),
                ),
            };
            let found = format!("{:?} {:?}", failure.cause, failure.retry());
            assert_eq!(found, is, "{line}");
            assert_eq!((failure.code, failure.http_status), numbers, "{line}");
        }
    }
}

#[test]
fn the_message_is_found_in_every_kind_of_body() {
    #[rustfmt::skip]
    let bodies = [
        (&br#"{"error":"decode failed: \"x\""}"#[..], "decode failed: \"x\""),
        (br#"{"code":1,"message":"bad"}"#, "bad"),
        (br#"{"error":"","message":"bad"}"#, "bad"),
        (br#"{"error":"first","message":"second"}"#, "first"),
        (br#"{"error":{"message":"inner","code":7}}"#, "inner"),
        (br#"{"error":{"code":7},"message":"outer"}"#, "outer"),
        (br#"{"error":{"error":{"message":"deep"}}}"#, "deep"),
        (br#"{"code":45000001,"payload_msg":{"error":"wrapped"}}"#, "wrapped"),
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
    ];
    for (body, message) in bodies {
        let found = Failure::from_error_frame(1, body).message;
        assert_eq!(found, message, "{}", body.escape_ascii());
    }
}

#[test]
fn messages_are_printable_and_short() {
    let message = |body: &str| Failure::from_error_frame(1, body.as_bytes()).message;
    assert_eq!(message("a\x1b[2J\r\nb\u{202e}c\u{2028}d"), "a [2J  b c d");
    let long = message(&"雨".repeat(100_000));
    assert_eq!(long.chars().count(), MAX_MESSAGE);
    assert!(long.ends_with("雨…"));
    let long = message(&format!(r#"{{"error":"{}"}}"#, "x".repeat(1_000_000)));
    assert_eq!(long.chars().count(), MAX_MESSAGE);
    assert!(long.starts_with("xxx"));
    let just = "x".repeat(MAX_MESSAGE);
    assert_eq!(message(&just), just);
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
    let styled = format!(
        "<style>{}</style><title>Here</title>",
        "a { b: c } ".repeat(1000)
    );
    #[rustfmt::skip]
    let pages = [
        (
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n\
             <body><h1>404 Not Found</h1>nginx</body></html>",
            "404 Not Found",
        ),
        ("<!DOCTYPE html><TITLE lang=en>\n Log\n in </TITLE>", "Log in"),
        ("<style>a > b { x: y }</style><title>No\u{a0}way</title><p>Here", "No way"),
        (&styled, "Here"),
        ("<title></title>", "<title></title>"),
        ("<title>It goes on", "<title>It goes on"),
        ("<html>It <b>works</b>!</html>", "<html>It <b>works</b>!</html>"),
        ("<html", "<html"),
        ("< 5 sessions", "< 5 sessions"),
        ("a < b", "a < b"),
    ];
    for (page, words) in pages {
        assert_eq!(Failure::from_http(404, page.as_bytes()).message, words);
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(
        code: u32,
        status: u16,
        body in prop::collection::vec(any::<u8>(), 0..3000),
        page in "<(<|>|/|é|title|script|style| |a){0,40}",
    ) {
        for body in [&body[..], page.as_bytes()] {
            let of_frame = Failure::from_error_frame(code, body);
            for failure in [of_frame, Failure::from_http(status, body)] {
                prop_assert!(failure.message.chars().count() <= MAX_MESSAGE);
                prop_assert!(!failure.message.chars().any(char::is_control));
                failure.retry();
            }
        }
    }
}
