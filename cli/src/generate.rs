//! The hidden command `generate`: manual pages and completions, for packagers of the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Cli;
use crate::failure::Failure;

/// Options of the command.
#[derive(clap::Args)]
pub struct Arguments {
    /// Directory for man1/, bash/, zsh/ and fish/
    directory: PathBuf,
}

/// Writes all of them.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = &arguments.directory;
    write(directory).map_err(|error| Failure::of_path(directory, &error))?;
    Ok(ExitCode::SUCCESS)
}

fn write(directory: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let manual = directory.join("man1");
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(command.clone(), &manual)?;
    // A page of a command that no help shows, and of the help itself.
    for entry in fs::read_dir(&manual)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("generate") || name.contains("help") {
            fs::remove_file(&path)?;
        }
    }
    for (shell, name) in [
        (Shell::Bash, "bash/volcasr"),
        (Shell::Zsh, "zsh/_volcasr"),
        (Shell::Fish, "fish/volcasr.fish"),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "volcasr", &mut text);
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
