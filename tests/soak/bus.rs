//! Messages of the bus, recorded.

use std::time::Duration;

use super::common::Transcript;
use super::play::Player;
use super::record::Warned;

impl Player<'_> {
    /// Takes what is on the bus, and what comes within `limit`, up to the end.
    pub fn read_bus(&mut self, limit: Duration) {
        let limit = gst::ClockTime::try_from(limit).expect("short");
        while let Some(message) = self.bus.timed_pop(limit) {
            if self.record(&message) {
                return;
            }
        }
    }

    /// Whether it was the last one.
    fn record(&mut self, message: &gst::Message) -> bool {
        match message.view() {
            gst::MessageView::Eos(_) => {
                self.played.life().ended = true;
                return true;
            }
            gst::MessageView::Error(error) => {
                self.log(&format!("{error:?}"));
                let text = error.error().to_string();
                self.played.life().errors.push(text);
                return true;
            }
            gst::MessageView::Warning(warning) => {
                let text = warning.error().message().to_owned();
                self.log(&format!("{text} {:?}", warning.details()));
                let life = self.played.life();
                life.warnings.push(Warned {
                    transcripts_before: life.transcripts.len(),
                    details: warning.details().map(|details| details.to_owned()),
                });
            }
            gst::MessageView::Progress(progress) => {
                let (kind, ..) = progress.get();
                if kind != gst::ProgressType::Continue {
                    self.played.life().progress.push(kind);
                }
            }
            gst::MessageView::Element(_) => {
                if let Some(t) = Transcript::from_message(message) {
                    let end = if t.is_final { "final" } else { "" };
                    let sure = if t.unconfirmed { "unconfirmed" } else { "" };
                    let place = format!("{}.{} session {}", t.stream, t.utterance, t.session);
                    self.log(&format!("{place} {:?} {end} {sure}", t.text));
                    self.played.life().transcripts.push(t);
                }
            }
            _ => {}
        }
        false
    }

    /// After the end of the stream.
    pub fn record_late(&mut self, message: &gst::Message) {
        use gst::MessageView::{Element, Error, Progress, Tag, Warning};
        match message.view() {
            // Without audio no one waits for the network.
            Progress(_) if self.played.life().is_silent() => {
                self.record(message);
            }
            Element(_) | Error(_) | Progress(_) | Tag(_) | Warning(_) => {
                self.played.life().late.push(format!("{message:?}"));
            }
            _ => {}
        }
    }
}
