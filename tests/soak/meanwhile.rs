//! Events in the middle of speech, and between sentences.

use std::thread;
use std::time::Duration;

use gst::prelude::*;

use super::plan::Meanwhile;
use super::play::{Player, ms};

impl Player<'_> {
    pub fn meanwhile(&mut self, what: Meanwhile) {
        match what {
            Meanwhile::Pause(length) => self.pause(length),
            Meanwhile::Hurry(times) => self.hurry(times),
            Meanwhile::Step { times, paused } => self.step(times, paused),
            Meanwhile::Rate(doubled) => self.change_rate(doubled as f64 / 2.0),
            Meanwhile::Flush => {
                self.source.pad.push_event(gst::event::FlushStart::new());
            }
            Meanwhile::Seek => {
                let to = ms(self.next_start());
                let sought = self.pipeline.seek_simple(gst::SeekFlags::FLUSH, to);
                if let Err(error) = sought {
                    self.played.life().errors.push(error.to_string());
                }
            }
            Meanwhile::Ready => self.ready(),
        }
    }

    pub fn pause(&self, length: u64) {
        // The answer may be "later": without a buffer there is nothing to preroll with.
        let _ = self.pipeline.set_state(gst::State::Paused);
        thread::sleep(Duration::from_millis(length));
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    pub fn hurry(&self, times: u64) {
        for _ in 0..times {
            self.pause(0);
        }
    }

    /// Running time is another one from here on, and in what waits in the sink.
    fn forget_running_time(&mut self) {
        self.stepped = true;
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.marks.iter_mut().for_each(|mark| mark.running = None);
        }
    }

    fn change_rate(&mut self, rate: f64) {
        self.forget_running_time();
        self.rated = true;
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.marks.iter_mut().for_each(|mark| mark.time = None);
        }
        let change = gst::event::InstantRateChange::new(rate, gst::SegmentFlags::empty());
        // Not in line with the buffers: the sink asks the pipeline for the moment.
        self.source.pad.push_event(change);
    }

    fn step(&mut self, times: u64, paused: bool) {
        self.forget_running_time();
        if paused {
            let _ = self.pipeline.set_state(gst::State::Paused);
        }
        for _ in 0..times {
            let one = gst::format::Buffers::from_u64(1);
            self.sink
                .send_event(gst::event::Step::new(one, 1.0, true, false));
        }
        let _ = self.pipeline.set_state(gst::State::Playing);
    }
}
