//! A connection until the 101: TLS, the upgrade request, its refusals, and the faults of that time.

use crate::{
    codes,
    fault::{FaultKind, Trigger},
    options::{Endpoint, Oddity, Options},
    record::End,
    service::{Gate, Shared, is_open},
    upgrade::{HttpAnswer, Upgrade},
    wire::Wire,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for TLS, and for the upgrade request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection behind its 101.
pub(crate) struct Upgraded {
    pub endpoint: Endpoint,
    pub wire: Wire,
    pub upgrade: Upgrade,
    pub log_id: String,
    /// The faults that have come already.
    pub fired: Vec<bool>,
}

/// Everything until the 101.
pub(crate) async fn upgrade(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: &Arc<Shared>,
    number: usize,
) -> Result<Upgraded, End> {
    let log_id = format!("loopback-{}", uuid::Uuid::new_v4().simple());
    let mut fired = Vec::new();
    let mut wire = Wire::plain(tcp);
    for kind in shared.due(number, &mut fired, |trigger| trigger == Trigger::Accept) {
        inject_early(&mut wire, shared, number, &kind, &log_id).await?;
    }
    if let Some(acceptor) = tls {
        wire = match timeout(PATIENCE, wire.secure(acceptor)).await {
            Ok(Ok(wire)) => wire,
            _ => return Err(End::NoUpgrade),
        };
    }
    let Ok(Ok(upgrade)) = timeout(PATIENCE, Upgrade::read(&mut wire)).await else {
        return Err(End::NoUpgrade);
    };
    shared.record(number, |c| {
        c.path = upgrade.path();
        c.headers = upgrade.headers();
        c.log_id.clone_from(&log_id);
    });
    for kind in shared.due(number, &mut fired, |trigger| trigger == Trigger::Handshake) {
        inject_early(&mut wire, shared, number, &kind, &log_id).await?;
    }
    let mut gates = shared.gates();
    let _ = gates.wait_for(|held| is_open(*held, Gate::Upgrade)).await;
    let (endpoint, head) = match upgrade.answer(&shared.options, &log_id) {
        Ok(answer) => answer,
        Err(answer) => return Err(refuse(&mut wire, shared, number, &answer, &log_id).await),
    };
    if wire.write_all(&head).await.is_err() || wire.flush().await.is_err() {
        return Err(End::ClientLost);
    }
    shared.record(number, |c| c.http_status = Some(101));

    Ok(Upgraded {
        endpoint,
        wire,
        upgrade,
        log_id,
        fired,
    })
}

/// The refusal of a session for its number among those that live, or among all ever. It comes after
/// the 101, instead of the ack.
pub(crate) fn refusal(options: &Options, sessions: (usize, usize)) -> Option<(u32, String)> {
    let (living, ever) = sessions;
    let kind = if options.lifetime_sessions.is_some_and(|max| ever > max) {
        "audio_duration_lifetime"
    } else if options.max_sessions.is_some_and(|max| living > max) {
        "concurrency"
    } else {
        return None;
    };
    Some((codes::QUOTA, format!("quota exceeded for types: {kind}")))
}

async fn refuse(
    wire: &mut Wire,
    shared: &Shared,
    number: usize,
    answer: &HttpAnswer,
    log_id: &str,
) -> End {
    let chunked = shared.options.has(Oddity::ChunkedRefusals);
    let _ = wire.write_all(&answer.encode(log_id, chunked)).await;
    let (status, body) = (answer.status, &answer.body);
    shared.log(number, format_args!("refused: HTTP {status} {body}"));
    shared.record(number, |c| {
        c.http_status = Some(status);
        c.log_id = log_id.to_owned();
    });
    drain(wire).await;
    End::Refused(status)
}

/// Ends the sending side and reads on for a moment: closing with unread data would become a reset
/// that takes the last bytes with it.
pub(crate) async fn drain(wire: &mut Wire) {
    let _ = wire.shutdown().await;
    let mut sink = [0; 4096];
    let _ = timeout(Duration::from_secs(1), async {
        while matches!(wire.read(&mut sink).await, Ok(n) if n > 0) {}
    })
    .await;
}

/// A fault before the 101. What only a session can do is passed over.
async fn inject_early(
    wire: &mut Wire,
    shared: &Shared,
    number: usize,
    kind: &FaultKind,
    log_id: &str,
) -> Result<(), End> {
    shared.fault(number, kind);
    match kind {
        FaultKind::Reset => reset(wire),
        FaultKind::Drop => drain(wire).await,
        FaultKind::Hang => hang(wire).await,
        FaultKind::Http {
            status,
            headers,
            body,
        } => {
            let answer = HttpAnswer {
                status: *status,
                headers: headers.clone(),
                body: body.clone(),
            };
            return Err(refuse(wire, shared, number, &answer, log_id).await);
        }
        FaultKind::Delay(time) => {
            sleep(*time).await;
            return Ok(());
        }
        FaultKind::Trickle(period, count) => {
            wire.trickle(*period, *count);
            return Ok(());
        }
        FaultKind::Raw(bytes) => {
            let _ = wire.write_all(bytes).await;
            return Ok(());
        }
        _ => return Ok(()),
    }
    Err(End::Fault)
}

pub(crate) fn reset(wire: &Wire) {
    let _ = wire.tcp().set_zero_linger();
}

/// Neither reads nor writes until the client is gone. (One whose last data can't be sent for lack
/// of room is never seen to go.)
pub(crate) async fn hang(wire: &Wire) {
    // Looked at now and then: readiness stays set while nothing is read, so that waiting for it
    // would spin.
    while matches!(wire.tcp().ready(Interest::READABLE).await, Ok(ready) if !ready.is_read_closed())
    {
        sleep(Duration::from_millis(50)).await;
    }
}
