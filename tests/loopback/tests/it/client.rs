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

pub const PATIENCE: Duration = Duration::from_secs(20);

/// A service with these changes to its defaults.
pub fn service(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options::default();
    change(&mut options);
    Service::start(options).unwrap()
}

/// A message of the service.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    Response(Value),
    Last(Value),
    Error(u32, String),
    Text(String),
    Ping,
    Pong,
    /// Code and reason.
    Close(u16, String),
    /// Another binary message.
    Odd(Vec<u8>),
    /// The connection is gone without a close frame.
    Lost,
}

impl Got {
    /// Nothing follows, but for a close.
    fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Last(_) | Self::Error(..) | Self::Close(..) | Self::Lost
        )
    }
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
    /// to the end of the session.
    pub async fn stream(&mut self, pcm: &[u8], size: usize) -> Vec<Got> {
        for piece in pcm.chunks(size) {
            self.packet(0x21, piece).await;
        }
        self.packet(0x23, &[]).await;
        self.until(Got::is_end).await
    }

    pub async fn get(&mut self) -> Got {
        let next = timeout(PATIENCE, self.ws.next()).await;
        match next.expect("the service says nothing") {
            Some(Ok(Message::Binary(bytes))) => decode(&bytes),
            Some(Ok(Message::Text(text))) => Got::Text(text.to_string()),
            Some(Ok(Message::Close(frame))) => {
                let frame = frame.expect("a code");
                Got::Close(frame.code.into(), frame.reason.to_string())
            }
            Some(Ok(Message::Pong(_))) => Got::Pong,
            Some(Ok(_)) => Got::Ping,
            Some(Err(_)) | None => Got::Lost,
        }
    }

    /// Everything up to and including what `end` says.
    pub async fn until(&mut self, end: impl Fn(&Got) -> bool) -> Vec<Got> {
        let mut all = Vec::new();
        while !all.last().is_some_and(&end) {
            all.push(self.get().await);
        }
        all
    }
}

fn decode(bytes: &[u8]) -> Got {
    let number = |at: usize| u32::from_be_bytes(*bytes[at..].first_chunk().unwrap());
    match bytes.first_chunk() {
        Some([0x11, 0xf0, 0x10, 0]) => {
            Got::Error(number(4), String::from_utf8_lossy(&bytes[12..]).into())
        }
        Some([0x11, second, 0x10, 0]) => {
            let json = &bytes[if second & 1 == 0 { 8 } else { 12 }..];
            let json = serde_json::from_slice(json).unwrap();
            if second & 2 == 0 {
                Got::Response(json)
            } else {
                Got::Last(json)
            }
        }
        _ => Got::Odd(bytes.to_vec()),
    }
}
