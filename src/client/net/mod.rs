//! Connecting to the service: from its address to a WebSocket.
//!
//! To [`dial`] is to look the host up ([`resolve`]), to connect to its addresses in turn
//! ([`happy_eyeballs`]), through a [`proxy`] if there is one, and to encrypt ([`tls`]). The
//! [`handshake`] makes it a [`websocket`].

pub(super) mod dial;
pub(super) mod dial_error;
pub(super) mod endpoint;
pub(super) mod handshake;
mod happy_eyeballs;
mod http_body;
mod http_head;
pub(super) mod proxy;
mod resolve;
mod socket;
pub(super) mod tls;
pub(super) mod transport;
pub(super) mod websocket;
