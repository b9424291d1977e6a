//! Everything that is posted, in order.
//!
//! - [`outbox`] holds what is to be posted, and runs the job that posts it;
//! - [`poster`] makes messages of events, from [`messages`], [`tags`] and [`errors`];
//! - [`stats`] is the property of that name.

pub(crate) mod errors;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod poster;
pub(crate) mod stats;
pub(crate) mod tags;
