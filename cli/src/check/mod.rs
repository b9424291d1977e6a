//! The command `check`: the way to a session, stage by stage.
//!
//! [`stage`] has the stages and their lines, [`way`] is what lies before the service.

mod stage;
mod way;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;

use crate::failure::{Failure, eprintln, println};
use crate::news::{Warning, Warnings};
use crate::pipeline;
use crate::service::ServiceOptions;
use stage::{Line, Stage};
use way::{Step, Way};

/// Interval of looks at what is tried beside the element.
const REFRESH: gst::ClockTime = gst::ClockTime::from_mseconds(50);

const MORE: &str = "\
Each stage on the way to the service has a line, with the time that it took. The first that fails is
the last; standard error says why, and what to do. Behind a proxy the name is the proxy's: it
resolves that of the service. The time of the connection contains that of the proxy. Credentials and
resource have one answer, and so one time. The last stage sends one second of silence, which the
service may bill. The stage upgrade is listed only if it fails: the address answers with HTTP 404,
429, 5xx or a redirect.

JSON lines have the fields stage, ok, took (in nanoseconds) and text; the session's has log-id, and
that of a stage that failed has error and hint.

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
    output: CheckOutput,
    #[command(flatten)]
    service: ServiceOptions,
}

/// Options for the list of stages.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "The output")]
struct CheckOutput {
    /// Write a JSON line for each stage
    #[arg(long)]
    json: bool,
    /// Show nothing but errors
    #[arg(short, long)]
    quiet: bool,
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
    let outcome = Check::new(&pipeline, &sink, arguments.output).run();
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
    output: CheckOutput,
    /// The service has taken the upgrade.
    upgraded: Arc<OnceLock<Instant>>,
    uri: String,
    /// The way before the service, and the thread that still tries it.
    way: Option<Way>,
    search: Option<JoinHandle<Way>>,
    warnings: Warnings,
    /// Time that the settings took.
    settings: Duration,
    /// The last stage that was reported.
    passed: Option<Stage>,
}

impl<'a> Check<'a> {
    fn new(pipeline: &'a gst::Pipeline, sink: &'a gst::Element, output: CheckOutput) -> Self {
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
            output,
            upgraded,
            uri: way::address(sink),
            way: None,
            search: None,
            warnings: Warnings::default(),
            settings: Duration::ZERO,
            passed: None,
        }
    }

    fn run(mut self) -> Result<(), Failure> {
        let bus = self.pipeline.bus().ok_or_else(|| "no bus".to_owned())?;
        let began = Instant::now();
        let mut connected = None;
        let started = self.pipeline.set_state(gst::State::Playing);
        self.settings = began.elapsed();
        if started.is_ok() {
            self.report_settings()?;
            let (proxy, uri) = (
                self.sink.property::<Option<String>>("proxy"),
                self.uri.clone(),
            );
            // A name may take long, and the element need not wait for it.
            self.search = Some(thread::spawn(move || Way::find(proxy.as_deref(), &uri)));
        }
        loop {
            let Some(message) = bus.timed_pop(self.search.as_ref().map(|_| REFRESH)) else {
                match &self.search {
                    Some(search) if search.is_finished() => self.report_way(Stage::Name)?,
                    Some(_) => (),
                    None => return Err("the pipeline has no bus any more".to_owned().into()),
                }
                continue;
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
                gst::MessageView::Warning(warning) => self.warn(&Warning::of(warning)),
                gst::MessageView::Error(error) => {
                    return self.fail(error, connected.unwrap_or(began));
                }
                gst::MessageView::Eos(_) => return self.succeed(connected.unwrap_or(began)),
                _ => (),
            }
        }
    }

    fn report_settings(&mut self) -> Result<(), Failure> {
        let resource: Option<String> = self.sink.property("resource-id");
        let settings = format!("{}, {}", self.uri, resource.unwrap_or_default());
        self.pass(Stage::Settings, self.settings, &settings)
    }

    /// Shows a warning, each kind once.
    fn warn(&mut self, warning: &Warning) {
        let text = self.warnings.take(warning);
        if let Some(text) = text.filter(|_| !self.output.quiet) {
            eprintln(&format!("warning: {text}"));
        }
    }

    /// Reports what lies before the service, up to a stage.
    fn report_way(&mut self, most: Stage) -> Result<(), Failure> {
        self.report_settings()?;
        if let Some(Ok(way)) = self.search.take().map(JoinHandle::join) {
            self.way = Some(way);
        }
        if let Some(Ok(Step { took, text })) = self.way.as_ref().map(|way| way.name.clone()) {
            self.pass(Stage::Name, took, &text)?;
        }
        match self.way.as_ref().and_then(|way| way.proxy.clone()) {
            Some(Ok(Step { took, text })) if most >= Stage::Proxy => {
                self.pass(Stage::Proxy, took, &text)
            }
            _ => Ok(()),
        }
    }

    fn report_connection(&mut self, took: Duration) -> Result<(), Failure> {
        self.report_way(Stage::Proxy)?;
        match self.uri.starts_with("wss:") {
            true => self.pass(
                Stage::Tls,
                took,
                "connected, and the certificate is trusted",
            ),
            false => self.pass(Stage::Connection, took, "without TLS"),
        }
    }

    /// Reports the upgrade: one answer for both stages, or for the first of them.
    fn report_upgrade(&mut self, took: Duration, is_granted: bool) -> Result<(), Failure> {
        self.pass(Stage::Credentials, took, "accepted")?;
        match is_granted {
            true => self.pass(Stage::Resource, took, "granted, in the same answer"),
            false => Ok(()),
        }
    }

    fn succeed(&mut self, connected: Instant) -> Result<(), Failure> {
        let upgraded = self.upgraded.get().copied().unwrap_or(connected);
        self.report_upgrade(upgraded.saturating_duration_since(connected), true)?;
        self.report(Line {
            stage: Stage::Session.name(),
            ok: true,
            took: upgraded.elapsed(),
            text: "one second of silence was recognised".to_owned(),
            log_id: self.sink.property("log-id"),
            ..Line::default()
        })
    }

    fn fail(&mut self, error: &gst::message::Error, since: Instant) -> Result<(), Failure> {
        let failure = Failure::from_message(error);
        let details = error.details();
        let number = |name| details.and_then(|d| d.get::<u32>(name).ok()).unwrap_or(0);
        let stage = Stage::of_error(&failure.text, number("http-status"), number("code"));
        let mut took = since.elapsed();
        let mut text = String::new();
        if stage > Stage::Settings {
            let before = if stage > Stage::Proxy {
                Stage::Proxy
            } else {
                Stage::Name
            };
            self.report_way(before)?;
        }
        let upgraded = self.upgraded.get().copied();
        match (stage, upgraded) {
            (Stage::Name, _) => {
                if let Some(Err(step)) = self.way.as_ref().map(|way| &way.name) {
                    (took, text) = (step.took, step.text.clone());
                }
            }
            (Stage::Proxy, _) => {
                if let Some(Err(step)) = self.way.as_ref().and_then(|way| way.proxy.as_ref()) {
                    (took, text) = (step.took, step.text.clone());
                }
            }
            (Stage::Resource, _) => {
                let answered = upgraded.map_or(took, |at| at.saturating_duration_since(since));
                self.report_upgrade(answered, false)?;
            }
            (Stage::Session, Some(at)) => {
                self.report_upgrade(at.saturating_duration_since(since), true)?;
                took = at.elapsed();
            }
            _ => (),
        }
        self.report(Line {
            stage: stage.name(),
            took,
            text,
            error: Some(failure.text.clone()),
            hint: failure.hint.clone(),
            ..Line::default()
        })?;
        Err(failure)
    }

    fn pass(&mut self, stage: Stage, took: Duration, text: &str) -> Result<(), Failure> {
        if self.passed.is_some_and(|passed| passed >= stage) {
            return Ok(());
        }
        self.passed = Some(stage);
        self.report(Line {
            stage: stage.name(),
            ok: true,
            took,
            text: text.to_owned(),
            ..Line::default()
        })
    }

    fn report(&self, line: Line) -> Result<(), Failure> {
        match self.output {
            CheckOutput { json: true, .. } => {
                println(&serde_json::to_string(&line).map_err(|error| error.to_string())?)
            }
            CheckOutput { quiet: true, .. } => Ok(()),
            _ => println(&line.to_string()),
        }
    }
}
