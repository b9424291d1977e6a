//! Reasons for the end of a connection, as far as they can be told without the network.

use std::time::Duration;

use crate::protocol::failure::{Cause, Failure, Retry};

/// Reason for the end of a connection that was found here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// The service sent an error frame, or an error in a response.
    Failure(Box<Failure>),
    /// The service closed before the end.
    Closed {
        /// WebSocket's status code.
        code: u16,
        /// The service's words, if any.
        reason: String,
    },
    /// The service takes no more bytes.
    Stalled(Duration),
    /// The handshake or the answer to the request did not come in time.
    ResponseTimeout(Duration),
    /// The finish was written, and no final response came in time.
    FinalTimeout(Duration),
    /// The peer does not speak the protocol.
    Protocol(String),
    /// A defect of this plugin.
    Internal,
}

/// Any reason for the end of a connection: one of the network, or a [`SessionError`].
pub trait ConnectionError: From<SessionError> {
    /// Returns whether, and how patiently, to try again.
    fn retry(&self) -> Retry;

    /// Returns the cause that the service names, if it names one.
    fn cause(&self) -> Option<Cause>;

    /// Whether an unused connection may end so, which says nothing of the service.
    fn is_stale_connection(&self) -> bool;
}
