//! Retries of each error, and one error of each kind.

pub(crate) mod examples;

use std::time::Duration;

use tokio_tungstenite::tungstenite::error::CapacityError;

use super::*;

#[test]
fn each_error_has_its_retry() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let time = Duration::from_secs(1);
    let closed = |code| {
        let reason = String::new();
        SessionError::Closed { code, reason }.into()
    };
    let refused = |status| HandshakeError::Refused(Failure::from_http(status, b"")).into();
    let error = |code| {
        let failure = Failure::from_error_frame(code, b"");
        SessionError::Failure(Box::new(failure)).into()
    };
    let retries: [(ClientError, _); 15] = [
        (HandshakeError::Io(reset()).into(), Retry::Soon),
        (refused(503), Retry::Later),
        (refused(401), Retry::Never),
        (closed(1000), Retry::Soon),
        (closed(1011), Retry::Soon),
        (ClientError::Transport(WsError::Io(reset())), Retry::Soon),
        (SessionError::Stalled(time).into(), Retry::Soon),
        (SessionError::ResponseTimeout(time).into(), Retry::Soon),
        (SessionError::FinalResponseTimeout(time).into(), Retry::Soon),
        (error(45_000_081), Retry::Soon),
        (error(55_000_031), Retry::Later),
        (error(55_000_007), Retry::Limited),
        (error(45_000_001), Retry::Never),
        (SessionError::Protocol(String::new()).into(), Retry::Never),
        (Abort::Unmappable.into(), Retry::Never),
    ];
    for (error, retry) in retries {
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

#[test]
fn abrupt_ends_are_losses_whether_or_not_the_service_has_answered() {
    for acknowledged in [false, true] {
        for error in [
            WsError::Io(io::ErrorKind::BrokenPipe.into()),
            WsError::AlreadyClosed,
            WsError::ConnectionClosed,
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake),
        ] {
            let error = ClientError::from_websocket(error, acknowledged);
            assert!(matches!(error, ClientError::Transport(_)), "{error:?}");
            assert_eq!(error.retry(), Retry::Soon);
        }
    }
}

#[test]
fn broken_framing_is_corruption_only_after_an_answer() {
    for error in [
        || WsError::Protocol(ProtocolError::NonZeroReservedBits),
        || WsError::Protocol(ProtocolError::InvalidCloseSequence),
        || WsError::Utf8(String::new()),
    ] {
        let first = ClientError::from_websocket(error(), false);
        assert!(
            matches!(first, ClientError::Session(SessionError::Protocol(_))),
            "{first:?}"
        );
        assert_eq!(first.retry(), Retry::Never);
        let later = ClientError::from_websocket(error(), true);
        assert!(matches!(later, ClientError::Corrupt(_)), "{later:?}");
        assert_eq!(later.retry(), Retry::Limited);
    }
    let (size, max_size) = (2, 1);
    let too_long = WsError::Capacity(CapacityError::MessageTooLong { size, max_size });
    let error = ClientError::from_websocket(too_long, true);
    assert_eq!(error.retry(), Retry::Never, "{error:?}");
}
