//! The stages on the way to a session, and in which of them an error belongs.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A stage, in the order in which they are passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Properties and variables, before anything is sent.
    Settings,
    /// The service's address.
    Name,
    /// The way through a proxy.
    Proxy,
    /// TCP.
    Connection,
    /// The certificate, and what else belongs to the handshake.
    Tls,
    /// Answer of the address. It has a line only where it is neither a session nor a refusal of the
    /// account.
    Upgrade,
    /// Whether the service knows the account.
    Credentials,
    /// Whether the account has what is asked for.
    Resource,
    /// One second of silence, and its end.
    Session,
}

impl Stage {
    /// Name in the list.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Settings => "settings",
            Stage::Name => "name",
            Stage::Proxy => "proxy",
            Stage::Connection => "connection",
            Stage::Tls => "TLS",
            Stage::Upgrade => "upgrade",
            Stage::Credentials => "credentials",
            Stage::Resource => "resource",
            Stage::Session => "session",
        }
    }

    /// The stage in which an error of the element belongs, by its numbers and its text.
    pub fn of_error(text: &str, http_status: u32, code: u32) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        match (http_status, code) {
            _ if says(&["Can't start"]) => Stage::Settings,
            _ if says(&["the proxy"]) => Stage::Proxy,
            (401 | 402, _) | (_, 45_000_010) => Stage::Credentials,
            (400 | 403, _) | (_, 45_000_030) => Stage::Resource,
            (300..=599, _) => Stage::Upgrade,
            _ if says(&["can't resolve"]) => Stage::Name,
            _ if says(&["can't connect", "no connection to"]) => Stage::Connection,
            _ if says(&["certificate", "TLS", "server's name"]) => Stage::Tls,
            _ => Stage::Session,
        }
    }
}

/// A line of the list, for people and, with the same names, for programs.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    pub stage: &'static str,
    pub ok: bool,
    /// Time that it took, in nanoseconds.
    #[serde(serialize_with = "nanoseconds")]
    pub took: Duration,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_id: Option<String>,
    /// Of a stage that failed: why, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

fn nanoseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_nanos().try_into().unwrap_or(u64::MAX))
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = if self.ok { "ok" } else { "failed" };
        let ms = self.took.as_secs_f64() * 1000.0;
        let took = match ms < 10.0 {
            true => format!("{ms:.1} ms"),
            false => format!("{ms:.0} ms"),
        };
        write!(f, "{:<12} {outcome:<7} {took:>9}", self.stage)?;
        if !self.text.is_empty() {
            write!(f, "  {}", self.text)?;
        }
        match &self.log_id {
            Some(id) => write!(f, "; log id {id}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_stage() {
        let cases = [
            ("Can't start: no credentials …", 0, 0, Stage::Settings),
            (
                "No session: can't resolve \"asr.example\": …",
                0,
                0,
                Stage::Name,
            ),
            (
                "the proxy http://a:3128 can't be reached: can't resolve \"a\"",
                0,
                0,
                Stage::Proxy,
            ),
            (
                "the proxy http://a:3128 asks for a name",
                407,
                0,
                Stage::Proxy,
            ),
            ("can't connect to 127.0.0.1:9: …", 0, 0, Stage::Connection),
            (
                "no connection to asr.example:443 within 10s",
                0,
                0,
                Stage::Connection,
            ),
            (
                "the certificate of \"asr.example\" is not trusted",
                0,
                0,
                Stage::Tls,
            ),
            (
                "\"asr.example\" speaks no TLS at this port",
                0,
                0,
                Stage::Tls,
            ),
            ("not found", 404, 0, Stage::Upgrade),
            ("too many", 429, 0, Stage::Upgrade),
            ("down", 503, 0, Stage::Upgrade),
            ("elsewhere", 302, 0, Stage::Upgrade),
            ("refused", 401, 0, Stage::Credentials),
            ("refused", 0, 45_000_010, Stage::Credentials),
            ("refused", 403, 0, Stage::Resource),
            ("refused", 400, 0, Stage::Resource),
            ("busy", 0, 45_000_292, Stage::Session),
            (
                "no answer from the service within 10s",
                0,
                0,
                Stage::Session,
            ),
        ];
        for (text, http_status, code, stage) in cases {
            assert_eq!(Stage::of_error(text, http_status, code), stage, "{text}");
        }
    }

    #[test]
    fn lines_stand_below_one_another() {
        let line = |stage: Stage, ok, took, text: &str| Line {
            stage: stage.name(),
            ok,
            took: Duration::from_micros(took),
            text: text.to_owned(),
            ..Line::default()
        };
        let name = line(Stage::Name, true, 12_300, "asr.example: 192.0.2.1");
        assert_eq!(
            name.to_string(),
            "name         ok          12 ms  asr.example: 192.0.2.1"
        );
        let failed = line(Stage::Tls, false, 340, "");
        assert_eq!(failed.to_string(), "TLS          failed     0.3 ms");
    }

    #[test]
    fn a_line_for_programs() {
        let line = Line {
            stage: Stage::Session.name(),
            ok: true,
            took: Duration::from_millis(2),
            text: "recognised".to_owned(),
            log_id: Some("1".to_owned()),
            ..Line::default()
        };
        let json = serde_json::to_string(&line).expect("JSON");
        assert_eq!(
            json,
            r#"{"stage":"session","ok":true,"took":2000000,"text":"recognised","log-id":"1"}"#
        );
    }
}
