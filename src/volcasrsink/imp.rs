//! The sink: properties, states, caps, events and buffers, as GStreamer calls them.

use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::CAT;
use crate::client::Abort;
use crate::element::input::clip;
use crate::element::run::Run;
use crate::element::run_slot::{RunSlot, results};
use crate::element::settings::{self, Settings};
use crate::element::timeline::Segment;
use crate::element::{FINISH, caps};
use crate::session::BYTES_PER_SAMPLE;
use crate::sync::lock;

/// State of the streaming thread that belongs to the element, not to a run.
#[derive(Debug, Default)]
pub(super) struct StreamState {
    /// Time and duration of the last buffer in the segment, for the preroll before a drain.
    pub last: Option<(gst::ClockTime, gst::ClockTime)>,
    /// The next GAP event is the element's own and only prerolls.
    pub prerolling: bool,
    /// The probe that waits for space is installed.
    pub has_space_probe: bool,
}

/// State of the element.
#[derive(Default)]
pub struct VolcAsrSink {
    settings: Mutex<Settings>,
    /// The run from READY → PAUSED to PAUSED → READY.
    runs: RunSlot,
    pub(super) stream_state: Mutex<StreamState>,
}

#[glib::object_subclass]
impl ObjectSubclass for VolcAsrSink {
    const NAME: &'static str = "GstVolcasrSink";
    type Type = super::VolcAsrSink;
    type ParentType = gst_base::BaseSink;
    type Interfaces = (gst::Preset,);
}

impl ObjectImpl for VolcAsrSink {
    fn constructed(&self) {
        self.parent_constructed();
        self.install_drain_probe();
    }

    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> =
            LazyLock::new(|| settings::specs().chain(results()).collect());
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        lock(&self.settings).set(pspec.name(), value);
        if let Some(run) = self.run() {
            run.apply_live(&lock(&self.settings), false);
        }
        let object = self.obj();
        self.runs.warn_if_late(*CAT, object.upcast_ref(), pspec);
    }

    fn signals() -> &'static [glib::subclass::Signal] {
        static SIGNALS: LazyLock<Vec<glib::subclass::Signal>> = LazyLock::new(|| {
            // Finishes the session; the next buffer opens another.
            let finish = glib::subclass::Signal::builder("finish")
                .run_last()
                .action()
                .class_handler(|values| {
                    let element = values.first()?.get::<super::VolcAsrSink>().ok()?;
                    element.imp().run()?.finish_session();
                    None
                });
            vec![finish.build()]
        });
        &SIGNALS
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let (name, object) = (pspec.name(), self.obj());
        let result = self.runs.property(name, Some(object.upcast_ref()));
        result.unwrap_or_else(|| lock(&self.settings).get(name))
    }
}

impl GstObjectImpl for VolcAsrSink {}

/// GStreamer reads and writes the presets.
impl PresetImpl for VolcAsrSink {}

impl ElementImpl for VolcAsrSink {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Volcengine speech recognition sink",
                "Sink/Network/Audio",
                "Streams audio to Volcengine's speech recognition and posts what is said as \
                 element messages and tags",
                "The gst-plugin-volcasr developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| caps::sink_template().into_iter().collect());
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        match transition {
            gst::StateChange::ReadyToPaused => self.start_run()?,
            // Before the pad is deactivated, so that nothing is posted meanwhile.
            gst::StateChange::PausedToReady => self.stop_run(),
            _ => {}
        }
        let result = self.parent_change_state(transition);
        match transition {
            gst::StateChange::ReadyToPaused if result.is_err() => self.stop_run(),
            // The base class may need a preroll for it, and does not call `unlock` here.
            gst::StateChange::PausedToPlaying => self.interrupt(),
            _ => {}
        }
        result
    }
}

impl BaseSinkImpl for VolcAsrSink {
    fn caps(&self, filter: Option<&gst::Caps>) -> Option<gst::Caps> {
        Some(caps::accepted(self.runs.rate(&self.settings), filter))
    }

    fn unlock(&self) -> Result<(), gst::ErrorMessage> {
        self.interrupt();
        Ok(())
    }

    fn unlock_stop(&self) -> Result<(), gst::ErrorMessage> {
        // A wait that began since `unlock` has to look again as well.
        self.interrupt();
        Ok(())
    }

    fn event(&self, event: gst::Event) -> bool {
        use gst::EventView;
        let Some(run) = self.run() else {
            return self.parent_event(event);
        };
        match event.view() {
            EventView::StreamStart(start) => {
                run.stream_start(start.stream_id(), start.seqnum());
                self.parent_event(event)
            }
            EventView::Segment(_) => {
                // The time of the last buffer means another moment in another segment.
                lock(&self.stream_state).last = None;
                run.segment();
                self.parent_event(event)
            }
            // A flush ended the wait for the last words. The base class may not know of it yet, and
            // would post EOS.
            EventView::Eos(_) if self.is_flushing() => false,
            EventView::FlushStart(_) => {
                run.flush_start();
                let handled = self.parent_event(event);
                run.outbox.wait_audio_posted();
                handled
            }
            EventView::FlushStop(_) => {
                let handled = self.parent_event(event);
                run.flush_stop();
                handled
            }
            EventView::Gap(_) if lock(&self.stream_state).prerolling => {
                self.open_empty_segment();
                self.parent_event(event)
            }
            EventView::Gap(gap) => {
                let (start, duration) = gap.get();
                let handled = self.parent_event(event);
                // Not handled: flushed, or before the segment. Without a duration it reaches to its
                // own start.
                if handled {
                    let end = start.saturating_add(duration.unwrap_or(gst::ClockTime::ZERO));
                    run.gap(end, self.time_segment().as_ref());
                    // Its silence takes space.
                    self.prepare_wait(&run);
                }
                handled
            }
            EventView::CustomDownstream(custom) => {
                if custom.structure().is_some_and(|s| s.name() == FINISH) {
                    run.finish_session();
                }
                self.parent_event(event)
            }
            _ => self.parent_event(event),
        }
    }

    fn render(&self, buffer: &gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let Some(run) = self.run() else {
            return Err(gst::FlowError::Flushing);
        };
        self.push_buffer(&run, buffer);
        self.prepare_wait(&run);
        Ok(gst::FlowSuccess::Ok)
    }
}

impl VolcAsrSink {
    /// Hands a buffer's audio to the run.
    fn push_buffer(&self, run: &Run, buffer: &gst::Buffer) {
        let segment = self.time_segment();
        if segment.as_ref().is_some_and(|segment| segment.rate() < 0.0) {
            run.report_reverse_playback();
            return;
        }
        // Outside the segment: not to be played, and so not to be recognised.
        let Some((clipped, start)) = clip::clip(buffer, segment.as_ref(), run.rate) else {
            run.skip(clip::is_discont(buffer));
            return;
        };
        let Ok(map) = clipped.map_readable() else {
            // A later buffer gets the flow error, once the cause is on the bus.
            run.client.abort(Abort::Unmappable);
            return;
        };
        let whole = map.len() - map.len() % BYTES_PER_SAMPLE;
        if whole < map.len() {
            gst::warning!(
                CAT,
                imp = self,
                "dropped the odd byte of a buffer of {} bytes",
                map.len()
            );
        }
        let pcm = &map[..whole];
        if !pcm.is_empty() {
            let duration = clip::duration(pcm.len(), run.rate);
            lock(&self.stream_state).last = start.time.map(|pts| (pts, duration));
        }
        run.push_buffer(start, pcm, segment.as_ref());
    }

    /// Returns whether the pad is flushed or being deactivated. The base class notices it later.
    pub(super) fn is_flushing(&self) -> bool {
        let flags = self.obj().sink_pad().pad_flags();
        flags.contains(gst::PadFlags::FLUSHING)
    }

    /// Ends the streaming thread's wait: the base class may need a preroll.
    fn interrupt(&self) {
        if let Some(run) = self.run() {
            run.client.interrupt();
        }
    }

    pub(crate) fn run(&self) -> Option<Arc<Run>> {
        self.runs.get()
    }

    /// READY → PAUSED: checks the settings, and starts to connect.
    fn start_run(&self) -> Result<(), gst::StateChangeError> {
        let settings = lock(&self.settings).clone();
        let object = self.obj();
        let run = self.runs.start(*CAT, object.upcast_ref(), &settings, None);
        let run = run.ok_or(gst::StateChangeError)?;
        // Refuses audio without caps, too.
        self.install_space_probe();
        // Properties that were set since the settings were copied found no run to apply to.
        run.apply_live(&lock(&self.settings), false);
        // At once: before the messages of the state change, which gst-launch-1.0 waits for, and
        // before those of a stop that follows.
        run.outbox.post_waiting();
        // The network may have failed by now, but that error comes like any later one.
        if !run.connects {
            self.stop_run();
            return Err(gst::StateChangeError);
        }
        run.outbox.open();
        Ok(())
    }

    /// PAUSED → READY.
    fn stop_run(&self) {
        self.runs.stop(self.obj().upcast_ref());
    }

    /// Returns the current segment if it counts time. Called on the streaming thread only, which
    /// holds the lock that the base class takes.
    pub(super) fn time_segment(&self) -> Option<Segment> {
        let mut segment: Segment = self.obj().segment().downcast().ok()?;
        // The base class keeps its progress in it, so that no two buffers' segments would be equal.
        segment.set_position(segment.start());
        Some(segment)
    }
}
