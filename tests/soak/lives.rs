//! Lives of the element: from READY to PAUSED and back, and the end of the last one.

use std::thread;
use std::time::{Duration, Instant};

use gst::State::{Paused, VoidPending};
use gst::StateChangeSuccess::Success;
use gst::prelude::*;

use super::play::{Player, STATE_TIMEOUT};
use super::record::{Cut, Life};
use super::text::TextRig;

impl Player<'_> {
    /// From READY on.
    pub fn live(&mut self) {
        self.played.lives.push(Life::default());
        self.stepped = false;
        self.pipeline.set_state(Paused).expect("to pause");
        self.pipeline
            .set_state(gst::State::Playing)
            .expect("to play");
        self.begin_stream();
    }

    /// Back to READY. Text that was not posted yet is not posted any more.
    pub fn ready(&mut self) {
        let began = Instant::now();
        self.pipeline
            .set_state(gst::State::Ready)
            .expect("READY from anywhere");
        let took = began.elapsed();
        self.played.ready = self.played.ready.max(took);
        self.log(&format!("READY in {took:?}"));
        let out = self.text.as_ref().map(TextRig::take);
        self.played.life().out.extend(out.into_iter().flatten());
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
        if in_paused.is_some() {
            // Completes with the end of the stream at the latest.
            let _ = self.pipeline.set_state(Paused);
        }
        thread::scope(|scope| {
            scope.spawn(|| pad.push_event(gst::event::Eos::new()));
            if let Some(length) = in_paused {
                let state = self.pipeline.state(state_timeout());
                if state != (Ok(Success), Paused, VoidPending) {
                    let errors = &mut self.played.life().errors;
                    errors.push(format!("the end in PAUSED: {state:?}"));
                }
                thread::sleep(Duration::from_millis(length));
                let _ = self.pipeline.set_state(gst::State::Playing);
            }
            if self.played.life().is_silent() {
                // Then the end is what the sink prerolls with. A pause in that very moment is too
                // much for GStreamer 1.22, with any sink: the pipeline waits for ever.
                let _ = self.pipeline.state(state_timeout());
            }
            self.hurry(hurry);
            self.read_bus(STATE_TIMEOUT);
            let stats = self.sink.property::<gst::Structure>("stats");
            self.played.life().dropped = stats.get("audio-dropped").ok();
            // Ends the event as well, should it hang.
            self.ready();
        });
        while let Some(message) = self.bus.pop() {
            self.record_late(&message);
        }
        let _ = self.pipeline.set_state(gst::State::Null);
        self.log("over");
    }
}

fn state_timeout() -> gst::ClockTime {
    gst::ClockTime::try_from(STATE_TIMEOUT).expect("short")
}
