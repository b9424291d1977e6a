//! Agreement of docs/errors.md with the texts: every cause has a row, and every row a cause.

use super::*;
use crate::client::one_of_each;

const PAGE: &str = include_str!("../../../../../docs/errors.md");

/// Cells of a section's rows in its first table.
fn cells(section: &str) -> Vec<Vec<&'static str>> {
    let from = PAGE
        .find(&format!("\n## {section}\n"))
        .unwrap_or_else(|| panic!("no section {section}"));
    let section = &PAGE[from + 4..];
    section[..section.find("\n## ").unwrap_or(section.len())]
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

/// First cells of a section's rows.
fn rows(section: &str) -> Vec<&'static str> {
    cells(section).iter().map(|cells| cells[0]).collect()
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
    let refused = refused_downstream(gst::FlowError::NotNegotiated);
    let texts: Vec<String> = one_of_each()
        .iter()
        .map(|error| text(error, false, &context))
        .chain([refused.error.message().to_owned()])
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

/// Parts of the first cell of a cause's row, and of no other: its codes or statuses.
fn code(cause: Cause) -> &'static [&'static str] {
    match cause {
        Cause::Credentials => &["401", "45000010"],
        Cause::NotGranted => &["403, 45000030"],
        Cause::Parameters => &["45000001"],
        Cause::NoRequest => &["45000007"],
        Cause::OutOfOrder => &["45000000"],
        Cause::EmptyAudio => &["45000002"],
        Cause::Idle => &["45000081"],
        Cause::AudioFormat => &["45000151"],
        Cause::Concurrency => &["45000292, \"concurrency\""],
        Cause::QuotaSpent => &["402, 403, 429, 45000030 or 45000292", "\"…_lifetime\""],
        Cause::Overdue => &["402; 403, 429, 45000030 or 45000292", "\"overdue\""],
        Cause::ProxyCredentials => &["407"],
        Cause::Busy => &["55000031"],
        Cause::Internal => &["other 550xxxxx"],
        Cause::WrongType => &["55000000 that names a field"],
        Cause::RateLimited => &["429, 55000031"],
        Cause::Refused => &["404", "other 4xx", "a redirect"],
        Cause::NoWebSocket => &["200"],
        Cause::Unavailable => &["503", "other 5xx"],
        Cause::Unknown => &["any other number"],
    }
}

/// Says how often to try again, in the words of the column.
fn attempts(retry: Retry) -> &'static str {
    match retry {
        Retry::Never => "no",
        Retry::Limited => "3 times",
        Retry::Soon | Retry::Later => "`max-reconnects` times",
    }
}

#[test]
fn every_refusal_has_its_row_and_is_tried_as_often_as_that_says() {
    let rows = cells("The service refuses");
    let causes = [
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
    ];
    assert_eq!(causes.len(), Cause::Unknown as usize + 1, "all of them");
    let of_cause = |cause| Failure {
        cause,
        ..Failure::from_error_frame(0, b"")
    };
    let unknown = Failure::from_error_frame(45_999_999, b"");
    let of_client = (unknown, &["other 45xxxxxx"][..]);
    let failures = causes.map(|cause| (of_cause(cause), code(cause)));
    for (failure, parts) in failures.into_iter().chain([of_client]) {
        let is_its = |cells: &&Vec<&str>| parts.iter().all(|part| cells[0].contains(part));
        let found: Vec<_> = rows.iter().filter(is_its).collect();
        let [row] = found[..] else {
            panic!("{failure:?}: {found:?}");
        };
        let (said, is) = (*row.last().expect("a column"), attempts(failure.retry()));
        // Whether a session that idled out is opened again depends on what waits.
        let is_said = said == is || failure.cause == Cause::Idle && said.contains(is);
        assert!(is_said, "{failure:?}: {said}");
    }
    // The other way: a number in a row is one that means something.
    for row in rows.iter().map(|cells| cells[0]) {
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
    gst::init().expect("GStreamer");
    let table = rows("What a program can tell apart");
    let of_run = [false, true].iter().flat_map(|lost| {
        let errors = one_of_each().into_iter();
        errors.map(|error| name(&domain(&error, *lost, "")))
    });
    let refused = refused_downstream(gst::FlowError::NotLinked).error;
    let mut seen: Vec<&str> = of_run.chain([name(&refused)]).collect();
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

/// The other way: each function of `warnings`, and each rule of `ineffective`, has its row.
#[test]
fn every_warning_has_its_row() {
    let rows = rows("Warnings");
    let code = |file: &'static str| file.split("#[cfg(test)]").next().unwrap_or_default();
    let warnings = code(include_str!("../../warnings.rs")).split("pub(crate) fn ");
    let rules = code(include_str!("../../../ineffective.rs")).split("let text = ");
    // One function takes its text from a rule.
    let warnings = warnings.filter(|function| !function.starts_with("ineffective("));
    for part in warnings.skip(1).chain(rules.skip(1)).map(source) {
        assert!(rows.iter().any(|row| is_said(row, &part)), "{part}");
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
