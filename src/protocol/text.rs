//! Text of a peer, made safe for a log.

/// Upper bound on the characters of a message.
pub const MAX_MESSAGE: usize = 500;

/// Makes a peer's text fit for a log or a message: one line, nothing that terminals act upon, at
/// most [`MAX_MESSAGE`] characters.
pub fn sanitize(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut message: String = characters
        .by_ref()
        .take(MAX_MESSAGE)
        .map(|c| match c {
            c if c.is_control() => ' ',
            // Line and paragraph separators, and marks that turn the direction of what follows.
            '\u{2028}' | '\u{2029}' => ' ',
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => ' ',
            c => c,
        })
        .collect();
    if characters.next().is_some() {
        message.pop();
        message.push('…');
    }
    message
}
