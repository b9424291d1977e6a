//! Faults and gates: which come when, and how a connection ends.

use crate::client::*;
use std::time::Duration;
use volcasr_loopback::{End, Fault, FaultKind, Gate, Trigger};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn faults_strike_at_their_moments() {
    let at = |ms| Trigger::Audio(Duration::from_millis(ms));
    let faults = vec![
        Fault::nth(1, FaultKind::Reset, at(300)),
        Fault::nth(2, FaultKind::Drop, at(300)),
        Fault::nth(3, FaultKind::Close(1011), at(300)),
        Fault::nth(
            4,
            FaultKind::Error {
                code: 55_000_031,
                body: "busy".into(),
            },
            Trigger::Ack,
        ),
        Fault::nth(
            5,
            FaultKind::Error {
                code: 1,
                body: "late".into(),
            },
            Trigger::Finish,
        ),
        Fault::nth(6, FaultKind::Bytes(vec![1, 2]), at(300)),
        Fault::nth(7, FaultKind::Raw(vec![0xff; 4]), at(300)),
        Fault::nth(8, FaultKind::Reset, Trigger::Accept),
        Fault::nth(
            9,
            FaultKind::Http {
                status: 429,
                headers: vec![("Retry-After".into(), "1".into())],
                body: "slow".into(),
            },
            Trigger::Handshake,
        ),
        Fault::nth(10, FaultKind::Ping(3), at(300)),
        Fault::nth(
            11,
            FaultKind::Close(1001),
            Trigger::Wall(Duration::from_millis(100)),
        ),
    ];
    let service = exact_service(|o| o.faults = faults);
    let mut ends: Vec<Got> = Vec::new();
    for _ in 1..=7 {
        let (mut client, ack) = Client::ready(&service, request_json()).await;
        if let Got::Error(..) = ack {
            ends.push(ack);
            continue;
        }
        client.stream(&[0; 48 * 300], 100).await;
        client.finish().await;
        ends.push(
            client
                .until(|got| !matches!(got, Got::Ping))
                .await
                .pop()
                .unwrap(),
        );
    }
    assert_eq!(ends[..2], [Got::Lost, Got::Lost]);
    assert_eq!(ends[2], Got::Close(Some(1011)));
    assert_eq!(ends[3], Got::Error(55_000_031, "busy".into()));
    assert_eq!(ends[4], Got::Error(1, "late".into()));
    assert_eq!(ends[5], Got::Odd(vec![1, 2]));
    assert_eq!(ends[6], Got::Lost);
    assert!(
        Client::with(&service, upgrade(&service.uri()))
            .await
            .is_err()
    );
    let Err(tokio_tungstenite::tungstenite::Error::Http(refused)) =
        Client::with(&service, upgrade(&service.uri())).await
    else {
        panic!()
    };
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["Retry-After"].as_bytes()
        ),
        (429, &b"1"[..])
    );
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.stream(&[0; 48 * 300], 100).await;
    assert_eq!(
        [client.get().await, client.get().await, client.get().await],
        [Got::Ping, Got::Ping, Got::Ping]
    );
    assert!(service.wait(PATIENCE, |all| {
        all[..3].iter().all(|c| c.end == Some(End::Fault))
    }));
    assert_eq!(service.connections()[0].faults, ["reset"]);
}

#[tokio::test]
async fn a_fault_of_the_kind_once_comes_once_and_of_each_on_each() {
    let at = |ms| Trigger::Audio(Duration::from_millis(ms));
    let service = exact_service(|o| {
        o.faults = vec![
            Fault::once(FaultKind::Reset, at(100)),
            Fault::each(FaultKind::Bytes(vec![7]), at(50)),
        ];
    });
    for lost in [true, false] {
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.stream(&[0; 48 * 100], 50).await;
        client.finish().await;
        let all = client.until(Got::is_last_or_odd).await;
        assert!(lost || all.contains(&Got::Odd(vec![7])), "{all:?}");
        let all = client.until(Got::is_last).await;
        assert_eq!(all.contains(&Got::Lost), lost, "{all:?}");
    }
}

#[tokio::test]
async fn a_service_that_hangs_blocks_writes_and_goes_with_the_client() {
    let service = exact_service(|o| {
        o.faults = vec![Fault::once(
            FaultKind::Hang,
            Trigger::Audio(Duration::from_millis(100)),
        )];
        o.receive_buffer = Some(8 * 1024);
    });
    let (mut client, _) = Client::ready(&service, request_json()).await;
    let pour = tokio::time::timeout(Duration::from_millis(300), async {
        loop {
            client.audio(&[0; 96_000]).await;
        }
    });
    assert!(pour.await.is_err());
    assert_eq!(service.live_sessions(), 0);
    drop(client);

    let service = exact_service(|o| {
        o.faults = vec![Fault::once(
            FaultKind::Hang,
            Trigger::Audio(Duration::from_millis(10)),
        )]
    });
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    drop(client);
    assert!(service.wait(PATIENCE, |all| all[0].end == Some(End::Fault)));
}

#[tokio::test]
async fn a_final_response_may_never_come_or_trickle() {
    let period = Duration::from_millis(1);
    let service = exact_service(|o| {
        o.faults = vec![
            Fault::nth(1, FaultKind::NoFinal, Trigger::Finish),
            Fault::nth(2, FaultKind::Trickle(period), Trigger::Ack),
        ];
    });
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.finish().await;
    assert!(service.wait(PATIENCE, |all| all[0].finish_at.is_some()));
    assert!(service.inject(FaultKind::Bytes(vec![9])));
    assert_eq!(client.get().await, Got::Odd(vec![9]), "nothing before it");
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.responses().await;
    let connection = service.connections().remove(1);
    assert!(connection.final_at.unwrap() - connection.accepted_at > 100 * period);
}

#[tokio::test]
async fn gates_hold_and_release() {
    let service = exact_service(|_| {});
    service.hold(Gate::Ack);
    service.hold(Gate::Final);
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    client.audio(&[0; 960]).await;
    client.finish().await;
    assert!(service.wait(PATIENCE, |all| all[0].finish_at.is_some()));
    assert!(service.connections()[0].responses.is_empty());
    service.release(Gate::Ack);
    assert!(service.wait(PATIENCE, |all| all[0].responses.len() == 1));
    service.release(Gate::Final);
    assert_eq!(
        client.until(|_| false).await.last(),
        Some(&Got::Close(Some(1000)))
    );
    client.until(|_| false).await;
    assert!(service.wait(PATIENCE, |all| all[0].end == Some(End::Finished)));

    service.hold(Gate::Reading);
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    client.audio(&[0; 960]).await;
    assert!(!service.wait(Duration::from_millis(50), |all| all[1].packets > 0));
    service.release(Gate::Reading);
    assert!(service.wait(PATIENCE, |all| all[1].packets == 2));
    assert!(service.inject(FaultKind::Reset));
    assert!(service.wait(PATIENCE, |all| all[1].end == Some(End::Fault)));
}
