//! One WebSocket connection: frames out, messages in, on one task.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::socket::Socket;
use super::transport::Transport;
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::text::sanitize;

/// Size of the read buffer in bytes. The library's default, 128 KiB, suits servers with few
/// clients.
const READ_BUFFER: usize = 4 * 1024;
/// Upper bound on a message: header, sequence, event, code and size precede the payload.
const MAX_MESSAGE: usize = MAX_PAYLOAD + 1024;
/// Bytes after which frames are handed to the kernel, so that a backlog costs fewer system calls.
const BATCH: usize = 32 * 1024;
/// Upper bound on unsent bytes. A peer that sends pings and reads no answers would fill the memory
/// otherwise. A request is far smaller.
const MAX_WRITE_BUFFER: usize = 2 << 20;
/// Upper bound on the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An event on the connection.
#[derive(Debug)]
pub(in crate::client) enum WsEvent {
    /// All frames are with the kernel.
    Written,
    /// A binary message: one frame of the protocol.
    Frame(Bytes),
    /// A text message of this length, which is not part of the protocol.
    Text(usize),
    /// A ping, which is answered, or a pong.
    Heartbeat,
    /// The peer sent a close frame.
    Closed {
        /// The status code, 1005 if there was none.
        code: u16,
        /// The peer's reason, sanitized.
        reason: String,
    },
    /// Writing failed. Reading may continue.
    WriteFailed(WsError),
    /// The connection has ended.
    Broken(WsError),
}

/// A WebSocket that sends one batch of frames at a time.
#[derive(Debug)]
pub(in crate::client) struct WebSocket {
    socket: WebSocketStream<Socket>,
    /// Bytes of the frames that were not reported as written.
    unflushed_bytes: usize,
    /// The kernel does not take them yet.
    flush_pending: bool,
    can_write: bool,
    /// Event that was read between two batches and is returned next.
    pending_event: Option<WsEvent>,
}

impl WebSocket {
    /// Takes over after the handshake. `tail` are the bytes that came with its answer.
    pub async fn new(stream: Transport, tail: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(BATCH)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let stream = Socket::new(stream);
        let socket =
            WebSocketStream::from_partially_read(stream, tail, Role::Client, Some(config)).await;
        WebSocket {
            socket,
            unflushed_bytes: 0,
            flush_pending: false,
            can_write: true,
            pending_event: None,
        }
    }

    /// Whether a frame can be sent now. Events that were read come first.
    pub fn is_ready(&self) -> bool {
        self.can_write
            && !self.flush_pending
            && self.unflushed_bytes < BATCH
            && self.pending_event.is_none()
    }

    /// Starts to send a frame; [`next`](Self::next) reports when all are written. Must be called
    /// only when [`is_ready`](Self::is_ready).
    pub fn send(&mut self, frame: Bytes) -> Result<(), WsError> {
        debug_assert!(self.is_ready());
        // An empty frame counts too.
        self.unflushed_bytes += frame.len().max(1);
        Pin::new(&mut self.socket)
            .start_send(Message::Binary(frame))
            .inspect_err(|_| {
                self.unflushed_bytes = 0;
                self.can_write = false;
            })
    }

    /// Waits for the next event. Cancellation-safe.
    pub async fn next(&mut self) -> WsEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<WsEvent> {
        if let Some(event) = self.pending_event.take() {
            return Poll::Ready(event);
        }
        let mut written = None;
        if self.unflushed_bytes > 0 {
            let flushed = Pin::new(&mut self.socket).poll_flush(cx);
            self.flush_pending = flushed.is_pending();
            if let Poll::Ready(flushed) = flushed {
                self.unflushed_bytes = 0;
                written = Some(flushed.map_or_else(WsEvent::WriteFailed, |()| WsEvent::Written));
            }
        }
        // Also between batches: a backlog must not starve the responses.
        let read = self.poll_read(cx);
        // A frame could not be written, or an answer to a ping.
        if let Some(error) = self.socket.get_mut().take_failure() {
            written = Some(WsEvent::WriteFailed(WsError::Io(error)));
        }
        let Some(written) = written else {
            return read;
        };
        if let WsEvent::WriteFailed(_) = written {
            self.can_write = false;
            self.unflushed_bytes = 0;
            self.flush_pending = false;
        }
        if let Poll::Ready(event) = read {
            self.pending_event = Some(event);
        }
        Poll::Ready(written)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<WsEvent> {
        Poll::Ready(match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
            Some(Ok(Message::Binary(frame))) => WsEvent::Frame(frame),
            Some(Ok(Message::Text(text))) => WsEvent::Text(text.len()),
            Some(Ok(Message::Close(Some(close)))) => WsEvent::Closed {
                code: close.code.into(),
                reason: sanitize(close.reason.as_str()),
            },
            Some(Ok(Message::Close(None))) => WsEvent::Closed {
                code: 1005,
                reason: String::new(),
            },
            // The library answers pings when it is polled again. Returning here gives the caller a
            // turn between endless ones.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => WsEvent::Heartbeat,
            Some(Err(error)) => WsEvent::Broken(error),
            None => WsEvent::Broken(WsError::AlreadyClosed),
        })
    }

    /// Performs the closing handshake, for a bounded time.
    pub async fn close(mut self) {
        let close = async {
            let _ = poll_fn(|cx| Pin::new(&mut self.socket).poll_close(cx)).await;
            while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut self.socket).poll_next(cx)).await {}
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, close).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;
    use tokio::time::Instant;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    async fn pair(buffer: usize) -> (WebSocket, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(buffer);
        let server = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        (WebSocket::new(Box::new(ours), Vec::new()).await, server)
    }

    async fn send(server: &mut WebSocketStream<DuplexStream>, message: Message) {
        Pin::new(&mut *server)
            .start_send(message)
            .expect("an open socket");
        poll_fn(|cx| Pin::new(&mut *server).poll_flush(cx))
            .await
            .expect("an open socket");
    }

    #[tokio::test]
    async fn frames_go_together() {
        let (mut websocket, mut server) = pair(4 * BATCH).await;
        let big = Bytes::from(vec![0; BATCH / 2]);
        websocket.send(Bytes::from_static(b"frame")).expect("sent");
        websocket.send(big.clone()).expect("sent");
        assert!(websocket.is_ready());
        websocket.send(big).expect("sent");
        assert!(!websocket.is_ready(), "enough for once");
        assert!(matches!(websocket.next().await, WsEvent::Written));
        assert!(websocket.is_ready());
        let got = poll_fn(|cx| Pin::new(&mut server).poll_next(cx)).await;
        assert!(
            matches!(got, Some(Ok(Message::Binary(frame))) if frame == b"frame"[..]),
            "as it was"
        );
    }

    /// A socket that takes everything at once does not starve the responses.
    #[tokio::test]
    async fn responses_come_between_batches() {
        let (mut websocket, mut server) = pair(4 * BATCH).await;
        send(&mut server, Message::binary(&b"no more"[..])).await;
        websocket.send(Bytes::from_static(b"frame")).expect("sent");
        assert!(matches!(websocket.next().await, WsEvent::Written));
        assert!(!websocket.is_ready(), "a message comes first");
        assert!(matches!(websocket.next().await, WsEvent::Frame(frame) if frame == b"no more"[..]));
        assert!(websocket.is_ready());
        websocket.send(Bytes::from_static(b"frame")).expect("sent");
        assert!(matches!(websocket.next().await, WsEvent::Written));
        assert!(websocket.is_ready(), "no message came");
    }

    #[tokio::test]
    async fn responses_come_while_a_frame_is_held_up() {
        let (mut websocket, mut server) = pair(64).await;
        websocket.send(Bytes::from(vec![0; 1024])).expect("taken");
        send(&mut server, Message::binary(&b"answer"[..])).await;
        assert!(matches!(websocket.next().await, WsEvent::Frame(frame) if frame == b"answer"[..]));
        assert!(!websocket.is_ready(), "still on its way");
    }

    #[tokio::test]
    async fn messages_are_read_after_a_failed_write() {
        let (mut websocket, mut server) = pair(1024).await;
        send(&mut server, Message::binary(&b"why"[..])).await;
        drop(server);
        if websocket.send(Bytes::from_static(b"frame")).is_ok() {
            assert!(matches!(websocket.next().await, WsEvent::WriteFailed(_)));
        }
        assert!(!websocket.is_ready());
        assert!(matches!(websocket.next().await, WsEvent::Frame(frame) if frame == b"why"[..]));
        assert!(matches!(websocket.next().await, WsEvent::Broken(_)));
    }

    /// The library answers the ping before it reads on.
    #[tokio::test]
    async fn messages_are_read_after_an_unanswered_ping() {
        let (mut websocket, mut server) = pair(1024).await;
        send(&mut server, Message::Ping(Bytes::new())).await;
        send(&mut server, Message::binary(&b"why"[..])).await;
        drop(server);
        let mut events = Vec::new();
        while !matches!(events.last(), Some(WsEvent::Broken(_))) {
            events.push(websocket.next().await);
        }
        assert!(
            matches!(
                &events[..],
                [
                    WsEvent::Heartbeat,
                    WsEvent::WriteFailed(_),
                    WsEvent::Frame(frame),
                    WsEvent::Broken(_)
                ] if *frame == b"why"[..]
            ),
            "{events:?}"
        );
        assert!(!websocket.is_ready());
    }

    #[tokio::test]
    async fn texts_pings_and_closes() {
        let (mut websocket, mut server) = pair(1024).await;
        send(&mut server, Message::Ping(Bytes::new())).await;
        send(&mut server, Message::text("hello")).await;
        // The reason ends up in logs, on terminals, and in C strings.
        let close = CloseFrame {
            code: CloseCode::from(1011),
            reason: "a\0b\n\u{1b}c".into(),
        };
        send(&mut server, Message::Close(Some(close))).await;
        assert!(matches!(websocket.next().await, WsEvent::Heartbeat));
        assert!(matches!(websocket.next().await, WsEvent::Text(5)));
        let event = websocket.next().await;
        assert!(
            matches!(&event, WsEvent::Closed { code: 1011, reason } if reason == "a b  c"),
            "{event:?}"
        );
        let got = poll_fn(|cx| Pin::new(&mut server).poll_next(cx)).await;
        assert!(matches!(got, Some(Ok(Message::Pong(_)))), "{got:?}");
    }

    /// The library answers pings by itself, into a buffer.
    #[tokio::test]
    async fn answers_that_the_peer_does_not_read_are_bounded() {
        let (mut websocket, mut server) = pair(1024).await;
        let ping = Bytes::from_static(&[b'x'; 125]);
        for _ in 0..MAX_WRITE_BUFFER / ping.len() {
            send(&mut server, Message::Ping(ping.clone())).await;
            assert!(matches!(websocket.next().await, WsEvent::Heartbeat));
        }
        let frame = Bytes::from_static(&[0; 256]);
        let full = websocket.send(frame).expect_err("no room");
        assert!(matches!(full, WsError::WriteBufferFull(_)), "{full:?}");
        assert!(!websocket.is_ready());
        // Its messages are read all the same.
        send(&mut server, Message::text("hello")).await;
        assert!(matches!(websocket.next().await, WsEvent::Text(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_closing_handshake_is_bounded() {
        let (websocket, server) = pair(1024).await;
        let began = Instant::now();
        websocket.close().await;
        assert_eq!(began.elapsed(), CLOSE_TIMEOUT, "a peer that says nothing");
        drop(server);

        let (mut websocket, server) = pair(16).await;
        websocket.send(Bytes::from(vec![0; 1024])).expect("taken");
        let began = Instant::now();
        websocket.close().await;
        assert_eq!(began.elapsed(), CLOSE_TIMEOUT, "a peer that takes nothing");
        drop(server);
    }
}
