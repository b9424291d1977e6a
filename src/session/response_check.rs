//! Check whether any response of a session can be read.
//!
//! Unknown fields are skipped, so a service that answers in another form would look like silence.

use crate::protocol::response::Content;

/// Number of responses without anything known after which the warning comes before the session's
/// end.
const WARN_AFTER: u32 = 16;

/// Counts a session's responses that hold nothing known, until one holds results.
#[derive(Debug, Default)]
pub struct ResponseCheck {
    unknown: u32,
    /// Whether results came, or the warning is out.
    done: bool,
}

impl ResponseCheck {
    /// Takes in a response. Returns the number of unknown ones when a warning is due, once a
    /// session.
    pub fn on_response(&mut self, content: Content) -> Option<u32> {
        match content {
            Content::Results => self.done = true,
            Content::Unknown => self.unknown = self.unknown.saturating_add(1),
            Content::Nothing => {}
        }
        match self.unknown {
            WARN_AFTER.. => self.on_end(),
            _ => None,
        }
    }

    /// Ends the session. Returns the same as [`on_response`](Self::on_response).
    pub fn on_end(&mut self) -> Option<u32> {
        if self.done || self.unknown == 0 {
            return None;
        }
        self.done = true;
        Some(self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Content::{Nothing, Results, Unknown};

    #[test]
    fn a_session_without_a_readable_response_draws_one_warning() {
        for (responses, warnings) in [
            (&[][..], &[][..]),
            (&[Nothing, Nothing], &[]),
            (&[Nothing, Results], &[]),
            (&[Unknown, Unknown, Results], &[]),
            (&[Results, Unknown], &[]),
            (&[Unknown], &[1]),
            (&[Nothing, Unknown, Nothing, Unknown], &[2]),
            (&[Unknown; 15], &[15]),
            (&[Unknown; 16], &[16]),
            (&[Unknown; 40], &[16]),
        ] {
            let mut check = ResponseCheck::default();
            let mut seen: Vec<u32> = responses
                .iter()
                .filter_map(|&content| check.on_response(content))
                .collect();
            seen.extend(check.on_end());
            seen.extend(check.on_end());
            assert_eq!(seen, warnings, "{responses:?}");
        }
    }
}
