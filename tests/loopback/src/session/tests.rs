//! Sessions without sockets: what is taken, what is refused, and when answers come.

use super::*;
use crate::{Lag, codes::*, marks::Layout};
use serde_json::json;

/// A session, and what its client needs.
pub(crate) struct Talk {
    session: Session,
    /// The number of the next packet.
    next: i32,
    now: Instant,
}

impl Talk {
    /// Before the request. Without oddities and jitter, but for these changes.
    pub(crate) fn new(endpoint: Endpoint, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        (options.exact, options.lag) = (true, Lag::EXACT);
        change(&mut options);
        Self {
            session: Session::new(Arc::new(options), endpoint, "log".into(), 1, None),
            next: 1,
            now: Instant::now(),
        }
    }

    /// Behind the ack; `fields`: of the request, beside those that every client sends.
    pub(crate) fn asked(
        endpoint: Endpoint,
        change: impl FnOnce(&mut Options),
        fields: &Value,
    ) -> Self {
        let (mut talk, mut request) = (Self::new(endpoint, change), request());
        for (name, value) in fields.as_object().into_iter().flatten() {
            request["request"][name] = value.clone();
        }
        talk.request(&request);
        talk
    }

    /// Behind the ack of `bigmodel_async`.
    fn ready(change: impl FnOnce(&mut Options)) -> Self {
        Self::asked(Endpoint::Async, change, &json!({}))
    }

    /// Sends a packet, and returns what comes at once.
    fn packet(&mut self, bytes: &[u8]) -> Vec<Out> {
        self.session.packet(bytes, self.now);
        self.next += 1;
        self.session.out.drain(..).collect()
    }

    fn request(&mut self, json: &Value) -> Vec<Out> {
        self.packet(&packet(REQUEST, 1, Some(1), json.to_string().as_bytes()))
    }

    pub(crate) fn audio(&mut self, pcm: &[u8]) -> Vec<Out> {
        self.packet(&packet(AUDIO, 1, Some(self.next), pcm))
    }

    /// Sends all of it in packets of so many bytes.
    fn stream(&mut self, pcm: &[u8], size: usize) -> Vec<Out> {
        let packets = pcm.chunks(size);
        packets.flat_map(|piece| self.audio(piece)).collect()
    }

    pub(crate) fn finish(&mut self) -> Vec<Out> {
        self.packet(&packet(AUDIO, 3, Some(-self.next), &[]))
    }

    /// Lets this much time pass, and returns what comes then.
    fn after(&mut self, milliseconds: u64) -> Vec<Out> {
        let now = self.now + Duration::from_millis(milliseconds);
        self.session.tick(now);
        self.session.out.drain(..).collect()
    }
}

fn request() -> Value {
    json!({"audio": {"format": "pcm", "rate": 24000},
        "request": {"enable_punc": true, "show_utterances": true, "end_window_size": 800}})
}

/// A packet of a client with these fields.
fn packet(kind: u8, flags: u8, sequence: Option<i32>, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11, kind << 4 | flags, 0x10, 0];
    out.extend(sequence.into_iter().flat_map(i32::to_be_bytes));
    out.extend((payload.len() as u32).to_be_bytes());
    out.extend(payload);
    out
}

/// The JSON of a response.
pub(crate) fn json(out: &Out) -> Value {
    match out {
        Out::Response(.., json) => serde_json::from_str(json).unwrap(),
        other => panic!("a response was expected, not {other:?}"),
    }
}

fn text(out: &Out) -> String {
    let text = json(out)["result"]["text"].as_str().map(str::to_owned);
    text.unwrap_or_default()
}

/// Code and text of the error that was the last to come.
fn error(all: &[Out]) -> (u32, String) {
    match all.last() {
        Some(Out::Error(code, body)) => (*code, body.clone()),
        _ => panic!("an error was expected, not {all:?}"),
    }
}

#[test]
fn every_way_to_finish_is_taken() {
    for (last, duration) in [
        (packet(AUDIO, 3, Some(-4), &[]), 40),
        (packet(AUDIO, 2, None, &[]), 40),
        (packet(AUDIO, 3, Some(-4), &[0; 480]), 50),
        (packet(AUDIO, 2, None, &[0; 480]), 50),
    ] {
        let mut talk = Talk::ready(|_| {});
        talk.audio(&[0; 960]);
        // Packets count, numbered or not.
        talk.packet(&packet(AUDIO, 0, None, &[0; 960]));
        let all = talk.packet(&last);
        let [
            last @ Out::Response(Gate::Final, Some(1), _),
            Out::Close(1000),
        ] = &all[..]
        else {
            panic!("{all:?}")
        };
        assert_eq!(json(last)["audio_info"]["duration"], duration);
    }
    // Without a number from the request on.
    let mut talk = Talk::new(Endpoint::Async, |_| {});
    let request = request().to_string();
    talk.packet(&packet(REQUEST, 0, None, request.as_bytes()));
    let all = talk.packet(&packet(AUDIO, 2, None, &[0; 4800]));
    assert!(matches!(all[0], Out::Response(Gate::Final, ..)), "{all:?}");
}

/// Formats beside PCM, in pieces that end within samples: what is known is taken, what is not is
/// refused behind the ack.
#[test]
fn formats_are_taken_or_refused_after_the_ack() {
    let pcm = Layout::default().pcm(1000);
    let samples = pcm.as_chunks::<2>().0.iter();
    let two: Vec<u8> = samples.flat_map(|s| [s[0], s[1], 0, 0]).collect();
    let head = b"RIFF\x2c\0\0\0WAVEfmt \x03\0\0\0abc\0LIST\x02\0\0\0xydata\xff\xff\xff\xff";
    let wav = [&head[..], &pcm].concat();
    let of = |format: &str, channels: u8| {
        let mut request = request();
        request["audio"]["format"] = format.into();
        request["audio"]["channel"] = channels.into();
        let mut talk = Talk::new(Endpoint::Async, |_| {});
        let all = talk.request(&request);
        (talk, all)
    };
    for (format, channels, audio, words) in [
        ("pcm", 1, &pcm, "M0 m1."),
        ("pcm", 2, &two, "M0 m1."),
        ("wav", 1, &wav, "M0 m1."),
        ("wav", 1, &pcm, "M0 m1."),
        ("ogg", 1, &pcm, ""),
    ] {
        for size in [1, 7777] {
            let (mut talk, _) = of(format, channels);
            talk.stream(audio, size);
            assert_eq!(text(&talk.finish()[0]), words, "{format}");
        }
    }
    let (_, all) = of("midi", 1);
    assert!(matches!(all[0], Out::Response(Gate::Ack, None, _)));
    let text = "[Invalid audio format] OperatorWrapper Process failed: unsupported format midi";
    assert_eq!(error(&all), (FORMAT, json!({ "error": text }).to_string()));
}

/// The first mark ends at 500 ms.
#[test]
fn answers_lag_behind_the_audio() {
    let pcm = Layout::default().pcm(1000);
    let mut talk = Talk::ready(|_| {});
    let answered = pcm
        .chunks(960)
        .position(|piece| !talk.audio(piece).is_empty());
    assert_eq!(answered, Some(900 / 20 - 1));

    let mut talk = Talk::ready(|o| o.wall_lag = true);
    assert_eq!(talk.audio(&pcm), []);
    assert_eq!(talk.after(399), []);
    assert_eq!(text(&talk.after(400)[0]), "m0 m1");
    assert_eq!(talk.finish(), []);
    assert_eq!(talk.after(399), []);
    assert_eq!(text(&talk.after(400)[0]), "M0 m1.");
}

#[test]
fn the_other_endpoints_answer_every_packet() {
    let empty =
        r#"{"audio_info":{"duration":0},"result":{"additions":{"log_id":"log"},"text":""}}"#;
    for (endpoint, silent_for) in [(Endpoint::Bigmodel, 500), (Endpoint::Nostream, 15_000)] {
        let mut talk = Talk::new(endpoint, |_| {});
        let ack = Out::Response(Gate::Ack, Some(1), empty.to_owned());
        assert_eq!(talk.request(&request()), [ack]);
        let (mut known, mut number) = (-400, 1);
        for piece in Layout::default().pcm(16_000).chunks(4800) {
            (known, number) = (known + 100, number + 1);
            let all = talk.audio(piece);
            let [answer @ Out::Response(Gate::Responses, Some(n), _)] = &all[..] else {
                panic!("{all:?}")
            };
            assert_eq!(
                (*n, text(answer).is_empty()),
                (number, known < silent_for),
                "{known}"
            );
        }
    }
}

#[test]
fn acks_may_be_late_and_answers_blank() {
    let odd = |o: &mut Options| o.oddities = vec![Oddity::LateAck, Oddity::Blank];
    let mut talk = Talk::new(Endpoint::Async, odd);
    assert_eq!(talk.request(&request()), []);
    let all = talk.stream(&Layout::default().pcm(1900), 4800);
    let ack = r#"{"result":{"additions":{"log_id":"log"}}}"#;
    assert_eq!(all[0], Out::Response(Gate::Ack, None, ack.to_owned()));
    // A client may take audio for silent that was claimed some time ago without a text: the third
    // kind claims none whose text was not sent.
    let third = json!({"audio_info": {"duration": 1000}, "result": {"text": "",
        "additions": {"log_id": "log"}}});
    assert_eq!(
        [json(&all[1]), json(&all[3]), json(&all[5])],
        [json!({}), json!({"result": {}}), third]
    );
    let answers = [text(&all[2]), text(&all[4]), text(&all[6])];
    assert_eq!(answers, ["m0", "m0 m1", "m0 m1 m2"]);

    let mut without_audio = Talk::new(Endpoint::Async, odd);
    assert_eq!(without_audio.request(&request()), []);
    assert!(matches!(
        without_audio.after(1000)[..],
        [Out::Response(Gate::Ack, ..)]
    ));
}

/// Mistakes in the layout are a table of `frame`, those in the request one of `request`.
#[test]
fn wrong_packets_are_refused() {
    let audio = |number| packet(AUDIO, 1, Some(number), &[0; 960]);
    let last = |number| packet(AUDIO, 3, Some(number), &[]);
    let again = packet(REQUEST, 1, Some(2), b"{}");
    let mismatch = "autoAssignedSequence (2) mismatch sequence in request (3)";
    let not_negative = "autoAssignedSequence (-3) mismatch sequence in request (3)";
    let undecodable =
        "decode ws request failed: unable to decode V1 protocol message: parse header";
    for (packets, code, text) in [
        (vec![audio(3)], PACKET, mismatch),
        (vec![audio(2), last(3)], PACKET, not_negative),
        (vec![vec![]], PACKET, undecodable),
        (vec![again], PARAMETERS, "repeated"),
        (vec![last(-2)], EMPTY, "empty audio"),
    ] {
        let mut talk = Talk::ready(|_| {});
        let all: Vec<_> = packets
            .iter()
            .flat_map(|packet| talk.packet(packet))
            .collect();
        let (got, body) = error(&all);
        assert_eq!((got, body.contains(text)), (code, true), "{text}: {body}");
    }
    let mut talk = Talk::ready(|_| {});
    talk.session.text_message();
    assert_eq!(error(&talk.after(0)).0, PACKET);
    let mut talk = Talk::new(Endpoint::Async, |o| o.oddities = vec![Oddity::Refuse24000]);
    assert_eq!(error(&talk.request(&request())).0, FORMAT);
}

#[test]
fn errors_come_in_all_their_forms() {
    let text = "payload unmarshal: no request object before data";
    for (number, body) in [
        (1, json!({ "message": text }).to_string()),
        (2, json!({ "error": text }).to_string()),
        (3, text.to_owned()),
    ] {
        let mut talk = Talk::new(Endpoint::Async, |o| o.oddities = vec![Oddity::ErrorBodies]);
        talk.session.number = number;
        assert_eq!(talk.audio(&[0; 960]), [Out::Error(NO_REQUEST, body)]);
    }
}

#[test]
fn a_session_without_packets_ends() {
    let mut talk = Talk::ready(|o| o.idle_timeout = Duration::from_millis(200));
    talk.audio(&[0; 960]);
    assert_eq!(talk.after(199), []);
    let text = "[Timeout waiting next packet] waiting next packet timeout: 0.200000 seconds, \
                session has ended";
    let body = json!({ "error": text }).to_string();
    assert_eq!(talk.after(200), [Out::Error(TIMEOUT, body)]);
}

/// As recorded: the service does not close, and only a misnumbered packet draws another error.
#[test]
fn after_an_error_only_a_misnumbered_packet_is_answered() {
    let mut talk = Talk::new(Endpoint::Async, |_| {});
    talk.session.refusal = Some("quota".into());
    assert_eq!(error(&talk.request(&request())).0, QUOTA);
    assert_eq!(talk.stream(&[0; 9600], 960), []);
    let (code, body) = error(&talk.packet(&packet(AUDIO, 1, Some(7), &[0; 2])));
    assert_eq!(code, PACKET);
    assert!(body.contains("autoAssignedSequence (12)"), "{body}");
}
