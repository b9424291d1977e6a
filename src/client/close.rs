//! Drains and closes a session whose responses are no longer needed.

use std::time::Duration;

use bytes::Bytes;

use super::net::websocket::{WebSocket, WsEvent};
use crate::protocol::frame;

/// Upper bound on the time that such a session has to end in good order.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends the finish, reads up to the final response, and closes.
pub(super) async fn drain_and_close(mut websocket: WebSocket, finish: Bytes) {
    let end = async {
        if websocket.send(finish).is_err() {
            return;
        }
        loop {
            match websocket.next().await {
                WsEvent::Frame(bytes) if !frame::decode(&bytes).is_ok_and(|frame| frame.last) => {}
                WsEvent::Written | WsEvent::Text(_) | WsEvent::Heartbeat => {}
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, end).await;
    websocket.close().await;
}
