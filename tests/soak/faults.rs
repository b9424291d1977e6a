//! Faults of a schedule, in the words of the service's `--fault`: the element survives all of them.

use volcasr_loopback::{Endpoint, Fault, Oddity};

use super::dice::Dice;
use super::plan::Schedule;

/// Audio that has the end of an utterance in it, and the answer to that, however much is spoken
/// without a pause.
const LONGEST: &str = "10500ms";

/// Too many sessions at a time.
const QUOTA: &str = r#"error:45000292:{"error":"quota exceeded for types: concurrency"}"#;

/// The faults of a schedule with `audio` milliseconds of audio.
pub fn faults(dice: &mut Dice, schedule: &Schedule, audio: u64) -> Vec<Fault> {
    // More failures of an unknown kind in a row are one for good.
    let mut faults: Vec<String> = (0..dice.within(0, 3)).map(|_| once(dice, audio)).collect();
    match dice.within(0, 11) {
        0 => {
            // A connection that is lost again and again.
            let what = dice.pick(&["reset", "drop", "close:1011", "http:503"]);
            let when = match what {
                "http:503" => "handshake",
                _ => dice.pick(&["ack", "300ms"]),
            };
            faults.extend((1..=dice.within(2, 3)).map(|n| format!("{what}@{when}#{n}")));
        }
        1 => {
            // Not once, but not fatal either.
            let pause = format!("delay:{}ms", dice.within(20, 100));
            let what = dice.pick(&["ping:2", "text:hello", &pause]);
            faults.push(format!("{what}@{}*", moment(dice, audio)));
        }
        2 => {
            // A service that takes no more sessions for a while, and says so in one way or the
            // other.
            let late = format!("{QUOTA}@{}", dice.pick(&["ack", "wall:0ms"]));
            let full = ["http:429@handshake", &late];
            let (first, count) = (dice.within(0, 1), dice.within(1, 3));
            let full = (1..=count).map(|n| format!("{}#{n}", full[((n + first) % 2) as usize]));
            faults.extend(full);
        }
        3 if settles_early(schedule) => faults.push(format!("close:1011@{LONGEST}*")),
        _ => {}
    }
    let faults = faults.iter().map(|fault| fault.parse());
    faults
        .map(|fault| fault.expect("the service's grammar"))
        .collect()
}

/// Whether an utterance is settled when it is over, and reported before much more is sent.
fn settles_early(schedule: &Schedule) -> bool {
    let (sink, ways) = (&schedule.sink, &schedule.ways);
    sink.end_window > 0
        && sink.max_speed > 0.0
        && ways.endpoint != Endpoint::Nostream
        && !ways.options.wall_lag
        && !ways.has(Oddity::TextOnly)
        && !ways.has(Oddity::OutOfOrder)
}

fn once(dice: &mut Dice, audio: u64) -> String {
    let delay = format!("delay:{}ms", dice.within(50, 400));
    let slow = format!("trickle:1ms:{}", dice.within(50, 500));
    if dice.percent(25) {
        let what = dice.pick(&["http:503", "http:429", "reset", "drop", &delay, &slow]);
        return format!("{what}@{}", dice.pick(&["accept", "handshake"]));
    }
    #[rustfmt::skip]
    let what = dice.pick(&[
        "reset", "drop", "close:1000", "close:1001", "close:1011", "error:45000081", QUOTA,
        "error:55000031", "error:55000000", "error:55000001", "error:55099999", &delay, &slow,
        "ping:3", "ping:1", "text:hello", "text:again", "no-final", "hang",
    ]);
    format!("{what}@{}", moment(dice, audio))
}

fn moment(dice: &mut Dice, audio: u64) -> String {
    match dice.within(0, 11) {
        0 => "ack".to_owned(),
        1..=3 => "finish".to_owned(),
        4 | 5 => format!("wall:{}ms", dice.within(0, 1500)),
        _ => format!("{}ms", dice.within(0, audio)),
    }
}
