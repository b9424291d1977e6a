//! A configuration for tests.

use super::*;

impl Config {
    /// Returns the configuration for an unencrypted service at `address`, with limits of a second.
    pub(in crate::client) fn for_test(address: std::net::SocketAddr) -> Self {
        let second = Duration::from_secs(1);
        Config {
            endpoint: Endpoint {
                tls: false,
                host: address.ip().to_string(),
                port: address.port(),
                target: "/".into(),
            },
            proxy: None,
            credentials: Credentials::Key("key".into()),
            secrets: Secrets::default(),
            resource_id: "resource".into(),
            request: Request::default(),
            compression: Compression::None,
            limits: Limits {
                connect: second,
                idle: None,
                finish: second,
                session: None,
            },
            sending: Sending {
                chunk: second,
                max_reconnects: 10,
                replay: second,
                max_queue: second,
                max_speed: 0.0,
            },
        }
    }
}
