//! Another part of the process has registered the tag `transcript` with another type.

use crate::common::*;
use gst::glib;
use gst::tags::{CustomTag, Tag};

/// A tag of the same name with another type.
enum Count {}

impl Tag<'_> for Count {
    type TagType = u32;
    const TAG_NAME: &'static glib::GStr = glib::gstr!("transcript");
}

impl CustomTag<'_> for Count {
    const FLAG: gst::TagFlag = gst::TagFlag::Meta;
    const NICK: &'static glib::GStr = glib::gstr!("transcript");
    const DESCRIPTION: &'static glib::GStr = glib::gstr!("how many there are");
}

/// The words are in the messages all the same; that there are no tags is said once.
#[test]
fn no_tags_and_one_warning() {
    // Alone in its process: the registration lasts as long as the process.
    child::alone(|| {
        gst::init().expect("GStreamer");
        gst::tags::register::<Count>();
        let (_service, mut rig) = TestPipeline::start("");
        let warnings = logged_warnings("volcasrsink");
        let (pcm, marks) = speech(3);
        let log = rig.run(&pcm, 20);
        assert!(log.finals().len() > 1 && log.errors().is_empty());
        log.assert_said(&marks, 0);
        let is_tag = |message: &gst::Message| message.type_() == gst::MessageType::Tag;
        assert!(!log.messages.iter().any(is_tag));
        let warnings = warnings.lock().expect("no panic").clone();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("no tags"), "{warnings:?}");
    });
}
