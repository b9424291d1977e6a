//! Pads: the kind of stream on one of a source, its name, and whether it is decoded; and how the
//! stream on one is ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::glib;
use gst::prelude::*;

/// Whether a pad gives decoded sound.
pub fn is_audio(pad: &gst::Pad) -> bool {
    gives(pad, "audio/x-raw")
}

/// Whether a pad gives decoded pictures.
pub fn is_video(pad: &gst::Pad) -> bool {
    gives(pad, "video/x-raw")
}

fn gives(pad: &gst::Pad, kind: &str) -> bool {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let structure = caps.structure(0);
    structure.is_some_and(|structure| structure.name() == kind)
}

/// Whether the input flags the stream as the one to take.
pub fn is_flagged(pad: &gst::Pad) -> bool {
    let event = pad.sticky_event::<gst::event::StreamStart>(0);
    event.is_some_and(|event| event.stream_flags().contains(gst::StreamFlags::SELECT))
}

/// Language and title.
pub fn name(pad: &gst::Pad) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut number = 0;
    while let Some(event) = pad.sticky_event::<gst::event::Tag>(number) {
        let tags = event.tag();
        parts.extend(
            tags.get::<gst::tags::LanguageCode>()
                .map(|tag| tag.get().to_owned()),
        );
        parts.extend(
            tags.get::<gst::tags::Title>()
                .map(|tag| tag.get().to_owned()),
        );
        number += 1;
    }
    parts.dedup();
    crate::failure::one_line(&parts.join(", "))
}

/// Whether a stream has to be decoded. Text need not, nor pictures, unless `with_video`: a film is
/// recognised also where its video can't be decoded.
pub fn must_decode(pad: &gst::Pad, caps: &gst::Caps, with_video: bool) -> bool {
    let Some(structure) = caps.structure(0) else {
        return true;
    };
    // The bin shows its own pad for that of the element that gives it.
    let target = pad.downcast_ref::<gst::GhostPad>();
    let target = target.and_then(|ghost| ghost.target());
    let is_of_demuxer = target
        .as_ref()
        .unwrap_or(pad)
        .parent_element()
        .is_some_and(|element| has_class(&element, "Demux") && !has_class(&element, "Adaptive"));
    let kind = structure.name().split('/').next().unwrap_or_default();
    let is_seen = ["text", "subpicture", "closedcaption"].contains(&kind)
        || (!with_video && ["video", "image"].contains(&kind));
    !(is_of_demuxer && is_seen && !is_container(caps))
}

/// Whether the classification of an element's factory has this part.
pub fn has_class(element: &gst::Element, part: &str) -> bool {
    element.factory().is_some_and(|factory| {
        let class = factory.metadata(gst::ELEMENT_METADATA_KLASS);
        class.is_some_and(|class| class.contains(part))
    })
}

/// Whether there is something to take it apart.
fn is_container(caps: &gst::Caps) -> bool {
    let demuxers = gst::ElementFactory::factories_with_type(
        gst::ElementFactoryType::DEMUXER,
        gst::Rank::MARGINAL,
    );
    demuxers
        .iter()
        .any(|factory| factory.can_sink_any_caps(caps))
}

/// Drops what comes to an element once this is set.
pub fn drop_when(element: &gst::Element, is_closed: &Arc<AtomicBool>) -> Result<(), String> {
    let pad = element.static_pad("sink").ok_or("a pad is missing")?;
    let is_closed = is_closed.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        match is_closed.load(Ordering::Relaxed) {
            // Not `Drop`: with it, GStreamer 1.22 complains of a buffer that the binding has freed.
            true => gst::PadProbeReturn::Handled,
            false => gst::PadProbeReturn::Ok,
        }
    });
    Ok(())
}

/// Ends the stream at an element. On a thread of its own: the input's may hold the pad's lock while
/// what follows is full.
pub fn send_eos(element: &gst::Element) {
    element.call_async(|element| {
        if let Some(pad) = element.static_pad("sink") {
            pad.send_event(gst::event::Eos::new());
        }
    });
}

/// A property that is a readable string.
pub fn text_property(element: &gst::Element, name: &str) -> Option<String> {
    let pspec = element.find_property(name)?;
    let is_text = pspec.value_type() == String::static_type()
        && pspec.flags().contains(glib::ParamFlags::READABLE);
    is_text.then(|| element.property::<Option<String>>(name))?
}
