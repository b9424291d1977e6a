//! Texts and kinds of failures.

use std::fmt;
use std::io;
use std::path::Path;

/// Some elements put whole caps into it.
const LONGEST_HINT: usize = 200;

/// Why a recognition failed: a line, and what may help.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    pub text: String,
    pub hint: Option<String>,
    /// Consequence for the inputs that follow.
    pub kind: Kind,
}

/// Consequence of a failure for the inputs that follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is this input's own.
    #[default]
    Own,
    /// The service has no room, a quota is used up, or it is down: the same may work later on.
    Later,
    /// All inputs that follow fail as well, until it is mended: credentials, a setting.
    All,
}

impl Failure {
    /// In the element's own words. Its details say what the vendor's support wants to know, and
    /// whether to try again.
    pub fn from_message(message: &gst::message::Error) -> Self {
        let text = without_secrets(message.error().message());
        let Some(details) = message.details().filter(|d| d.name() == "volcasr-error") else {
            // Another element's: the debug text's first line is a place in its code, the others say
            // what it was about.
            let debug = message.debug();
            let last = debug
                .as_deref()
                .and_then(|debug| debug.lines().skip(1).last());
            let about = last
                .map(|last| without_secrets(last).chars().take(LONGEST_HINT).collect())
                .filter(|last: &String| !text.contains(last));
            let hints: Vec<_> = about.into_iter().chain(device_hint(message)).collect();
            return Failure {
                text,
                hint: (!hints.is_empty()).then(|| hints.join("; ")),
                kind: Kind::Own,
            };
        };
        let kind = kind(message.error(), details);
        let mut hints = Vec::new();
        if details.get("retryable") == Ok(true) {
            hints.push("it may work later: run it again".to_owned());
        }
        for (field, name) in [("log-id", "log id"), ("connect-id", "connect id")] {
            if let Ok(id) = details.get::<String>(field) {
                hints.push(format!("the vendor's support asks for the {name} {id}"));
                break;
            }
        }
        let hint = (!hints.is_empty()).then(|| hints.join("; "));
        Failure { text, hint, kind }
    }

    /// Standard output can't be written to.
    pub fn of_stdout(error: io::Error) -> Self {
        Failure {
            kind: Kind::All,
            ..Failure::from(format!("standard output: {error}"))
        }
    }

    /// A transcript can't be written. It concerns the others as well, as where the disk is full,
    /// unless it is about the name alone.
    pub fn of_output(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory};
        let is_name = [InvalidFilename, InvalidInput, IsADirectory, NotADirectory];
        Failure {
            kind: match is_name.contains(&error.kind()) {
                true => Kind::Own,
                false => Kind::All,
            },
            ..Failure::of_path(path, error)
        }
    }

    /// A file or directory can't be used.
    pub fn of_path(path: &Path, error: &io::Error) -> Self {
        Failure::from(format!("{}: {error}", path.display()))
    }
}

/// Ends the program with what is wrong about its command line, as clap reports it, with exit status
/// 2.
pub fn usage(error: &str) -> ! {
    let mut program = <crate::Cli as clap::CommandFactory>::command();
    program.build();
    let name = std::env::args().nth(1).unwrap_or_default();
    let command = match program.find_subcommand_mut(&name) {
        Some(command) => command,
        None => &mut program,
    };
    command
        .error(clap::error::ErrorKind::ValueValidation, error)
        .exit()
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure {
            text: one_line(&text),
            ..Failure::default()
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Returns the way out where a microphone can't be opened.
fn device_hint(message: &gst::message::Error) -> Option<String> {
    use gst::ResourceError::{Busy, NotFound, OpenRead, OpenReadWrite};
    use gst::prelude::*;
    let errors = [Busy, NotFound, OpenRead, OpenReadWrite];
    let is_unopened = errors.into_iter().any(|kind| message.error().matches(kind));
    let element = message.src()?.downcast_ref::<gst::Element>()?;
    let class = element.metadata("klass")?;
    let is_device = class.contains("Source/Audio");
    let hint = "`volcasr devices` lists microphones, and --device NAME selects one";
    (is_unopened && is_device).then(|| hint.to_owned())
}

/// Returns the consequence of an element's error for other sessions.
fn kind(error: gst::glib::Error, details: &gst::StructureRef) -> Kind {
    use gst::ResourceError::{Busy, NotAuthorized, Settings};
    // A quota that is used up as well: it may be bought while the batch waits.
    if error.matches(Busy) {
        Kind::Later
    } else if error.matches(NotAuthorized) || error.matches(Settings) {
        Kind::All
    } else {
        kind_of(details)
    }
}

/// Returns the consequence of a refusal by the service, by its numbers.
pub fn kind_of(refusal: &gst::StructureRef) -> Kind {
    let number = |name| refusal.get::<u32>(name).unwrap_or(0);
    match (number("http-status"), number("code")) {
        (429 | 500..=599, _) | (_, 45_000_292 | 55_000_031) => Kind::Later,
        _ => Kind::Own,
    }
}

/// Prints a line on standard error. A reader that is gone is no reason to stop, nor to panic.
pub fn eprintln(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints a line on standard output.
pub fn println(line: &str) -> Result<(), Failure> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}").map_err(Failure::of_stdout)
}

/// Makes foreign text fit for one line of a terminal.
pub fn one_line(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes foreign text fit for one line, with URIs in it as [`uri_without_secrets`] shows them.
pub fn without_secrets(text: &str) -> String {
    let text = one_line(text);
    let words = text.split(' ').map(uri_without_secrets);
    words.collect::<Vec<_>>().join(" ")
}

/// A URI without user info, query and fragment. What is no URI stays as it is.
pub fn uri_without_secrets(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_output_means_for_a_batch() {
        use io::ErrorKind::{BrokenPipe, InvalidFilename, PermissionDenied, StorageFull};
        let of_path = |kind: io::ErrorKind| Failure::of_output(Path::new("x"), &kind.into()).kind;
        assert_eq!(of_path(StorageFull), Kind::All);
        assert_eq!(of_path(PermissionDenied), Kind::All);
        assert_eq!(of_path(InvalidFilename), Kind::Own);
        assert_eq!(Failure::of_stdout(BrokenPipe.into()).kind, Kind::All);
    }

    #[test]
    fn texts_without_secrets() {
        let cases = [
            (
                "Not Found (404), URL: http://me:secret@host/x?token=secret, Redirect to: (NULL)",
                "Not Found (404), URL: http://host/x Redirect to: (NULL)",
            ),
            (
                "can't open \"rtsp://me:secret@camera\"",
                "can't open \"rtsp://camera\"",
            ),
            ("Is it me@example, or what?", "Is it me@example, or what?"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_secrets(text), shown);
        }
    }

    /// A file that can't be opened is no device.
    #[test]
    fn a_microphone_that_cannot_be_opened() {
        gst::init().expect("GStreamer");
        for (element, is_device) in [("audiotestsrc", true), ("fakesrc", false)] {
            let source = gst::ElementFactory::make(element).build().expect(element);
            let message = gst::message::Error::builder(gst::ResourceError::OpenRead, "No device.")
                .src(&source)
                .debug("file.c(1): open ():\nALC error: Invalid Value")
                .build();
            let gst::MessageView::Error(message) = message.view() else {
                panic!("not an error: {message:?}");
            };
            let hint = Failure::from_message(message).hint.expect("a hint");
            assert_eq!(hint.contains("volcasr devices"), is_device, "{hint}");
        }
    }

    fn details(http_status: u32, code: u32) -> gst::Structure {
        let number = |number: u32| (number > 0).then_some(number);
        gst::Structure::builder("volcasr-error")
            .field_if_some("http-status", number(http_status))
            .field_if_some("code", number(code))
            .build()
    }

    /// The domains and codes are those of docs/errors.md.
    #[test]
    fn what_an_error_means_for_a_batch() {
        use gst::ResourceError::{Busy, NotAuthorized, OpenWrite, Settings, Write};
        gst::init().expect("GStreamer");
        let cases = [
            // Too many sessions, a quota that is used up, too many requests, a busy service.
            (Busy, 0, 45_000_292, Kind::Later),
            (Busy, 402, 0, Kind::Later),
            (Busy, 429, 0, Kind::Later),
            (Busy, 0, 55_000_031, Kind::Later),
            // Down, before a session and in one.
            (OpenWrite, 500, 0, Kind::Later),
            (OpenWrite, 503, 0, Kind::Later),
            (Write, 502, 0, Kind::Later),
            // Credentials, a resource that is not bought, an account that owes money.
            (NotAuthorized, 401, 0, Kind::All),
            (NotAuthorized, 403, 0, Kind::All),
            (NotAuthorized, 402, 0, Kind::All),
            (NotAuthorized, 0, 45_000_010, Kind::All),
            (Settings, 400, 0, Kind::All),
            (Settings, 0, 45_000_001, Kind::All),
            (Settings, 0, 0, Kind::All),
            // Of the input, or of the network.
            (OpenWrite, 0, 0, Kind::Own),
            (OpenWrite, 404, 0, Kind::Own),
            (Write, 0, 0, Kind::Own),
            (Write, 0, 45_000_081, Kind::Own),
            (Write, 0, 55_000_000, Kind::Own),
        ];
        for (error, http_status, code, expected) in cases {
            let found = kind(
                gst::glib::Error::new(error, "it failed"),
                &details(http_status, code),
            );
            assert_eq!(found, expected, "{error:?} {http_status} {code}");
        }
    }
}
