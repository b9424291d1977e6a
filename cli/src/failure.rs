//! What to tell when something goes wrong.

use std::fmt;

/// Some elements put whole caps into it.
const LONGEST_HINT: usize = 200;

/// Why a recognition failed: a line, and what may help.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub text: String,
    pub hint: Option<String>,
}

impl Failure {
    /// In the element's own words. Its details say what the vendor's support wants to know, and whether to try again.
    pub fn from_message(message: &gst::message::Error) -> Self {
        let text = one_line(message.error().message());
        let Some(details) = message.details().filter(|d| d.name() == "volcasr-error") else {
            // Another element's: the debug text's first line is a place in its code, the others say what it was about.
            let debug = message.debug();
            let last = debug
                .as_deref()
                .and_then(|debug| debug.lines().skip(1).last());
            let about = last
                .map(|last| one_line(last).chars().take(LONGEST_HINT).collect())
                .filter(|last: &String| !text.contains(last));
            return Failure { text, hint: about };
        };
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
        Failure { text, hint }
    }
}

impl Failure {
    /// Standard output can't be written to.
    pub fn of_stdout(error: std::io::Error) -> Self {
        Failure::from(format!("standard output: {error}"))
    }
}

/// Ends the program with what is wrong about its command line, as clap tells it, with exit status 2.
pub fn usage(error: &str) -> ! {
    <crate::Cli as clap::CommandFactory>::command()
        .error(clap::error::ErrorKind::ValueValidation, error)
        .exit()
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure {
            text: one_line(&text),
            hint: None,
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

/// What others say, fit for one line of a terminal.
pub fn one_line(text: &str) -> String {
    let text = text.replace(char::is_control, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
