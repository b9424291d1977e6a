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
    /// The service has no room, or is down: the same may work later on.
    Later,
    /// All inputs that follow fail as well, until it is mended: credentials, a quota, a setting.
    All,
}

impl Failure {
    /// In the element's own words. Its details say what the vendor's support wants to know, and
    /// whether to try again.
    pub fn from_message(message: &gst::message::Error) -> Self {
        let text = one_line(message.error().message());
        let Some(details) = message.details().filter(|d| d.name() == "volcasr-error") else {
            // Another element's: the debug text's first line is a place in its code, the others say
            // what it was about.
            let debug = message.debug();
            let last = debug
                .as_deref()
                .and_then(|debug| debug.lines().skip(1).last());
            let about = last
                .map(|last| one_line(last).chars().take(LONGEST_HINT).collect())
                .filter(|last: &String| !text.contains(last));
            return Failure {
                text,
                hint: about,
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
        Failure::from(format!("standard output: {error}"))
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

/// Returns the consequence of an element's error for other sessions.
fn kind(error: gst::glib::Error, details: &gst::StructureRef) -> Kind {
    use gst::ResourceError::{Busy, NotAuthorized, Settings};
    let may_work_later = details.get("retryable") == Ok(true);
    if error.matches(Busy) && may_work_later {
        Kind::Later
    } else if [NotAuthorized, Settings, Busy]
        .iter()
        .any(|code| error.matches(*code))
    {
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
