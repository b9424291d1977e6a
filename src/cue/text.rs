//! A text in fragments that no line break divides.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::word::Word;

/// Bytes of text that is in no word, up to which the next word is looked for.
const MAX_SEARCH_BYTES: usize = 80;

/// Quality of a break, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// After a sentence, or at the end of the text.
    Sentence,
    /// After a comma or the like.
    Clause,
    /// Between words.
    Word,
    /// Between the characters of a CJK word.
    Character,
    /// Within a word that is wider than a line.
    Forced,
}

/// Characters that stay together on a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// Place in the text, in bytes.
    pub from: usize,
    pub to: usize,
    /// Columns of the text before it.
    pub column: usize,
    pub width: usize,
    /// Columns of the space behind it: 1 or 0. A line that ends here does without.
    pub space: usize,
    /// Break behind it.
    pub after: Break,
}

impl Fragment {
    /// Returns the columns of the text up to the next fragment.
    pub fn end(&self) -> usize {
        self.column + self.width + self.space
    }
}

/// A word, and where the text has it.
pub(super) struct Placed<'a> {
    pub word: &'a Word,
    /// Columns of the text before it.
    pub column: usize,
    /// Place in the text, in bytes.
    from: usize,
}

/// Columns of the characters of one text.
///
/// A CJK character takes two. `…`, `—`, `“` and other punctuation that scripts share takes two in
/// a text that has Han or kana, whose fonts have it full width, and one elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruler {
    is_cjk: bool,
}

impl Ruler {
    pub fn of(text: &str) -> Self {
        // An emoji is as wide, and no letter.
        let is_cjk = |c: char| c.is_alphabetic() && is_unspaced(c);
        Ruler {
            is_cjk: text.chars().any(is_cjk),
        }
    }

    /// Returns the columns of a part of the text.
    pub fn columns(self, part: &str) -> usize {
        match self.is_cjk {
            true => part.width_cjk(),
            false => part.width(),
        }
    }
}

/// Returns the text with single spaces for white space and control characters, and none around.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for part in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        // A part without width can't be a line: it joins the text before it.
        if part.width() == 0 {
            if !clean.is_empty() {
                clean.push_str(part);
            }
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(part);
    }
    clean
}

/// Returns the words that the text has, in its order.
pub(super) fn find<'a>(text: &str, words: &'a [Word]) -> Vec<Placed<'a>> {
    let ruler = Ruler::of(text);
    let (mut at, mut column) = (0, 0);
    let mut found = Vec::with_capacity(words.len());
    for word in words {
        let wanted = clean(&word.text);
        let near = text.floor_char_boundary(at + wanted.len() + MAX_SEARCH_BYTES);
        let Some(behind) = text[at..near].find(&wanted).filter(|_| !wanted.is_empty()) else {
            continue;
        };
        let from = at + behind;
        column += ruler.columns(&text[at..from]);
        found.push(Placed { word, column, from });
        at = from + wanted.len();
        column += ruler.columns(&wanted);
    }
    found
}

/// Returns a [`clean`] text in fragments of at most `width` columns.
pub(super) fn fragments(text: &str, width: usize, words: &[Placed<'_>]) -> Vec<Fragment> {
    let ruler = Ruler::of(text);
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut from = 0;
    let mut column = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, last)) = chars.next() {
        let to = at + last.len_utf8();
        let next = chars.peek().map(|(_, next)| *next);
        if next.is_some_and(|next| !may_break(last, next)) || last == ' ' {
            if last == ' ' {
                from = to;
            }
            continue;
        }
        let space = usize::from(next == Some(' '));
        let behind = to + space;
        let after = match next {
            None => Break::Sentence,
            Some(_) => quality(&text[from..to], &text[behind..], space > 0, || {
                words
                    .binary_search_by_key(&behind, |placed| placed.from)
                    .is_ok()
            }),
        };
        for (from, to) in split(text, from, to, width, ruler) {
            let width = ruler.columns(&text[from..to]);
            let after = Break::Forced;
            fragments.push(Fragment {
                from,
                to,
                column,
                width,
                space: 0,
                after,
            });
            column += width;
        }
        if let Some(fragment) = fragments.last_mut() {
            (fragment.space, fragment.after) = (space, after);
        }
        column += space;
        from = to;
    }
    fragments
}

/// Divides a fragment that is wider than a line. A `……` or `——` stays whole where it fits.
fn split(text: &str, from: usize, to: usize, width: usize, ruler: Ruler) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut begin = from;
    // Begin of the characters that belong together.
    let mut unit = from;
    let mut last = None;
    for (at, character) in text[from..to].char_indices() {
        let at = from + at;
        let end = at + character.len_utf8();
        if last != Some(character) || !matches!(character, '…' | '—') {
            unit = at;
        }
        while at > begin && ruler.columns(&text[begin..end]) > width {
            let cut = if unit > begin { unit } else { at };
            parts.push((begin, cut));
            begin = cut;
        }
        last = Some(character);
    }
    parts.push((begin, to));
    parts
}

/// Returns whether a line may end between two characters, of which the first may be followed by a
/// space.
fn may_break(last: char, next: char) -> bool {
    if next == ' ' {
        return true;
    }
    if next.width() == Some(0) || never_begins(next) || never_ends(last) {
        return false;
    }
    is_unspaced(last) || is_unspaced(next)
}

/// Returns the quality of the break between two parts of a text.
fn quality(fragment: &str, behind: &str, spaced: bool, is_word: impl Fn() -> bool) -> Break {
    let bare = fragment.trim_end_matches(is_quote);
    let end = bare.chars().next_back().unwrap_or(' ');
    let next = behind.chars().find(|c| !is_quote(*c));
    let goes_on = next.is_some_and(char::is_lowercase) || TITLES.contains(&bare);
    match end {
        '。' | '？' | '！' | '!' | '?' | '…' | '.' if !goes_on => Break::Sentence,
        ',' | '，' | '、' | ';' | '；' | ':' | '：' | '—' | '–' | '。' | '？' | '！' | '!'
        | '?' | '…' => Break::Clause,
        _ if spaced || is_word() => Break::Word,
        _ => Break::Character,
    }
}

/// Abbreviations before a name: no sentence ends behind them.
const TITLES: [&str; 6] = ["Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Prof."];

fn is_quote(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '”' | '’' | '“' | '‘' | '」' | '』' | '）' | ')' | ']' | '】' | '》'
    )
}

/// Returns whether no line begins with this: closing punctuation, marks of repetition and length,
/// small kana (JIS X 4051).
fn never_begins(c: char) -> bool {
    "、。，．・：；？！‼⁇⁈⁉ヽヾゝゞ々〻ー’”）〕］｝〉》」』】〙〗〟»°′″℃％‰…‥—～〜\
     ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ\
     !),.:;?]}%\"'"
        .contains(c)
}

/// Returns whether no line ends with this: opening punctuation.
fn never_ends(c: char) -> bool {
    "‘“（〔［｛〈《「『【〘〖〝«￥＄￡([{$".contains(c)
}

/// Returns whether a script is written without spaces. Korean is as wide, but has spaces.
fn is_unspaced(c: char) -> bool {
    let hangul = matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}'
        | '\u{AC00}'..='\u{D7FF}');
    c.width() == Some(2) && !hangul
}
