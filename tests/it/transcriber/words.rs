//! Words from a file: each once, in order, at its time.

use serde_json::json;
use volcasr_loopback::Options;

use crate::common::script::{response, scripted, utterance};
use crate::common::text::{Text, assert_in_order, events, texts};
use crate::common::{TestPipeline, expected, number_of, service, speech, transcriber};

/// A mark's number, start and end of each buffer.
fn marks(texts: &[Text]) -> Vec<(u32, u64, u64)> {
    texts
        .iter()
        .map(|text| (number_of(&text.text), text.start, text.end))
        .collect()
}

#[test]
fn every_word_of_a_file_leaves_once_at_its_time() {
    let service = service(Options::default());
    let transcriber = transcriber(&service);
    let mut rig = TestPipeline::new(transcriber);
    let (pcm, spoken) = speech(3);
    let log = rig.run(&pcm, 20);
    let out = rig.out();
    assert!(log.saw_eos(), "{log:?}");
    assert_in_order(&out);
    assert_eq!(marks(&texts(&out)), expected(&spoken, 0), "{out:#?}");
    assert!(texts(&out)[0].discont);
    assert_eq!(
        events(&out),
        [
            "stream-start",
            "caps",
            "segment",
            "rstranscribe/final-transcript",
            "rstranscribe/final-transcript",
            "rstranscribe/final-transcript",
            "eos"
        ]
    );
    // The messages are the sink's.
    assert_eq!(log.finals().len(), 3);
}

/// The service has processed the audio for longer than its results take, without a word.
#[test]
fn a_word_that_comes_behind_a_gap_of_a_file_begins_there() {
    let said = json!([utterance(true, (500, 1200), "Late.")]);
    let service = scripted(
        &[
            (5000, response(5000, json!([]))),
            (5500, response(5500, said.clone())),
        ],
        response(6000, said),
    );
    let mut rig = TestPipeline::new(transcriber(&service));
    assert!(rig.run(&[0; 6 * 48_000], 100).saw_eos());
    let out = rig.out();
    assert_in_order(&out);
    let texts = texts(&out);
    assert_eq!(texts.len(), 1, "{out:#?}");
    assert_eq!(texts[0].text, "Late.");
    assert!(texts[0].start >= 3000, "{out:#?}");
}
