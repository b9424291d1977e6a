//! Inputs that change while they are read: programs of a transport stream, titles of a radio, an
//! adaptive stream, and servers that go away.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::inputs::{chain, sound};
use crate::support::http::{self, Server, path, send};
use crate::support::media::{make, needs, raw};
use crate::support::program::*;
use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Options, Service};

/// Bytes of audio between two titles.
const TITLE_EVERY: usize = 8000;

/// Makes a transport stream of a file's audio: a program of this number, on this PID.
fn transport_stream(talk: &Path, to: &Path, program: u32, pid: u32) {
    make(&format!(
        "mpegtsmux name=m prog-map=program_map,sink_{pid}={program} ! filesink location=\"{}\" \
         {} ! audioconvert ! audioresample ! opusenc ! m.sink_{pid}",
        to.display(),
        raw(talk)
    ));
}

/// A service that confirms the same sentence in each session.
fn listener() -> Service {
    let one = json!([utterance(true, (100, 900), "Heard.")]);
    scripted(&[(1000, response(1000, one.clone()))], response(2000, one))
}

/// Makes two transport streams of a sound: the second has another number and other PIDs.
fn programs(scratch: &Scratch, talk: &Path) -> [Vec<u8>; 2] {
    [(1, 300), (2, 400)].map(|(program, pid)| {
        let part = scratch.path(&format!("{program}.ts"));
        transport_stream(talk, &part, program, pid);
        std::fs::read(part).expect("the program")
    })
}

/// Asserts that a service receives the marks of an input so many times, in all of its sessions.
fn assert_received(input: impl AsRef<OsStr>, marks: &[Mark], times: u64) {
    let service = listener();
    reports(&mut captions(&service, input, &[]), 0, &[]);
    let received: u64 = service.inspect(|all| all.iter().map(|c| c.audio_bytes / 48).sum());
    let length = marks.last().expect("a mark").end;
    assert!(received >= times * length, "{received}");
}

/// The second program begins where the first ends.
#[test]
fn a_transport_stream_whose_program_changes() {
    needs!("mpegtsmux tsdemux opusenc opusdec");
    let (scratch, talk, marks) = sound("programs", 2);
    let both = scratch.path("both.ts");
    std::fs::write(&both, programs(&scratch, &talk).concat()).expect("a temporary file");
    assert_received(both, &marks, 2);
}

/// Its program has a picture alone; that of the second part has the sound.
#[test]
fn a_transport_stream_whose_first_part_has_no_sound() {
    needs!("mpegtsmux tsdemux opusenc opusdec x264enc h264parse");
    let (scratch, talk, marks) = sound("late-sound", 2);
    let mute = scratch.path("mute.ts");
    make(&format!(
        "mpegtsmux name=m prog-map=program_map,sink_500=1 ! filesink location=\"{}\" \
         videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48,framerate=25/1 ! \
         x264enc ! h264parse ! m.sink_500",
        mute.display()
    ));
    let [_, second] = programs(&scratch, &talk);
    let mut stream = std::fs::read(&mute).expect("the first part");
    stream.extend(second);
    std::fs::write(&mute, stream).expect("a temporary file");
    assert_received(mute, &marks, 1);
}

/// A playlist of two qualities, each of two segments with a discontinuity between them.
#[test]
fn an_adaptive_stream() {
    needs!("mpegtsmux tsdemux opusenc opusdec hlsdemux souphttpsrc");
    let (scratch, talk, marks) = sound("adaptive", 2);
    let segments = programs(&scratch, &talk);
    let seconds = marks.last().expect("a mark").end.div_ceil(1000) + 1;
    let playlist = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{seconds}\n#EXTINF:{seconds},\n1.ts\n\
         #EXT-X-DISCONTINUITY\n#EXTINF:{seconds},\n2.ts\n#EXT-X-ENDLIST\n"
    );
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nlow.m3u8\n\
                  #EXT-X-STREAM-INF:BANDWIDTH=640000\nhigh.m3u8\n";
    let list = "application/vnd.apple.mpegurl";
    let server = Server::start(move |head, stream| match path(head) {
        "live.m3u8" => send(stream, list, master.as_bytes()),
        "low.m3u8" | "high.m3u8" => send(stream, list, playlist.as_bytes()),
        "1.ts" => send(stream, "video/mp2t", &segments[0]),
        "2.ts" => send(stream, "video/mp2t", &segments[1]),
        _ => http::refuse(stream),
    });
    assert_received(server.uri("live.m3u8"), &marks, 2);
}

/// Answers as a radio does: audio without a length, with a title between its parts.
fn play(stream: &mut TcpStream, audio: &[u8]) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: audio/flac\r\nicy-name: Radio\r\n\
         icy-metaint: {TITLE_EVERY}\r\nConnection: close\r\n\r\n"
    )?;
    for (number, part) in audio.chunks(TITLE_EVERY).enumerate() {
        stream.write_all(part)?;
        if part.len() < TITLE_EVERY {
            break;
        }
        // A new one each second time: a length of zero says that it is the same.
        let mut title = format!("StreamTitle='Song {number}';").into_bytes();
        title.resize(if number % 2 == 0 { 32 } else { 0 }, 0);
        stream.write_all(&[u8::try_from(title.len() / 16).expect("short")])?;
        stream.write_all(&title)?;
    }
    Ok(())
}

/// Titles lie between the samples: each word is there, and none twice.
#[test]
fn a_radio_with_titles() {
    needs!("icydemux flacenc flacdec souphttpsrc");
    let (scratch, talk, marks) = sound("radio", 4);
    let flac = scratch.path("talk.flac");
    make(&format!(
        "{} ! audioconvert ! flacenc ! filesink location=\"{}\"",
        raw(&talk),
        flac.display()
    ));
    let audio = std::fs::read(flac).expect("the file");
    assert!(audio.len() > 4 * TITLE_EVERY, "too few titles");
    let server = Server::start(move |_, stream| play(stream, &audio));
    let service = service(Options::default());
    let (out, _) = reports(&mut captions(&service, server.uri("radio"), &[]), 0, &[]);
    assert_lines(&out, &marks);
}

/// The other kind of radio: each title is a link of a chain, and nothing can be read twice.
#[test]
fn a_radio_whose_titles_are_links() {
    needs!("oggmux oggdemux flacenc souphttpsrc");
    let (scratch, talk, marks) = sound("links", 2);
    let chain = chain(&scratch, &talk);
    let server = Server::start(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/ogg\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        stream.write_all(&chain)
    });
    let service = service(Options::default());
    let (out, _) = reports(&mut captions(&service, server.uri("radio"), &[]), 0, &[]);
    assert_lines(&out, &marks.repeat(3));
}

/// It breaks as soon as it has begun: what came is recognised first.
#[test]
fn a_server_that_breaks_at_once() {
    needs!("souphttpsrc");
    let files = Files::new("breaks");
    let (pcm, marks) = speech(3);
    let wav = std::fs::read(files.wav(&pcm)).expect("the file");
    let end = usize::try_from(marks[5].end + 200).expect("short") * 48;
    for _ in 0..4 {
        let wav = wav.clone();
        let server = Server::start(move |head, stream| {
            if head.contains("\nRange: ") && !head.contains("bytes=0-") {
                return http::refuse(stream);
            }
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {}\r\n\r\n",
                wav.len()
            )?;
            stream.write_all(&wav[..44 + end])
        });
        let service = service(Options::default());
        let mut command = captions(&service, server.uri("talk.wav"), &[]);
        let (out, _) = reports(&mut command, 1, &["error: "]);
        assert_lines(&out, &marks[..6]);
    }
}
