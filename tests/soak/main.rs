//! Sessions over marks with random faults, pauses, flushes, seeks, gaps and changes of stream:
//! in spite of them, every mark that the elements' promises cover is posted once, in order, at its
//! time, and nothing is posted that has no reason. A transcriber's text pad has the same marks.
//!
//! Each schedule follows from its seed. `SOAK_SEED` is the first one's, `SOAK_SCHEDULES` says how
//! many follow from it, `SOAK_JOBS` how many run at a time, `SOAK_LAG` how far answers lag. A
//! failure prints the seed; with that and one schedule it comes again, as far as the machine's
//! timing lets it.

#[path = "../common/mod.rs"]
mod common;

/// Returns an error with this text, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*));
        }
    };
}

mod buffers;
mod bus;
mod check;
mod dice;
mod faults;
mod lives;
mod marks;
mod meanwhile;
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
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use marks::Marks;
use plan::Schedule;

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect(name))
}

#[derive(Default)]
struct Totals {
    marks: Marks,
    connections: usize,
    /// How often each struck.
    faults: BTreeMap<String, usize>,
    lives: usize,
    ready: Duration,
    failures: Vec<(u64, String)>,
}

/// Parts of the names of faults that no 80 schedules do without.
const FAULTS: [&str; 9] = [
    "reset",
    "drop",
    "close",
    "error",
    "HTTP",
    "delay",
    "trickle",
    "pings",
    "text message",
];

impl Totals {
    /// Asserts that the schedules met with what the checks make exceptions for.
    fn assert_varied(&self) {
        let is_varied = self.marks.dropped > 0 && self.marks.excepted > 0;
        assert!(is_varied, "{}", self.marks);
        for fault in FAULTS {
            let is_there = self.faults.keys().any(|name| name.contains(fault));
            assert!(is_there, "no {fault}: {:?}", self.faults);
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled() {
    soak("sink", Schedule::new);
}

#[test]
fn text_is_append_only() {
    soak("transcriber", Schedule::of_text);
}

/// Plays and checks the schedules of all seeds.
fn soak(element: &str, schedule: fn(u64) -> Schedule) {
    common::init();
    let first = number("SOAK_SEED", 1);
    let schedules = number("SOAK_SCHEDULES", 80);
    let jobs = number("SOAK_JOBS", 16);
    println!("{element}: SOAK_SEED={first} SOAK_SCHEDULES={schedules}");
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    let work = || {
        let index = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < schedules);
        while let Some(index) = index() {
            let seed = first.wrapping_add(index);
            one(seed, &schedule(seed), &totals);
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.min(schedules) {
            scope.spawn(work);
        }
    });
    let totals = totals.into_inner().expect("no panic under the lock");
    println!(
        "{element}: {schedules} schedules in {:.1} s: {}, {} connections, {} times READY within \
         {:?}, {} failures",
        began.elapsed().as_secs_f64(),
        totals.marks,
        totals.connections,
        totals.lives,
        totals.ready,
        totals.failures.len()
    );
    println!("{element}, faults: {:?}", totals.faults);
    for (seed, failure) in &totals.failures {
        println!("{element}: SOAK_SEED={seed} SOAK_SCHEDULES=1: {failure}");
    }
    assert!(totals.failures.is_empty(), "see above");
    if schedules >= 80 {
        totals.assert_varied();
    }
}

fn one(seed: u64, schedule: &Schedule, totals: &Mutex<Totals>) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let played = play::play(schedule);
        let checked = check::check(schedule, &played);
        (played, checked)
    }));
    let mut totals = totals.lock().expect("no panic under the lock");
    match outcome {
        Ok((played, Ok(marks))) => {
            totals.marks.add(&marks);
            totals.connections += played.connections;
            for fault in played.faults {
                *totals.faults.entry(fault).or_default() += 1;
            }
            totals.lives += played.lives.len();
            totals.ready = totals.ready.max(played.ready);
        }
        Ok((played, Err(failure))) => {
            let log = played.log.join("\n  ");
            let text = format!("{failure}\n  {schedule:#?}\n  {log}");
            totals.failures.push((seed, text));
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or_default();
            let text = format!("{text}\n  {schedule:#?}");
            totals.failures.push((seed, text));
        }
    }
}
