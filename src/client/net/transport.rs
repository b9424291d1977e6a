//! The byte stream to the service: TCP, TLS over it, or TLS inside TLS with a proxy.

use std::fmt::Debug;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A stream of bytes in both directions.
pub(in crate::client) trait ByteStream:
    AsyncRead + AsyncWrite + Send + Unpin + Debug
{
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + Debug> ByteStream for S {}

/// A connection to the service.
pub(in crate::client) type Transport = Box<dyn ByteStream>;

/// Sets the options of a socket. Without one the connection works, with more latency.
///
/// With TCP_USER_TIMEOUT, a peer that acknowledges no data is considered gone. TCP itself would
/// retransmit for a quarter of an hour, while the kernel's buffer hides it.
pub(super) fn set_options(tcp: &TcpStream) {
    let _ = tcp.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(tcp)
        .set_tcp_user_timeout(Some(crate::session::connection::UNACKED_TIMEOUT));
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::session::connection::UNACKED_TIMEOUT;

    /// TCP itself would retransmit for a quarter of an hour.
    #[tokio::test]
    async fn the_kernel_gives_up_a_peer_that_acknowledges_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("bound");
        let tcp = TcpStream::connect(address).await.expect("it listens");
        set_options(&tcp);
        let socket = socket2::SockRef::from(&tcp);
        let limit = socket.tcp_user_timeout().expect("an option");
        assert_eq!(limit, Some(UNACKED_TIMEOUT));
    }
}
