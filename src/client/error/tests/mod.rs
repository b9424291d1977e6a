//! Retries of each error, and one error of each kind.

pub(crate) mod examples;

use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};

use super::*;

#[test]
fn each_error_has_its_retry() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    let time = Duration::from_secs(1);
    let closed = |code| ClientError::Closed {
        code,
        reason: String::new(),
    };
    let error = |code| ClientError::Failure(Box::new(Failure::from_error_frame(code, b"")));
    for (error, retry) in [
        (HandshakeError::Io(reset()).into(), Retry::Soon),
        (
            HandshakeError::Refused(Failure::from_http(503, b"")).into(),
            Retry::Later,
        ),
        (
            HandshakeError::Refused(Failure::from_http(401, b"")).into(),
            Retry::Never,
        ),
        (closed(1000), Retry::Soon),
        (closed(1011), Retry::Soon),
        (ClientError::Transport(WsError::Io(reset())), Retry::Soon),
        (ClientError::Stalled(time), Retry::Soon),
        (ClientError::ResponseTimeout(time), Retry::Soon),
        (ClientError::FinalTimeout(time), Retry::Soon),
        (error(45_000_081), Retry::Soon),
        (error(55_000_031), Retry::Later),
        (error(55_000_007), Retry::Limited),
        (error(45_000_001), Retry::Never),
        (ClientError::Protocol(String::new()), Retry::Never),
        (InputError::Unmappable.into(), Retry::Never),
        (ClientError::Internal, Retry::Never),
    ] {
        assert_eq!(error.retry(), retry, "{error}");
    }
}

#[test]
fn abrupt_ends_are_losses_whether_or_not_the_service_has_answered() {
    for answered in [false, true] {
        for error in [
            WsError::Io(io::ErrorKind::BrokenPipe.into()),
            WsError::AlreadyClosed,
            WsError::ConnectionClosed,
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake),
        ] {
            let error = ClientError::from_websocket(error, answered);
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
        assert!(matches!(first, ClientError::Protocol(_)), "{first:?}");
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
