//! A minimal client: it sends what a test asks for, and notes all that comes.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use volcasr_loopback::{Options, Service};

/// Upper bound on each wait of a test.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A service with these changes to its defaults.
pub fn service(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options::default();
    change(&mut options);
    Service::start(options).unwrap()
}

pub struct Client {
    pub ws: WebSocketStream<TcpStream>,
    next: i32,
}

impl Client {
    /// Connects with good credentials, and with this resource id.
    pub async fn connect(service: &Service, resource: &str) -> Result<Self, Error> {
        let mut request = service.uri().into_client_request().unwrap();
        for (name, value) in [
            ("X-Api-App-Key", "app-1"),
            ("X-Api-Access-Key", "secret-access-key"),
            ("X-Api-Resource-Id", resource),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(("127.0.0.1", service.port())).await?;
        let (ws, _) = tokio_tungstenite::client_async(request, tcp).await?;
        Ok(Self { ws, next: 1 })
    }

    /// Connected, and a request for audio of this rate sent.
    pub async fn asked(service: &Service, rate: u32) -> Self {
        let client = Self::connect(service, "volc.seedasr.sauc.duration").await;
        let mut client = client.unwrap();
        let request = json!({"audio": {"format": "pcm", "rate": rate},
            "request": {"enable_punc": true, "show_utterances": true, "end_window_size": 800}});
        client.packet(0x11, request.to_string().as_bytes()).await;
        client
    }

    /// Sends a packet with the next number: kind and flags, and the payload.
    async fn packet(&mut self, kind: u8, payload: &[u8]) {
        let sequence = if kind & 2 == 0 { self.next } else { -self.next };
        self.next += 1;
        let mut bytes = vec![0x11, kind, 0x10, 0];
        bytes.extend(sequence.to_be_bytes());
        bytes.extend((payload.len() as u32).to_be_bytes());
        bytes.extend(payload);
        // A refused write shows in what is read next.
        let _ = self.ws.send(Message::binary(bytes)).await;
    }

    /// Sends all of it in packets of so many bytes, and the finish, and returns all that comes up
    /// to the end of the session. Nothing follows that, but for a close.
    pub async fn stream(&mut self, pcm: &[u8], size: usize) -> Vec<String> {
        for piece in pcm.chunks(size) {
            self.packet(0x21, piece).await;
        }
        self.packet(0x23, &[]).await;
        self.until(&["last", "error", "close", "lost"]).await
    }

    /// The next message: a word for its kind, and its content.
    pub async fn get(&mut self) -> String {
        let next = timeout(TIMEOUT, self.ws.next()).await;
        match next.expect("the service says nothing") {
            Some(Ok(Message::Binary(bytes))) => decode(&bytes),
            Some(Ok(Message::Text(text))) => format!("text {text}"),
            Some(Ok(Message::Close(frame))) => {
                let frame = frame.expect("a code");
                format!("close {} {}", u16::from(frame.code), frame.reason)
            }
            Some(Ok(Message::Pong(_))) => "pong".to_owned(),
            Some(Ok(_)) => "ping".to_owned(),
            // Without a close frame.
            Some(Err(_)) | None => "lost".to_owned(),
        }
    }

    /// Everything up to and including the first of one of these kinds.
    pub async fn until(&mut self, kinds: &[&str]) -> Vec<String> {
        let mut all = vec![self.get().await];
        while !kinds
            .iter()
            .any(|kind| all[all.len() - 1].starts_with(kind))
        {
            all.push(self.get().await);
        }
        all
    }
}

fn decode(bytes: &[u8]) -> String {
    let text = |at: usize| String::from_utf8_lossy(&bytes[at..]);
    match bytes.first_chunk() {
        Some([0x11, 0xf0, 0x10, 0]) => {
            let code = u32::from_be_bytes(*bytes[4..].first_chunk().unwrap());
            format!("error {code} {}", text(12))
        }
        Some([0x11, second, 0x10, 0]) => {
            let kind = ["response", "last"][usize::from(second & 2 != 0)];
            format!("{kind} {}", text(if second & 1 == 0 { 8 } else { 12 }))
        }
        _ => format!("binary {bytes:02x?}"),
    }
}

/// The JSON of a response, if it is one of this kind.
pub fn json_of(got: &str, kind: &str) -> Option<Value> {
    serde_json::from_str(got.strip_prefix(kind)?).ok()
}
