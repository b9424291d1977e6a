//! The way to the service: from its address to a WebSocket.
//!
//! A [`preconnect`] looks the host up ([`resolve`]), connects to its addresses in turn
//! ([`happy_eyeballs`]), through a [`proxy`] if there is one, and encrypts ([`tls`]); [`dial`] is
//! these steps. The [`handshake`] makes it a [`websocket`].

mod defer_write_error;
mod dial;
pub(super) mod dial_error;
pub(super) mod endpoint;
pub(super) mod handshake;
mod happy_eyeballs;
mod http_body;
mod http_head;
pub(super) mod proxy;
mod resolve;
pub(super) mod tls;
pub(super) mod transport;
pub(super) mod websocket;
