//! Batches against a service that refuses: jobs that come again, and what ends the batch.

use std::path::{Path, PathBuf};

use crate::many_inputs::Batch;
use crate::support::program::run;
use crate::support::*;
use volcasr_loopback::Options;

/// Fewer sessions than jobs: those that are refused come later, and fewer run at once.
#[test]
fn a_service_without_room_is_waited_for() {
    let batch = Batch::new("room");
    let service = service(Options {
        max_sessions: Some(2),
        ..Options::default()
    });
    for n in 0..40 {
        batch.input(&format!("in/{n}.wav"), 1);
    }
    let directory = batch.scratch.path("in");
    let mut command = batch.command(&service, &[&directory]);
    let (status, out, err) = run(command.args(["--jobs", "4"]));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(batch.transcripts().len(), 40);
    assert!(out.contains("back to the end of the list"), "{out}");
    assert!(out.contains("at most 2 at once"), "{out}");
    assert_eq!(out.lines().last(), Some("40 of 40 transcribed"));
}

/// No room, a quota, a service that is down: the job comes again, and fewer run at once.
#[test]
fn what_sends_a_job_back() {
    let faults = [
        "http:429@handshake#1",
        "http:500@handshake#1",
        "http:503@handshake#1",
        "error:55000031:busy@ack#1",
        "error:45000292:quota exceeded for types: concurrency@ack#1",
        "error:45000292:quota exceeded for types: duration_lifetime@ack#1",
        "http:402:quota exceeded for types: duration_lifetime@handshake#1",
    ];
    let check = |fault: &str| {
        let batch = Batch::new(&format!(
            "back-{}",
            fault.replace([':', ' ', '@', '#'], "-")
        ));
        let service = service(faulty(&[fault]));
        for n in 0..3 {
            batch.input(&format!("in/{n}.wav"), 1);
        }
        let directory = batch.scratch.path("in");
        let mut command = batch.command(&service, &[&directory]);
        let (status, out, err) = run(command.args(["--jobs", "2"]));
        assert_eq!((status, err.as_str()), (0, ""), "{fault}: {out}");
        assert!(
            out.contains("back to the end of the list"),
            "{fault}: {out}"
        );
        assert!(
            out.contains("at most 1 at once, the next in 1 s"),
            "{fault}: {out}"
        );
        assert_eq!(batch.transcripts().len(), 3, "{fault}: {out}");
        assert_eq!(out.lines().last(), Some("3 of 3 transcribed"), "{fault}");
    };
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || check(fault));
        }
    });
}

/// Nothing would become of the others.
#[test]
fn what_ends_a_batch_at_the_first() {
    for fault in [
        "http:400@handshake#1",
        "http:401@handshake#1",
        "http:403@handshake#1",
        "http:402:account overdue@handshake#1",
        "error:45000010:who is it@ack#1",
        "error:45000001:no such field@ack#1",
    ] {
        let batch = Batch::new("first");
        let service = service(faulty(&[fault]));
        let inputs: Vec<PathBuf> = (0..3)
            .map(|n| batch.input(&format!("{n}.wav"), 1))
            .collect();
        let paths: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let (status, out, err) = run(batch.command(&service, &paths).args(["--jobs", "1"]));
        assert_eq!(
            (status, out.as_str()),
            (1, "0 of 3 transcribed, 3 not finished\n"),
            "{fault}"
        );
        assert!(err.starts_with("error: "), "{fault}: {err}");
        assert_eq!(service.connections().len(), 1, "{fault}");
        assert_eq!(batch.transcripts(), [], "{fault}");
    }
}

/// Nothing would become of the others.
#[test]
fn refused_credentials_end_the_batch() {
    let batch = Batch::new("credentials");
    let service = service(Options::default());
    let inputs: Vec<PathBuf> = (0..5)
        .map(|n| batch.input(&format!("{n}.wav"), 1))
        .collect();
    let paths: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let mut command = batch.command(&service, &paths);
    let command = command.env("VOLCENGINE_ACCESS_KEY", "wrong");
    let (status, out, err) = run(command.args(["--jobs", "1"]));
    assert_eq!(status, 1, "{out}");
    assert_eq!(out, "0 of 5 transcribed, 5 not finished\n");
    assert!(
        err.starts_with("error: ") && err.contains("HTTP 401"),
        "{err}"
    );
    assert_eq!(service.connections().len(), 1);
    assert_eq!(batch.transcripts(), []);
}
