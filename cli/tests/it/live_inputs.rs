//! Inputs that change while they are read: programs of a transport stream, titles of a radio, an
//! adaptive stream, and servers that go away.

use std::io::Write;

use crate::inputs::chain;
use crate::support::http::{self, serve, target};
use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::marks::Mark;

/// Bytes of audio between two titles.
const TITLE_EVERY: usize = 8000;

/// A service that confirms the same sentence in each session.
fn listener() -> Bench {
    let one = json!([utterance(true, (100, 900), "Heard.")]);
    let first = response(1000, one.clone());
    Bench::beside(scripted(&[(1000, first)], response(2000, one)))
}

/// Makes two transport streams of a sound: the second has another number and another PID.
fn programs(bench: &Bench, talk: &str) -> [Vec<u8>; 2] {
    [(1, 300), (2, 400)].map(|(program, pid)| {
        let sound = format!("{talk} ! audioconvert ! audioresample ! opusenc ! m.sink_{pid}");
        let mux = format!("mpegtsmux name=m prog-map=program_map,sink_{pid}={program}");
        bench.make("part.ts", &format!("{sound} {mux}"))
    })
}

/// Asserts that the service receives the marks of an input so many times, in all of its sessions.
fn assert_received(bench: &Bench, input: &str, marks: &[Mark], times: u64) {
    bench.reports(&format!("captions {input}"), 0, &[]);
    let connections = bench.service.connections();
    let received: u64 = connections.iter().map(|c| c.audio_bytes / 48).sum();
    let length = marks.last().expect("a mark").end;
    assert!(received >= times * length, "{received}");
}

/// The second program begins where the first ends.
#[test]
fn a_transport_stream_whose_program_changes() {
    needs!("mpegtsmux tsdemux opusenc opusdec");
    let bench = listener();
    let (talk, marks) = bench.raw(2);
    bench.write("both.ts", programs(&bench, &talk).concat());
    assert_received(&bench, "both.ts", &marks, 2);
}

/// Its program has a picture alone; that of the second part has the sound.
#[test]
fn a_transport_stream_whose_first_part_has_no_sound() {
    needs!("mpegtsmux tsdemux opusenc opusdec x264enc h264parse");
    let bench = listener();
    let (talk, marks) = bench.raw(2);
    let [_, second] = programs(&bench, &talk);
    let mute = "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48,framerate=25/1 ! \
                x264enc ! h264parse ! m.sink_500 \
                mpegtsmux name=m prog-map=program_map,sink_500=1";
    let first = bench.make("mute.ts", mute);
    bench.write("late.ts", [first, second].concat());
    assert_received(&bench, "late.ts", &marks, 1);
}

/// A playlist of two qualities, each of two segments with a discontinuity between them.
#[test]
fn an_adaptive_stream() {
    needs!("mpegtsmux tsdemux opusenc opusdec hlsdemux souphttpsrc");
    let bench = listener();
    let (talk, marks) = bench.raw(2);
    let segments = programs(&bench, &talk);
    let seconds = marks.last().expect("a mark").end.div_ceil(1000) + 1;
    let playlist = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{seconds}\n#EXTINF:{seconds},\n1.ts\n\
         #EXT-X-DISCONTINUITY\n#EXTINF:{seconds},\n2.ts\n#EXT-X-ENDLIST\n"
    );
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow.m3u8\n\
                  #EXT-X-STREAM-INF:BANDWIDTH=640000\nhigh.m3u8\n";
    let server = serve(move |head, stream| {
        let (kind, body) = match target(head) {
            "/live.m3u8" => ("application/vnd.apple.mpegurl", master.as_bytes()),
            "/low.m3u8" | "/high.m3u8" => ("application/vnd.apple.mpegurl", playlist.as_bytes()),
            "/1.ts" => ("video/mp2t", &*segments[0]),
            "/2.ts" => ("video/mp2t", &*segments[1]),
            _ => return stream.write_all(&http::response("404 Not Found", b"")),
        };
        let length = body.len();
        let head = format!("200 OK\nContent-Type: {kind}\nContent-Length: {length}");
        stream.write_all(&http::response(&head, body))
    });
    assert_received(&bench, &format!("{server}/live.m3u8"), &marks, 2);
}

/// Puts titles between parts of audio, as a radio does: a new one each second time. A length of
/// zero says that it is the same.
fn with_titles(audio: &[u8]) -> Vec<u8> {
    let parts = audio.chunks(TITLE_EVERY).enumerate().map(|(number, part)| {
        let mut title = format!("StreamTitle='Song {number}';").into_bytes();
        title.resize(if number % 2 == 0 { 32 } else { 0 }, 0);
        title.insert(0, (title.len() / 16) as u8);
        let is_last = part.len() < TITLE_EVERY;
        [part, if is_last { &[] } else { &title }].concat()
    });
    parts.collect::<Vec<_>>().concat()
}

/// Two kinds of radio, neither of which can be read twice: titles lie between the samples, or each
/// title is a link of a chain. Each word is there, and none twice.
#[test]
fn a_radio_with_titles() {
    needs!("icydemux flacenc flacdec oggmux oggdemux souphttpsrc");
    let bench = Bench::new();
    let (talk, marks) = bench.raw(4);
    let audio = bench.make("talk.flac", &format!("{talk} ! audioconvert ! flacenc"));
    assert!(audio.len() > 4 * TITLE_EVERY, "too few titles");
    let icy = format!("audio/flac\nicy-name: Radio\nicy-metaint: {TITLE_EVERY}");
    let cases = [
        (icy.as_str(), with_titles(&audio), 1),
        ("application/ogg", chain(&bench, &talk), 3),
    ];
    for (kind, body, times) in cases {
        let answer = http::response(&format!("200 OK\nContent-Type: {kind}"), &body);
        let server = serve(move |_, stream| stream.write_all(&answer));
        let (out, _) = bench.reports(&format!("captions {server}/radio"), 0, &[]);
        assert_lines(&out, &marks.repeat(times));
    }
}

/// It breaks as soon as it has begun: what came is recognised first.
#[test]
fn a_server_that_breaks_at_once() {
    needs!("souphttpsrc");
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 3);
    let wav = bench.bytes("talk.wav");
    let end = 44 + (marks[5].end + 200) as usize * 48;
    let head = format!(
        "200 OK\nContent-Type: audio/wav\nContent-Length: {}",
        wav.len()
    );
    let server = serve(move |request, stream| {
        let is_from_elsewhere = request.contains("\nRange: ") && !request.contains("bytes=0-");
        stream.write_all(&match is_from_elsewhere {
            true => http::response("404 Not Found", b""),
            false => http::response(&head, &wav[..end]),
        })
    });
    for _ in 0..4 {
        let (out, _) = bench.reports(&format!("captions {server}/talk.wav"), 1, &["error: "]);
        assert_lines(&out, &marks[..6]);
    }
}
