//! One connection: the loop that moves messages between the socket and the session.

mod inject;

use crate::{
    fault::Trigger,
    handshake::{self, Upgraded},
    record::{Answer, ClientFrame, End},
    service::{Gate, Live, Shared, is_open},
    session::{Out, PacketKind, ResponseKind, Session},
    wire::{Wire, or_never},
};
use futures_util::{Sink, Stream};
use std::{
    future::poll_fn,
    ops::ControlFlow::{self, Break, Continue},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

/// How long a client may take for its part of a closing handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves one connection to its end.
pub(crate) async fn serve(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    number: usize,
) {
    let end = match handshake::upgrade(tcp, tls, &shared, number).await {
        Ok(upgraded) => Open::new(upgraded, &shared, number).await.run().await,
        Err(end) => end,
    };
    shared.ended(number, end);
}

fn accepted_at(shared: &Shared, number: usize) -> Instant {
    let mut at = std::time::Instant::now();
    shared.record(number, |c| at = c.accepted_at);
    at.into()
}

struct Open {
    shared: Arc<Shared>,
    number: usize,
    ws: WebSocketStream<Wire>,
    session: Session,
    gates: watch::Receiver<u8>,
    fired: Vec<bool>,
    /// When the connection was accepted.
    wall: Instant,
    live: Option<Live>,
    /// Something waits to be flushed.
    dirty: bool,
    /// A close frame was sent, or came: until when the rest of it may take, and how it ends then.
    closing: Option<(Instant, End)>,
    client_close: Option<Option<u16>>,
    next_ping: Instant,
}

impl Open {
    async fn new(upgraded: Upgraded, shared: &Arc<Shared>, number: usize) -> Self {
        let Upgraded {
            endpoint,
            wire,
            upgrade,
            log_id,
            fired,
        } = upgraded;
        let (live, sessions, ever) = shared.session();
        let refusal = handshake::refusal(&shared.options, sessions, ever);
        let session = Session::new(
            shared.options.clone(),
            endpoint,
            log_id,
            number,
            refusal,
            Instant::now(),
        );
        let config = WebSocketConfig::default()
            // Eagerly allocated for each of a thousand connections.
            .read_buffer_size(8 * 1024)
            .max_write_buffer_size(64 * 1024 * 1024)
            .max_message_size(Some(32 * 1024 * 1024))
            .max_frame_size(Some(32 * 1024 * 1024));
        let ws =
            WebSocketStream::from_partially_read(wire, upgrade.rest, Role::Server, Some(config))
                .await;
        let wall = accepted_at(shared, number);
        Self {
            shared: shared.clone(),
            number,
            ws,
            session,
            gates: shared.gates(),
            fired,
            wall,
            live: Some(live),
            dirty: false,
            closing: None,
            client_close: None,
            next_ping: Instant::now() + shared.options.ping_interval,
        }
    }

    async fn run(mut self) -> End {
        let mut injected = self.shared.injector(self.number);
        loop {
            if self.session.is_over() {
                self.live = None;
            }
            let (now, wall) = (Instant::now(), self.wall);
            let due = |trigger| matches!(trigger, Trigger::Wall(after) if wall + after <= now);
            if let Break(end) = self.inject_due(due).await {
                return end;
            }
            // Looked at before anything is sent, so that a release in between is seen as a change
            // below.
            let held = *self.gates.borrow_and_update();
            if let Break(end) = self.send_out(held) {
                return end;
            }
            let deadline = self.deadline();
            let notify = self.session.notify();
            let reads = is_open(held, Gate::Reading) && !self.session.is_full();
            let flow = tokio::select! {
                message = io(&mut self.ws, &mut self.dirty, reads) => self.message(message).await,
                Some(kind) = injected.recv() => self.inject(kind).await,
                _ = self.gates.changed() => Continue(()),
                () = or_never(notify.as_ref().map(|n| n.notified())) => {
                    self.session.tick(Instant::now());
                    Continue(())
                }
                () = or_never(deadline.map(sleep_until)) => self.tick(),
            };
            if let Break(end) = flow {
                return end;
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let closing = self.closing.as_ref().map(|(at, _)| *at);
        let ping = self.closing.is_none().then_some(self.next_ping);
        [
            self.session.deadline(),
            closing,
            ping,
            self.next_wall_fault(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn tick(&mut self) -> ControlFlow<End> {
        let now = Instant::now();
        if let Some((_, end)) = self.closing.take_if(|(at, _)| *at <= now) {
            return Break(end);
        }
        if self.next_ping <= now && self.closing.is_none() {
            self.next_ping = now + self.shared.options.ping_interval;
            self.write(Message::Ping(Vec::new().into()))?;
        }
        self.session.tick(now);
        Continue(())
    }

    async fn message(&mut self, message: Option<Result<Message, Error>>) -> ControlFlow<End> {
        let now = Instant::now();
        match message {
            Some(Ok(Message::Binary(bytes))) => return self.packet(&bytes, now).await,
            Some(Ok(Message::Text(_))) => self.session.text_message(),
            Some(Ok(Message::Ping(_))) => {
                self.dirty = true;
                self.shared.record(self.number, |c| c.pings += 1);
            }
            Some(Ok(Message::Close(frame))) => {
                self.dirty = true;
                self.client_close = Some(frame.map(|f| f.code.into()));
                if self.closing.is_none() {
                    self.closing = Some((now + PATIENCE, End::ClientLost));
                }
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
            // The end of the stream: in good order when the client's close frame was there.
            None | Some(Err(_)) => {
                return Break(match (self.closing.take(), self.client_close) {
                    (Some((_, end @ (End::Finished | End::Fault))), Some(_)) => end,
                    (_, Some(code)) => End::ClientClosed(code),
                    (Some((_, End::Fault)), None) => End::Fault,
                    _ => End::ClientLost,
                });
            }
        }
        Continue(())
    }

    async fn packet(&mut self, bytes: &[u8], now: Instant) -> ControlFlow<End> {
        let (packet, frame) = self.session.packet(bytes, now);
        let options = &self.shared.options;
        let audio_bytes = self.session.audio_bytes;
        let request = self.session.request_json.take();
        let heard = std::mem::take(&mut self.session.heard);
        self.shared.record(self.number, |c| {
            c.packets += 1;
            if request.is_some() {
                c.request = request;
            }
            if options.record_frames {
                c.heard.extend(heard);
            }
            if matches!(packet, PacketKind::Finish) {
                c.finish_at = Some(now.into());
            }
            let Some(frame) = frame else { return };
            if options.record_audio && c.audio_bytes < audio_bytes {
                Arc::make_mut(&mut c.pcm).extend_from_slice(&frame.payload);
            }
            c.audio_bytes = audio_bytes;
            if options.record_frames {
                c.frames.push(ClientFrame {
                    at: now.into(),
                    message_type: frame.kind as u8,
                    flags: frame.flags,
                    sequence: frame.sequence,
                    serialization: frame.serialization,
                    compression: frame.compression,
                    wire_size: frame.wire_size,
                    size: frame.payload.len(),
                    bytes: if options.record_bytes {
                        bytes.to_vec()
                    } else {
                        Vec::new()
                    },
                });
            }
        });
        let received = Duration::from_millis(self.session.received().try_into().unwrap_or(0));
        match packet {
            PacketKind::Request => {
                self.shared
                    .log(self.number, format_args!("session: {}", self.session));
                self.inject_due(|trigger| trigger == Trigger::Ack).await
            }
            PacketKind::Audio => {
                self.inject_due(|trigger| matches!(trigger, Trigger::Audio(at) if at <= received))
                    .await
            }
            PacketKind::Finish => {
                self.inject_due(|trigger| {
                    trigger == Trigger::Finish
                        || matches!(trigger, Trigger::Audio(at) if at <= received)
                })
                .await
            }
            PacketKind::Nothing => Continue(()),
        }
    }

    /// Hands to the socket what the gates let through.
    fn send_out(&mut self, held: u8) -> ControlFlow<End> {
        while let Some(out) = self.session.out.front() {
            let open = match out {
                Out::Response { kind, .. } => is_open(
                    held,
                    match kind {
                        ResponseKind::Ack => Gate::Ack,
                        ResponseKind::Interim => Gate::Responses,
                        ResponseKind::Final => Gate::Final,
                    },
                ),
                _ => true,
            };
            if !open {
                break;
            }
            let Some(out) = self.session.out.pop_front() else {
                break;
            };
            self.send(out)?;
        }
        Continue(())
    }

    fn send(&mut self, out: Out) -> ControlFlow<End> {
        if self.closing.is_some() {
            // Nothing follows a close frame.
            return Continue(());
        }
        let received = self.session.received();
        let now = std::time::Instant::now();
        let keep = self.shared.options.record_frames;
        let number = self.number;
        match out {
            Out::Response { kind, bytes, json } => {
                self.shared.record(number, |c| {
                    match kind {
                        ResponseKind::Ack => c.ack_at = Some(now),
                        ResponseKind::Interim => {}
                        ResponseKind::Final => c.final_at = Some(now),
                    }
                    if keep {
                        c.responses.push(Answer {
                            at: now,
                            json: json.into(),
                            received,
                            last: kind == ResponseKind::Final,
                        });
                    }
                });
                self.write(Message::binary(bytes))
            }
            Out::Error { bytes, code, body } => {
                self.shared
                    .log(number, format_args!("error: {code} {body}"));
                self.shared.record(number, |c| c.errors.push((code, body)));
                self.write(Message::binary(bytes))
            }
            Out::Binary(bytes) => self.write(Message::binary(bytes)),
            Out::Text(text) => self.write(Message::text(text)),
            Out::Close(code) => self.close(
                code,
                if code == 1000 {
                    End::Finished
                } else {
                    End::Fault
                },
            ),
        }
    }

    fn write(&mut self, message: Message) -> ControlFlow<End> {
        self.dirty = true;
        match Pin::new(&mut self.ws).start_send(message) {
            Ok(()) => Continue(()),
            // The client has closed, and its frame is about to be read.
            Err(Error::Protocol(_) | Error::AlreadyClosed | Error::ConnectionClosed) => {
                Continue(())
            }
            Err(_) => Break(End::ClientLost),
        }
    }

    fn close(&mut self, code: u16, end: End) -> ControlFlow<End> {
        let flow = self.write(Message::Close(Some(CloseFrame {
            code: CloseCode::from(code),
            reason: if end == End::Finished {
                "finish last sequence".into()
            } else {
                "".into()
            },
        })));
        self.closing = Some((Instant::now() + PATIENCE, end));
        flow
    }
}

/// Writes what waits, and meanwhile reads, so that neither side's full socket stops the other.
async fn io(
    ws: &mut WebSocketStream<Wire>,
    dirty: &mut bool,
    reads: bool,
) -> Option<Result<Message, Error>> {
    poll_fn(|cx| {
        if *dirty {
            match Pin::new(&mut *ws).poll_flush(cx) {
                Poll::Ready(Ok(())) => *dirty = false,
                // What the client sent before it went may still be there to be read.
                Poll::Ready(Err(_)) => *dirty = false,
                Poll::Pending => {}
            }
        }
        if reads {
            Pin::new(&mut *ws).poll_next(cx)
        } else {
            Poll::Pending
        }
    })
    .await
}
