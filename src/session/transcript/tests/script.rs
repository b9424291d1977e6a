//! Scripts of responses and losses, with the updates that must follow.
use super::*;

/// Runs a script on a `full` stream, or on a `single` one if that is its first word. Each line is
/// `step | what must follow`, with ` / ` between parts. Positions and times are milliseconds.
///
/// - `N: UTTERANCE / …`, `N last: …`: a response, or the final one, after N ms of the connection's
///   audio, which is all that was sent. An utterance is `text@start-end`, and either time may be
///   left out. `!` behind it marks it as definite, `~` leaves out its words, `#a` is its source.
/// - `N text: …`, `N last-text: …`: a response with a text and no list; with `-` for N, without a
///   duration.
/// - `lose W`: the connection is lost, and audio from W on can be sent again. The next connection
///   begins where the replay does. `restart W`: the same without the next one.
/// - `connect N`, `finalize`, `sent N`: a connection begins; open utterances end; audio is sent.
/// - `times N`, `words N`, `shown`: an utterance's times, its words, the whole transcript.
/// - `needed`, `final`, `processed`, `resolved`, `unconfirmed`, `quiet N`: the tracker's positions.
///
/// Updates follow as `number text`, with `F` behind if final and `U` if unconfirmed as well. Behind
/// a loss, `from N` tells where the replay begins.
pub(super) fn script(text: &str) -> Stream {
    let single = text.trim_start().strip_prefix("single");
    let mut stream = match single {
        Some(_) => Stream::single(),
        None => Stream::full(),
    };
    stream.play(single.unwrap_or(text));
    stream
}

impl Stream {
    /// Continues with further lines of a script.
    pub fn play(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (step, expected) = line.split_once('|').unwrap_or((line, ""));
            let followed = self.step(step.trim()).join(" / ");
            assert_eq!(followed, expected.trim(), "after: {line}");
        }
    }

    fn step(&mut self, step: &str) -> Vec<String> {
        let Some((head, rest)) = step.split_once(':') else {
            return self.command(step);
        };
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let (at, kind) = head.split_once(' ').unwrap_or((head, ""));
        if at == "-" {
            let json = format!(r#"{{"result":{{"text":{rest:?}}}}}"#);
            return described(&self.raw(&json, kind == "last-text"));
        }
        let at = at.parse().expect("a time");
        let list = || {
            let parts = rest.split(" / ").filter(|part| !part.is_empty());
            parts.map(utterance).collect::<Vec<_>>()
        };
        let updates = match kind {
            "" => self.respond(at, &list()),
            "last" => self.respond_last(at, &list()),
            "text" => self.respond_text(at, rest, false),
            "last-text" => self.respond_text(at, rest, true),
            _ => panic!("no such response: {kind}"),
        };
        described(&updates)
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
            "finalize" => return described(&self.finalize()),
            "lose" | "restart" => {
                let (begin, updates) = self.restart(number);
                if command == "lose" {
                    self.connect(begin);
                }
                let from = format!("from {}", begin.as_millis());
                return [from].into_iter().chain(described(&updates)).collect();
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
            "shown" => return self.transcript().into_iter().map(str::to_owned).collect(),
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

fn utterance(part: &str) -> Utterance {
    let (text, times) = part.rsplit_once('@').expect("text@start-end");
    let (times, source) = times.split_once('#').unwrap_or((times, ""));
    let (definite, bare) = (times.contains('!'), times.contains('~'));
    let (start, end) = times
        .trim_end_matches(['!', '~'])
        .split_once('-')
        .expect("start-end");
    let time = |text: &str| match text {
        "" => -1,
        text => text.parse().expect("a time"),
    };
    let (start, end) = (time(start), time(end));
    let words = match bare || start < 0 || end < 0 {
        true => Vec::new(),
        false => timed(text, start, end).words,
    };
    Utterance {
        definite,
        words,
        source: (!source.is_empty()).then(|| source.into()),
        ..Utterance::bare(text, Some((start, end)))
    }
}

fn times(start: Option<Duration>, end: Option<Duration>) -> String {
    let time = |time: Option<Duration>| time.map_or(String::new(), |t| t.as_millis().to_string());
    format!("{}-{}", time(start), time(end))
}

/// Returns the number and text of each, with `F` behind if final, and `U` if unconfirmed as well.
pub(super) fn described(updates: &[Update]) -> Vec<String> {
    let described = |update: &Update| {
        let kind = match (update.is_final, update.unconfirmed) {
            (false, _) => "",
            (true, false) => " F",
            (true, true) => " U",
        };
        let text = if update.text.is_empty() { "" } else { " " };
        format!("{}{text}{}{kind}", update.number, update.text)
    };
    updates.iter().map(described).collect()
}
