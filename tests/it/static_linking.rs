//! An application that is linked with the plugin.

use crate::common::child;
use crate::common::scratch::Scratch;
use gst::prelude::*;

/// It needs neither a variable nor an installed plugin; and a second registration, by another part
/// of the same program for example, does no harm: GStreamer itself would leave the element's class
/// with a factory that is gone.
#[test]
fn the_element_is_there_without_a_plugin_path() {
    let scratch = Scratch::new("static");
    let (empty, registry) = (scratch.path(""), scratch.path("registry"));
    let set = [
        ("GST_PLUGIN_SYSTEM_PATH_1_0", empty.as_os_str()),
        ("GST_REGISTRY_1_0", registry.as_os_str()),
    ];
    let unset = "GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH";
    child::run(&set, &unset.split(' ').collect::<Vec<_>>(), || {
        gst::init().expect("GStreamer");
        assert!(gst::ElementFactory::find("volcasrsink").is_none());
        for _ in 0..2 {
            gstvolcasr::plugin_register_static().expect("the plugin");
            let sink = gst::ElementFactory::make("volcasrsink").build();
            let factory = sink.expect("the element").factory().expect("its factory");
            let plugin = factory.plugin().expect("its plugin");
            assert_eq!(plugin.filename(), None, "linked, not loaded");
        }
    });
}
