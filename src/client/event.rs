//! Events that a client reports.

use std::fmt;

use super::error::ClientError;
use crate::session::event;

pub use event::Level;

/// One thing that happened, in order.
pub type Event = event::Event<ClientError>;

/// Receiver of a client's events. It is called on the runtime's workers and must not block.
pub trait EventHandler: Send + Sync {
    /// Handles an event. `epoch` counts the flushes: an event of an earlier epoch is stale.
    fn handle(&self, epoch: u64, event: Event);

    /// Logs a line, which holds no secret. It need not be formatted if the level is off.
    fn log(&self, level: Level, line: fmt::Arguments<'_>);
}
