//! Ctrl-C.

use futures_util::stream::{self, LocalBoxStream, StreamExt};

/// An item for each Ctrl-C, and for each SIGTERM. Elsewhere than on Unix none: there they end the
/// program.
///
/// To be polled on the default main context.
pub fn interrupts() -> LocalBoxStream<'static, ()> {
    #[cfg(unix)]
    {
        const SIGINT: i32 = 2;
        const SIGTERM: i32 = 15;
        stream::select(
            glib_unix::signal_stream(SIGINT),
            glib_unix::signal_stream(SIGTERM),
        )
        .boxed_local()
    }
    #[cfg(not(unix))]
    stream::pending().boxed_local()
}

/// An item for each change of the terminal's size, where the system reports it.
pub fn resizes() -> LocalBoxStream<'static, ()> {
    #[cfg(unix)]
    {
        const SIGWINCH: i32 = 28;
        glib_unix::signal_stream(SIGWINCH).boxed_local()
    }
    #[cfg(not(unix))]
    stream::pending().boxed_local()
}
