//! Prints what is said: interim words rewritten in place, final ones kept.
//!
//! ```text
//! cargo run --example transcribe                      the default microphone
//! cargo run --example transcribe -- talk.mp3          a file, or a URI
//! cargo run --example transcribe -- audiotestsrc ! …  any piece of a launch line that gives audio
//! ```
//!
//! Credentials, and the service's address if not the default, come from the environment:
//! `VOLCENGINE_APP_ID` and `VOLCENGINE_ACCESS_KEY` or `VOLCENGINE_API_KEY`, and `VOLCASR_URI`.

use std::error::Error;
use std::io::{IsTerminal, Write};

use gst::prelude::*;
use gstvolcasr::Transcript;

const HELP: &str = "usage: transcribe [FILE | URI | PIECE OF A LAUNCH LINE]
Prints what is said. Without an argument it listens to the default microphone, until Ctrl-C.";

/// The part of the pipeline before the conversion.
fn source(args: &[String]) -> Result<String, Box<dyn Error>> {
    Ok(match args {
        [] => "autoaudiosrc".into(),
        [uri] if uri.contains("://") => format!("uridecodebin uri=\"{uri}\""),
        [file] if std::path::Path::new(file).is_file() => {
            let path = std::path::absolute(file)?;
            let uri = gst::glib::filename_to_uri(path, None)?;
            format!("uridecodebin uri=\"{uri}\"")
        }
        [name]
            if !name.contains(char::is_whitespace) && gst::ElementFactory::find(name).is_none() =>
        {
            return Err(format!("no such file, nor an element of that name: {name}").into());
        }
        fragment => fragment.join(" "),
    })
}

/// The end of a text, as much as fits: what is wider than a line can't be erased as one.
fn tail(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    for (at, character) in text.char_indices().rev() {
        // A Chinese character takes two columns.
        taken += unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if taken > columns {
            return &text[at + character.len_utf8()..];
        }
    }
    text
}

/// One transcript message. An interim one is replaced by the next; a final one stays.
fn show(transcript: &Transcript) -> std::io::Result<()> {
    let Transcript { text, is_final, .. } = transcript;
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        // Erases the line: an interim text can be shorter than the one before.
        write!(out, "\r\x1b[K")?;
    }
    if *is_final && !text.is_empty() {
        writeln!(out, "{text}")?;
    } else if !is_final && out.is_terminal() {
        let columns = terminal_size::terminal_size().map_or(80, |(width, _)| width.0);
        let text = tail(text, usize::from(columns).saturating_sub(1));
        write!(out, "\x1b[2m{text}\x1b[0m")?;
    }
    out.flush()
}

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if matches!(args.as_slice(), [arg] if arg == "-h" || arg == "--help") {
        println!("{HELP}");
        return std::process::ExitCode::SUCCESS;
    }
    match transcribe(&args) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn transcribe(args: &[String]) -> Result<(), Box<dyn Error>> {
    gst::init()?;
    // Linked into this program: no GST_PLUGIN_PATH is needed.
    gstvolcasr::plugin_register_static()?;

    let source = source(args)?;
    let pipeline = gst::parse::launch(&format!(
        "{source} ! audioconvert ! audioresample ! volcasrsink"
    ))?
    .downcast::<gst::Pipeline>()
    .map_err(|_| "not a pipeline")?;
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;

    // Ctrl-C ends the stream, so that the last words still come; a second one ends the program.
    #[cfg(unix)]
    {
        const SIGINT: i32 = 2;
        let pipeline = pipeline.downgrade();
        glib_unix::unix_signal_add_local(SIGINT, move || {
            if let Some(pipeline) = pipeline.upgrade() {
                pipeline.send_event(gst::event::Eos::new());
            }
            gst::glib::ControlFlow::Break
        });
    }

    let main_loop = gst::glib::MainLoop::new(None, false);
    let outcome = std::rc::Rc::new(std::cell::RefCell::new(Ok(())));
    let watch = bus.add_watch_local({
        let (main_loop, outcome) = (main_loop.clone(), outcome.clone());
        move |_, message| {
            let result: Result<(), Box<dyn Error>> = match message.view() {
                gst::MessageView::Element(_) => match Transcript::from_message(message) {
                    Some(transcript) => show(&transcript).map_err(Into::into),
                    None => Ok(()),
                },
                gst::MessageView::Warning(m) => {
                    eprintln!("warning: {}", m.error());
                    Ok(())
                }
                gst::MessageView::Error(m) => Err(m.error().to_string().into()),
                gst::MessageView::Eos(_) => {
                    main_loop.quit();
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(error) = result {
                // Only the first error is the cause; other elements' errors follow from it.
                let mut outcome = outcome.borrow_mut();
                if outcome.is_ok() {
                    *outcome = Err(error);
                }
                main_loop.quit();
            }
            gst::glib::ControlFlow::Continue
        }
    })?;

    if pipeline.set_state(gst::State::Playing).is_ok() {
        main_loop.run();
    } else {
        // The element at fault has posted the cause.
        let message = bus.pop_filtered(&[gst::MessageType::Error]);
        let cause = message.as_ref().and_then(|message| match message.view() {
            gst::MessageView::Error(m) => Some(m.error().to_string()),
            _ => None,
        });
        let cause = cause.unwrap_or_else(|| "the pipeline does not start".into());
        *outcome.borrow_mut() = Err(cause.into());
    }
    drop(watch);
    pipeline.set_state(gst::State::Null)?;
    outcome.replace(Ok(()))
}
