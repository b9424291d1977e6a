//! Sessions over marks with random faults, pauses, flushes, seeks, gaps and changes of stream:
//! in spite of them, every mark that the documents cover is posted once, in order, at its time, and
//! nothing is posted that has no reason. A transcriber's text pad has the same marks.
//!
//! Each schedule follows from its seed. `SOAK_SEED` is the first one's, `SOAK_SCHEDULES` says how
//! many follow from it, `SOAK_JOBS` how many run at a time, `SOAK_LAG` how far answers lag. A
//! failure prints the seed; with that and one schedule it comes again, as far as the machine's
//! timing lets it.

#[path = "../common/mod.rs"]
mod common;

mod buffers;
mod check;
mod dice;
mod faults;
mod lives;
mod marks;
mod plan;
mod play;
mod record;
mod settings;
mod source;
mod stamps;
mod text;
mod ways;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use plan::Schedule;

#[derive(Default)]
struct Totals {
    /// Marks by what became of them, connections, lives, how often each kind of fault struck, and
    /// what the schedules did.
    counts: BTreeMap<String, usize>,
    ready: Duration,
    failures: Vec<(u64, String)>,
}

/// Names in the totals that no 80 schedules do without: faults, what the checks make exceptions
/// for, acts, and oddities of buffers.
const VARIED: &str = "marks dropped, marks cut, reset, drop, close, error, HTTP, delay, \
                      trickle bytes, pings, text message, Gap, Pause, NewStream, Segment, Ready, \
                      Hurry, Rate, Flush, Seek, HalfSample, Empty, Caps, Untimed, Flags, Outside, \
                      Overlap";

#[test]
fn nothing_is_lost_or_doubled() {
    soak("sink", false);
}

#[test]
fn text_is_append_only() {
    soak("transcriber", true);
}

/// Plays and checks the schedules of all seeds.
fn soak(element: &str, is_text: bool) {
    common::init();
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.map_or(default, |text| text.parse().expect(name))
    };
    let first = number("SOAK_SEED", 1);
    let schedules = number("SOAK_SCHEDULES", 80);
    let jobs = number("SOAK_JOBS", 16);
    println!("{element}: SOAK_SEED={first} SOAK_SCHEDULES={schedules}");
    let began = Instant::now();
    let seeds = Mutex::new((0..schedules).map(|index| first.wrapping_add(index)));
    let totals = Mutex::new(Totals::default());
    let next = || seeds.lock().expect("no panic under the lock").next();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    one(seed, &Schedule::new(seed, is_text), &totals);
                }
            });
        }
    });
    let totals = totals.into_inner().expect("no panic under the lock");
    let failures = totals.failures.len();
    let (took, ready, counts) = (began.elapsed(), totals.ready, totals.counts);
    println!("{element}: {schedules} schedules in {took:.1?}, READY within {ready:?}: {counts:?}");
    println!("{element}: {failures} failures");
    for (seed, failure) in &totals.failures {
        println!("{element}: SOAK_SEED={seed} SOAK_SCHEDULES=1: {failure}");
    }
    assert_eq!(failures, 0, "see above");
    let mut lacking = VARIED
        .split(", ")
        .filter(|name| counts.get(*name).is_none_or(|count| *count == 0));
    let lacking = lacking.next().filter(|_| schedules >= 80);
    assert_eq!(lacking, None, "{counts:?}");
}

fn one(seed: u64, schedule: &Schedule, totals: &Mutex<Totals>) {
    let mut log = Vec::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let played = play::play(schedule);
        log.clone_from(&played.log);
        (check::check(schedule, &played), played)
    }));
    let mut totals = totals.lock().expect("no panic under the lock");
    match outcome {
        Ok((marks, played)) => {
            totals.ready = totals.ready.max(played.ready);
            let faults = played.faults.iter().map(|fault| kind(fault));
            let faults = faults.map(|kind| (kind, 1));
            let all = [
                ("connections", played.connections),
                ("lives", played.lives.len()),
            ];
            let all = all.into_iter().chain(marks.counts);
            let all = all.map(|(name, count)| (name.to_owned(), count));
            let did = schedule.names().into_iter().map(|name| (name, 1));
            for (name, count) in all.chain(faults).chain(did) {
                *totals.counts.entry(name).or_default() += count;
            }
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or_default();
            let log = log.join("\n  ");
            let text = format!("{text}\n  {schedule:#?}\n  {log}");
            totals.failures.push((seed, text));
        }
    }
}

/// The name of a fault without its numbers.
fn kind(fault: &str) -> String {
    let words = fault
        .split(' ')
        .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}
