//! What is listened to.

use std::path::Path;

use gst::glib;

/// A source of audio.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The default microphone.
    Microphone,
    /// Whatever GStreamer can open by a URI; a file's is one.
    Uri(String),
    /// A piece of a launch line that gives audio.
    Piece(String),
}

impl Input {
    /// A file or a URI; nothing else.
    pub fn open(name: &str) -> Result<Self, String> {
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

    /// All that a command line can say: nothing, a file, a URI, or a piece of a launch line in one argument or many.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        match words {
            [] => Ok(Input::Microphone),
            // A URI, or a file, existing or misspelt: a piece of one word is an element's name.
            [name] if !is_piece(name) => Input::open(name)
                .map_err(|error| format!("{error} (nor is there an element of that name)")),
            // In one argument it is as it stands.
            [piece] => Ok(Input::Piece(piece.clone())),
            words => Ok(Input::Piece(join(words))),
        }
    }

    /// The front of the pipeline's description. A URI is set as a property, so that nothing needs quoting.
    pub fn description(&self) -> &str {
        match self {
            Input::Microphone => "autoaudiosrc",
            // Of a film, only the sound is decoded.
            Input::Uri(_) => "uridecodebin name=input caps=audio/x-raw expose-all-streams=false",
            Input::Piece(piece) => piece,
        }
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
    if Path::new(text).exists() {
        return false;
    }
    let first = text.split_whitespace().next().unwrap_or(text);
    gst::ElementFactory::find(first).is_some() || text.contains(" ! ")
}
