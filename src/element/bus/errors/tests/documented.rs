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

/// Numbers of the service in a row's cells, and the failures that they make.
fn failures<'a>(cells: &'a [&str]) -> impl Iterator<Item = (&'a str, Failure)> {
    let numbers = cells
        .iter()
        .flat_map(|cell| cell.split(|c: char| !c.is_ascii_digit()));
    numbers.filter_map(|number| match number.parse::<u32>().ok()? {
        status @ 100..=599 => Some((number, Failure::from_http(status as u16, b""))),
        code @ 40_000_000.. => Some((number, Failure::from_error_frame(code, b""))),
        _ => None,
    })
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
        .map(|(error, _)| text(error, false, &context))
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

/// A cause, its domain, a part of the way out in its text, and parts of the first cell of its row,
/// and of no other: its codes or statuses.
#[rustfmt::skip]
const CAUSES: [(Cause, &str, &str, &[&str]); Cause::Unknown as usize + 1] = [
    (Cause::Credentials, "RESOURCE NOT_AUTHORIZED", "VOLCENGINE_API_KEY", &["401", "45000010"]),
    (Cause::NotGranted, "RESOURCE NOT_AUTHORIZED", "resource-id", &["403, 45000030"]),
    (Cause::Parameters, "RESOURCE SETTINGS", "extra-request", &["45000001"]),
    (Cause::NoRequest, "RESOURCE SETTINGS", "a proxy on the way", &["45000007"]),
    (Cause::OutOfOrder, "RESOURCE OPEN_WRITE", "a proxy on the way", &["45000000"]),
    (Cause::EmptyAudio, "RESOURCE OPEN_WRITE", "a proxy on the way", &["45000002"]),
    (Cause::Idle, "RESOURCE OPEN_WRITE", "idle-timeout", &["45000081"]),
    (Cause::AudioFormat, "STREAM FORMAT", "rate=16000", &["45000151"]),
    (Cause::Concurrency, "RESOURCE BUSY", "sessions", &["45000292, \"concurrency\""]),
    (Cause::QuotaSpent, "RESOURCE BUSY", "spent",
        &["402, 403, 429, 45000030 or 45000292", "\"…_lifetime\""]),
    (Cause::Overdue, "RESOURCE NOT_AUTHORIZED", "Pay what is due",
        &["402; 403, 429, 45000030 or 45000292", "\"overdue\""]),
    (Cause::ProxyCredentials, "RESOURCE NOT_AUTHORIZED", "proxy-pw", &["407"]),
    (Cause::Busy, "RESOURCE BUSY", "later", &["55000031"]),
    (Cause::Internal, "RESOURCE OPEN_WRITE", "log id", &["other 550xxxxx"]),
    (Cause::WrongType, "RESOURCE SETTINGS", "type", &["55000000 that names a field"]),
    (Cause::RateLimited, "RESOURCE BUSY", "later", &["429, 55000031"]),
    (Cause::Refused, "RESOURCE OPEN_WRITE", "VOLCASR_URI", &["404", "other 4xx", "a redirect"]),
    (Cause::NoWebSocket, "STREAM DECODE", "v3/sauc", &["200"]),
    (Cause::Unavailable, "RESOURCE OPEN_WRITE", "later", &["503", "other 5xx"]),
    (Cause::Unknown, "RESOURCE OPEN_WRITE", "log id", &["any other number"]),
];

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
    for (cause, domain, advice, parts) in CAUSES {
        let failure = Failure {
            cause,
            ..Failure::from_error_frame(0, b"")
        };
        let report = report(&failed(failure.clone()), false, &key());
        let text = report.error.message();
        assert_eq!(name(&report.error), domain, "{failure:?}");
        assert!(text.contains(advice), "{text}");
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
    let row = rows.iter().find(|row| row[0] == "other 45xxxxxx");
    let of_client = attempts(Failure::from_error_frame(45_999_999, b"").retry());
    assert_eq!(row.and_then(|row| row.last()), Some(&of_client));
    // The other way: a number in a row is one that means something.
    for row in &rows {
        for (number, failure) in failures(&row[..1]) {
            assert_ne!(failure.cause, Cause::Unknown, "{number} in {row:?}");
        }
    }
}

/// Every domain has its row, and a number stands in the row of the domain that it comes with.
#[test]
fn every_number_stands_with_its_domain() {
    gst::init().expect("GStreamer");
    // Of one number a text tells what it means.
    let is_known = |number: &str| number != "55000000";
    let domain_of = |error: &ClientError, lost| name(&domain(error, lost, ""));
    let of_run = [false, true].iter().flat_map(|lost| {
        let errors = one_of_each().into_iter();
        errors.map(|(error, _)| domain_of(&error, *lost))
    });
    let refused = refused_downstream(gst::FlowError::NotLinked).error;
    let mut seen: Vec<&str> = of_run.chain([name(&refused)]).collect();
    let table = cells("What a program can tell apart");
    let mut numbers = Vec::new();
    for row in &table {
        for (number, failure) in failures(row).filter(|(number, _)| is_known(number)) {
            let name = domain_of(&failed(failure), false);
            assert_eq!(row[0], name, "{number}");
            seen.push(name);
            numbers.push(number);
        }
    }
    assert!(numbers.len() >= 12, "{numbers:?}");
    seen.sort_unstable();
    seen.dedup();
    let mut documented: Vec<_> = table.iter().map(|row| row[0]).collect();
    documented.sort_unstable();
    assert_eq!(seen, documented);
    // Every other code of the page has the domain of the row that has none: it is not lost here.
    for row in rows("The service refuses") {
        for (number, failure) in failures(&[row]).filter(|(number, _)| is_known(number)) {
            if failure.code.is_some() {
                let name = domain_of(&failed(failure), false);
                let is_listed = numbers.contains(&number);
                assert_eq!(is_listed, name != "RESOURCE OPEN_WRITE", "{number}: {name}");
            }
        }
    }
}

/// Their texts are formatted in several places, so the sources are read.
#[test]
fn settings_and_warnings_say_what_their_rows_quote() {
    let settings = [
        include_str!("../../../run_config.rs"),
        include_str!("../../../../client/net/endpoint.rs"),
        include_str!("../../../../client/net/proxy/mod.rs"),
        include_str!("../../../../protocol/request/mod.rs"),
    ];
    let warnings = [WARNINGS, INEFFECTIVE];
    for (section, sources) in [("Settings", &settings[..]), ("Warnings", &warnings)] {
        let source: Vec<_> = sources.iter().map(|text| source(text)).collect();
        for row in rows(section) {
            assert!(source.iter().any(|text| is_said(row, text)), "{row}");
        }
    }
}

const WARNINGS: &str = include_str!("../../warnings.rs");
const INEFFECTIVE: &str = include_str!("../../../ineffective.rs");

/// The other way: each function of `warnings`, and each rule of `ineffective`, has its row.
#[test]
fn every_warning_has_its_row() {
    let rows = rows("Warnings");
    let code = |file: &'static str| file.split("#[cfg(test)]").next().unwrap_or_default();
    let warnings = code(WARNINGS).split("pub(crate) fn ");
    let rules = code(INEFFECTIVE).split("let text = ");
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
    let uris = "|https://a/|wss:///x|wss://a:b@c/|ws://192.0.2.1/".split('|');
    let uris = uris.map(|uri| Endpoint::parse(uri, false).expect_err(uri).to_string());
    let contexts = ["{", "[]", r#"{"hotwords":1}"#];
    let contexts = contexts.map(|text| parse_context(text).expect_err(text).to_string());
    for text in uris.chain(contexts) {
        assert!(rows.iter().any(|row| is_said(row, &text)), "{text}");
    }
}
