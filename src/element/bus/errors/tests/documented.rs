//! Agreement of docs/errors.md with the texts: every cause has a row, and every row a cause.

use super::*;
use crate::client::one_of_each;

const PAGE: &str = include_str!("../../../../../docs/errors.md");

/// First cells of a section's rows.
fn rows(section: &str) -> Vec<&'static str> {
    let from = PAGE
        .find(&format!("\n## {section}\n"))
        .unwrap_or_else(|| panic!("no section {section}"));
    let section = &PAGE[from + 4..];
    section[..section.find("\n## ").unwrap_or(section.len())]
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|line| line.trim_matches('|').split(" | ").next())
        .map(str::trim)
        .collect()
}

/// Phrases that a row quotes.
fn phrases(row: &str) -> Vec<&str> {
    row.split('"').skip(1).step_by(2).collect()
}

/// A source file, with the line breaks in its strings removed.
fn source(text: &str) -> String {
    let text = text.replace("\\\n", "").replace("\\\"", "\"");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_said(row: &str, text: &str) -> bool {
    let phrases = phrases(row);
    !phrases.is_empty() && phrases.iter().all(|phrase| text.contains(phrase))
}

#[test]
fn every_error_has_a_row_and_every_row_an_error() {
    let context = key();
    let texts: Vec<String> = one_of_each()
        .iter()
        .map(|error| text(error, false, &context))
        .collect();
    let rows = rows("The network and the peer");
    for text in &texts {
        // The text also says whether it failed on the way to a proxy.
        let by_proxy = text.starts_with("the proxy");
        let found = rows
            .iter()
            .filter(|row| row.starts_with("\"the proxy\"") == by_proxy && is_said(row, text))
            .count();
        assert_eq!(found, 1, "rows for {text:?}");
    }
    for row in rows {
        assert!(texts.iter().any(|text| is_said(row, text)), "{row}");
    }
}

/// Parts that the row of a cause must hold: its codes or statuses.
fn code(cause: Cause) -> &'static [&'static str] {
    match cause {
        Cause::Credentials => &["401", "45000010"],
        Cause::NotGranted => &["403", "45000030"],
        Cause::Parameters => &["400", "45000001"],
        Cause::NoRequest => &["45000007"],
        Cause::OutOfOrder => &["45000000"],
        Cause::EmptyAudio => &["45000002"],
        Cause::Idle => &["45000081"],
        Cause::AudioFormat => &["45000151"],
        Cause::Concurrency => &["45000292, \"concurrency\""],
        Cause::QuotaSpent => &["45000292, 402, 403 or 429, \"…_lifetime\""],
        Cause::Overdue => &["402", "\"overdue\""],
        Cause::ProxyCredentials => &["407"],
        Cause::Busy => &["55000031"],
        Cause::Internal => &["other 550xxxxx"],
        Cause::WrongType => &["55000000 that names a field"],
        Cause::RateLimited => &["429"],
        Cause::Refused => &["404", "other 4xx", "a redirect"],
        Cause::NoWebSocket => &["200"],
        Cause::Unavailable => &["503", "other 5xx"],
        Cause::Unknown => &["what is not known"],
    }
}

#[test]
fn every_refusal_has_its_row() {
    let rows = rows("The service refuses");
    for cause in [
        Cause::Credentials,
        Cause::NotGranted,
        Cause::Parameters,
        Cause::NoRequest,
        Cause::OutOfOrder,
        Cause::EmptyAudio,
        Cause::Idle,
        Cause::AudioFormat,
        Cause::Concurrency,
        Cause::QuotaSpent,
        Cause::Overdue,
        Cause::ProxyCredentials,
        Cause::Busy,
        Cause::Internal,
        Cause::WrongType,
        Cause::RateLimited,
        Cause::Refused,
        Cause::NoWebSocket,
        Cause::Unavailable,
        Cause::Unknown,
    ] {
        for part in code(cause) {
            let found = rows.iter().filter(|row| row.contains(part)).count();
            assert!(found >= 1, "{cause:?}: {part}");
        }
    }
    // The other way: a number in a row is one that means something.
    for row in rows {
        for number in row.split(|c: char| !c.is_ascii_digit()) {
            let known = match number.parse::<u32>() {
                Ok(status @ 100..=599) => Failure::from_http(status as u16, b"").cause,
                Ok(code @ 40_000_000..) => Failure::from_error_frame(code, b"").cause,
                _ => continue,
            };
            assert_ne!(known, Cause::Unknown, "{number} in {row}");
        }
    }
}

/// Every domain has its row, and a number stands in the row of the domain that it comes with.
#[test]
fn every_number_stands_with_its_domain() {
    let table = rows("What a program can tell apart");
    let mut seen: Vec<&str> = [false, true]
        .iter()
        .flat_map(|lost| {
            one_of_each()
                .into_iter()
                .map(|t| name(&domain(&t, *lost, "")))
        })
        .collect();
    let whole = PAGE
        .split("\n## ")
        .find(|part| part.starts_with("What a program"));
    let whole: Vec<&str> = whole
        .expect("the section")
        .lines()
        .filter(|line| line.starts_with("| RESOURCE") || line.starts_with("| STREAM"))
        .collect();
    let mut numbers = 0;
    for row in &whole {
        for number in row.split(|c: char| !c.is_ascii_digit()) {
            let failure = match number.parse::<u32>() {
                Ok(status @ 100..=599) => Failure::from_http(status as u16, b""),
                // The one that takes a text to tell it from others.
                Ok(55_000_000) => continue,
                Ok(code @ 40_000_000..) => Failure::from_error_frame(code, b""),
                _ => continue,
            };
            let name = name(&domain(&failed(failure), false, ""));
            assert!(row.starts_with(&format!("| {name} |")), "{number}: {name}");
            seen.push(name);
            numbers += 1;
        }
    }
    assert!(numbers >= 12, "{numbers}");
    seen.sort_unstable();
    seen.dedup();
    let mut documented = table;
    documented.sort_unstable();
    assert_eq!(seen, documented);
    // Every other number of the page has the domain of the row that has none: it is not lost here.
    for row in rows("The service refuses") {
        for number in row.split(|c: char| !c.is_ascii_digit()) {
            let (Ok(code @ 40_000_000..), false) = (number.parse::<u32>(), number == "55000000")
            else {
                continue;
            };
            let failure = failed(Failure::from_error_frame(code, b""));
            let name = name(&domain(&failure, false, ""));
            let found = whole.iter().find(|row| row.contains(number));
            assert_eq!(
                found.is_some(),
                name != "RESOURCE OPEN_WRITE",
                "{number}: {name}"
            );
        }
    }
}

/// Their texts are formatted in several places, so the sources are read.
#[test]
fn settings_and_warnings_say_what_their_rows_quote() {
    for (section, sources) in [
        (
            "Settings",
            &[
                include_str!("../../../run_config.rs"),
                include_str!("../../../../client/net/endpoint.rs"),
                include_str!("../../../../client/net/proxy/mod.rs"),
                include_str!("../../../../protocol/request/mod.rs"),
            ][..],
        ),
        (
            "Warnings",
            &[
                include_str!("../../warnings.rs"),
                include_str!("../../../ineffective.rs"),
            ][..],
        ),
    ] {
        let source: Vec<_> = sources.iter().map(|text| source(text)).collect();
        for row in rows(section) {
            assert!(source.iter().any(|text| is_said(row, text)), "{row}");
        }
    }
}

/// The other way, for the enums whose texts are constant.
#[test]
fn every_refused_uri_and_context_has_its_row() {
    use crate::client::Endpoint;
    use crate::protocol::request::parse_context;

    let rows = rows("Settings");
    let uris = [
        "",
        "https://a/",
        "wss:///x",
        "wss://a:b@c/",
        "ws://192.0.2.1/",
    ];
    let uris = uris.map(|uri| Endpoint::parse(uri, false).expect_err(uri).to_string());
    let contexts = ["{", "[]", r#"{"hotwords":1}"#];
    let contexts = contexts.map(|text| parse_context(text).expect_err(text).to_string());
    for text in uris.iter().chain(&contexts) {
        assert!(rows.iter().any(|row| is_said(row, text)), "{text}");
    }
}
