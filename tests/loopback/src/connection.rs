//! One connection: the loop that moves messages between the socket and the session.

mod inject;

use crate::{
    fault::Trigger,
    frame,
    handshake::Handshake,
    options::{Endpoint, Oddity},
    record::{Answer, End},
    service::{Gate, Live, Shared, is_open},
    session::{Out, PacketKind, Session},
    wire::Wire,
};
use futures_util::{Sink, Stream};
use std::{
    convert::Infallible,
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
    let accepted = Instant::now();
    let handshake = Handshake::new(tcp, shared.clone(), number);
    let run = async {
        let (handshake, endpoint, rest) = handshake.run(tls).await?;
        let open = Open::new(handshake, endpoint, rest, accepted).await;
        open.run().await
    };
    let Break(end) = run.await;
    shared.ended(number, end);
}

struct Open {
    shared: Arc<Shared>,
    number: usize,
    ws: WebSocketStream<Wire>,
    session: Session,
    gates: watch::Receiver<u8>,
    fired: Vec<bool>,
    accepted: Instant,
    live: Option<Live>,
    /// Something waits to be flushed.
    dirty: bool,
    /// The final response does not go out.
    no_final: bool,
    /// A close frame was sent, or came: until when the rest of it may take, and how it ends then.
    closing: Option<(Instant, End)>,
    client_close: Option<Option<u16>>,
    next_ping: Instant,
}

impl Open {
    async fn new(behind: Handshake, endpoint: Endpoint, rest: Vec<u8>, accepted: Instant) -> Self {
        let (shared, number) = (behind.shared, behind.number);
        let (live, refusal) = shared.session();
        let options = shared.options.clone();
        let session = Session::new(options, endpoint, behind.log_id, number, refusal);
        let config = WebSocketConfig::default()
            // Eagerly allocated for each of a thousand connections.
            .read_buffer_size(8 * 1024)
            .max_write_buffer_size(64 * 1024 * 1024)
            .max_message_size(Some(32 * 1024 * 1024))
            .max_frame_size(Some(32 * 1024 * 1024));
        let config = Some(config);
        let ws =
            WebSocketStream::from_partially_read(behind.wire, rest, Role::Server, config).await;
        Self {
            number,
            ws,
            session,
            gates: shared.gates(),
            fired: behind.fired,
            accepted,
            live: Some(live),
            dirty: false,
            no_final: false,
            closing: None,
            client_close: None,
            next_ping: Instant::now() + shared.options.ping_interval,
            shared,
        }
    }

    /// Breaks with the connection's end.
    async fn run(mut self) -> ControlFlow<End, Infallible> {
        let mut injected = self.shared.injector(self.number);
        loop {
            if self.session.is_over() {
                self.live = None;
            }
            let (now, accepted) = (Instant::now(), self.accepted);
            let due = |trigger| matches!(trigger, Trigger::Wall(after) if accepted + after <= now);
            self.inject_due(due).await?;
            // Looked at before anything is sent, so that a release in between is seen as a change
            // below.
            let held = *self.gates.borrow_and_update();
            self.send_out(held)?;
            let deadline = self.deadline();
            let notify = self.session.notify();
            let news = async {
                match notify {
                    Some(notify) => notify.notified().await,
                    None => std::future::pending().await,
                }
            };
            let reads = is_open(held, Gate::Reading) && !self.session.is_full();
            tokio::select! {
                message = io(&mut self.ws, &mut self.dirty, reads) => self.message(message).await,
                Some(kind) = injected.recv() => self.inject(kind).await,
                _ = self.gates.changed() => Continue(()),
                () = news => self.tick(),
                () = sleep_until(deadline) => self.tick(),
            }?;
        }
    }

    fn deadline(&self) -> Instant {
        let close_or_ping = match &self.closing {
            Some((at, _)) => *at,
            None => self.next_ping,
        };
        let others = [self.session.deadline(), self.next_wall_fault()];
        others
            .into_iter()
            .flatten()
            .fold(close_or_ping, Instant::min)
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
            Some(Ok(Message::Ping(_))) => self.dirty = true,
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
        let marks = std::mem::take(&mut self.session.marks);
        self.shared.record(self.number, |c| {
            c.packets += 1;
            if request.is_some() {
                c.request = request;
            }
            if matches!(packet, PacketKind::Finish) {
                c.finish_at = Some(now.into());
            }
            let Some((frame, payload)) = frame else {
                return;
            };
            if options.record_audio && c.audio_bytes < audio_bytes {
                Arc::make_mut(&mut c.pcm).extend(payload);
            }
            c.audio_bytes = audio_bytes;
            if options.record_frames {
                c.marks.extend(marks);
                c.frames.push(frame);
            }
        });
        if matches!(packet, PacketKind::Request) {
            let session = format_args!("session: {}", self.session);
            self.shared.log(self.number, session);
        }
        let received = Duration::from_millis(self.session.received().try_into().unwrap_or(0));
        self.inject_due(|trigger| match (trigger, &packet) {
            (Trigger::Ack, PacketKind::Request) | (Trigger::Finish, PacketKind::Finish) => true,
            (Trigger::Audio(at), PacketKind::Audio | PacketKind::Finish) => at <= received,
            _ => false,
        })
        .await
    }

    /// Hands to the socket what the gates let through.
    fn send_out(&mut self, held: u8) -> ControlFlow<End> {
        while let Some(out) = self.session.out.front() {
            if matches!(out, Out::Response { gate, .. } if !is_open(held, *gate)) {
                break;
            }
            if let Some(out) = self.session.out.pop_front() {
                self.send(out)?;
            }
        }
        Continue(())
    }

    fn send(&mut self, out: Out) -> ControlFlow<End> {
        let is_end = match &out {
            Out::Response { gate, .. } => *gate == Gate::Final,
            Out::Close(code) => *code == 1000,
            _ => false,
        };
        if self.closing.is_some() || self.no_final && is_end {
            // Nothing follows a close frame.
            return Continue(());
        }
        let received = self.session.received();
        let now = std::time::Instant::now();
        let (shared, number) = (&self.shared, self.number);
        let message = match out {
            Out::Response {
                gate,
                sequence,
                json,
            } => {
                let last = gate == Gate::Final;
                let gzip = shared.options.has(Oddity::Gzip);
                let bytes = frame::response(sequence, last, json.as_bytes(), gzip);
                shared.record(number, |c| {
                    match gate {
                        Gate::Ack => c.ack_at = Some(now),
                        Gate::Final => c.final_at = Some(now),
                        _ => {}
                    }
                    if shared.options.record_frames {
                        c.responses.push(Answer {
                            at: now,
                            json: json.into(),
                            received,
                        });
                    }
                });
                Message::binary(bytes)
            }
            Out::Error { code, body } => {
                shared.log(number, format_args!("error: {code} {body}"));
                let bytes = frame::error(code, body.as_bytes());
                shared.record(number, |c| c.errors.push((code, body)));
                Message::binary(bytes)
            }
            Out::Binary(bytes) => Message::binary(bytes),
            Out::Text(text) => Message::text(text),
            Out::Close(1000) => return self.close(1000, End::Finished),
            Out::Close(code) => return self.close(code, End::Fault),
        };
        self.write(message)
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
        let reason = match end {
            End::Finished => "finish last sequence",
            _ => "",
        };
        self.closing = Some((Instant::now() + PATIENCE, end));
        self.write(Message::Close(Some(CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        })))
    }
}

/// Writes what waits, and meanwhile reads, so that neither side's full socket stops the other.
async fn io(
    ws: &mut WebSocketStream<Wire>,
    dirty: &mut bool,
    reads: bool,
) -> Option<Result<Message, Error>> {
    poll_fn(|cx| {
        // After an error as well: what the client sent before it went may still be there.
        *dirty = *dirty && Pin::new(&mut *ws).poll_flush(cx).is_pending();
        if reads {
            Pin::new(&mut *ws).poll_next(cx)
        } else {
            Poll::Pending
        }
    })
    .await
}
