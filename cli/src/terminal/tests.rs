//! Tests of drawing, on a small simulated terminal: no stale text stays, and no text is lost.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::screen::{Screen, Size, status_columns};
use super::wrap::{head, join, tail, width, wrap as wrapped};
use proptest::prelude::*;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A terminal that breaks long lines, and breaks them anew when its width changes. It has no top
/// and no bottom.
struct Terminal {
    columns: usize,
    /// Text between line feeds; the cursor is behind the last line, unless it has gone up.
    lines: Vec<String>,
    up: usize,
}

impl Terminal {
    fn new(columns: usize) -> Self {
        Terminal {
            columns,
            lines: vec![String::new()],
            up: 0,
        }
    }

    fn write(&mut self, text: &str) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '\n' => self.lines.push(String::new()),
                '\r' => assert!(rest.starts_with('\x1b'), "nothing is written over"),
                '\x1b' => rest = self.escape(rest),
                character => {
                    assert!(self.up == 0 && !character.is_control(), "{character:?}");
                    self.lines.last_mut().expect("a line").push(character);
                }
            }
        }
    }

    fn escape<'a>(&mut self, text: &'a str) -> &'a str {
        let end = text.find(|c: char| c.is_ascii_alphabetic());
        let (sequence, rest) = text.split_at(end.expect("a sequence") + 1);
        match sequence {
            "[2m" | "[0m" => (),
            "[J" => {
                self.erase(self.up + 1);
                self.up = 0;
            }
            up => {
                let number = up.strip_prefix('[').and_then(|up| up.strip_suffix('A'));
                self.up = number.and_then(|n| n.parse().ok()).expect("upwards");
            }
        }
        rest
    }

    /// Erases the last rows; the cursor is where the first of them was.
    fn erase(&mut self, rows: usize) {
        for _ in 0..rows {
            let line = self.lines.pop().expect("not above the top");
            let mut rows = broken(&line, self.columns);
            rows.pop();
            if !rows.is_empty() {
                self.lines.push(rows.concat());
            }
        }
        self.lines.push(String::new());
    }
}

fn broken(line: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for character in line.chars() {
        let row = rows.last().expect("one");
        if width(row) + character.width().unwrap_or(0) > columns {
            rows.push(String::new());
        }
        rows.last_mut().expect("one").push(character);
    }
    rows
}

/// Output of a screen, for the test to take.
#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    fn take(&self) -> String {
        String::from_utf8(self.0.take()).expect("UTF-8")
    }
}

#[derive(Clone, Debug)]
enum Act {
    Draw {
        kept: Vec<String>,
        interim: String,
        status: String,
    },
    Clear,
    /// Other output, after a clear.
    Note(String),
    Resize(usize),
}

fn text() -> impl Strategy<Value = String> {
    "([a-z]{1,12}|[深度学习]{1,30}| ){0,30}"
        .prop_map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn act() -> impl Strategy<Value = Act> {
    let draw = (prop::collection::vec(text(), 0..3), text(), "[a-z ]{1,100}");
    prop_oneof![
        6 => draw.prop_map(|(kept, interim, status)| Act::Draw { kept, interim, status }),
        1 => Just(Act::Clear),
        1 => text().prop_map(Act::Note),
        2 => (4usize..120).prop_map(Act::Resize),
    ]
}

/// Chinese is written without spaces, Korean with them.
#[test]
fn sentences_are_joined_as_they_are_written() {
    assert_eq!(join(["今天下雨。", "雨停了"]), "今天下雨。雨停了");
    assert_eq!(join(["It rains.", "It"]), "It rains. It");
    assert_eq!(join(["今天下雨。", "OK."]), "今天下雨。 OK.");
    assert_eq!(join(["안녕하세요", "여러분"]), "안녕하세요 여러분");
    assert_eq!(join([]), "");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    })]

    /// After any acts, the kept texts are there once each, and below them the last interim text and
    /// status.
    #[test]
    fn nothing_is_left_and_nothing_lost(acts in prop::collection::vec(act(), 1..20)) {
        let mut size = Size { columns: 80, rows: 24 };
        let mut terminal = Terminal::new(size.columns);
        let wire = Wire::default();
        let mut screen = Screen::new(wire.clone(), true);
        let mut above: Vec<String> = Vec::new();
        let mut below = vec![String::new()];
        for act in acts {
            match act {
                Act::Resize(columns) => {
                    size.columns = columns;
                    terminal.columns = columns;
                }
                Act::Clear => {
                    screen.clear(size).unwrap();
                    below = vec![String::new()];
                }
                Act::Note(note) => {
                    screen.clear(size).unwrap();
                    terminal.write(&wire.take());
                    terminal.write(&format!("{note}\n"));
                    above.push(note);
                    below = vec![String::new()];
                }
                Act::Draw { kept, interim, status } => {
                    screen.draw(size, &kept, &interim, &status).unwrap();
                    above.extend(kept);
                    below = tail(&interim, size.columns - 1, 4);
                    below.push(head(&status, status_columns(size)));
                }
            }
            terminal.write(&wire.take());
            prop_assert_eq!(&terminal.lines, &[above.clone(), below.clone()].concat());
        }
    }

    #[test]
    fn lines_fit_and_hold_the_whole_text(text in text(), columns in 2usize..100) {
        let lines = wrapped(&text, columns);
        for line in &lines {
            prop_assert!(width(line) <= columns, "{line:?} in {columns}");
        }
        let squeezed = |text: &str| text.replace(' ', "");
        prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
    }

    #[test]
    fn the_tail_fits_and_ends_as_the_text(
        text in text(),
        columns in 2usize..100,
        rows in 0usize..6,
    ) {
        let lines = tail(&text, columns, rows);
        prop_assert!(lines.len() <= rows);
        for line in &lines {
            prop_assert!(width(line) <= columns, "{line:?} in {columns}");
            // Nothing of ours is wider on a terminal that is set up for Chinese.
            prop_assert_eq!(line.width_cjk(), line.width());
        }
        let squeezed = |text: &str| text.replace([' ', '.'], "");
        prop_assert!(squeezed(&text).ends_with(&squeezed(&lines.concat())));
    }
}
