//! Inputs that the program listens to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::devices;
use crate::failure::{one_line, uri_without_secrets};

/// A source of audio.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The default microphone.
    Microphone,
    /// A microphone or monitor that was named.
    Device(gst::Device),
    /// An address that GStreamer can open; a file has one.
    Uri(String),
    /// A piece of a launch line that gives audio.
    Piece(String),
}

/// Text of the error where a device and another input are asked for.
pub const ONE_SOURCE: &str = "--device and an input exclude each other";

/// Options of the input.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The input")]
pub struct InputOptions {
    /// Listen to this microphone or monitor; `volcasr devices` lists them
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Take this audio track, from 1; default: the one that the input flags, or the first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub track: Option<u32>,
    /// Fail when the input gives nothing for so long; 0: never
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub stall_timeout: u32,
}

impl InputOptions {
    /// Time without anything from the input after which it has failed; zero: never.
    pub fn stall_limit(&self) -> Duration {
        Duration::from_secs(self.stall_timeout.into())
    }
}

impl Input {
    /// A file, a URI, or `-` for standard input; nothing else.
    pub fn open(name: &str) -> Result<Self, String> {
        if name == "-" {
            return Ok(Input::Uri("fd://0".into()));
        }
        if name.contains("://") {
            return Ok(Input::Uri(name.to_owned()));
        }
        let path = Path::new(name);
        if path.is_dir() {
            return Err(format!("a directory: {name}"));
        }
        if !path.exists() {
            return Err(format!("no such file: {name}"));
        }
        let path = std::path::absolute(path).map_err(|error| format!("{name}: {error}"))?;
        let uri = glib::filename_to_uri(path, None).map_err(|error| format!("{name}: {error}"))?;
        Ok(Input::Uri(uri.into()))
    }

    /// All that a command line can say: nothing, a file, a URI, or a piece of a launch line in one
    /// argument or many. A device is asked for by its name.
    pub fn parse(words: &[String], device: Option<&str>) -> Result<Self, String> {
        match (words, device) {
            ([], None) => Ok(Input::Microphone),
            ([], Some(name)) => devices::find(name).map(Input::Device),
            (_, Some(_)) => Err(ONE_SOURCE.to_owned()),
            // A URI, or a file, existing or misspelt: a piece of one word is an element's name.
            ([name], None) if Path::new(name).is_dir() => Err(format!(
                "{name} is a directory: `volcasr transcribe` takes it"
            )),
            ([name], None) if !is_piece(name) => Input::open(name)
                .map_err(|error| format!("{error} (nor is there an element of that name)")),
            // In one argument it is as it stands.
            ([piece], None) => Ok(Input::Piece(piece.clone())),
            (words, None) => Ok(Input::Piece(join(words))),
        }
    }

    /// The file that it is.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Input::Uri(uri) => glib::filename_from_uri(uri).ok().map(|(path, _)| path),
            _ => None,
        }
    }

    /// A name to show: of a file its own, of an address without what may be secret in it.
    pub fn name(&self) -> Option<String> {
        let name = match self {
            Input::Microphone => return None,
            Input::Device(device) => device.display_name().to_string(),
            Input::Uri(uri) if uri == "fd://0" => "standard input".to_owned(),
            Input::Uri(uri) => match glib::filename_from_uri(uri) {
                Ok((path, _)) => path.file_name()?.to_string_lossy().into_owned(),
                Err(_) => uri_without_secrets(uri),
            },
            Input::Piece(piece) => piece.split_whitespace().next()?.to_owned(),
        };
        Some(one_line(&name))
    }
}

/// Arguments as one description. A space within one belongs to a value, as in gst-launch-1.0.
fn join(words: &[String]) -> String {
    let quoted = words.iter().map(|word| match word.contains('"') {
        true => word.clone(),
        false => word.replace(' ', "\\ "),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn is_piece(text: &str) -> bool {
    if text == "-" || Path::new(text).exists() {
        return false;
    }
    let first = text.split_whitespace().next().unwrap_or(text);
    gst::ElementFactory::find(first).is_some() || text.contains(" ! ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_secrets() {
        let cases = [
            (
                "https://radio.example/live?token=x",
                "https://radio.example/live",
            ),
            ("rtsp://me:secret@camera/audio#x", "rtsp://camera/audio"),
            ("rtsp://me:secret@camera", "rtsp://camera"),
            ("fd://0", "standard input"),
            ("file:///tmp/a%20talk.mp3", "a talk.mp3"),
        ];
        for (uri, name) in cases {
            assert_eq!(Input::Uri(uri.into()).name().as_deref(), Some(name));
        }
        assert_eq!(Input::Microphone.name(), None);
    }

    #[test]
    fn what_a_command_line_says() {
        gst::init().expect("GStreamer");
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            Input::parse(&words, None)
        };
        assert_eq!(parse(&[]), Ok(Input::Microphone));
        assert_eq!(parse(&["-"]), Ok(Input::Uri("fd://0".into())));
        assert_eq!(
            parse(&["rtsp://camera/x"]),
            Ok(Input::Uri("rtsp://camera/x".into()))
        );
        assert_eq!(
            parse(&["filesrc", "location=a b.wav", "!", "wavparse"]),
            Ok(Input::Piece("filesrc location=a\\ b.wav ! wavparse".into()))
        );
        assert!(parse(&["talk.nowhere"]).is_err());
        assert!(Input::parse(&["a.wav".into()], Some("x")).is_err());
    }
}
