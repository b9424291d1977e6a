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
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
        Err(_) => default,
    }
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
    thread::scope(|scope| {
        for _ in 0..jobs.min(schedules) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= schedules {
                        return;
                    }
                    let seed = first.wrapping_add(index);
                    one(seed, &schedule(seed), &totals);
                }
            });
        }
    });
    let totals = totals.into_inner().expect("no panic under the lock");
    let Marks {
        reported,
        excepted,
        dropped,
        forgotten,
        gone,
    } = totals.marks;
    println!(
        "{element}: {schedules} schedules in {:.1} s: {} marks checked ({reported} reported, \
         {excepted} cut by flushes or READY, {dropped} dropped, {forgotten} out of the window, \
         {} stretches closed over), {} faults, {} connections, {} times READY within {:?}, \
         {} failures",
        began.elapsed().as_secs_f64(),
        reported + excepted + dropped + forgotten,
        gone.len(),
        totals.faults.values().sum::<usize>(),
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
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            totals
                .failures
                .push((seed, format!("{text}\n  {schedule:#?}")));
        }
    }
}
