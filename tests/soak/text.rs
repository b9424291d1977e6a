//! The other consumer: a transcriber meets the same settings, ways and faults. Its text pad has
//! each word that was posted as final, once, in order, with PTS that never fall and gaps between.

use volcasr_loopback::Oddity;

use super::common::TestPipeline;
use super::common::text::{assert_in_order, texts, with_transcriber};
use super::dice::Dice;
use super::plan::layout;
use super::settings::Settings;
use super::ways::Ways;
use super::{common, faults};

/// Plays one schedule; panics where something does not hold.
pub fn play(seed: u64) {
    let mut dice = Dice::new(seed ^ 0x7465_7874);
    let mut settings = Settings::new(&mut dice);
    // What can't be sent must not be dropped here.
    settings.leaky = "no";
    let ways = Ways::new(&mut dice, &settings);
    let sentences = dice.within(1, 4);
    let (pcm, marks) = layout(0, settings.rate).sentences(sentences);
    let length = marks.last().map_or(0, |mark| mark.end);
    let faults = faults::faults(&mut dice, &settings, &ways, length);
    let buffer = dice.pick(&[10, 20, 100, 500]);
    let again = dice.percent(30);
    let service = common::service(ways.options(&faults));
    let element = with_transcriber(|| settings.element(&service.uri_for(ways.endpoint)));
    let mut pipeline = TestPipeline::new(element);
    pipeline.play();
    pipeline.push(&pcm, buffer);
    if again {
        // Behind a jump that ends the session.
        pipeline.next += gst::ClockTime::from_seconds(20);
        pipeline.push(&pcm, buffer);
    }
    pipeline.end();
    // Takes the finals from the bus and compares them with what came out of the pad.
    let log = pipeline.listen();
    let errors = log.errors();
    // What is not kept can't be sent again: one error says that no answer came.
    let allowed = usize::from(settings.forgets());
    assert!(errors.len() <= allowed, "{errors:?}");
    let out = pipeline.out();
    assert_in_order(&out);
    if !ways.has(Oddity::TextOnly) && !settings.forgets() {
        let pushed = texts(&out);
        let times = if again { 2 } else { 1 };
        assert_eq!(pushed.len(), marks.len() * times, "{pushed:#?}");
    }
}
