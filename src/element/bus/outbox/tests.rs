use gst::subclass::prelude::*;

use super::*;
use crate::volcasrsink::VolcAsrSink;

/// A sink on a port that refuses connections, with a stream that has ended: EOS waits for its
/// words.
fn waiting_for_its_end() -> (gst::Pipeline, VolcAsrSink) {
    gst::init().expect("GStreamer");
    crate::plugin_register_static().expect("the plugin");
    let launch = "audiotestsrc num-buffers=3 ! volcasrsink name=sink async=false sync=false \
                  uri=ws://127.0.0.1:1/api/v3/sauc/bigmodel_async api-key=sesame-sesame \
                  max-reconnects=1000";
    let pipeline = gst::parse::launch(launch).expect("elements");
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    let sink = pipeline.by_name("sink").and_downcast::<VolcAsrSink>();
    pipeline.set_state(gst::State::Playing).expect("PLAYING");
    (pipeline, sink.expect("the element"))
}

/// However the job ends, EOS comes, and an error says why its words do not.
#[test]
fn a_panic_in_the_job_is_an_error_and_lets_eos_pass() {
    use gst::MessageType as Type;
    let (pipeline, sink) = waiting_for_its_end();
    let bus = pipeline.bus().expect("a bus");
    let next = |seconds, types: &[Type]| {
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(seconds), types)
    };
    // The first failed attempt: the job is at work, and the stream's end cannot come by itself.
    next(60, &[Type::Warning]).expect("a failed attempt");
    let run = sink.imp().run().expect("a run");
    for _ in 0..3 {
        run.outbox.enqueue(OutgoingMessage::Panic);
    }
    let end = next(60, &[Type::Error, Type::Eos]).expect("an error");
    let gst::MessageView::Error(error) = end.view() else {
        panic!("{end:?}");
    };
    assert!(
        error.error().matches(gst::ResourceError::Failed),
        "{error:?}"
    );
    next(60, &[Type::Eos]).expect("EOS");
    let more = next(0, &[Type::Error]);
    assert!(more.is_none(), "one error for one cause: {more:?}");
    pipeline.set_state(gst::State::Null).expect("NULL");
}
