//! The two kinds of credentials that the service takes.

use std::fmt;

/// Credentials of a user, as the service asks for them.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The old console's pair.
    Pair {
        /// The app id.
        app_key: String,
        /// The access token.
        access_key: String,
    },
    /// The new console's one key.
    Key(String),
}

/// Credentials without any secret, for a run whose settings can't be used.
impl Default for Credentials {
    fn default() -> Self {
        Credentials::Key(String::new())
    }
}

/// Never shows the secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Pair { .. } => "Pair(…)",
            Credentials::Key(_) => "Key(…)",
        })
    }
}

impl Credentials {
    /// Returns all parts; `Secrets` decides which of them are long enough to be secrets.
    pub(crate) fn parts(&self) -> Vec<&str> {
        match self {
            Credentials::Pair {
                app_key,
                access_key,
            } => vec![app_key, access_key],
            Credentials::Key(key) => vec![key],
        }
    }
}
