//! The task behind a [`Client`](super::Client): does what [`Recognition`] decides.
//!
//! One loop carries out the machine's actions, hands its frames to the socket, passes on its
//! events, and then waits for the first of: a command, a message, the connector, the end of a
//! closed connection, input, a deadline. There is no rule of recognition here.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::task::coop::unconstrained;
use tokio::time::sleep_until;

use super::close::drain_and_close;
use super::config::Config;
use super::connect::{ConnectEvent, Connector};
use super::error::{Abort, ClientError};
use super::event::{Event, EventHandler};
use super::net::websocket::{WebSocket, WsEvent};
use super::report::Reporter;
use super::runtime::{RuntimeError, spawn};
use super::shared::Shared;
use crate::session::counts::Counts;
use crate::session::recognition::{Action, Output, Recognition};

/// The driver's state: the machine, and what it acts on.
struct Driver {
    shared: Arc<Shared>,
    machine: Recognition<ClientError>,
    connector: Connector,
    websocket: Option<Box<WebSocket>>,
    /// The end of the connection before.
    closing: Option<JoinHandle<()>>,
    reporter: Reporter,
    /// The machine's totals, as they were published last.
    published: Counts,
}

/// Result of a wait.
enum Woken {
    Control,
    Message(WsEvent),
    Connector(ConnectEvent),
    Closed,
    Input,
    Deadline,
}

/// Starts a driver as a task, and reports its end, a panic included.
pub(super) fn start(
    shared: Arc<Shared>,
    config: Config,
    handler: Arc<dyn EventHandler>,
) -> Result<(), RuntimeError> {
    let config = Arc::new(config);
    let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
    let jitter = random as f64 / u64::MAX as f64;
    let driver = Driver {
        machine: Recognition::new(config.session_settings(), jitter),
        connector: Connector::new(config.clone(), shared.started),
        websocket: None,
        closing: None,
        reporter: Reporter::new(config, handler.clone()),
        published: Counts::default(),
        shared: shared.clone(),
    };
    // A future that owns the driver by value would have room for it twice.
    let task = spawn(Box::new(driver).run())?;
    spawn(async move {
        // A panic in a task goes unnoticed otherwise, and the pipeline would wait for ever.
        if task.await.is_err() {
            let epoch = {
                let mut state = shared.state();
                state.failed = true;
                state.epoch
            };
            let (error, lost) = (Abort::Internal.into(), true);
            handler.handle(epoch, Event::Failed { error, lost });
            shared.changed.notify_all();
        }
    })?;
    Ok(())
}

impl Driver {
    async fn run(mut self: Box<Self>) {
        loop {
            self.advance();
            if self.machine.has_failed() {
                break;
            }
            match self.wait().await {
                Woken::Control if self.on_control() => break,
                Woken::Control | Woken::Input => {}
                Woken::Message(event) => self.on_message(event),
                Woken::Connector(event) => self.on_connector(event),
                Woken::Closed => self.machine.handle_closed(),
                Woken::Deadline => self.machine.handle_nothing_to_read(),
            }
        }
        self.close(None);
        if let Some(closing) = self.closing.take() {
            let _ = closing.await;
        }
    }

    /// Does everything that can be done without waiting.
    fn advance(&mut self) {
        // First, or a peer that never stops talking would put it off for ever.
        let now = self.now();
        if self.machine.poll_timeout().is_some_and(|at| at <= now) {
            let mut input = self.shared.queue_access(self.reporter.epoch);
            self.machine.handle_timeout(now, &mut input);
        }
        while self.act() || self.transmit() || self.act() {}
        // Before the events: a reader of a message finds its latency in the figures.
        let counts = self.machine.counts();
        if self.published != counts {
            self.published = counts;
            self.shared.state().counts.connections = self.published;
        }
        while let Some(output) = self.machine.poll_output() {
            let failed = matches!(output, Output::Event(Event::Failed { .. }));
            if failed {
                self.shared.state().failed = true;
            }
            self.reporter.pass_on(output);
            if failed {
                self.shared.changed.notify_all();
            }
        }
    }

    /// Carries out one action. Returns whether there was one.
    fn act(&mut self) -> bool {
        let (now, mut input) = (self.now(), self.shared.queue_access(self.reporter.epoch));
        match self.machine.poll_action(now, &mut input) {
            None => return false,
            Some(Action::Preconnect) => self.connector.preconnect(),
            Some(Action::Discard) => self.connector.discard(),
            Some(Action::Connect { until }) => self.connector.connect(until),
            Some(Action::CancelHandshake) => self.connector.cancel_handshake(),
            Some(Action::Close { finish }) => self.close(finish),
        }
        true
    }

    /// Hands one frame to the socket. Returns whether there was one.
    fn transmit(&mut self) -> bool {
        let (now, mut input) = (self.now(), self.shared.queue_access(self.reporter.epoch));
        let Some(websocket) = self.websocket.as_mut().filter(|w| w.is_ready()) else {
            return false;
        };
        let Some(frame) = self.machine.poll_transmit(now, &mut input) else {
            return false;
        };
        if let Err(error) = websocket.send(frame) {
            let acknowledged = self.machine.is_acknowledged();
            let error = ClientError::from_websocket(error, acknowledged);
            self.machine.handle_write_failed(now, error);
        }
        true
    }

    /// Closes the connection in the background.
    fn close(&mut self, finish: Option<bytes::Bytes>) {
        let closing = self.websocket.take().map(|websocket| match finish {
            Some(finish) => spawn(drain_and_close(*websocket, finish)),
            None => spawn(websocket.close()),
        });
        match closing {
            Some(Ok(closing)) => self.closing = Some(closing),
            Some(Err(_)) | None => self.machine.handle_closed(),
        }
    }

    /// Waits until something happens. Can be dropped: what it waits for is in the driver.
    async fn wait(&mut self) -> Woken {
        let deadline = self.machine.poll_timeout();
        let wake = self.shared.started + deadline.unwrap_or_default();
        let can_send = self.websocket.as_ref().is_none_or(|w| w.is_ready());
        let wants_input = can_send && self.machine.waits_for_input();
        tokio::select! {
            biased;
            () = self.shared.control.notified() => Woken::Control,
            event = next_message(&mut self.websocket) => Woken::Message(event),
            event = self.connector.next(), if self.connector.is_busy() => Woken::Connector(event),
            () = closed(&mut self.closing) => Woken::Closed,
            () = self.shared.ready.notified(), if wants_input => Woken::Input,
            // Also after a peer whose fragments never end has used up the task's turn.
            () = unconstrained(sleep_until(wake)), if deadline.is_some() => Woken::Deadline,
        }
    }

    /// Obeys the owner. Returns whether it is over.
    fn on_control(&mut self) -> bool {
        let state = self.shared.state();
        if state.stopped {
            return true;
        }
        if let Some(abort) = state.abort {
            self.machine.handle_abort(abort.into());
        } else if state.epoch != self.reporter.epoch {
            self.reporter.epoch = state.epoch;
            self.machine.handle_flush();
        }
        false
    }

    fn on_message(&mut self, event: WsEvent) {
        let (now, mut input) = (self.now(), self.shared.queue_access(self.reporter.epoch));
        let acknowledged = self.machine.is_acknowledged();
        match event {
            WsEvent::Written => self.machine.handle_written(now),
            WsEvent::Frame(bytes) => {
                let wants_json = self.shared.wants_responses();
                self.machine
                    .handle_message(now, &mut input, &bytes, wants_json);
            }
            WsEvent::Text(length) => self.machine.handle_text(length),
            WsEvent::Heartbeat => {}
            WsEvent::Closed { code, reason } => {
                self.machine
                    .handle_peer_closed(now, &mut input, code, reason);
            }
            WsEvent::WriteFailed(error) => {
                let error = ClientError::from_websocket(error, acknowledged);
                self.machine.handle_write_failed(now, error);
            }
            WsEvent::Broken(error) => {
                let error = ClientError::from_websocket(error, acknowledged);
                self.machine.handle_read_failed(now, &mut input, error);
            }
        }
    }

    fn on_connector(&mut self, event: ConnectEvent) {
        let language = self.shared.state().language.take();
        if let Some(language) = language {
            self.machine.set_language(language);
        }
        let (now, mut input) = (self.now(), self.shared.queue_access(self.reporter.epoch));
        match event {
            ConnectEvent::Ready => self.machine.handle_network_ready(now),
            ConnectEvent::Handshake { connect_id } => self.reporter.on_handshake(connect_id),
            ConnectEvent::Connected {
                websocket,
                log_id,
                took,
            } => {
                self.reporter.on_log_id(log_id);
                self.shared.state().counts.connect_time = took;
                self.websocket = Some(websocket);
                self.machine.handle_connected(now);
            }
            ConnectEvent::Failed(error) => {
                if let ClientError::Handshake(_) = error {
                    let failure = error.failure();
                    self.reporter
                        .on_log_id(failure.and_then(|failure| failure.log_id.clone()));
                }
                self.machine.handle_connect_failed(now, &mut input, error);
            }
        }
    }

    fn now(&self) -> Duration {
        self.shared.now()
    }
}

/// Waits for a message. For ever, if there is no connection.
async fn next_message(websocket: &mut Option<Box<WebSocket>>) -> WsEvent {
    match websocket {
        Some(websocket) => websocket.next().await,
        None => std::future::pending().await,
    }
}

/// Waits for the end of the connection before. For ever, if there is none.
async fn closed(closing: &mut Option<JoinHandle<()>>) {
    match closing {
        Some(task) => {
            let _ = task.await;
            *closing = None;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
