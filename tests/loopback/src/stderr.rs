//! The program's stderr, without what pocketsphinx says about itself.

use std::{
    fmt,
    fs::File,
    io::{self, Write as _},
    sync::OnceLock,
};

/// Stderr itself, where [`filter`] has put a pipe in its place.
static REAL: OnceLock<File> = OnceLock::new();

/// Writes a line of the service's own, past the filter: pocketsphinx writes its lines in pieces,
/// and a line between them would be taken for one of them.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    // Where stderr is closed the service goes on.
    let _ = match REAL.get() {
        Some(mut real) => real.write_all(text.as_bytes()),
        None => io::stderr().write_all(text.as_bytes()),
    };
}

/// Takes the lines of pocketsphinx's log out of stderr: more than a hundred for each session. All
/// others pass, errors of pocketsphinx and panics among them.
///
/// # Errors
/// There is no pipe or no thread to be had.
#[cfg(unix)]
pub(crate) fn filter() -> io::Result<()> {
    use std::{
        io::{BufRead as _, BufReader, pipe, stderr},
        os::fd::AsFd as _,
    };
    let (reader, writer) = pipe()?;
    let mut real = File::from(stderr().as_fd().try_clone_to_owned()?);
    let _ = REAL.set(real.try_clone()?);
    std::thread::Builder::new()
        .name("stderr".into())
        .spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                if !is_log(&line) {
                    // Where stderr is closed there is nothing to be done.
                    let _ = real.write_all(&line);
                }
                line.clear();
            }
        })?;
    // C code writes to the descriptor itself, so that it is the descriptor that changes.
    rustix::stdio::dup2_stderr(&writer)?;
    Ok(())
}

/// Elsewhere its lines stay.
///
/// # Errors
/// Never fails.
#[cfg(not(unix))]
pub(crate) fn filter() -> io::Result<()> {
    Ok(())
}

/// Whether a line is of pocketsphinx's log, or of the table of its configuration.
fn is_log(line: &[u8]) -> bool {
    let of_table = line.starts_with(b"-") && line.contains(&b'\t') || line.starts_with(b"[NAME]");
    of_table
        || line.trim_ascii().is_empty()
        || line.starts_with(b"INFO: ")
        || line.starts_with(b"Current configuration:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_log() {
        for line in [
            "INFO: feat.c(715): Initializing feature stream\n",
            "Current configuration:\n",
            "[NAME]\t\t\t[DEFLT]\t\t[VALUE]\n",
            "-agc\t\t\tnone\t\tnone\n",
            "\n",
        ] {
            assert!(is_log(line.as_bytes()), "{line}");
        }
        for line in [
            "loopback: #1 connection\n",
            "ERROR: \"x.c\", line 1: y\n",
            "thread 'main' panicked\n",
        ] {
            assert!(!is_log(line.as_bytes()), "{line}");
        }
    }
}
