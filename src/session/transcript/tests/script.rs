//! Scripts of responses and losses, with the updates that must follow.
use super::*;
use crate::session::tests::{described, utterance};

/// Runs each case of a table of scripts, see [`crate::session::tests::table`]. A case is for a
/// `full` stream, or for a `single` one if that is its first word; behind `delay N`, results may be
/// so late. Each line is `step | what must follow`, with ` / ` between parts. Positions and times
/// are milliseconds.
///
/// - `N: UTTERANCE / …`, `N last: …`: a response, or the final one, after N ms of the connection's
///   audio, which is all that was sent. `?` for N leaves out the duration. See [`utterance`] for
///   how to read one.
/// - `N text: …`, `N last-text: …`: a response with a text and no list. `N json: …`: with this
///   result.
/// - `lose W`: the connection is lost, and audio from W on can be sent again. The next connection
///   begins where the replay does. `restart W`: the same without the next one.
/// - `connect N`, `finalize`, `sent N`: a connection begins; open utterances end; audio is sent.
/// - `times N`, `words N`, `attributes N`, `shown`: an utterance's times, its words, its
///   attributes, the whole transcript.
/// - `needed`, `final`, `processed`, `resolved`, `unconfirmed`, `quiet N`: the tracker's positions.
/// - `repeated`, `loses-untimed N`: what else it tells.
///
/// Updates follow as `number text`, with `F` behind if final and `U` if unconfirmed as well. Behind
/// a loss, `from N` tells where the replay begins.
pub(super) fn table(text: &str) {
    crate::session::tests::table(text, run);
}

fn run(lines: &[&str]) {
    let mut stream = Stream::full();
    for (index, line) in lines.iter().enumerate() {
        let is_first = || assert_eq!(index, 0, "a new stream behind other lines: {line}");
        match line.split_once(' ') {
            None if *line == "single" => {
                is_first();
                stream = Stream::single();
            }
            Some(("delay", delay)) => {
                is_first();
                let delay = ms(delay.parse().expect("a number"));
                stream = Stream::with_delay(ResultType::Full, delay);
            }
            _ => stream.line(line),
        }
    }
}

impl Stream {
    fn line(&mut self, line: &str) {
        let (step, expected) = line.split_once('|').unwrap_or((line, ""));
        let followed = self.step(step.trim()).join(" / ");
        assert_eq!(followed, expected.trim(), "after: {line}");
    }

    fn step(&mut self, step: &str) -> Vec<String> {
        let Some((head, rest)) = step.split_once(':') else {
            return self.command(step);
        };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (at, kind) = head.split_once(' ').unwrap_or((head, ""));
        let at = (at != "?").then(|| at.parse().expect("a time"));
        let result = match kind {
            "" | "last" => {
                let parts = rest.split(" / ").filter(|part| !part.is_empty());
                let list: Vec<_> = parts.map(utterance).collect();
                result(&list)
            }
            "text" | "last-text" => json!({"text": rest}),
            "json" => serde_json::from_str(rest).expect("JSON"),
            _ => panic!("no such response: {kind}"),
        };
        let updates = self.respond(at, &result, kind.starts_with("last"));
        updates.iter().map(described).collect()
    }

    fn command(&mut self, step: &str) -> Vec<String> {
        let (command, number) = step.split_once(' ').unwrap_or((step, "0"));
        let number: u64 = number.parse().expect("a number");
        let tracker = &self.tracker;
        let update = |stream: &Self| stream.latest[&(number as u32)].clone();
        let position = match command {
            "connect" => {
                self.connect(ms(number));
                return Vec::new();
            }
            "sent" => {
                self.sent = ms(number);
                return Vec::new();
            }
            "finalize" => return self.finalize().iter().map(described).collect(),
            "lose" | "restart" => {
                let (begin, updates) = self.restart(number);
                if command == "lose" {
                    self.connect(begin);
                }
                let from = format!("from {}", begin.as_millis());
                let from = std::iter::once(from);
                return from.chain(updates.iter().map(described)).collect();
            }
            "times" => {
                let update = update(self);
                return vec![times(update.start, update.end)];
            }
            "words" => {
                let words = update(self).words.into_iter();
                return words
                    .map(|w| format!("{}@{}", w.text.trim(), times(w.start, w.end)))
                    .collect();
            }
            "attributes" => {
                let attributes = update(self).attributes.into_iter();
                return attributes.map(|(n, v)| format!("{n}={v}")).collect();
            }
            "shown" => return self.transcript().into_iter().map(str::to_owned).collect(),
            "repeated" => return vec![tracker.repeated().to_string()],
            "loses-untimed" => {
                return vec![tracker.would_lose_untimed_words(ms(number)).to_string()];
            }
            "needed" => tracker.replay_needed_from(),
            "final" => tracker.final_until(),
            "processed" => tracker.processed_until(),
            "resolved" => tracker.resolved_until(),
            "quiet" => tracker.quiet_until(ms(number)),
            "unconfirmed" => tracker.unconfirmed_from(),
            _ => panic!("no such step: {step}"),
        };
        vec![position.as_millis().to_string()]
    }
}

fn times(start: Option<Duration>, end: Option<Duration>) -> String {
    let time = |time: Option<Duration>| time.map_or(String::new(), |t| t.as_millis().to_string());
    format!("{}-{}", time(start), time(end))
}
