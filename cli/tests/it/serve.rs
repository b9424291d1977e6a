//! The command `serve`: what it prints, and what it does not.

use std::process::Command;

use crate::support::{Running, run, skip};

const PROGRAM: &str = env!("CARGO_BIN_EXE_volcasr");

/// Starts a service whose standard error comes with its output.
fn serve(arguments: &str) -> Running {
    let serve = format!("exec \"$0\" serve {arguments} 2>&1");
    Running::start(Command::new("sh").args(["-c", &serve, PROGRAM]))
}

/// The lines up to the one that contains `last`.
fn until(service: &mut Running, last: &str) -> Vec<String> {
    let mut lines = vec![service.line()];
    while !lines.iter().any(|line| line.contains(last)) {
        lines.push(service.line());
    }
    lines
}

/// A session, with what the service says to export and this access key.
fn session(exports: &[String], access_key: &str) -> bool {
    let mut check = Command::new(PROGRAM);
    let exports = exports.iter().filter_map(|line| line.split_once('='));
    let exports = exports.map(|(name, value)| (name.trim_start_matches("  export "), value));
    check.arg("check").envs(exports);
    check.env_remove("VOLCENGINE_API_KEY");
    run(check.env("VOLCENGINE_ACCESS_KEY", access_key)).0 == 0
}

#[test]
fn it_says_what_to_export_and_what_it_did() {
    let mut service = serve("--recogniser marks --fault ping:1@ack");
    let hints = until(&mut service, "VOLCENGINE_API_KEY");
    let exports = hints
        .iter()
        .filter_map(|line| line.strip_prefix("  export "));
    let exports: Vec<&str> = exports.collect();
    assert!(exports[0].starts_with("VOLCASR_URI=ws://127.0.0.1:"));
    let expected = "VOLCENGINE_APP_ID=app-1 VOLCENGINE_ACCESS_KEY=secret-access-key \
                    VOLCENGINE_API_KEY=secret-api-key";
    assert_eq!(exports[1..].join(" "), expected);
    assert!(!session(&hints, "wrong-key"));
    assert!(session(&hints, "secret-access-key"));
    let lines = until(&mut service, "#2 end: ");
    let of = |number: usize| -> Vec<&str> {
        let prefix = format!("loopback: #{number} ");
        let lines = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        lines.collect()
    };
    let (refused, session) = (of(1), of(2));
    assert!(refused[1].starts_with("refused: HTTP 401 {"), "{refused:?}");
    assert!(!refused.concat().contains("key"), "{refused:?}");
    let opened = "session: bigmodel_async, audio at 24000 Hz, PCM";
    assert_eq!(session[1..3], [opened, "fault: 1 pings"]);
}

/// Credentials that were given as arguments are not printed.
#[test]
fn given_credentials_are_not_printed() {
    let mut service = serve("--recogniser silent --api-key other-key");
    let lines = until(&mut service, "VOLCENGINE_API_KEY");
    assert!(!lines.concat().contains("other-key"), "{lines:#?}");
}

#[test]
fn the_log_of_pocketsphinx_is_left_out() {
    let mut service = serve("--recogniser pocketsphinx");
    let first = service.line();
    if first.contains("apt-get install") {
        return skip(&first);
    }
    let hints = until(&mut service, "VOLCENGINE_API_KEY");
    assert!(session(&hints, "secret-access-key"));
    let lines = until(&mut service, "#1 end:");
    assert!(lines.len() < 6, "{lines:#?}");
}
