//! The service: its thread, its listener, and what tests see and do while it runs.

use crate::{
    connection,
    fault::{FaultKind, Target, Trigger},
    options::{Endpoint, Options},
    record::{Connection, End},
    stderr,
};
use std::{
    collections::HashSet,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::{Builder, Runtime},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

/// Something that is held back until it is released, so that tests make races by conditions and not
/// by sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The HTTP answer.
    Upgrade,
    /// The ack, and what is behind it.
    Ack,
    /// Answers, and what is behind them.
    Responses,
    /// The final response, and the close behind it.
    Final,
    /// Reading from the socket.
    Reading,
}

/// A running service. Dropping it ends it and all its connections.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Service {
    /// Starts a service on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken, or the recogniser is not installed: the text says how to get it.
    pub fn start(options: Options) -> io::Result<Self> {
        if options.recogniser == crate::Recogniser::Pocketsphinx {
            crate::pocketsphinx::pipeline(16_000).map_err(io::Error::other)?;
        }
        let tls = options.tls.as_ref().map(|identity| identity.acceptor());
        let runtime = Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("loopback")
            .enable_all()
            .build()?;
        let listener = {
            let _context = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            if let Some(size) = options.receive_buffer {
                // Before listening: accepted sockets inherit it.
                socket.set_recv_buffer_size(size)?;
            }
            socket.bind((Ipv4Addr::LOCALHOST, options.port).into())?;
            socket.listen(4096)?
        };
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            options: Arc::new(options),
            state: Mutex::default(),
            changed: Condvar::new(),
            gates: watch::Sender::new(0),
        });
        runtime.spawn(accept(listener, tls, shared.clone()));
        Ok(Self {
            shared,
            address,
            runtime: Some(runtime),
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URI of `bigmodel_async`.
    pub fn uri(&self) -> String {
        self.uri_for(Endpoint::Async)
    }

    /// The URI of an endpoint.
    pub fn uri_for(&self, endpoint: Endpoint) -> String {
        let scheme = match self.shared.options.tls {
            Some(_) => "wss",
            None => "ws",
        };
        format!("{scheme}://{}{}", self.address, endpoint.path())
    }

    /// Returns a copy of the records of all connections, in the order of acceptance.
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.lock().connections.clone()
    }

    /// Reads the records of all connections without a copy. The service waits meanwhile.
    pub fn inspect<R>(&self, look: impl FnOnce(&[Connection]) -> R) -> R {
        look(&self.shared.lock().connections)
    }

    /// Waits until `condition` holds, and says whether it does. It is asked anew whenever a
    /// connection has done something.
    pub fn wait(&self, timeout: Duration, condition: impl Fn(&[Connection]) -> bool) -> bool {
        let (state, changed) = (self.shared.lock(), &self.shared.changed);
        let waited =
            changed.wait_timeout_while(state, timeout, |state| !condition(&state.connections));
        let (_state, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        !timed_out.timed_out()
    }

    /// Holds something back on all connections, those to come included.
    pub fn hold(&self, gate: Gate) {
        let gates = &self.shared.gates;
        gates.send_modify(|held| *held |= 1 << gate as u8);
    }

    /// Lets it through again.
    pub fn release(&self, gate: Gate) {
        let gates = &self.shared.gates;
        gates.send_modify(|held| *held &= !(1 << gate as u8));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // In the background: it may be dropped in a test's own runtime, where waiting for another
        // one panics.
        let runtime = self.runtime.take();
        runtime.into_iter().for_each(Runtime::shutdown_background);
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                let _ = tcp.set_nodelay(true);
                let connection = Peer::accepted(shared.clone());
                connection.log(format_args!("connection from {peer}"));
                tokio::spawn(connection::serve(tcp, tls.clone(), connection));
            }
            // Out of descriptors, most likely: others must be closed first.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// State that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub options: Arc<Options>,
    state: Mutex<State>,
    changed: Condvar,
    gates: watch::Sender<u8>,
}

#[derive(Debug, Default)]
struct State {
    connections: Vec<Connection>,
    /// Which faults have come, and on which connection; none for those that come once.
    fired: HashSet<(usize, Option<usize>)>,
    /// Sessions that are live, and those that ever were.
    sessions: (usize, usize),
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test's condition that panicked under the lock has changed nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn gates(&self) -> watch::Receiver<u8> {
        self.gates.subscribe()
    }

    /// Counts a session. One too many is refused with this text after the 101, instead of the ack.
    pub(crate) fn session(self: &Arc<Self>) -> (Live, Option<String>) {
        let mut state = self.lock();
        let (live, ever) = &mut state.sessions;
        (*live, *ever) = (*live + 1, *ever + 1);
        let (most, most_ever) = (self.options.max_sessions, self.options.lifetime_sessions);
        let kind = match () {
            () if most_ever.is_some_and(|most| *ever > most) => Some("audio_duration_lifetime"),
            () if most.is_some_and(|most| *live > most) => Some("concurrency"),
            () => None,
        };
        let refusal = kind.map(|kind| format!("quota exceeded for types: {kind}"));
        (Live(self.clone()), refusal)
    }
}

/// The part of one connection in the shared state.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub shared: Arc<Shared>,
    pub number: usize,
    pub accepted: tokio::time::Instant,
    pub log_id: String,
}

impl Peer {
    fn accepted(shared: Arc<Shared>) -> Self {
        let mut state = shared.lock();
        let number = state.connections.len() + 1;
        let accepted = tokio::time::Instant::now();
        let log_id = format!("loopback-{}", uuid::Uuid::new_v4().simple());
        state.connections.push(Connection {
            number,
            accepted_at: Some(accepted.into()),
            log_id: log_id.clone(),
            ..Connection::default()
        });
        drop(state);
        shared.changed.notify_all();
        Self {
            shared,
            number,
            accepted,
            log_id,
        }
    }

    /// Changes the record of the connection, and lets waiting tests look.
    pub(crate) fn record(&self, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.shared.lock().connections.get_mut(self.number - 1) {
            change(connection);
        }
        self.shared.changed.notify_all();
    }

    /// Says on stderr what the connection did, where that is asked for.
    pub(crate) fn log(&self, text: fmt::Arguments<'_>) {
        if self.shared.options.log {
            stderr::line(format_args!("loopback: #{} {text}", self.number));
        }
    }

    /// Records and logs a fault that comes.
    pub(crate) fn fault(&self, kind: &FaultKind) {
        self.log(format_args!("fault: {kind}"));
        self.record(|c| c.faults.push(kind.to_string()));
    }

    pub(crate) fn ended(&self, end: End) {
        self.log(format_args!("end: {end}"));
        self.record(|c| (c.end, c.ended_at) = (Some(end), Some(Instant::now())));
    }

    /// The faults whose moment it is on this connection.
    pub(crate) fn due(&self, moment: impl Fn(Trigger) -> bool) -> Vec<FaultKind> {
        let mut due = Vec::new();
        for (n, fault) in self.shared.options.faults.iter().enumerate() {
            let place = match fault.target {
                Target::Once => None,
                Target::Connection(only) if only != self.number => continue,
                Target::Each | Target::Connection(_) => Some(self.number),
            };
            if moment(fault.trigger) && self.shared.lock().fired.insert((n, place)) {
                due.push(fault.kind.clone());
            }
        }
        due
    }
}

/// A session that counts as live while this is there.
pub(crate) struct Live(Arc<Shared>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.lock().sessions.0 -= 1;
    }
}

/// Whether the gate is open.
pub(crate) fn is_open(held: u8, gate: Gate) -> bool {
    held & (1 << gate as u8) == 0
}
