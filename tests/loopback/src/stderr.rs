//! The program's stderr, without the lines that pocketsphinx logs.

use std::{
    fmt,
    fs::File,
    io::{self, Write as _},
    sync::OnceLock,
};

/// Stderr itself, where [`keep_for_lines`] has put another file in its place.
static REAL: OnceLock<File> = OnceLock::new();

/// Writes a line of the service's own.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    // Where stderr is closed the service goes on.
    let _ = match REAL.get() {
        Some(mut real) => real.write_all(text.as_bytes()),
        None => io::stderr().write_all(text.as_bytes()),
    };
}

/// Takes pocketsphinx's log out of stderr, more than a hundred lines for each session: only
/// [`line()`] and panics go there from now on. `GST_DEBUG_FILE` takes GStreamer's own log.
/// Elsewhere than on Unix nothing changes.
pub(crate) fn keep_for_lines() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        let _ = REAL.set(File::from(io::stderr().as_fd().try_clone_to_owned()?));
        std::panic::set_hook(Box::new(|panic| line(format_args!("{panic}"))));
        // C code writes to the descriptor itself, so that it is the descriptor that changes.
        rustix::stdio::dup2_stderr(&File::create("/dev/null")?)?;
    }
    Ok(())
}
