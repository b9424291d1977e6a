//! The program: what it prints, and what it does not.

use crate::client::*;
use crate::skip::skip;
use clap::Parser as _;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{client_async, tungstenite::Error};
use volcasr_loopback::{Options, Recogniser, Service, cli};

/// The variable that has the arguments for [`program`].
const ARGUMENTS: &str = "LOOPBACK_ARGUMENTS";

#[test]
#[ignore = "is the program that the others start"]
fn program() {
    let arguments = std::env::var(ARGUMENTS).unwrap();
    cli::serve(cli::Arguments::parse_from(arguments.split(' '))).unwrap();
}

struct Program {
    child: Child,
    uri: String,
}

impl Program {
    fn start(arguments: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "program::program", "--ignored", "--nocapture"])
            .env(ARGUMENTS, format!("loopback {arguments}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let uri = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line[line.find("ws://")?..].to_owned()))
            .unwrap();
        Self { child, uri }
    }

    async fn connect(&self, key: &'static str) -> Result<Client, Error> {
        let address = self.uri[5..].split('/').next().unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        let mut request = upgrade(&self.uri);
        let headers = request.headers_mut();
        headers.insert("X-Api-Access-Key", key.parse().unwrap());
        let (ws, _) = client_async(request, tcp).await?;
        Ok(Client { ws, next: 1 })
    }

    /// A session of a second of audio.
    async fn session(&self) {
        let mut client = self.connect("secret-access-key").await.unwrap();
        client.request(&request_json()).await;
        client.audio(&[0; 48_000]).await;
        client.responses().await;
        assert_eq!(client.get().await, Got::Close(Some(1000)));
        assert_eq!(client.get().await, Got::Lost);
    }

    /// The lines on stderr up to the one that contains `last`, which must come.
    fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut all = Vec::new();
        for line in BufReader::new(self.child.stderr.take().unwrap()).lines() {
            all.push(line.unwrap());
            if all.last().is_some_and(|line| line.contains(last)) {
                return all;
            }
        }
        panic!("{last} did not come: {all:#?}")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_says_what_to_export_and_what_it_did() {
    let mut program = Program::start("--recogniser marks --fault ping:1@ack");
    assert!(program.connect("wrong-key").await.is_err());
    program.session().await;
    let lines = program.lines_until("#2 end:");
    let exports = lines
        .iter()
        .filter_map(|line| line.strip_prefix("  export "));
    let exports: Vec<&str> = exports.collect();
    assert!(exports[0].starts_with("VOLCASR_URI=ws://127.0.0.1:"));
    assert_eq!(
        exports[1..],
        [
            "VOLCENGINE_APP_ID=app-1",
            "VOLCENGINE_ACCESS_KEY=secret-access-key",
            "VOLCENGINE_API_KEY=secret-api-key"
        ]
    );
    let of = |number: usize| {
        let prefix = format!("loopback: #{number} ");
        let lines = lines
            .iter()
            .filter_map(move |line| line.strip_prefix(&prefix).map(str::to_owned));
        lines.collect::<Vec<_>>()
    };
    let (refused, session) = (of(1), of(2));
    assert!(refused[1].starts_with("refused: HTTP 401 {"), "{refused:?}");
    assert!(!refused.concat().contains("key"), "{refused:?}");
    assert_eq!(
        session[1..],
        [
            "session: bigmodel_async, audio at 24000 Hz, PCM",
            "fault: 1 pings",
            "end: closed after the final response"
        ]
    );
}

/// Credentials that were given as arguments are not printed.
#[test]
fn given_credentials_are_not_printed() {
    let mut program = Program::start("--recogniser silent --api-key other-key");
    let lines = program.lines_until("VOLCENGINE_API_KEY");
    assert!(!lines.concat().contains("other-key"), "{lines:#?}");
}

#[tokio::test]
async fn the_log_of_pocketsphinx_is_left_out() {
    let options = Options {
        recogniser: Recogniser::Pocketsphinx,
        ..Options::default()
    };
    if let Err(error) = Service::start(options) {
        return skip(&error.to_string());
    }
    let mut program = Program::start("--recogniser pocketsphinx");
    program.session().await;
    let lines = program.lines_until("#1 end:");
    assert!(lines.len() < 12, "{lines:#?}");
}
