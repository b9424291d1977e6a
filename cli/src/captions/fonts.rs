//! Check for fonts: a letter that no font has is drawn as a box.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long the fonts may be looked for: the captions wait meanwhile.
const LIMIT: Duration = Duration::from_secs(1);

/// Latin letters and their accents, which every font has, end here.
const LATIN: char = '\u{24f}';

/// Returns the first letter of a text that not every font has.
pub fn rare_letter(text: &str) -> Option<char> {
    text.chars().find(|c| *c > LATIN && c.is_alphabetic())
}

/// Returns a warning, if no font that fontconfig knows has this letter.
pub fn missing(letter: char) -> Option<String> {
    let charset = format!(":charset={:x}", u32::from(letter));
    let (sender, listed) = mpsc::channel();
    thread::spawn(move || sender.send(Command::new("fc-list").arg(charset).output()));
    let listed = listed.recv_timeout(LIMIT).ok()?.ok()?;
    (listed.status.success() && listed.stdout.is_empty()).then(|| {
        format!(
            "warning: no font has {letter:?}, so the picture shows a box in its place; on Debian \
             and Ubuntu, fonts-noto-cjk has Chinese, Japanese and Korean"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_need_a_font() {
        let cases = [
            ("Café, 12 €…", None),
            ("今天下雨。", Some('今')),
            ("OK，好", Some('好')),
            ("Привет", Some('П')),
        ];
        for (text, letter) in cases {
            assert_eq!(rare_letter(text), letter, "{text}");
        }
    }
}
