//! Presets: those of GStreamer, and the plugin's own without their file.

use gst::glib;
use gst::prelude::*;

use super::settings::set;

/// The plugin's own. A program that is installed alone has no file of them.
const OWN: &str = include_str!("../../../data/GstVolcasrSink.prs");

/// Loads a preset of this name: one that GStreamer finds, else one of the plugin's own.
pub fn load(sink: &gst::Element, name: &str) -> Result<(), String> {
    let presets = sink.dynamic_cast_ref::<gst::Preset>();
    if presets.is_some_and(|presets| presets.load_preset(name).is_ok()) {
        return Ok(());
    }
    for (property, value) in own(name)? {
        set(sink, &property, &value)?;
    }
    Ok(())
}

fn own(name: &str) -> Result<Vec<(String, String)>, String> {
    let own = |error: glib::Error| format!("the presets of the plugin: {error}");
    let file = glib::KeyFile::new();
    file.load_from_data(OWN, glib::KeyFileFlags::NONE)
        .map_err(own)?;
    let groups = file.groups();
    let names: Vec<&str> = groups
        .iter()
        .map(|group| group.as_str())
        .filter(|group| !group.starts_with('_'))
        .collect();
    if !names.contains(&name) {
        return Err(format!(
            "no preset {name:?}: there are {}; GST_PRESET_PATH leads to your own",
            names.join(", ")
        ));
    }
    let keys = file.keys(name).map_err(own)?;
    keys.iter()
        .filter(|key| !key.starts_with('_'))
        .map(|key| {
            let value = file.value(name, key).map_err(own)?;
            Ok((key.to_string(), value.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_own_need_no_file() {
        let batch = own("batch").expect("a preset");
        assert!(
            batch.contains(&("max-speed".into(), "0".into())),
            "{batch:?}"
        );
        assert!(!batch.iter().any(|(key, _)| key.starts_with('_')));
        let error = own("karaoke").expect_err("none of that name");
        assert!(
            error.contains("captions, dictation, meeting, batch"),
            "{error}"
        );
    }
}
