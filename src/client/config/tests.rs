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

/// An endpoint, `max-speed`, `chunk-duration` and `replay-time`; how late results may come, and
/// what the replay buffer holds for that. Times are in milliseconds.
#[test]
fn the_replay_buffer_holds_what_results_may_still_come_for() {
    for (name, max_speed, chunk, replay, delay, window) in [
        ("bigmodel_async", 2.0, 200, 0, 2000, 4000),
        ("bigmodel_async", 0.0, 200, 120_000, 2000, 120_000),
        ("bigmodel_async", 2.0, 2000, 0, 3000, 5000),
        ("bigmodel_async?x=y", 2.0, 0, 4999, 3000, 5000),
        ("bigmodel", 0.0, 200, 0, 2000, 4000),
        ("bigmodel", 0.0, 200, 120_000, 120_000, 122_000),
        ("bigmodel", 0.5, 200, 120_000, 2000, 120_000),
        ("bigmodel", 10.0, 200, 120_000, 20_000, 120_000),
        ("bigmodel", 10.0, 200, 10_000, 10_000, 12_000),
        ("bigmodel", 10.0, 2000, 0, 3000, 5000),
        ("bigmodel_nostream", 2.0, 200, 0, 20_000, 22_000),
        ("bigmodel_nostream", 0.0, 2000, 120_000, 20_000, 120_000),
    ] {
        let mut config = Config::for_test(([127, 0, 0, 1], 1).into());
        config.endpoint.target = format!("/api/v3/sauc/{name}");
        config.sending.max_speed = max_speed;
        config.sending.chunk = Duration::from_millis(chunk);
        config.sending.replay = Duration::from_millis(replay);
        let settings = config.session_settings();
        let found = [settings.result_delay, settings.replay_window].map(|time| time.as_millis());
        let case = format!("{name} {max_speed} {chunk} {replay}");
        assert_eq!(found, [delay, window], "{case}");
        assert_eq!(settings.replay, config.sending.replay, "{case}");
        assert_eq!(
            settings.answers_at_end,
            name.ends_with("nostream"),
            "{case}"
        );
    }
}
