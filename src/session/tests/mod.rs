//! Tables of scripts, and how they write down responses and updates.
mod notation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

pub(super) use notation::{Utterance, described, response, result, timed, utterance};

use super::{samples_to_time, time_to_samples};

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Runs each case of a table, and names all that fail. `# ` begins a case with its name. A line
/// that begins with `- ` begins one way to go on behind the lines above the first such line. `//`
/// begins a remark. `run` gets the lines of one way.
pub(crate) fn table(text: &str, run: impl Fn(&[&str])) {
    let cases = cases(text);
    assert!(!cases.is_empty(), "no cases");
    let mut failed = Vec::new();
    for (name, ways) in cases {
        let beginning = usize::from(ways.len() > 1);
        for way in &ways[beginning..] {
            assert!(!way.is_empty(), "no steps: {name}");
            if catch_unwind(AssertUnwindSafe(|| run(way))).is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// Returns the name of each case, its beginning, and the beginning with each way to go on.
fn cases(text: &str) -> Vec<(&str, Vec<Vec<&str>>)> {
    let mut cases: Vec<(&str, Vec<Vec<&str>>)> = Vec::new();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
        if let Some(name) = line.strip_prefix("# ") {
            cases.push((name, vec![Vec::new()]));
            continue;
        }
        let (_, ways) = cases.last_mut().expect("a name before the first line");
        let step = line.strip_prefix("- ");
        if step.is_some() {
            ways.push(ways[0].clone());
        }
        let way = ways.last_mut().expect("the beginning");
        way.push(step.unwrap_or(line));
    }
    cases
}

#[test]
fn samples_and_time_are_inverse() {
    for rate in [16_000, 24_000] {
        for samples in (0..100_000).chain(86_400_000_000..86_400_001_000) {
            assert_eq!(
                time_to_samples(samples_to_time(samples, rate), rate),
                samples
            );
        }
        assert_eq!(
            samples_to_time(u64::from(rate) * 3600, rate),
            Duration::from_secs(3600)
        );
    }
}
