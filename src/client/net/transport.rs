//! The byte stream to the service: TCP, TLS over it, or TLS inside TLS with a proxy.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Time after which a peer that acknowledges no data is considered gone. TCP itself would
/// retransmit for a quarter of an hour, while the kernel's buffer hides it.
pub(in crate::client) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the host, encrypted if the URI says so, through a proxy if there is one.
#[derive(Debug)]
pub enum Transport {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS inside another one: TCP, or TLS with a proxy.
    Tls(Box<TlsStream<Transport>>),
}

impl Transport {
    /// Wraps a connection that was just made, and sets its options.
    pub(super) fn new(tcp: TcpStream) -> Self {
        // Without an option the connection works, with more latency.
        let _ = tcp.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&tcp).set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
        Transport::Plain(tcp)
    }

    /// Returns the address of the peer.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.tcp().peer_addr().ok()
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Transport::Plain(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0.tcp(),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// TCP itself would go on trying for a quarter of an hour.
    #[tokio::test]
    async fn the_kernel_gives_up_a_peer_that_acknowledges_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("bound");
        let tcp = TcpStream::connect(address).await.expect("it listens");
        let transport = Transport::new(tcp);
        let socket = socket2::SockRef::from(transport.tcp());
        let limit = socket.tcp_user_timeout().expect("an option");
        assert_eq!(limit, Some(TCP_USER_TIMEOUT));
    }
}
