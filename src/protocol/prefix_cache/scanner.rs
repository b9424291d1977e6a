//! A scanner that steps over JSON, to find where something stands.

use std::ops::Range;

/// Steps over valid JSON. On other input its result is useless but harmless: the parser sees every
/// byte that was not valid before.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Returns the next byte that is no space.
    pub fn peek(&self) -> Option<u8> {
        let (_, byte) = self.next_byte()?;
        Some(byte)
    }

    /// Returns the next byte that is no space, and the number of spaces before it.
    fn next_byte(&self) -> Option<(usize, u8)> {
        let rest = self.bytes.get(self.at..)?;
        let mut bytes = rest.iter().copied().enumerate();
        bytes.find(|(_, byte)| !b" \t\r\n".contains(byte))
    }

    /// Steps over `byte` and the spaces before it, if it is next.
    pub fn expect_byte(&mut self, byte: u8) -> bool {
        match self.next_byte() {
            Some((spaces, next)) if next == byte => {
                self.at += spaces + 1;
                true
            }
            _ => false,
        }
    }

    /// Steps over a string. Returns its range without the quotes.
    pub fn skip_string(&mut self) -> Option<Range<usize>> {
        self.expect_byte(b'"').then_some(())?;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let stop = rest
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\')?;
            if rest[stop] == b'"' {
                let end = self.at + stop;
                self.at = end + 1;
                return Some(start..end);
            }
            self.at += stop + 2;
        }
    }

    /// Steps over a value.
    pub fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.skip_string()?;
                }
                open @ (b'{' | b'[') => {
                    self.expect_byte(open);
                    depth += 1;
                }
                close @ (b'}' | b']') => {
                    self.expect_byte(close);
                    depth = depth.checked_sub(1)?;
                }
                separator @ (b',' | b':') if depth > 0 => {
                    self.expect_byte(separator);
                }
                b',' | b':' => return None,
                _ => {
                    let rest = self.bytes.get(self.at..)?;
                    self.at += rest.iter().position(|byte| b",:]}".contains(byte))?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
