//! Runs of the element: from READY to PAUSED and back, the end of the last one, and the messages
//! of the bus.

use std::thread;
use std::time::{Duration, Instant};

use gst::MessageType as Type;
use gst::MessageView as View;
use gst::State::{Paused, Playing, Ready, VoidPending};
use gst::StateChangeSuccess::Success;
use gst::prelude::*;

use super::common::Transcript;
use super::play::{Player, STATE_TIMEOUT};
use super::record::{Cut, Life, Warned};

impl Player<'_> {
    /// From READY on.
    pub fn live(&mut self) {
        self.played.lives.push(Life::default());
        self.stepped = false;
        self.pipeline.set_state(Paused).expect("to pause");
        self.pipeline.set_state(Playing).expect("to play");
        self.begin_stream();
    }

    /// Back to READY. Text that was not posted yet is not posted any more.
    pub fn ready(&mut self) {
        let began = Instant::now();
        let changed = self.pipeline.set_state(Ready);
        changed.expect("READY from anywhere");
        let took = began.elapsed();
        self.played.ready = self.played.ready.max(took);
        self.log(&format!("READY in {took:?}"));
        if let Some(text) = &self.text {
            let out = std::mem::take(&mut *text.out.lock().expect("no panic"));
            self.played.life().out.extend(out);
        }
    }

    /// Begins anew after READY.
    pub fn again(&mut self) {
        self.read_bus(Duration::ZERO);
        self.cut();
        self.live();
    }

    pub fn cut(&mut self) {
        let life = self.played.life();
        life.cuts.push(Cut {
            stream: life.fed.len() as u32 - 1,
            transcripts_before: life.transcripts.len(),
        });
        self.log("cut");
    }

    pub fn finish(&mut self, in_paused: Option<u64>, hurry: u64) {
        self.log("end of stream");
        let pad = self.source.pad.clone();
        let timeout = gst::ClockTime::try_from(STATE_TIMEOUT).expect("short");
        if in_paused.is_some() {
            // Completes with the end of the stream at the latest.
            let _ = self.pipeline.set_state(Paused);
        }
        thread::scope(|scope| {
            scope.spawn(|| pad.push_event(gst::event::Eos::new()));
            if let Some(length) = in_paused {
                let state = self.pipeline.state(timeout);
                if state != (Ok(Success), Paused, VoidPending) {
                    let errors = &mut self.played.life().errors;
                    errors.push(format!("the end in PAUSED: {state:?}"));
                }
                thread::sleep(Duration::from_millis(length));
                let _ = self.pipeline.set_state(Playing);
            }
            if self.played.life().is_silent() {
                // Then the end is what the sink prerolls with. A pause in that very moment is too
                // much for GStreamer 1.22, with any sink: the pipeline waits for ever.
                let _ = self.pipeline.state(timeout);
            }
            self.hurry(hurry);
            self.read_bus(STATE_TIMEOUT);
            let stats = self.sink.property::<gst::Structure>("stats");
            self.played.life().dropped = stats.get("audio-dropped").ok();
            // Ends the event as well, should it hang.
            self.ready();
        });
        let kinds = [
            Type::Element,
            Type::Error,
            Type::Progress,
            Type::Tag,
            Type::Warning,
        ];
        while let Some(message) = self.bus.pop_filtered(&kinds) {
            // Without audio no one waits for the network.
            if message.type_() == Type::Progress && self.played.life().is_silent() {
                self.record(&message);
            } else {
                self.played.life().late.push(format!("{message:?}"));
            }
        }
        let _ = self.pipeline.set_state(gst::State::Null);
        self.log("over");
    }

    /// Takes what is on the bus, and what comes within `limit`, up to the end.
    pub fn read_bus(&mut self, limit: Duration) {
        let limit = gst::ClockTime::try_from(limit).expect("short");
        let kinds = [
            Type::Element,
            Type::Eos,
            Type::Error,
            Type::Progress,
            Type::Warning,
        ];
        // The filter of gstreamer-rs may return nothing within a limit of 0 though there is more.
        while let Some(message) = self.bus.timed_pop(limit) {
            if kinds.contains(&message.type_()) {
                self.record(&message);
            }
            if matches!(message.type_(), Type::Eos | Type::Error) {
                return;
            }
        }
    }

    fn record(&mut self, message: &gst::Message) {
        self.log(&format!("{:?}", message.view()));
        let life = self.played.life();
        match message.view() {
            View::Eos(_) => life.ended = true,
            View::Error(error) => life.errors.push(error.error().to_string()),
            View::Warning(warning) => {
                let details = warning.details().expect("details");
                life.warnings.push(Warned {
                    transcripts_before: life.transcripts.len(),
                    name: details.name().to_string(),
                    timestamp: details.get("timestamp").ok(),
                    duration: details.get("duration").ok(),
                });
            }
            View::Progress(progress) => {
                let kind = Some(progress.get().0);
                let kind = kind.filter(|kind| *kind != gst::ProgressType::Continue);
                life.progress.extend(kind);
            }
            _ => life.transcripts.extend(Transcript::from_message(message)),
        }
    }
}
