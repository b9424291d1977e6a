//! Retries of each error, and one error of each kind.

pub(crate) mod examples;

use tokio_tungstenite::tungstenite::error::CapacityError;

use super::*;

#[test]
fn each_error_has_its_retry() {
    let refused = |status| HandshakeError::Refused(Failure::from_http(status, b"")).into();
    let error = |code| {
        let failure = Failure::from_error_frame(code, b"");
        SessionError::Failure(Box::new(failure)).into()
    };
    let of_failures = [
        (refused(503), Retry::Later),
        (refused(401), Retry::Never),
        (error(55_000_031), Retry::Later),
        (error(55_000_007), Retry::Limited),
    ];
    for (error, retry) in examples::one_of_each().into_iter().chain(of_failures) {
        assert_eq!(error.retry(), retry, "{error}");
    }
}

/// HTTP has a status for a request that did not come in time.
#[test]
fn a_connection_that_waited_too_long_ends_without_an_answer_or_with_408() {
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    assert!(ClientError::from(HandshakeError::Io(reset)).is_stale_connection());
    for (status, stale) in [(408, true), (503, false)] {
        let refused = HandshakeError::Refused(Failure::from_http(status, b""));
        assert_eq!(ClientError::from(refused).is_stale_connection(), stale);
    }
}

/// Broken framing is corruption only after an answer; an abrupt end is a loss in any case.
#[test]
fn an_error_of_the_websocket_is_a_loss_corruption_or_no_service() {
    let reset = || WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake);
    let too_long = || {
        let (size, max_size) = (2, 1);
        WsError::Capacity(CapacityError::MessageTooLong { size, max_size })
    };
    #[rustfmt::skip]
    let rows: [(fn() -> WsError, _, _); 8] = [
        (|| WsError::Io(io::ErrorKind::BrokenPipe.into()), Retry::Soon, Retry::Soon),
        (|| WsError::AlreadyClosed, Retry::Soon, Retry::Soon),
        (|| WsError::ConnectionClosed, Retry::Soon, Retry::Soon),
        (reset, Retry::Soon, Retry::Soon),
        (|| WsError::Protocol(ProtocolError::NonZeroReservedBits), Retry::Never, Retry::Limited),
        (|| WsError::Protocol(ProtocolError::InvalidCloseSequence), Retry::Never, Retry::Limited),
        (|| WsError::Utf8(String::new()), Retry::Never, Retry::Limited),
        (too_long, Retry::Never, Retry::Never),
    ];
    for (error, first, later) in rows {
        for (answered, retry) in [(false, first), (true, later)] {
            let error = ClientError::from_websocket(error(), answered);
            let is_its_kind = match retry {
                Retry::Soon => matches!(error, ClientError::Transport(_)),
                Retry::Limited => matches!(error, ClientError::Corrupt(_)),
                _ => matches!(error, ClientError::Session(SessionError::Protocol(_))),
            };
            assert!(
                is_its_kind && error.retry() == retry,
                "{answered}: {error:?}"
            );
        }
    }
}
