//! `volcasr`: captions, transcripts and subtitles, with the plugin linked into one program.
//!
//! In reading order:
//!
//! - this file has the commands, [`service`] what they share about the service;
//! - [`captions`] shows one input while it runs, [`transcribe`] writes many, [`check`] tries the
//!   way to the service, [`devices`] lists microphones, [`serve`] is the loopback service;
//! - [`input`] is a source of audio, [`pipeline`] recognises it, [`news`] reads its messages;
//! - [`output`] is what comes out, [`terminal`] draws it;
//! - [`failure`] says what went wrong, [`interrupt`] is Ctrl-C, [`generate`] writes manual pages.

mod captions;
mod check;
mod devices;
mod failure;
mod generate;
mod input;
mod interrupt;
mod news;
mod output;
mod pipeline;
mod serve;
mod service;
mod terminal;
mod transcribe;

use std::process::ExitCode;

use clap::Parser;

use failure::Failure;

/// Live captions, transcripts and subtitles from Volcengine's speech recognition
#[derive(Parser)]
#[command(name = "volcasr", version, propagate_version = true, after_help = service::CREDENTIALS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show what is said while it is said, and write subtitles beside it
    Captions(captions::Arguments),
    /// Write a transcript of each of many files
    Transcribe(transcribe::Arguments),
    /// Try the way to the service: name, proxy, TLS, credentials, resource, a session
    Check(check::Arguments),
    /// List microphones, and monitors of what is played
    Devices(devices::Arguments),
    /// Run a recognition service on 127.0.0.1 that needs no account
    Serve(volcasr_loopback::cli::Arguments),
    /// Write the manual pages and the shells' completions, for packages
    #[command(hide = true)]
    Generate(generate::Arguments),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Captions(arguments) => captions::run(&arguments),
        Command::Transcribe(arguments) => transcribe::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Generate(arguments) => generate::run(&arguments),
    };
    done.unwrap_or_else(|failure: Failure| {
        failure::eprintln(&format!("error: {failure}"));
        ExitCode::from(1)
    })
}
