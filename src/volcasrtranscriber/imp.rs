//! The transcriber: pads, properties, states, queries.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::input::InputState;
use super::output::{RoundResult, TextPad};
use super::settings::{PROPERTIES, TextSettings};
use super::unsynced::Unsynced;
use crate::element::bus::outbox::OutgoingMessage;
use crate::element::bus::post_message;
use crate::element::caps;
use crate::element::run_slot::RunSlot;
use crate::element::settings::Settings;
use crate::sync::lock;

/// The element's own state.
pub struct VolcAsrTranscriber {
    pub(super) sink_pad: gst::Pad,
    pub(super) src_pad: gst::Pad,
    pub(super) settings: Mutex<Settings>,
    pub(super) text: Mutex<TextSettings>,
    /// From the first buffer to PAUSED → READY.
    pub(super) runs: RunSlot,
    pub(super) input: Mutex<InputState>,
    pub(super) output: Arc<TextPad>,
    pub(super) unsynced: Arc<Unsynced>,
}

#[glib::object_subclass]
impl ObjectSubclass for VolcAsrTranscriber {
    const NAME: &'static str = "GstVolcasrTranscriber";
    type Type = super::VolcAsrTranscriber;
    type ParentType = gst::Element;
    type Interfaces = (gst::Preset,);

    fn with_class(class: &Self::Class) -> Self {
        let template = |name| {
            class
                .pad_template(name)
                .expect("class_init registers this template")
        };
        let sink_pad = pad(&template("sink"), Self::sink_event, Self::sink_query)
            .chain_function(|pad, parent, buffer| {
                VolcAsrTranscriber::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |imp| imp.chain(pad, buffer),
                )
            })
            .build();
        let source = |name| pad(&template(name), Self::src_event, Self::src_query).build();
        VolcAsrTranscriber {
            sink_pad,
            src_pad: source("src"),
            settings: Mutex::default(),
            text: Mutex::default(),
            runs: RunSlot::default(),
            input: Mutex::default(),
            output: Arc::new(TextPad::new()),
            unsynced: Arc::new(Unsynced::new(source("unsynced_src"))),
        }
    }
}

/// Begins a pad whose events and queries these methods handle.
fn pad(
    template: &gst::PadTemplate,
    event: fn(&VolcAsrTranscriber, &gst::Pad, gst::Event) -> bool,
    query: fn(&VolcAsrTranscriber, &gst::Pad, &mut gst::QueryRef) -> bool,
) -> gst::PadBuilder<gst::Pad> {
    gst::Pad::builder_from_template(template)
        .event_function(move |pad, parent, of| {
            let handle = |imp: &VolcAsrTranscriber| event(imp, pad, of);
            VolcAsrTranscriber::catch_panic_pad_function(parent, || false, handle)
        })
        .query_function(move |pad, parent, of| {
            let handle = |imp: &VolcAsrTranscriber| query(imp, pad, of);
            VolcAsrTranscriber::catch_panic_pad_function(parent, || false, handle)
        })
}

impl ObjectImpl for VolcAsrTranscriber {
    fn constructed(&self) {
        self.parent_constructed();
        let object = self.obj();
        for pad in [&self.sink_pad, &self.src_pad, &self.unsynced.pad] {
            // Names that no other pad of a new element has.
            let _ = object.add_pad(pad);
        }
        // Elements may link without RECONFIGURE.
        let output = self.output.clone();
        self.src_pad.connect_linked(move |_, _| output.relinked());
        let weak = object.downgrade();
        let apply = move |_: &gst::Pad, _: &gst::Pad| {
            if let Some(element) = weak.upgrade() {
                element.imp().apply_live();
            }
        };
        self.unsynced.pad.connect_linked(apply.clone());
        self.unsynced.pad.connect_unlinked(apply);
    }

    fn properties() -> &'static [glib::ParamSpec] {
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let name = pspec.name();
        match TextSettings::find(name) {
            Some(property) => property.set(&mut lock(&self.text), value),
            None => lock(&self.settings).set(name, value),
        }
        let object = self.obj();
        self.runs
            .warn_if_late(*super::CAT, object.upcast_ref(), pspec);
        match name {
            "latency" => {
                self.update_latency();
                let message = gst::message::Latency::builder().src(&*object).build();
                post_message(object.upcast_ref(), message);
            }
            "language-code" => {
                if let Some(run) = self.run() {
                    self.set_language(&run, self.language());
                }
            }
            _ => self.apply_live(),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if let Some(result) = self.runs.property(pspec.name(), None) {
            return result;
        }
        match pspec.name() {
            "max-observed-delay" => self.output.max_delay_ms().to_value(),
            name => match TextSettings::find(name) {
                Some(property) => property.get(&mut lock(&self.text)),
                None => lock(&self.settings).get(name),
            },
        }
    }
}

impl GstObjectImpl for VolcAsrTranscriber {}

/// GStreamer's own reading and writing of presets is all there is.
impl PresetImpl for VolcAsrTranscriber {}

impl ElementImpl for VolcAsrTranscriber {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Volcengine speech transcriber",
                "Audio/Text/Filter/Network",
                "Streams audio to Volcengine's speech recognition and pushes what is said as text, \
                 for overlays, subtitles and closed captions; posts the messages of volcasrsink as \
                 well",
                "The gst-plugin-volcasr developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let text = gst::Caps::builder("text/x-raw")
                .field("format", "utf8")
                .build();
            let json = gst::Caps::builder("application/x-json").build();
            let source = |name, caps: &gst::Caps| {
                let (direction, presence) = (gst::PadDirection::Src, gst::PadPresence::Always);
                gst::PadTemplate::new(name, direction, presence, caps).ok()
            };
            [
                caps::sink_template(),
                source("src", &text),
                source("unsynced_src", &json),
            ]
            .into_iter()
            .flatten()
            .collect()
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        match transition {
            gst::StateChange::ReadyToPaused => {
                self.output.reset();
                self.unsynced.open();
                *lock(&self.input) = InputState::default();
                self.runs.open();
            }
            // Before the pads are deactivated, so that nothing more is posted meanwhile and the
            // tasks end. Until then a buffer may come, and must not begin another run.
            gst::StateChange::PausedToReady => self.close(),
            gst::StateChange::PlayingToPaused => self.output.set_playing(false),
            _ => {}
        }
        let result = self.parent_change_state(transition);
        match transition {
            gst::StateChange::ReadyToPaused if result.is_err() => self.close(),
            gst::StateChange::ReadyToPaused => {
                self.output.start();
                self.start_tasks();
            }
            gst::StateChange::PausedToReady => {
                for pad in [&self.src_pad, &self.unsynced.pad] {
                    let _ = pad.stop_task();
                }
            }
            gst::StateChange::PausedToPlaying => self.output.set_playing(true),
            _ => {}
        }
        result
    }
}

impl VolcAsrTranscriber {
    /// Ends the run and the tasks' waits, until READY → PAUSED.
    fn close(&self) {
        self.output.close();
        self.unsynced.close();
        self.runs.close(self.obj().upcast_ref());
    }

    /// Has both source pads' tasks run.
    pub(super) fn start_tasks(&self) {
        self.start_task(&self.src_pad, Self::push_next);
        self.unsynced.reset();
        if self.run().is_some() {
            self.start_unsynced();
        }
    }

    /// Ends the unsynced stream behind what waits, without a run as well.
    fn end_unsynced(&self) {
        self.start_unsynced();
        self.unsynced.end();
    }

    /// Has the unsynced pad's task run, if the pad is linked.
    pub(super) fn start_unsynced(&self) {
        if self.unsynced.pad.is_linked() {
            self.start_task(&self.unsynced.pad, Self::push_response);
        }
    }

    fn start_task(&self, pad: &gst::Pad, round: fn(&Self)) {
        let weak = self.obj().downgrade();
        let result = pad.start_task(move || {
            if let Some(element) = weak.upgrade() {
                round(element.imp());
            }
        });
        if result.is_err() {
            gst::error!(super::CAT, obj = pad, "can't start the task");
        }
    }

    /// One round of the unsynced pad's task.
    fn push_response(&self) {
        let now = || self.obj().current_running_time();
        if !self.unsynced.push_next(now) {
            let _ = self.unsynced.pad.pause_task();
        }
    }

    /// One round of the text pad's task.
    fn push_next(&self) {
        let object = self.obj();
        let now = || object.current_running_time().map(Duration::from);
        let is_sent = || {
            self.run().is_some_and(|run| {
                let (counts, queued) = run.client.counts();
                counts.connections.connected && queued < u64::from(run.rate / 2)
            })
        };
        let pads = (&self.sink_pad, &self.src_pad);
        match self.output.push_next(pads, now, is_sent) {
            RoundResult::Fine => {}
            RoundResult::Ended => self.end_unsynced(),
            RoundResult::Late => self.post(OutgoingMessage::Changed("max-observed-delay")),
            RoundResult::Stopped => {
                let _ = self.src_pad.pause_task();
            }
            RoundResult::Failed(error) => self.post(OutgoingMessage::Refused(error)),
        }
    }

    /// Has the run's outbox post something, unless the element is on its way to READY.
    fn post(&self, message: OutgoingMessage) {
        if let Some(run) = self.run() {
            run.outbox.enqueue(message);
        }
    }
}
