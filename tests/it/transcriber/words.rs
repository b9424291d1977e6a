//! Words from a file: each once, in order, at its time.

use serde_json::json;
use volcasr_loopback::Options;

use crate::common::script::{response, scripted, utterance};
use crate::common::text::{Text, assert_in_order, events, texts};
use crate::common::{TestPipeline, expected, number_of, service, speech, transcriber};

/// A mark's number, start and end of each buffer.
fn marks(texts: &[Text]) -> Vec<(u32, u64, u64)> {
    let mark = |text: &Text| (number_of(&text.text), text.start, text.end);
    texts.iter().map(mark).collect()
}

#[test]
fn every_word_of_a_file_leaves_once_at_its_time() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(transcriber(&service));
    // The messages are the sink's.
    assert_eq!(rig.speak(3).finals().len(), 3);
    let out = rig.out();
    assert_in_order(&out);
    assert_eq!(marks(&texts(&out)), expected(&speech(3).1, 0), "{out:#?}");
    assert!(texts(&out)[0].discont);
    let finals = ["rstranscribe/final-transcript"; 3];
    let all = [&["stream-start", "caps", "segment"][..], &finals, &["eos"]];
    assert_eq!(events(&out), all.concat());
}

/// The service has processed the audio for longer than its results take, without a word.
#[test]
fn a_word_that_comes_behind_a_gap_of_a_file_begins_there() {
    let said = json!([utterance(true, (500, 1200), "Late.")]);
    let responses = [
        (5000, response(5000, json!([]))),
        (5500, response(5500, said.clone())),
    ];
    let service = scripted(&responses, response(6000, said));
    let mut rig = TestPipeline::new(transcriber(&service));
    rig.run(&[0; 6 * 48_000], 100).assert_no_errors("the run");
    let out = rig.out();
    assert_in_order(&out);
    let texts = texts(&out);
    assert_eq!(texts.len(), 1, "{out:#?}");
    assert_eq!(texts[0].text, "Late.");
    assert!(texts[0].start >= 3000, "{out:#?}");
}
