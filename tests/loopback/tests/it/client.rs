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
        (options.exact, options.lag) = (true, Lag::EXACT);
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
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

pub fn request_json() -> Value {
    json!({"user": {"uid": "test"},
        "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
        "request": {"model_name": "bigmodel", "enable_punc": true, "show_utterances": true,
            "end_window_size": 800}})
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame of the client, with these fields.
pub fn frame(kind: u8, flags: u8, gzip: u8, sequence: Option<i32>, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11, kind << 4 | flags, 0x10 | gzip, 0];
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

    /// Connected, the request sent, the ack received.
    pub async fn ready(service: &Service, request: Value) -> (Self, Got) {
        Self::of(service, Endpoint::Async, request).await
    }

    /// The same at an endpoint.
    pub async fn of(service: &Service, endpoint: Endpoint, request: Value) -> (Self, Got) {
        let upgrade = upgrade(&service.uri_for(endpoint));
        let mut client = Self::with(service, upgrade).await.unwrap();
        client.request(&request).await;
        let ack = client.get().await;
        (client, ack)
    }

    pub async fn raw(&mut self, bytes: Vec<u8>) {
        // A refused write shows in what is read next.
        let _ = self.ws.send(Message::binary(bytes)).await;
    }

    pub async fn request(&mut self, json: &Value) {
        let json = gzip(json.to_string().as_bytes());
        self.raw(frame(1, 1, 1, Some(1), &json)).await;
        self.next = 2;
    }

    pub async fn audio(&mut self, pcm: &[u8]) {
        let n = self.next;
        self.next += 1;
        self.raw(frame(2, 1, 0, Some(n), pcm)).await;
    }

    /// Sends all of it in packets of so many bytes.
    pub async fn stream(&mut self, pcm: &[u8], bytes: usize) {
        for piece in pcm.chunks(bytes) {
            self.audio(piece).await;
        }
    }

    pub async fn finish(&mut self) {
        let n = -self.next;
        self.raw(frame(2, 3, 1, Some(n), &gzip(b""))).await;
    }

    pub async fn get(&mut self) -> Got {
        let next = timeout(PATIENCE, self.ws.next()).await;
        match next.expect("the service says nothing") {
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
    let (flags, is_gzip) = match *bytes {
        [0x11, second, third, 0, _, _, _, _, ..] if second >> 4 == 9 => {
            (second & 15, third & 15 == 1)
        }
        [0x11, 0xf0, 0x10, 0, a, b, c, d, _, _, _, _, ref body @ ..] => {
            let body = String::from_utf8(body.to_vec()).unwrap();
            return Got::Error(u32::from_be_bytes([a, b, c, d]), body);
        }
        _ => return Got::Odd(bytes.to_vec()),
    };
    let mut rest = &bytes[4..];
    let mut word = || {
        let (word, tail) = rest.split_first_chunk().unwrap();
        rest = tail;
        i32::from_be_bytes(*word)
    };
    let sequence = (flags & 1 != 0).then(&mut word);
    let size = word();
    assert_eq!(size as usize, rest.len());
    let mut plain = Vec::new();
    let json = match is_gzip {
        true => GzDecoder::new(rest)
            .read_to_end(&mut plain)
            .map(|_| &plain[..])
            .unwrap(),
        false => rest,
    };
    Got::Response {
        flags,
        sequence,
        json: serde_json::from_slice(json).unwrap_or(Value::Null),
        gzip: is_gzip,
    }
}

/// The definite texts of a response.
pub fn definite(json: &Value) -> Vec<String> {
    let list = json["result"]["utterances"].as_array();
    let definite = list.into_iter().flatten().filter(|u| u["definite"] == true);
    let texts = definite.map(|u| u["text"].as_str().unwrap_or_default());
    texts.map(str::to_owned).collect()
}
