//! One connection: the loop that moves messages between the socket and the session, and its faults.

use crate::{
    fault::{FaultKind, Trigger},
    frame,
    options::Oddity,
    record::End,
    service::{Gate, Live, Peer, is_open},
    session::{Out, PacketKind, Session},
    wire::{Upgraded, Wire},
};
use futures_util::{Sink, SinkExt as _, Stream};
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
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

/// Upper bound on a client's time for its part of a closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves one connection to its end.
pub(crate) async fn serve(tcp: TcpStream, tls: Option<TlsAcceptor>, peer: Peer) {
    let run = async {
        let upgraded = Wire::plain(tcp).upgrade(tls, &peer).await?;
        Open::new(upgraded, peer.clone()).await.run().await
    };
    let Break(end) = run.await;
    peer.ended(end);
}

struct Open {
    peer: Peer,
    ws: WebSocketStream<Wire>,
    session: Session,
    gates: watch::Receiver<u8>,
    live: Option<Live>,
    /// Something waits to be flushed.
    dirty: bool,
    /// The final response does not go out.
    no_final: bool,
    /// A close frame was sent, or came: until when the rest of it may take, and how it ends.
    closing: Option<(Instant, End)>,
    next_ping: Instant,
}

impl Open {
    async fn new((wire, endpoint, rest): Upgraded, peer: Peer) -> Self {
        let (live, refusal) = peer.shared.session();
        let options = peer.shared.options.clone();
        let next_ping = Instant::now() + options.ping_interval;
        let session = Session::new(options, endpoint, peer.log_id.clone(), peer.number, refusal);
        let config = WebSocketConfig::default()
            // Eagerly allocated for each of a thousand connections.
            .read_buffer_size(8 * 1024)
            .max_write_buffer_size(64 * 1024 * 1024)
            .max_message_size(Some(32 * 1024 * 1024))
            .max_frame_size(Some(32 * 1024 * 1024));
        let server = Role::Server;
        Self {
            ws: WebSocketStream::from_partially_read(wire, rest, server, Some(config)).await,
            session,
            gates: peer.shared.gates(),
            peer,
            live: Some(live),
            dirty: false,
            no_final: false,
            closing: None,
            next_ping,
        }
    }

    /// Breaks with the connection's end.
    async fn run(mut self) -> ControlFlow<End, Infallible> {
        loop {
            if self.session.is_over() {
                self.live = None;
            }
            let age = self.peer.accepted.elapsed();
            let due = |trigger| matches!(trigger, Trigger::Wall(after) if after <= age);
            self.inject_due(due).await?;
            // Looked at before anything is sent, so that a release in between is seen as a change
            // below.
            let held = *self.gates.borrow_and_update();
            self.send_out(held)?;
            let deadline = self.deadline();
            let news = self.session.news.clone();
            let reads = is_open(held, Gate::Reading) && !self.session.is_full();
            tokio::select! {
                message = io(&mut self.ws, &mut self.dirty, reads) => self.message(message).await,
                _ = self.gates.changed() => Continue(()),
                () = news.notified() => self.tick(),
                () = sleep_until(deadline) => self.tick(),
            }?;
        }
    }

    fn deadline(&self) -> Instant {
        let close_or_ping = match &self.closing {
            Some((at, _)) => *at,
            None => self.next_ping,
        };
        let faults = self.peer.shared.options.faults.iter();
        let wall = faults.filter_map(|fault| match fault.trigger {
            Trigger::Wall(after) => Some(self.peer.accepted + after),
            _ => None,
        });
        // Past ones have come already, here or elsewhere.
        let wall = wall.filter(|at| *at > Instant::now());
        let all = wall.chain(self.session.deadline());
        all.fold(close_or_ping, Instant::min)
    }

    fn tick(&mut self) -> ControlFlow<End> {
        let now = Instant::now();
        if let Some((_, end)) = self.closing.take_if(|(at, _)| *at <= now) {
            return Break(end);
        }
        if self.next_ping <= now && self.closing.is_none() {
            self.next_ping = now + self.peer.shared.options.ping_interval;
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
                let code = frame.map(|frame| frame.code.into());
                let end = match self.closing.take() {
                    None => End::ClientClosed(code),
                    Some((_, End::Fault)) => End::Fault,
                    Some(_) => End::Finished,
                };
                self.closing = Some((now + CLOSE_TIMEOUT, end));
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
            // The end of the stream: in good order when the client's close frame was there.
            None | Some(Err(_)) => {
                let closing = self.closing.take();
                return Break(closing.map_or(End::ClientLost, |(_, end)| end));
            }
        }
        Continue(())
    }

    async fn packet(&mut self, bytes: &[u8], now: Instant) -> ControlFlow<End> {
        let (packet, frame) = self.session.packet(bytes, now);
        let options = &self.peer.shared.options;
        let audio_bytes = self.session.audio_bytes;
        let request = self.session.request_json.take();
        let marks = std::mem::take(&mut self.session.marks);
        self.peer.record(|c| {
            c.packets += 1;
            c.request = request.or(c.request.take());
            if packet == Some(PacketKind::Finish) {
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
        let Some(packet) = packet else {
            return Continue(());
        };
        if packet == PacketKind::Request {
            self.peer.log(format_args!("session: {}", self.session));
        }
        let received = Duration::from_millis(self.session.received().try_into().unwrap_or(0));
        self.inject_due(|trigger| match trigger {
            Trigger::Ack => packet == PacketKind::Request,
            Trigger::Finish => packet == PacketKind::Finish,
            Trigger::Audio(at) => packet != PacketKind::Request && at <= received,
            _ => false,
        })
        .await
    }

    /// Hands to the socket what the gates let through.
    fn send_out(&mut self, held: u8) -> ControlFlow<End> {
        let is_out = |out: &Out| match out {
            Out::Response(gate, ..) => is_open(held, *gate),
            _ => true,
        };
        while self.session.out.front().is_some_and(is_out)
            && let Some(out) = self.session.out.pop_front()
        {
            self.send(out)?;
        }
        Continue(())
    }

    fn send(&mut self, out: Out) -> ControlFlow<End> {
        let is_end = match &out {
            Out::Response(gate, ..) => *gate == Gate::Final,
            Out::Close(code) => *code == 1000,
            _ => false,
        };
        if self.closing.is_some() || self.no_final && is_end {
            // Nothing follows a close frame.
            return Continue(());
        }
        let message = match out {
            Out::Response(gate, sequence, json) => {
                let options = &self.peer.shared.options;
                let gzip = options.has(Oddity::Gzip);
                let bytes = frame::response(sequence, is_end, json.as_bytes(), gzip);
                self.peer.record(|c| {
                    match gate {
                        Gate::Ack => c.ack_at = Some(Instant::now().into()),
                        Gate::Final => c.final_at = Some(Instant::now().into()),
                        _ => {}
                    }
                    if options.record_frames {
                        c.responses.push(json.into());
                    }
                });
                Message::binary(bytes)
            }
            Out::Error(code, body) => {
                self.peer.log(format_args!("error: {code} {body}"));
                let bytes = frame::error(code, body.as_bytes());
                self.peer.record(|c| c.errors.push((code, body)));
                Message::binary(bytes)
            }
            Out::Binary(bytes) => Message::binary(bytes),
            Out::Text(text) => Message::text(text),
            // Finished once the client answers.
            Out::Close(1000) => return self.close(1000, "finish last sequence", End::ClientLost),
            Out::Close(code) => return self.close(code, "", End::Fault),
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

    fn close(&mut self, code: u16, reason: &'static str, end: End) -> ControlFlow<End> {
        self.closing = Some((Instant::now() + CLOSE_TIMEOUT, end));
        let (code, reason) = (code.into(), reason.into());
        self.write(Message::Close(Some(CloseFrame { code, reason })))
    }

    async fn inject_due(&mut self, moment: impl Fn(Trigger) -> bool) -> ControlFlow<End> {
        for kind in self.peer.due(moment) {
            self.inject(kind).await?;
        }
        Continue(())
    }

    async fn inject(&mut self, kind: FaultKind) -> ControlFlow<End> {
        self.peer.fault(&kind);
        match kind.clone() {
            FaultKind::Close(code) => {
                self.session.out.clear();
                return self.close(code, "", End::Fault);
            }
            FaultKind::Error { code, body } => {
                self.session.out.clear();
                self.session.fail_with(code, body);
            }
            FaultKind::NoFinal => self.no_final = true,
            FaultKind::Text(text) => self.session.out.push_back(Out::Text(text)),
            FaultKind::Bytes(bytes) => self.session.out.push_back(Out::Binary(bytes)),
            FaultKind::Ping(count) => {
                for _ in 0..count {
                    self.write(Message::Ping(Vec::new().into()))?;
                }
            }
            FaultKind::Raw(_) => {
                // Messages that wait go out first.
                let held = *self.gates.borrow();
                self.send_out(held)?;
                let _ = self.ws.flush().await;
            }
            // A session that hangs is none for the quota.
            FaultKind::Hang => self.live = None,
            FaultKind::Reset | FaultKind::Drop | FaultKind::Delay(_) => {}
            FaultKind::Trickle(..) | FaultKind::Http(_) => {}
        }
        self.ws.get_mut().inject(&kind).await
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
        match reads {
            true => Pin::new(&mut *ws).poll_next(cx),
            false => Poll::Pending,
        }
    })
    .await
}
