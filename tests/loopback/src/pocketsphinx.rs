//! Real speech, through GStreamer's `pocketsphinx` element: the pipeline around it, for one
//! connection.
//!
//! The element posts its hypothesis, and, at pauses of its own, the final one; it does not say when
//! a word was spoken. Times are therefore modelled: the words of a hypothesis are spread by their
//! length from a little before the first one to where the latest was added.

use crate::{
    stderr,
    transcript::{Transcript, Word},
};
use gst::{glib, prelude::*};
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How to get what may be missing.
const INSTALL: &str = "install it with `apt-get install gstreamer1.0-pocketsphinx \
    pocketsphinx-en-us`, or choose another recogniser";
/// Audio that may wait for the element, in seconds: it needs a third of real time or so, clients
/// may send faster.
const MAX_WAITING: u64 = 20;

/// Age of the first word when the element adds it, in milliseconds.
const FIRST_WORD: i64 = 500;

/// Makes the pipeline for audio of this rate. The source is bounded by `is_full`, which stops
/// reading from the socket; blocking would stop every session. Without the second search,
/// `fwdflat`, the last word comes sooner, and on the recordings tried no worse.
///
/// # Errors
/// An element or a model that is missing, with the way to install it.
pub(crate) fn pipeline(rate: u32) -> Result<gst::Pipeline, String> {
    let line = format!(
        "appsrc name=source format=time max-bytes=0 \
         caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={rate} \
         ! audioconvert ! audioresample ! pocketsphinx name=listener fwdflat=false \
         ! fakesink sync=false async=false"
    );
    let launch = || -> Result<_, glib::Error> {
        gst::init()?;
        gst::parse::launch(&line)
    };
    let missing = |what: &dyn std::fmt::Display| format!("{what}: {INSTALL}");
    let pipeline = launch().map_err(|error| missing(&error))?;
    let pipeline = pipeline
        .downcast::<gst::Pipeline>()
        .map_err(|_| "no pipeline")?;
    let listener = pipeline.by_name("listener").ok_or("no listener")?;
    for property in ["hmm", "lm", "dict"] {
        let path: Option<String> = listener.property(property);
        if let Some(path) = path.filter(|path| !Path::new(path).exists()) {
            return Err(missing(&format_args!(
                "pocketsphinx's model {path} is missing"
            )));
        }
    }
    Ok(pipeline)
}

#[derive(Debug, Default)]
struct State {
    /// Results of the element: words of the speech under way, and whether they are final, so that
    /// the next are about the speech behind them.
    hypotheses: Vec<(bool, Vec<Word>)>,
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
        let at = |part: i64| begin + (end - begin) * part / total;
        let place = texts.into_iter().map(|text| {
            let start = at(before);
            before += length(text);
            Word::new(text, start, at(before))
        });
        place.collect()
    }
}

/// State that the threads of the pipeline share with the session.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    notify: Arc<Notify>,
}

impl Shared {
    /// Changes the state, and lets the session look.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.notify.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_message(&self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Element(element) => {
                let Some(structure) = element.structure().filter(|s| s.name() == "pocketsphinx")
                else {
                    return;
                };
                let text = structure.get::<Option<String>>("hypothesis");
                let text = text.ok().flatten().unwrap_or_default();
                let is_final = structure.get("final").unwrap_or(false);
                self.change(|state| {
                    let words = state.spread(&text);
                    if is_final {
                        state.count = 0;
                    }
                    state.hypotheses.push((is_final, words));
                });
            }
            gst::MessageView::Eos(_) => self.change(|state| state.done = true),
            gst::MessageView::Error(error) => {
                stderr::line(format_args!("loopback: pocketsphinx: {}", error.error()));
                self.change(|state| state.done = true);
            }
            _ => {}
        }
    }

    /// Counts what reaches the element.
    fn take_buffer(&self, info: &gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
        if let Some(end) = info.buffer().and_then(|b| Some(b.pts()? + b.duration()?)) {
            let end = end.mseconds().cast_signed();
            self.change(|state| state.position = state.position.max(end));
        }
        gst::PadProbeReturn::Ok
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
    pub(crate) fn new(rate: u32, notify: Arc<Notify>) -> Result<Self, String> {
        let pipeline = pipeline(rate)?;
        let source = pipeline.by_name("source");
        let source = source.and_then(|source| source.downcast().ok());
        let sink = pipeline.by_name("listener");
        let sink = sink.and_then(|listener| listener.static_pad("sink"));
        let state = Mutex::default();
        let shared = Arc::new(Shared { state, notify });
        let of_pad = shared.clone();
        sink.ok_or("no sink pad")?
            .add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                of_pad.take_buffer(info)
            });
        let of_bus = shared.clone();
        let bus = pipeline.bus().ok_or("no bus")?;
        bus.set_sync_handler(move |_, message| {
            of_bus.take_message(message);
            gst::BusSyncReply::Drop
        });
        // It loads its model on the way, which takes a while: not on the service's thread.
        pipeline.call_async(|pipeline| {
            let _ = pipeline.set_state(gst::State::Playing);
        });
        Ok(Self {
            pipeline,
            source: source.ok_or("no source")?,
            shared,
            rate: u64::from(rate),
            pushed: 0,
        })
    }

    /// Takes audio: S16LE, mono.
    pub(crate) fn push(&mut self, pcm: &[u8], is_end: bool) {
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
                self.shared.change(|state| state.done = true);
            }
        }
        if is_end && self.source.end_of_stream().is_err() {
            self.shared.change(|state| state.done = true);
        }
    }

    /// Adds the words that were recognised since the last call to the transcript.
    pub(crate) fn update(&self, transcript: &mut Transcript) {
        for (is_final, words) in std::mem::take(&mut self.shared.lock().hypotheses) {
            match is_final {
                false => transcript.guess(words),
                true => {
                    transcript.guess(Vec::new());
                    words.into_iter().for_each(|word| transcript.word(word));
                }
            }
        }
    }

    /// Milliseconds that the element has worked through; none once it has worked through the end,
    /// or the pipeline has failed.
    pub(crate) fn worked(&self) -> Option<i64> {
        let state = self.shared.lock();
        (!state.done).then_some(state.position)
    }

    /// Whether more audio should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.worked().is_some_and(|worked| {
            let worked = worked.unsigned_abs() * self.rate / 1000;
            self.pushed.saturating_sub(worked) > MAX_WAITING * self.rate
        })
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
