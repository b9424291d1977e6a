//! The program, run as a user runs it.

use std::process::Command;

use volcasr_loopback::Service;

pub use super::running::*;

/// Makes a command of the program that knows the service, and no other credentials than its own.
pub fn command(name: &str, service: &Service) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_volcasr"));
    command.arg(name);
    give_credentials(&mut command, service);
    command
}
