//! The command `devices`: microphones, and monitors of what is played.

use std::process::ExitCode;

use gst::prelude::*;
use serde::Serialize;

use crate::failure::{Failure, one_line, println};

/// Options of the command.
#[derive(clap::Args)]
pub struct Arguments {
    /// Write a JSON line for each device: name, id, is-monitor, is-default
    #[arg(long)]
    json: bool,
}

/// A device as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    name: String,
    /// Name in the sound system, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    is_monitor: bool,
    is_default: bool,
}

/// Lists the devices.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    crate::pipeline::init()?;
    let devices = all()?;
    if devices.is_empty() {
        return Err(Failure {
            text: "no microphone was found".to_owned(),
            hint: Some(
                "GStreamer finds them through gstreamer1.0-pulseaudio, gstreamer1.0-pipewire or \
                 gstreamer1.0-alsa"
                    .to_owned(),
            ),
            ..Failure::default()
        });
    }
    for device in &devices {
        let listed = listed(device);
        match arguments.json {
            true => println(&serde_json::to_string(&listed).map_err(|error| error.to_string())?)?,
            false => println(&line(&listed))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The device of this name.
pub fn find(name: &str) -> Result<gst::Device, String> {
    let devices = all().map_err(|failure| failure.text)?;
    let names: Vec<Listed> = devices.iter().map(listed).collect();
    pick(&names, name).map(|place| devices[place].clone())
}

fn all() -> Result<Vec<gst::Device>, Failure> {
    let monitor = gst::DeviceMonitor::new();
    let _ = monitor.add_filter(Some("Audio/Source"), None);
    monitor
        .start()
        .map_err(|error| Failure::from(format!("the devices can't be listed: {error}")))?;
    let devices = monitor.devices().into_iter().collect();
    monitor.stop();
    Ok(devices)
}

fn listed(device: &gst::Device) -> Listed {
    let properties = device.properties();
    let text = |name: &str| {
        let properties = properties.as_ref()?;
        properties.get::<String>(name).ok()
    };
    let id = ["node.name", "device.name", "sysfs.path", "device.path"]
        .iter()
        .find_map(|name| text(name))
        .or_else(|| internal_name(device));
    Listed {
        name: one_line(&device.display_name()),
        is_monitor: text("device.class").is_some_and(|class| class == "monitor")
            || id.as_ref().is_some_and(|id| id.ends_with(".monitor")),
        is_default: properties
            .as_ref()
            .is_some_and(|properties| properties.get("is-default") == Ok(true)),
        id,
    }
}

/// The name in PulseAudio, which its devices' properties do not have.
fn internal_name(device: &gst::Device) -> Option<String> {
    let spec = device.find_property("internal-name")?;
    let is_text = spec.value_type() == String::static_type();
    is_text.then(|| device.property::<Option<String>>("internal-name"))?
}

fn line(device: &Listed) -> String {
    let mut marks = Vec::new();
    if device.is_default {
        marks.push("default".to_owned());
    }
    if device.is_monitor {
        marks.push("monitor: what is played".to_owned());
    }
    marks.extend(device.id.clone());
    match marks.is_empty() {
        true => device.name.clone(),
        false => format!("{}  ({})", device.name, marks.join("; ")),
    }
}

/// Place of the device that is meant: by its whole name or id, else by a part that only one has.
fn pick(devices: &[Listed], wanted: &str) -> Result<usize, String> {
    let wanted = wanted.trim().to_lowercase();
    let own = |device: &Listed| -> Vec<String> {
        let names = [Some(device.name.clone()), device.id.clone()];
        names
            .into_iter()
            .flatten()
            .map(|name| name.to_lowercase())
            .collect()
    };
    let found = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let places = devices.iter().enumerate();
        places
            .filter(|(_, device)| own(device).iter().any(|name| is(name)))
            .map(|(place, _)| place)
            .collect()
    };
    let mut places = found(&|name| name == wanted);
    if places.is_empty() {
        places = found(&|name| name.contains(&wanted));
    }
    match places[..] {
        [place] => Ok(place),
        [] => Err(format!(
            "no device {wanted:?}: `volcasr devices` lists them"
        )),
        _ => {
            let names = places.iter().map(|place| devices[*place].name.as_str());
            Err(format!(
                "more than one device is called {wanted:?}: {}",
                names.collect::<Vec<_>>().join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, id: &str) -> Listed {
        Listed {
            name: name.into(),
            id: (!id.is_empty()).then(|| id.into()),
            is_monitor: id.ends_with(".monitor"),
            is_default: false,
        }
    }

    #[test]
    fn a_device_is_found_by_what_only_it_is_called() {
        let devices = [
            device("Webcam", "alsa_input.usb"),
            device("Built-in Audio", "alsa_input.pci"),
            device("Monitor of Built-in Audio", "alsa_output.pci.monitor"),
        ];
        let cases = [
            ("webcam", Ok(0)),
            ("built-in audio", Ok(1)),
            ("monitor", Ok(2)),
            ("alsa_output.pci.monitor", Ok(2)),
            ("alsa_input", Err("more than one")),
            ("lamp", Err("no device")),
        ];
        for (wanted, expected) in cases {
            match (pick(&devices, wanted), expected) {
                (Ok(place), Ok(expected)) => assert_eq!(place, expected, "{wanted}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{wanted}: {error}"),
                (other, _) => panic!("{wanted}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_line_tells_what_it_is() {
        assert_eq!(line(&device("Webcam", "")), "Webcam");
        assert_eq!(
            line(&device("Monitor of X", "x.monitor")),
            "Monitor of X  (monitor: what is played; x.monitor)"
        );
        let json = serde_json::to_string(&device("Webcam", "")).expect("JSON");
        assert_eq!(
            json,
            r#"{"name":"Webcam","is-monitor":false,"is-default":false}"#
        );
    }
}
