//! A connection until the 101: TLS, the upgrade request, its refusals, and the faults of that time.

use crate::{
    codes,
    fault::{What, When},
    options::Endpoint,
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
    /// The faults that have struck.
    pub struck: Vec<bool>,
}

/// Everything until the 101.
pub(crate) async fn upgrade(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: &Arc<Shared>,
    number: usize,
) -> Result<Upgraded, End> {
    let log_id = format!("loopback-{}", uuid::Uuid::new_v4().simple());
    let mut struck = Vec::new();
    let mut wire = Wire::plain(tcp);
    for what in shared.due(number, &mut struck, |when| when == When::Accept) {
        strike_early(&mut wire, shared, number, &what, &log_id).await?;
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
        c.path.clone_from(&upgrade.path);
        c.headers.clone_from(&upgrade.headers);
        c.log_id.clone_from(&log_id);
    });
    for what in shared.due(number, &mut struck, |when| when == When::Handshake) {
        strike_early(&mut wire, shared, number, &what, &log_id).await?;
    }
    let mut gates = shared.gates();
    let _ = gates.wait_for(|held| is_open(*held, Gate::Upgrade)).await;
    let endpoint = match upgrade.check(&shared.options) {
        Ok(endpoint) => endpoint,
        Err(answer) => return Err(refuse(&mut wire, shared, number, &answer, &log_id).await),
    };
    if wire.write_all(&upgrade.accept(&log_id)).await.is_err() || wire.flush().await.is_err() {
        return Err(End::ClientLost);
    }
    shared.record(number, |c| c.http_status = Some(101));

    Ok(Upgraded {
        endpoint,
        wire,
        upgrade,
        log_id,
        struck,
    })
}

/// What is wrong with the session itself; told after the 101, instead of the ack.
pub(crate) fn refusal(
    shared: &Shared,
    upgrade: &Upgrade,
    sessions: usize,
    ever: usize,
) -> Option<(u32, String)> {
    for (name, needed) in [("X-Api-Connect-Id", true), ("X-Api-Request-Id", false)] {
        match upgrade.header(name) {
            None if needed => return Some((codes::PARAMETERS, format!("missing field: {name}"))),
            None => {}
            Some(id) if uuid::Uuid::try_parse(id).is_err() => {
                return Some((
                    codes::PARAMETERS,
                    format!("invalid parameters: {name} is no UUID"),
                ));
            }
            // The two may be equal to each other: kept apart by name.
            Some(id) if !shared.is_fresh(&format!("{name} {id}")) => {
                return Some((codes::PARAMETERS, "repeated request id".to_owned()));
            }
            Some(_) => {}
        }
    }
    // Older servers ignore it, newer documentation wants it: what it may be is known, and all that is checked.
    if let Some(other) = upgrade
        .header("X-Api-Sequence")
        .filter(|&value| value != "-1")
    {
        return Some((
            codes::PARAMETERS,
            format!("invalid parameters: X-Api-Sequence {other}"),
        ));
    }
    if shared
        .options
        .lifetime_sessions
        .is_some_and(|max| ever > max)
    {
        return Some((
            codes::QUOTA,
            "quota exceeded for types: audio_duration_lifetime".to_owned(),
        ));
    }
    if shared
        .options
        .max_sessions
        .is_some_and(|max| sessions > max)
    {
        return Some((
            codes::QUOTA,
            "quota exceeded for types: concurrency".to_owned(),
        ));
    }
    None
}

async fn refuse(
    wire: &mut Wire,
    shared: &Shared,
    number: usize,
    answer: &HttpAnswer,
    log_id: &str,
) -> End {
    let chunked = shared.options.oddities.chunked_refusals;
    let _ = wire.write_all(&answer.encode(log_id, chunked)).await;
    shared.record(number, |c| {
        c.http_status = Some(answer.status);
        c.log_id = log_id.to_owned();
    });
    drain(wire).await;
    End::Refused(answer.status)
}

/// Ends the sending side and reads on for a moment: closing with unread data would become a reset that takes
/// the last bytes with it.
pub(crate) async fn drain(wire: &mut Wire) {
    let _ = wire.shutdown().await;
    let mut sink = [0; 4096];
    let _ = timeout(Duration::from_secs(1), async {
        while matches!(wire.read(&mut sink).await, Ok(n) if n > 0) {}
    })
    .await;
}

/// A fault before the 101. What only a session can do is passed over.
async fn strike_early(
    wire: &mut Wire,
    shared: &Shared,
    number: usize,
    what: &What,
    log_id: &str,
) -> Result<(), End> {
    shared.record(number, |c| c.faults.push(what.to_string()));
    match what {
        What::Reset => reset(wire),
        What::Drop => drain(wire).await,
        What::Hang => hang(wire).await,
        What::Http {
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
        What::Delay(time) => {
            sleep(*time).await;
            return Ok(());
        }
        What::Trickle(period) => {
            wire.trickle(*period, u64::MAX);
            return Ok(());
        }
        What::TrickleFor(period, count) => {
            wire.trickle(*period, *count);
            return Ok(());
        }
        What::Raw(bytes) => {
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

/// Neither reads nor writes until the client is gone. (One whose last data can't be sent for lack of room is never seen to go.)
pub(crate) async fn hang(wire: &Wire) {
    // Looked at now and then: readiness stays set while nothing is read, so that waiting for it would spin.
    while matches!(wire.tcp().ready(Interest::READABLE).await, Ok(ready) if !ready.is_read_closed())
    {
        sleep(Duration::from_millis(50)).await;
    }
}
