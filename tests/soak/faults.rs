//! Faults of a schedule: the element survives all of them.

use std::time::Duration;

use volcasr_loopback::{Endpoint, Fault, FaultKind, Oddity, Trigger};

use super::dice::Dice;
use super::settings::Settings;
use super::ways::Ways;

/// More failures of an unknown kind in a row are one for good.
const LIMITED: usize = 3;

/// Audio that has the end of an utterance in it, and the answer to that, however much is spoken
/// without a pause.
const LONGEST: Duration = Duration::from_millis(10_500);

/// The faults of a schedule with `audio` milliseconds of audio.
pub fn faults(dice: &mut Dice, sink: &Settings, ways: &Ways, audio: u64) -> Vec<Fault> {
    let mut faults: Vec<Fault> = (0..dice.within(0, 3)).map(|_| once(dice, audio)).collect();
    match dice.within(0, 11) {
        0 => {
            // A connection that is lost again and again.
            let what = dice.pick(&[
                FaultKind::Reset,
                FaultKind::Drop,
                FaultKind::Close(1011),
                http(503),
            ]);
            let when = match what {
                FaultKind::Http { .. } => Trigger::Handshake,
                _ => dice.pick(&[Trigger::Ack, Trigger::Audio(Duration::from_millis(300))]),
            };
            faults.extend(
                (1..=dice.within(2, 3)).map(|n| Fault::nth(n as usize, what.clone(), when)),
            );
        }
        1 => {
            // Not once, but not fatal either.
            let pause = FaultKind::Delay(ms(dice.within(20, 100)));
            let what = dice.pick(&[
                FaultKind::Ping(2),
                FaultKind::Text("hello".to_owned()),
                pause,
            ]);
            faults.push(Fault::each(what, moment(dice, audio)));
        }
        2 => {
            // A service that takes no more sessions for a while, and says so in one way or the
            // other.
            let full = [
                (http(429), Trigger::Handshake),
                (quota(), dice.pick(&[Trigger::Ack, Trigger::Wall(ms(0))])),
            ];
            let (first, count) = (dice.within(0, 1), dice.within(1, 3));
            faults.extend((1..=count).map(|n| {
                let (what, when) = &full[((n + first) % 2) as usize];
                Fault::nth(n as usize, what.clone(), *when)
            }));
        }
        3 if settles_early(sink, ways) => {
            faults.push(Fault::each(FaultKind::Close(1011), Trigger::Audio(LONGEST)));
        }
        _ => {}
    }
    let mut limited = 0;
    faults.retain(|fault| match fault.kind {
        FaultKind::Error { code, .. } if code >= 55_000_000 && code != 55_000_031 => {
            limited += 1;
            limited <= LIMITED
        }
        _ => true,
    });
    faults
}

/// Whether an utterance is settled when it is over, and reported before much more is sent.
fn settles_early(sink: &Settings, ways: &Ways) -> bool {
    sink.end_window > 0
        && sink.max_speed > 0.0
        && ways.endpoint != Endpoint::Nostream
        && ways.wall_lag.is_none()
        && !ways.has(Oddity::TextOnly)
        && !ways.has(Oddity::OutOfOrder)
}

fn once(dice: &mut Dice, audio: u64) -> Fault {
    let delay = FaultKind::Delay(ms(dice.within(50, 400)));
    let slow = FaultKind::Trickle(ms(1), Some(dice.within(50, 500)));
    if dice.percent(25) {
        let what = dice.pick(&[
            http(503),
            http(429),
            FaultKind::Reset,
            FaultKind::Drop,
            delay,
            slow,
        ]);
        return Fault::once(what, dice.pick(&[Trigger::Accept, Trigger::Handshake]));
    }
    let what = dice.pick(&[
        FaultKind::Reset,
        FaultKind::Drop,
        FaultKind::Close(1000),
        FaultKind::Close(1001),
        FaultKind::Close(1011),
        error(45_000_081),
        quota(),
        error(55_000_031),
        error(55_000_000),
        error(55_000_001),
        error(55_099_999),
        delay,
        slow,
        FaultKind::Ping(3),
        FaultKind::Text("hello".to_owned()),
        FaultKind::NoFinal,
        FaultKind::Hang,
    ]);
    Fault::once(what, moment(dice, audio))
}

fn moment(dice: &mut Dice, audio: u64) -> Trigger {
    match dice.within(0, 11) {
        0 => Trigger::Ack,
        1..=3 => Trigger::Finish,
        4 | 5 => Trigger::Wall(ms(dice.within(0, 1500))),
        _ => Trigger::Audio(ms(dice.within(0, audio))),
    }
}

fn error(code: u32) -> FaultKind {
    FaultKind::Error {
        code,
        body: r#"{"error":"injected"}"#.to_owned(),
    }
}

/// Too many sessions at a time.
fn quota() -> FaultKind {
    FaultKind::Error {
        code: 45_000_292,
        body: r#"{"error":"quota exceeded for types: concurrency"}"#.to_owned(),
    }
}

fn http(status: u16) -> FaultKind {
    FaultKind::Http {
        status,
        headers: Vec::new(),
        body: r#"{"error":"injected"}"#.to_owned(),
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
