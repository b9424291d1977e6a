//! The command `serve`: the loopback service.

use std::process::ExitCode;

use volcasr_loopback::cli::{Arguments, serve};

use crate::failure::Failure;

/// Serves until it is killed.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    serve(arguments)?;
    Ok(ExitCode::SUCCESS)
}
