//! Scripts of what comes in, on a virtual clock, and what has to leave.

use super::*;

/// Runs each case of a table of scripts, see [`crate::session::tests::table`]. Each line is `step |
/// what leaves`, with ` / ` between parts. Behind a step without `|` nothing is looked at. Times
/// are milliseconds.
///
/// - `unit utterance`, `unit cue 12 1`: a buffer holds that instead of a word: a cue of that width
///   and number of lines;
/// - `latency N`, `live N`: the pipeline is live; so it is, and its first segment has left;
/// - `segment`, `segment P R`: a segment, which begins at position P with the running time R;
/// - `eos`, `stream-start`, `tag`: other events;
/// - `open 0: one 100-180 / two 400-480`, `final 0 by 1: …`, `guessed 0: …`: an utterance with its
///   number and speaker; its words may have times that are guessed;
/// - `withdraw N E`: an utterance that ends at E has no text;
/// - `settled N`, `quiet N`, `starve N`, `barrier T E`, `done T`, `posted T`, `fail`, `flush`;
/// - `at N`: the running time is N from here on; without it there is no clock;
/// - `until`: the time that is waited for; `starving N`: whether text up to N is missing;
/// - `no gaps`: gaps are not shown any more.
pub(super) fn run(text: &str) {
    crate::session::tests::table(text, |lines| {
        let mut script = Script {
            schedule: Machine::new(Unit::Word),
            now: None,
            has_gaps: true,
        };
        for line in lines {
            let Some((step, expected)) = line.split_once('|') else {
                script.step(line);
                continue;
            };
            let mut left = script.step(step.trim());
            left.extend(script.all_but_hidden());
            assert_eq!(left.join(" / "), expected.trim(), "after: {line}");
        }
    });
}

struct Script {
    schedule: Machine,
    now: Option<u64>,
    has_gaps: bool,
}

impl Script {
    /// Takes a step. Returns what it gives by itself.
    fn step(&mut self, step: &str) -> Vec<String> {
        let schedule = &mut self.schedule;
        if let Some((head, words)) = step.split_once(':') {
            schedule.utterance(utterance_of(head, words.trim()));
            return Vec::new();
        }
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let numbers = match verb {
            "unit" | "no" => rest.trim_start_matches(char::is_alphabetic),
            _ => rest,
        };
        let numbers = numbers.split_whitespace();
        let numbers: Vec<u64> = numbers.map(|n| n.parse().expect(step)).collect();
        let first = numbers.first().copied().unwrap_or_default();
        let second = numbers.get(1).copied();
        match verb {
            "" => {}
            "unit" => {
                let style = second.map(|lines| Style {
                    width: first as usize,
                    lines: lines as usize,
                });
                *schedule = Machine::new(style.map_or(Unit::Utterance, Unit::Cue));
            }
            "latency" => schedule.set_latency(Some(ms(first))),
            "live" => *schedule = live(schedule.unit, first),
            "segment" => {
                let origin = Origin {
                    position: ms(first),
                    running: ms(second.unwrap_or_default()),
                    rate: 1.0,
                };
                schedule.event("segment", Effect::Segment(origin));
            }
            "eos" => schedule.event("eos", Effect::NoSegment),
            "stream-start" => schedule.event("stream-start", Effect::NoSegment),
            "tag" => schedule.event("tag", Effect::Unchanged),
            "withdraw" => schedule.utterance(Utterance {
                end: second.map(ms),
                ..utterance(first as u32, true, "")
            }),
            "settled" => schedule.settled(ms(first)),
            "quiet" => schedule.quiet(ms(first)),
            "starve" => schedule.starve(ms(first)),
            "barrier" => schedule.barrier(first, second.map(ms)),
            "done" => schedule.done(first),
            "posted" => schedule.posted(first),
            "fail" => schedule.fail(),
            "flush" => return schedule.flush().into_iter().map(String::from).collect(),
            "at" => self.now = Some(first),
            "until" => match schedule.next(self.now.map(ms)) {
                Action::Wait(Some(until)) => return vec![until.as_millis().to_string()],
                action => return vec![format!("{action:?}")],
            },
            "starving" => return vec![schedule.is_starving(ms(first)).to_string()],
            "no" => self.has_gaps = false,
            other => panic!("no such step: {other}"),
        }
        Vec::new()
    }

    fn all_but_hidden(&mut self) -> Vec<String> {
        let mut left = all(&mut self.schedule, self.now);
        left.retain(|left| self.has_gaps || !left.starts_with("gap"));
        left
    }
}

/// An utterance as in `final 0 by 1` and `one 100-180 / two 400-480`.
fn utterance_of(head: &str, words: &str) -> Utterance {
    let mut parts = head.split(' ');
    let kind = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|number| number.parse().ok());
    Utterance {
        has_times: kind != "guessed",
        speaker: parts.nth(1).map(String::from),
        ..utterance(number.expect("a number"), kind == "final", words)
    }
}

/// Lets everything leave that may at a time, and writes it down.
pub(super) fn all(schedule: &mut Machine, now: Option<u64>) -> Vec<String> {
    let mut left = Vec::new();
    let times = |start: Duration, duration| {
        format!("{}-{}", start.as_millis(), (start + duration).as_millis())
    };
    loop {
        match schedule.next(now.map(ms)) {
            Action::Wait(_) => return left,
            Action::Text {
                text,
                start,
                duration,
                discont,
                ..
            } => {
                let mark = if discont { "!" } else { "" };
                left.push(format!("{mark}{text} {}", times(start, duration)));
            }
            Action::Gap { start, duration } => left.push(format!("gap {}", times(start, duration))),
            Action::Item(_) => {}
            Action::Speaker(speaker) => left.push(format!("speaker {speaker}")),
            Action::Final => left.push("final".into()),
            Action::Event(event) => left.push(event.into()),
        }
    }
}
