//! Redaction of credentials in everything that is logged or posted.

use std::fmt;
use std::sync::Arc;

use super::credentials::Credentials;
use super::net::proxy::Proxy;
use crate::protocol::text::sanitize;

/// Shortest secret in bytes. A shorter one would be found everywhere.
const MIN_SECRET: usize = 4;
/// Shortest secret in bytes that is redacted in speech, where a shorter one may be a spoken word.
/// The service's keys are far longer.
const MIN_SPOKEN: usize = 12;
/// Upper bound on an id of the service, in bytes.
const MAX_ID: usize = 256;
/// Replacement for a secret.
const REDACTED: &str = "***";

/// The credentials for the service and for the proxy.
#[derive(Clone, Default)]
pub struct Secrets(Arc<[String]>);

/// Never shows them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Collects the secrets of `credentials` and `proxy`.
    pub fn new(credentials: &Credentials, proxy: Option<&Proxy>) -> Self {
        let of_proxy = proxy.into_iter().flat_map(Proxy::secrets);
        let mut all: Vec<_> = credentials
            .parts()
            .into_iter()
            .map(str::to_owned)
            .chain(of_proxy)
            .filter(|secret| secret.len() >= MIN_SECRET)
            .collect();
        // The longest first: another may be a part of it.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Secrets(all.into())
    }

    /// Returns `text` with the secrets redacted. All text from the network goes through here,
    /// because a peer may repeat a secret.
    ///
    /// A text that ends in `…` was cut: the start of a secret before the cut is redacted too.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &*self.0 {
            text = text.replace(secret, REDACTED);
            let Some(kept) = text.strip_suffix('…') else {
                continue;
            };
            let cut = secret
                .char_indices()
                .map(|(at, _)| &secret[..at])
                .rfind(|part| part.len() >= MIN_SECRET && kept.ends_with(part));
            if let Some(part) = cut {
                text = format!("{}{REDACTED}…", &kept[..kept.len() - part.len()]);
            }
        }
        text
    }

    /// Whether `text` holds a secret that is too long to be spoken by chance.
    pub(super) fn occur_in(&self, text: &str) -> bool {
        let mut long = self.0.iter().filter(|secret| secret.len() >= MIN_SPOKEN);
        long.any(|secret| text.contains(secret.as_str()))
    }

    /// Returns the service's id of a connection, redacted and sanitized, if it is valid.
    pub(super) fn id(&self, id: &str) -> Option<String> {
        let id = (id.len() <= MAX_ID).then(|| sanitize(&self.redact(id)))?;
        let id = id.trim().to_owned();
        (!id.is_empty()).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(app_key: &str, access_key: &str) -> Secrets {
        let (app_key, access_key) = (app_key.into(), access_key.into());
        Secrets::new(
            &Credentials::Pair {
                app_key,
                access_key,
            },
            None,
        )
    }

    fn key(key: &str) -> Secrets {
        Secrets::new(&Credentials::Key(key.into()), None)
    }

    #[test]
    fn secrets_are_redacted_in_what_a_peer_says() {
        let pair = pair("app-9", "app-9-secret");
        for (said, shown) in [
            ("no app-9-secret here", "no *** here"),
            ("app-9: app-9-secret", "***: ***"),
            ("nothing", "nothing"),
            // Cut in the middle of the secret.
            ("is not app-9-sec…", "is not ***…"),
            ("is not app-…", "is not ***…"),
            ("is not app…", "is not app…"),
        ] {
            assert_eq!(pair.redact(said), shown);
        }
        assert_eq!(key("abc").redact("abc"), "abc");
        assert_eq!(key("秘密钥匙").redact("不对：秘密…"), "不对：***…");
    }

    #[test]
    fn words_of_a_speaker_are_no_secrets_by_chance() {
        let pair = pair("weather", "4f9b-77c1-aa20");
        assert!(!pair.occur_in("the weather is fine"));
        assert!(pair.occur_in("it is 4f9b-77c1-aa20."));
    }

    #[test]
    fn an_id_is_short_and_printable() {
        let key = key("sesame-sesame");
        for (said, id) in [
            ("2025-a", Some("2025-a")),
            ("a\0\u{202e}b\u{61c}c\n\u{1b}[1md", Some("a  b c  [1md")),
            ("x sesame-sesame", Some("x ***")),
            (" ", None),
            ("", None),
        ] {
            assert_eq!(key.id(said).as_deref(), id, "{said:?}");
        }
        assert!(key.id(&"x".repeat(256)).is_some());
        assert!(key.id(&"x".repeat(257)).is_none());
    }
}
