//! A proxy on 127.0.0.1: CONNECT or SOCKS5. For any host that it is asked for, it connects to this
//! machine.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use volcasr_loopback::tls::Identity;

/// Treatment of the connections that come.
#[derive(Clone)]
pub enum Rule {
    /// Lets everyone through.
    Open,
    /// Wants this name and password.
    Login(&'static str, &'static str),
    /// CONNECT: answers with this text instead. SOCKS5: replies with the text's first byte.
    Refuse(&'static str),
    /// Takes the request, and answers nothing.
    Hang,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Connect,
    Socks5,
}

/// Serves until it is dropped.
pub struct Proxy {
    pub port: u16,
    /// The hosts and ports that were asked for, one for each connection.
    targets: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Proxy {
    pub fn connect(rule: Rule) -> Self {
        Proxy::start(Kind::Connect, rule, None)
    }

    pub fn connect_inside_tls(rule: Rule, identity: &Identity) -> Self {
        Proxy::start(Kind::Connect, rule, Some(identity))
    }

    pub fn socks5(rule: Rule) -> Self {
        Proxy::start(Kind::Socks5, rule, None)
    }

    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().expect("held shortly").clone()
    }

    fn start(kind: Kind, rule: Rule, identity: Option<&Identity>) -> Self {
        let acceptor = identity.map(|identity| identity.acceptor());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let asked = targets.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rule, asked, acceptor) = (rule.clone(), asked.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let note = |target: &str| {
                        let mut asked = asked.lock().expect("held shortly");
                        asked.push(target.to_owned());
                    };
                    // A client that goes away is no failure of this proxy's.
                    let _ = match acceptor {
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, kind, &rule, note).await,
                            Err(error) => Err(error),
                        },
                        None => serve(stream, kind, &rule, note).await,
                    };
                });
            }
        });
        Proxy {
            port,
            targets,
            _runtime: runtime,
        }
    }
}

/// A client's connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

async fn serve(
    mut client: impl Stream,
    kind: Kind,
    rule: &Rule,
    note: impl Fn(&str),
) -> io::Result<()> {
    let port = match kind {
        Kind::Connect => connect(&mut client, rule, note).await?,
        Kind::Socks5 => socks5(&mut client, rule, note).await?,
    };
    let Some(port) = port else {
        // Until the client goes.
        client.read_to_end(&mut Vec::new()).await?;
        return Ok(());
    };
    let mut service = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let done: &[u8] = match kind {
        // As tinyproxy says it.
        Kind::Connect => b"HTTP/1.0 200 Connection established\r\nProxy-agent: test\r\n\r\n",
        Kind::Socks5 => b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00",
    };
    client.write_all(done).await?;
    client.flush().await?;
    copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

/// The port that is to be connected to, if it is.
async fn connect(
    client: &mut impl Stream,
    rule: &Rule,
    note: impl Fn(&str),
) -> io::Result<Option<u16>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    note(target);
    let has_sent = |id, password| {
        let login = data_encoding::BASE64.encode(format!("{id}:{password}").as_bytes());
        head.contains(&format!("Proxy-Authorization: Basic {login}\r\n"))
    };
    let answer = match rule {
        Rule::Login(id, password) if !has_sent(id, password) => {
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
        }
        Rule::Refuse(answer) => answer,
        Rule::Hang => "",
        _ => return Ok(target.rsplit(':').next().and_then(|port| port.parse().ok())),
    };
    client.write_all(answer.as_bytes()).await?;
    client.flush().await?;
    Ok(None)
}

async fn socks5(
    client: &mut impl Stream,
    rule: &Rule,
    note: impl Fn(&str),
) -> io::Result<Option<u16>> {
    let _version = client.read_u8().await?;
    let mut methods = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut methods).await?;
    if let Rule::Login(id, password) = rule {
        if !methods.contains(&2) {
            client.write_all(b"\x05\xff").await?;
            return Ok(None);
        }
        client.write_all(b"\x05\x02").await?;
        let _version = client.read_u8().await?;
        let sent = [text(client).await?, text(client).await?];
        let is_right = sent == [*id, *password];
        client.write_all(&[1, u8::from(!is_right)]).await?;
        if !is_right {
            return Ok(None);
        }
    } else {
        client.write_all(b"\x05\x00").await?;
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => Ipv4Addr::from(client.read_u32().await?).to_string(),
        3 => text(client).await?,
        kind => format!("address of kind {kind}"),
    };
    let port = client.read_u16().await?;
    note(&format!("{host}:{port}"));
    match rule {
        Rule::Refuse(reply) => {
            let mut answer = *b"\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00";
            answer[1] = reply.as_bytes()[0];
            client.write_all(&answer).await?;
            Ok(None)
        }
        Rule::Hang => Ok(None),
        Rule::Open | Rule::Login(..) => Ok(Some(port)),
    }
}

/// A text behind its length.
async fn text(client: &mut impl Stream) -> io::Result<String> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
