//! Real speech, through GStreamer's `pocketsphinx` element: the pipeline around it, for one
//! connection.
//!
//! The element posts its hypothesis, and, at pauses of its own, the final one; it does not say when
//! a word was spoken. Times are therefore modelled: the words of a hypothesis are spread by their
//! length from a little before the first one to where the latest was added.

use crate::{stderr, transcript::Word};
use gst::prelude::*;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use thiserror::Error;
use tokio::sync::Notify;

/// How to get what may be missing.
const INSTALL: &str = "install it with `apt-get install gstreamer1.0-pocketsphinx \
    pocketsphinx-en-us`, or choose another recogniser";
/// Audio that may wait for the element, in seconds: it needs a third of real time or so, clients
/// may send faster.
const MAX_WAITING: u64 = 20;

/// Age of the first word when the element adds it, in milliseconds.
const FIRST_WORD: i64 = 500;

/// Why there is no recogniser.
#[derive(Debug, Error)]
pub(crate) enum ListenError {
    #[error("GStreamer can't be initialised: {0}")]
    Gst(#[from] gst::glib::Error),
    #[error("GStreamer's element `{0}` is missing: {INSTALL}")]
    Missing(&'static str),
    #[error("pocketsphinx's model {0} is missing: {INSTALL}")]
    Model(String),
    #[error("the pocketsphinx pipeline can't be built: {0}")]
    Build(#[from] gst::glib::BoolError),
}

/// Whether the element and its model are there.
///
/// # Errors
/// An element or a model that is missing, with the way to install it.
pub(crate) fn check() -> Result<(), ListenError> {
    gst::init()?;
    for name in [
        "appsrc",
        "audioconvert",
        "audioresample",
        "pocketsphinx",
        "fakesink",
    ] {
        gst::ElementFactory::find(name).ok_or(ListenError::Missing(name))?;
    }
    let element = gst::ElementFactory::make("pocketsphinx").build()?;
    for property in ["hmm", "lm", "dict"] {
        let path: Option<String> = element.property(property);
        if let Some(path) = path.filter(|path| !Path::new(path).exists()) {
            return Err(ListenError::Model(path));
        }
    }
    Ok(())
}

/// A result of the element.
#[derive(Debug)]
pub(crate) enum Hypothesis {
    /// Interim words of the speech under way.
    Guess(Vec<Word>),
    /// Final words; the next guess is about the speech behind them.
    Words(Vec<Word>),
}

#[derive(Debug)]
struct State {
    hypotheses: Vec<Hypothesis>,
    /// Milliseconds that the element has worked through.
    position: i64,
    /// Words of the speech under way, and where they lie; the end of the last one if there is none.
    count: usize,
    speech: (i64, i64),
    done: bool,
}

impl State {
    /// Spreads the words of `text` over the speech under way.
    fn spread(&mut self, text: &str) -> Vec<Word> {
        let texts: Vec<&str> = text.split_whitespace().collect();
        let (mut begin, mut end) = self.speech;
        if self.count == 0 {
            begin = end.max(self.position - FIRST_WORD);
        }
        if texts.len() > self.count {
            end = self.position.max(begin + 1);
        }
        (self.count, self.speech) = (texts.len(), (begin, end));
        let length = |text: &str| text.chars().count() as i64 + 1;
        let total: i64 = texts.iter().map(|text| length(text)).sum();
        let mut before = 0;
        let place = texts.into_iter().map(|text| {
            let at = |part: i64| begin + (end - begin) * part / total;
            let start = at(before);
            before += length(text);
            let end = at(before);
            Word {
                text: text.to_owned(),
                start,
                end,
                sound: (start, end),
            }
        });
        place.collect()
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    notify: Arc<Notify>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's recogniser.
#[derive(Debug)]
pub(crate) struct Listener {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    shared: Arc<Shared>,
    rate: u64,
    /// Samples pushed.
    pushed: u64,
}

impl Listener {
    pub(crate) fn new(rate: u32) -> Result<Self, ListenError> {
        check()?;
        let pipeline = gst::Pipeline::new();
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("channels", 1)
            .field("rate", i32::try_from(rate).unwrap_or(16_000))
            .build();
        let source = gst_app::AppSrc::builder()
            .caps(&caps)
            .format(gst::Format::Time)
            // Bounded by `is_full`, which stops reading from the socket; blocking would stop every
            // session.
            .max_bytes(0)
            .build();
        let make = |name: &'static str| gst::ElementFactory::make(name);
        // Without its second search the last word comes sooner, and on the recordings tried no
        // worse.
        let element = make("pocketsphinx").property("fwdflat", false).build()?;
        let sink = make("fakesink")
            .property("sync", false)
            .property("async", false)
            .build()?;
        let (convert, resample) = (
            make("audioconvert").build()?,
            make("audioresample").build()?,
        );
        let chain = [source.upcast_ref(), &convert, &resample, &element, &sink];
        pipeline.add_many(chain)?;
        gst::Element::link_many(chain)?;

        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                hypotheses: Vec::new(),
                position: 0,
                count: 0,
                speech: (0, 0),
                done: false,
            }),
            notify: Arc::new(Notify::new()),
        });
        watch_progress(&element, &shared);
        let of_bus = shared.clone();
        if let Some(bus) = pipeline.bus() {
            bus.set_sync_handler(move |_, message| {
                take_message(&of_bus, message);
                gst::BusSyncReply::Drop
            });
        }
        // It loads its model on the way, which takes a while: not on the service's thread.
        pipeline.call_async(|pipeline| {
            let _ = pipeline.set_state(gst::State::Playing);
        });
        Ok(Self {
            pipeline,
            source,
            shared,
            rate: u64::from(rate),
            pushed: 0,
        })
    }

    pub(crate) fn push(&mut self, pcm: &[u8]) {
        // In pieces of 100 ms, the rhythm of the element's guesses.
        for piece in pcm.chunks(usize::try_from(self.rate / 10 * 2).unwrap_or(3200)) {
            let mut buffer = gst::Buffer::from_slice(piece.to_vec());
            let samples = piece.len() as u64 / 2;
            let time =
                |samples: u64| gst::ClockTime::from_nseconds(samples * 1_000_000_000 / self.rate);
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(time(self.pushed));
                buffer.set_duration(time(self.pushed + samples) - time(self.pushed));
            }
            self.pushed += samples;
            if self.source.push_buffer(buffer).is_err() {
                self.end_early();
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        if self.source.end_of_stream().is_err() {
            self.end_early();
        }
    }

    fn end_early(&self) {
        self.shared.lock().done = true;
        self.shared.notify.notify_one();
    }

    pub(crate) fn take(&mut self) -> Vec<Hypothesis> {
        std::mem::take(&mut self.shared.lock().hypotheses)
    }

    /// Milliseconds that the element has worked through, until it has worked through the finish,
    /// or the pipeline has failed.
    pub(crate) fn worked(&self) -> Option<i64> {
        let state = self.shared.lock();
        (!state.done).then_some(state.position)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.worked().is_some_and(|worked| {
            let worked = worked.unsigned_abs() * self.rate / 1000;
            self.pushed.saturating_sub(worked) > MAX_WAITING * self.rate
        })
    }

    pub(crate) fn notify(&self) -> Arc<Notify> {
        self.shared.notify.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The element may be in the middle of a buffer, and to wait for it here would stop every
        // session.
        self.pipeline.call_async(|pipeline| {
            let _ = pipeline.set_state(gst::State::Null);
        });
    }
}

/// Counts what reaches the element, and sees the end leave it.
fn watch_progress(element: &gst::Element, shared: &Arc<Shared>) {
    let progress = shared.clone();
    if let Some(pad) = element.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(end) = info.buffer().and_then(|b| Some(b.pts()? + b.duration()?)) {
                let mut state = progress.lock();
                state.position = state.position.max(end.mseconds().cast_signed());
                drop(state);
                progress.notify.notify_one();
            }
            gst::PadProbeReturn::Ok
        });
    }
    let end = shared.clone();
    if let Some(pad) = element.static_pad("src") {
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if matches!(info.event(), Some(event) if event.type_() == gst::EventType::Eos) {
                end.lock().done = true;
                end.notify.notify_one();
            }
            gst::PadProbeReturn::Ok
        });
    }
}

fn take_message(shared: &Shared, message: &gst::Message) {
    match message.view() {
        gst::MessageView::Element(element) => {
            let Some(structure) = element.structure().filter(|s| s.name() == "pocketsphinx") else {
                return;
            };
            let text = structure.get::<Option<String>>("hypothesis");
            let text = text.ok().flatten().unwrap_or_default();
            let mut state = shared.lock();
            let words = state.spread(&text);
            if structure.get("final").unwrap_or(false) {
                state.count = 0;
                state.hypotheses.push(Hypothesis::Words(words));
            } else {
                state.hypotheses.push(Hypothesis::Guess(words));
            }
        }
        gst::MessageView::Error(error) => {
            stderr::line(format_args!("loopback: pocketsphinx: {}", error.error()));
            shared.lock().done = true;
        }
        _ => return,
    }
    shared.notify.notify_one();
}
