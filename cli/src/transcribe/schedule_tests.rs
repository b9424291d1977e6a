use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// All jobs that can be begun now.
fn begun(schedule: &mut Schedule, now: u64) -> Vec<usize> {
    std::iter::from_fn(|| match schedule.next(seconds(now)) {
        Next::Begin(job) => Some(job),
        Next::Wait(_) | Next::Done => None,
    })
    .collect()
}

#[derive(Clone, Copy)]
enum Step {
    /// Second, and the jobs that are begun.
    Begin(u64, &'static [usize]),
    Ended,
    /// Job, second, pause in seconds, number at once.
    Refused(usize, u64, u64, usize),
}
use Step::{Begin, Ended, Refused};

fn check(case: &str, mut schedule: Schedule, steps: &[Step]) {
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Begin(now, jobs) => assert_eq!(begun(&mut schedule, now), jobs, "{case}, step {n}"),
            Ended => schedule.ended(),
            Refused(job, now, pause, at_once) => assert_eq!(
                schedule.refused(job, seconds(now)),
                Verdict::Again {
                    pause: seconds(pause),
                    at_once
                },
                "{case}, step {n}"
            ),
        }
    }
}

#[test]
fn refusals_lower_the_number_at_once() {
    check(
        "two of four have room",
        Schedule::new(6, 4),
        &[
            Begin(0, &[0, 1, 2, 3]),
            Refused(2, 1, 1, 3),
            Refused(3, 1, 1, 2),
            Begin(1, &[]),
            Ended,
            // The pause is over, and the refused ones are last.
            Begin(2, &[4]),
            Ended,
            Begin(3, &[5]),
            Ended,
            Begin(4, &[2]),
            Ended,
            Begin(5, &[3]),
        ],
    );
}

#[test]
fn pauses_grow_and_end_with_a_success() {
    check(
        "a service that is down",
        Schedule::new(2, 1),
        &[
            Begin(0, &[0]),
            Refused(0, 0, 1, 1),
            Begin(0, &[]),
            Begin(1, &[1]),
            Refused(1, 1, 2, 1),
            Begin(2, &[]),
            Begin(3, &[0]),
            Refused(0, 3, 4, 1),
            Begin(7, &[1]),
            Ended,
            Begin(7, &[0]),
            Refused(0, 8, 1, 1),
        ],
    );
}

#[test]
fn the_number_rises_again_after_successes() {
    let mut schedule = Schedule::new(40, 2);
    assert_eq!(begun(&mut schedule, 0), [0, 1]);
    schedule.refused(1, Duration::ZERO);
    // Refused once: four successes before two are tried again.
    for n in 1..5 {
        schedule.ended();
        assert_eq!(
            begun(&mut schedule, n).len(),
            if n < 4 { 1 } else { 2 },
            "{n}"
        );
    }
}

#[test]
fn pauses_and_refusals_have_a_bound() {
    let mut schedule = Schedule::new(1, 1);
    let (mut now, mut longest) = (Duration::ZERO, Duration::ZERO);
    loop {
        match schedule.next(now) {
            Next::Begin(0) => match schedule.refused(0, now) {
                Verdict::Again { pause, .. } => longest = longest.max(pause),
                verdict => {
                    assert_eq!(verdict, Verdict::GiveUp);
                    break;
                }
            },
            Next::Wait(Some(until)) => now = until,
            next => panic!("{next:?}"),
        }
    }
    assert_eq!(longest, LONGEST_PAUSE);
    assert!(
        now >= GIVE_UP_AFTER && now < GIVE_UP_AFTER + LONGEST_PAUSE,
        "{now:?}"
    );
}

#[test]
fn it_ends_when_all_have_ended() {
    let mut schedule = Schedule::new(1, 4);
    assert_eq!(schedule.next(Duration::ZERO), Next::Begin(0));
    assert_eq!(schedule.next(Duration::ZERO), Next::Wait(None));
    schedule.ended();
    assert_eq!(schedule.next(Duration::ZERO), Next::Done);
    assert_eq!(Schedule::new(0, 4).next(Duration::ZERO), Next::Done);
}
