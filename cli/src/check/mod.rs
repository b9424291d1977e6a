//! The command `check`: the way to a session, stage by stage.

mod stage;

use std::net::ToSocketAddrs;
use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;

use crate::failure::{Failure, println};
use crate::pipeline;
use crate::service::ServiceOptions;
use stage::{Stage, line};

/// How long a name may take; the element has a limit of its own.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(10);

const MORE: &str = "\
Each stage on the way to the service has a line, with the time that it took where that is measured
apart: the connection's contains the proxy's. The first that fails is the last; standard error says
why, and what to do. The last one sends one second of silence, which the service may bill.

Exit status:
    0  a session works
    1  it does not
    2  the command line can't be used

Credentials come from the environment: VOLCENGINE_API_KEY, or VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY.";

/// Options of the command.
#[derive(clap::Args)]
#[command(after_long_help = MORE)]
pub struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
}

/// Goes as far as it gets.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    pipeline::init()?;
    let (pipeline, sink) = silence().map_err(|error| error.message.to_string())?;
    // Once is enough to tell; the command line may say otherwise.
    sink.set_property("max-reconnects", 0u32);
    if let Err(error) = arguments.service.apply(&sink) {
        crate::failure::usage(&error);
    }
    let outcome = Check::new(&pipeline, &sink).run();
    // It is going away.
    let _ = pipeline.set_state(gst::State::Null);
    outcome.map(|()| ExitCode::SUCCESS)
}

/// One second of silence, and the element.
fn silence() -> Result<(gst::Pipeline, gst::Element), glib::BoolError> {
    let source = gst::ElementFactory::make("audiotestsrc")
        .property_from_str("wave", "silence")
        .property("num-buffers", 10)
        .property("samplesperbuffer", 2400)
        .build()?;
    let caps = gst::ElementFactory::make("capsfilter")
        .property(
            "caps",
            gst::Caps::builder("audio/x-raw")
                .field("rate", 24_000)
                .build(),
        )
        .build()?;
    let convert = gst::ElementFactory::make("audioconvert").build()?;
    let resample = gst::ElementFactory::make("audioresample").build()?;
    let sink = gst::ElementFactory::make("volcasrsink")
        .property("sync", false)
        .build()?;
    let pipeline = gst::Pipeline::new();
    let elements = [&source, &caps, &convert, &resample, &sink];
    pipeline.add_many(elements)?;
    gst::Element::link_many(elements)?;
    Ok((pipeline, sink))
}

struct Check<'a> {
    pipeline: &'a gst::Pipeline,
    sink: &'a gst::Element,
    /// The service has taken the upgrade.
    upgraded: Arc<OnceLock<Instant>>,
    uri: String,
    /// The last stage that was reported.
    passed: Option<Stage>,
}

impl<'a> Check<'a> {
    fn new(pipeline: &'a gst::Pipeline, sink: &'a gst::Element) -> Self {
        let upgraded = Arc::new(OnceLock::new());
        let at = upgraded.clone();
        sink.connect_notify(Some("log-id"), move |sink, _| {
            if sink.property::<Option<String>>("log-id").is_some() {
                at.get_or_init(Instant::now);
            }
        });
        Check {
            pipeline,
            sink,
            upgraded,
            uri: address(sink),
            passed: None,
        }
    }

    fn run(mut self) -> Result<(), Failure> {
        let resource: Option<String> = self.sink.property("resource-id");
        let settings = format!("{}, {}", self.uri, resource.unwrap_or_default());
        let lookup = look_up(&self.uri);
        let bus = self.pipeline.bus().ok_or_else(|| "no bus".to_owned())?;
        let began = Instant::now();
        let mut connected = None;
        let started = self.pipeline.set_state(gst::State::Playing);
        if started.is_ok() {
            self.pass(Stage::Settings, None, &settings)?;
            self.report_lookup(&lookup)?;
        }
        loop {
            let Some(message) = bus.timed_pop(gst::ClockTime::NONE) else {
                return Err(Failure::from("the pipeline has no bus any more".to_owned()));
            };
            match message.view() {
                gst::MessageView::Progress(progress) => {
                    let (kind, code, _) = progress.get();
                    if code == "connect" && kind == gst::ProgressType::Complete {
                        let now = Instant::now();
                        connected = Some(now);
                        self.report_connection(now - began)?;
                    }
                }
                gst::MessageView::Error(error) => {
                    let since = connected.unwrap_or(began);
                    return self.fail(error, &settings, &lookup, since.elapsed());
                }
                gst::MessageView::Eos(_) => return self.succeed(connected.unwrap_or(began)),
                _ => (),
            }
        }
    }

    fn report_lookup(&mut self, lookup: &LookUp) -> Result<(), Failure> {
        match lookup {
            LookUp::Found { took, text } => self.pass(Stage::Name, Some(*took), text),
            LookUp::Failed(_) => Ok(()),
        }
    }

    fn report_connection(&mut self, took: Duration) -> Result<(), Failure> {
        if let Some(proxy) = proxy(self.sink, &self.uri) {
            self.pass(Stage::Proxy, None, &proxy)?;
        }
        match self.uri.starts_with("wss:") {
            true => self.pass(
                Stage::Tls,
                Some(took),
                "connected, and the certificate is trusted",
            ),
            false => self.pass(Stage::Connection, Some(took), "without TLS"),
        }
    }

    fn succeed(&mut self, connected: Instant) -> Result<(), Failure> {
        let upgraded = self.upgraded.get().copied();
        let took = upgraded.map(|at| at.saturating_duration_since(connected));
        self.pass(Stage::Credentials, took, "accepted")?;
        self.pass(Stage::Resource, None, "granted")?;
        let log_id: Option<String> = self.sink.property("log-id");
        let text = format!(
            "one second of silence was recognised; log id {}",
            log_id.as_deref().unwrap_or("none")
        );
        let took = upgraded.unwrap_or(connected).elapsed();
        self.pass(Stage::Session, Some(took), &text)
    }

    fn fail(
        &mut self,
        error: &gst::message::Error,
        settings: &str,
        lookup: &LookUp,
        took: Duration,
    ) -> Result<(), Failure> {
        let failure = Failure::from_message(error);
        let details = error.details();
        let number = |name| details.and_then(|d| d.get::<u32>(name).ok()).unwrap_or(0);
        let stage = Stage::of_error(&failure.text, number("http-status"), number("code"));
        if stage > Stage::Settings && self.passed.is_none() {
            self.pass(Stage::Settings, None, settings)?;
            self.report_lookup(lookup)?;
        }
        if stage == Stage::Resource {
            self.pass(Stage::Credentials, None, "accepted")?;
        }
        let reason = match (stage, lookup) {
            (Stage::Name, LookUp::Failed(reason)) => reason,
            _ => "",
        };
        println(&line(stage, false, Some(took), reason))?;
        Err(failure)
    }

    fn pass(&mut self, stage: Stage, took: Option<Duration>, text: &str) -> Result<(), Failure> {
        if self.passed.is_some_and(|passed| passed >= stage) {
            return Ok(());
        }
        self.passed = Some(stage);
        println(&line(stage, true, took, text))
    }
}

/// The service's address, without its query: the property, or what stands for its default.
fn address(sink: &gst::Element) -> String {
    let set: Option<String> = sink.property("uri");
    let default = sink.find_property("uri");
    let default = default.and_then(|spec| spec.default_value().get::<Option<String>>().ok());
    let from_environment = std::env::var("VOLCASR_URI").ok();
    let uri = match from_environment.filter(|uri| !uri.is_empty()) {
        Some(uri) if default == Some(set.clone()) => uri,
        _ => set.unwrap_or_default(),
    };
    let bare = uri.split('?').next();
    crate::failure::one_line(bare.unwrap_or_default())
}

/// Result of resolving the service's host name.
enum LookUp {
    Found {
        took: Duration,
        text: String,
    },
    /// A proxy may know it all the same.
    Failed(String),
}

fn look_up(uri: &str) -> LookUp {
    let Some((host, port)) = host_of(uri) else {
        return LookUp::Failed(String::new());
    };
    let (sender, found) = mpsc::channel();
    let began = Instant::now();
    let name = host.clone();
    // On a thread of its own: the system's resolver has no limit.
    std::thread::spawn(move || {
        let addresses = (name.as_str(), port).to_socket_addrs();
        let _ = sender.send(addresses.map(Iterator::collect::<Vec<_>>));
    });
    match found.recv_timeout(LOOK_UP_LIMIT) {
        Ok(Ok(addresses)) if !addresses.is_empty() => LookUp::Found {
            took: began.elapsed(),
            text: match addresses.len() {
                1 => format!("{host}: {}", addresses[0].ip()),
                more => format!("{host}: {} and {} more", addresses[0].ip(), more - 1),
            },
        },
        Ok(Ok(_)) => LookUp::Failed(format!("{host} has no address")),
        Ok(Err(error)) => LookUp::Failed(format!("{host}: {error}")),
        Err(_) => LookUp::Failed(format!("{host}: no answer within {LOOK_UP_LIMIT:?}")),
    }
}

fn host_of(uri: &str) -> Option<(String, u16)> {
    let (scheme, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit('@').next()?;
    let default = if scheme == "ws" { 80 } else { 443 };
    let (host, port) = match place.rsplit_once(':') {
        // A colon within brackets belongs to an address.
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (place, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// The proxy that is set, without its user. Whether `no_proxy` excepts the host, the element knows.
fn proxy(sink: &gst::Element, uri: &str) -> Option<String> {
    if let Some(set) = sink.property::<Option<String>>("proxy") {
        return (!set.is_empty()).then(|| without_user(&set));
    }
    let (host, _) = host_of(uri)?;
    if host == "localhost" || host.starts_with("127.") || host == "::1" {
        return None;
    }
    let own: &[&str] = match uri.starts_with("wss:") {
        true => &["https_proxy", "HTTPS_PROXY"],
        false => &["http_proxy"],
    };
    let names = own.iter().chain(&["all_proxy", "ALL_PROXY"]);
    let (name, value) = names
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .find(|(_, value)| !value.trim().is_empty())?;
    Some(format!(
        "{} from {name}, unless no_proxy excepts {host}",
        without_user(&value)
    ))
}

fn without_user(uri: &str) -> String {
    match (uri.split_once("://"), uri.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let cases = [
            ("wss://asr.example/x", Some(("asr.example", 443))),
            ("ws://127.0.0.1:8024/x", Some(("127.0.0.1", 8024))),
            ("ws://asr.example", Some(("asr.example", 80))),
            ("ws://[::1]:8024/x", Some(("::1", 8024))),
            ("wss://[::1]", Some(("::1", 443))),
            ("nonsense", None),
            ("wss:///x", None),
        ];
        for (uri, expected) in cases {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(host_of(uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_proxys_user_is_not_shown() {
        let cases = [
            ("http://me:secret@proxy:3128", "http://proxy:3128"),
            ("me:secret@proxy:3128", "proxy:3128"),
            ("socks5://proxy", "socks5://proxy"),
        ];
        for (uri, shown) in cases {
            assert_eq!(without_user(uri), shown);
        }
    }
}
