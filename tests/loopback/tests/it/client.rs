//! A minimal client: it sends what a test asks for, and notes all that comes.

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest, handshake::client::Request},
};
use volcasr_loopback::{Endpoint, Lag, Options, Service};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// A service with these changes to its defaults.
pub fn service(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options::default();
    change(&mut options);
    Service::start(options).unwrap()
}

/// A service without oddities and jitter, with these changes.
pub fn exact_service(change: impl FnOnce(&mut Options)) -> Service {
    service(|options| {
        options.exact = true;
        options.lag = Lag::EXACT;
        change(options);
    })
}

/// A message of the service.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    /// Flags, sequence, JSON, whether it was gzip.
    Response {
        flags: u8,
        sequence: Option<i32>,
        json: Value,
        gzip: bool,
    },
    /// Code and body.
    Error(u32, String),
    Text(String),
    Ping,
    Close(Option<u16>),
    /// Another binary message.
    Odd(Vec<u8>),
    /// The connection is gone without a close frame.
    Lost,
}

impl Got {
    pub fn json(&self) -> &Value {
        match self {
            Self::Response { json, .. } => json,
            other => panic!("a response was expected, not {other:?}"),
        }
    }

    pub fn is_last(&self) -> bool {
        matches!(self, Self::Response { flags, .. } if flags & 2 != 0)
    }

    /// Code and body of an error.
    pub fn error(self) -> (u32, String) {
        match self {
            Self::Error(code, body) => (code, body),
            other => panic!("an error was expected, not {other:?}"),
        }
    }
}

pub struct Client {
    pub ws: WebSocketStream<TcpStream>,
    pub next: i32,
}

pub fn upgrade(uri: &str) -> Request {
    let mut request = uri.into_client_request().unwrap();
    for (name, value) in [
        ("X-Api-App-Key", "app-1"),
        ("X-Api-Access-Key", "secret-access-key"),
        ("X-Api-Resource-Id", "volc.seedasr.sauc.duration"),
        ("X-Api-Connect-Id", "cccd11f1-0b46-4a64-a1e3-7de1f8dac4b4"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

pub fn request_json() -> Value {
    json!({"user": {"uid": "test"},
        "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
        "request": {"model_name": "bigmodel", "enable_itn": true, "enable_punc": true,
            "enable_ddc": true, "show_utterances": true, "enable_nonstream": false,
            "end_window_size": 800}})
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame of the client, with these fields.
pub fn frame(
    kind: u8,
    flags: u8,
    compression: u8,
    sequence: Option<i32>,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = vec![0x11, kind << 4 | flags, 0x10 | compression, 0];
    out.extend(sequence.into_iter().flat_map(i32::to_be_bytes));
    out.extend((payload.len() as u32).to_be_bytes());
    out.extend(payload);
    out
}

impl Client {
    pub async fn connect(service: &Service) -> Self {
        Self::with(service, upgrade(&service.uri())).await.unwrap()
    }

    pub async fn with(service: &Service, request: Request) -> Result<Self, Error> {
        let tcp = TcpStream::connect(("127.0.0.1", service.port())).await?;
        let (ws, _) = tokio_tungstenite::client_async(request, tcp).await?;
        Ok(Self { ws, next: 1 })
    }

    /// Connected to an endpoint, the request sent.
    pub async fn of(service: &Service, endpoint: Endpoint) -> Self {
        let upgrade = upgrade(&service.uri_for(endpoint));
        let mut client = Self::with(service, upgrade).await.unwrap();
        client.request(&request_json()).await;
        client
    }

    /// Connected, the request sent, the ack received.
    pub async fn ready(service: &Service, request: Value) -> (Self, Got) {
        let mut client = Self::connect(service).await;
        client.request(&request).await;
        let ack = client.get().await;
        (client, ack)
    }

    pub async fn raw(&mut self, bytes: Vec<u8>) {
        // A refused write shows in what is read next.
        let _ = self.ws.send(Message::binary(bytes)).await;
    }

    pub async fn request(&mut self, json: &Value) {
        self.raw(frame(1, 1, 1, Some(1), &gzip(json.to_string().as_bytes())))
            .await;
        self.next = 2;
    }

    pub async fn audio(&mut self, pcm: &[u8]) {
        let n = self.next;
        self.next += 1;
        self.raw(frame(2, 1, 0, Some(n), pcm)).await;
    }

    /// Sends all of it in packets of `ms` milliseconds at 24 kHz.
    pub async fn stream(&mut self, pcm: &[u8], ms: usize) {
        for piece in pcm.chunks(ms * 48) {
            self.audio(piece).await;
        }
    }

    pub async fn finish(&mut self) {
        let n = -self.next;
        self.raw(frame(2, 3, 1, Some(n), &gzip(b""))).await;
    }

    pub async fn get(&mut self) -> Got {
        match timeout(PATIENCE, self.ws.next())
            .await
            .expect("the service says nothing")
        {
            Some(Ok(Message::Binary(bytes))) => decode(&bytes),
            Some(Ok(Message::Text(text))) => Got::Text(text.to_string()),
            Some(Ok(Message::Close(frame))) => Got::Close(frame.map(|f| f.code.into())),
            Some(Ok(_)) => Got::Ping,
            Some(Err(_)) | None => Got::Lost,
        }
    }

    /// Everything up to and including what `end` says, the close, or the loss of the connection.
    pub async fn until(&mut self, end: impl Fn(&Got) -> bool) -> Vec<Got> {
        let mut all = Vec::new();
        loop {
            let got = self.get().await;
            let stop = end(&got) || matches!(got, Got::Close(_) | Got::Lost);
            all.push(got);
            if stop {
                return all;
            }
        }
    }

    /// Finishes, and gives all responses to the last.
    pub async fn responses(&mut self) -> Vec<Value> {
        self.finish().await;
        let all = self.until(Got::is_last).await;
        assert!(all.last().unwrap().is_last(), "no final response: {all:?}");
        let responses = all.iter().filter(|got| **got != Got::Ping);
        responses.map(|got| got.json().clone()).collect()
    }
}

fn decode(bytes: &[u8]) -> Got {
    let int = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    if bytes.len() < 8 || bytes[0] != 0x11 {
        return Got::Odd(bytes.to_vec());
    }
    let flags = bytes[1] & 15;
    match bytes[1] >> 4 {
        15 => {
            assert_eq!(int(8) as usize, bytes.len() - 12);
            Got::Error(int(4), String::from_utf8(bytes[12..].to_vec()).unwrap())
        }
        9 => {
            let at = if flags & 1 != 0 { 8 } else { 4 };
            assert_eq!(int(at) as usize, bytes.len() - at - 4);
            let gzip = bytes[2] & 15 == 1;
            let mut payload = bytes[at + 4..].to_vec();
            if gzip {
                let packed = std::mem::take(&mut payload);
                let mut decoder = GzDecoder::new(&packed[..]);
                decoder.read_to_end(&mut payload).unwrap();
            }
            let json = serde_json::from_slice(&payload).unwrap_or(Value::Null);
            Got::Response {
                flags,
                sequence: (flags & 1 != 0).then(|| int(4) as i32),
                json,
                gzip,
            }
        }
        _ => Got::Odd(bytes.to_vec()),
    }
}

/// The definite texts of a response.
pub fn definite(json: &Value) -> Vec<String> {
    let list = json["result"]["utterances"].as_array();
    let definite = list.into_iter().flatten().filter(|u| u["definite"] == true);
    let texts = definite.map(|u| u["text"].as_str().unwrap_or_default());
    texts.map(str::to_owned).collect()
}
