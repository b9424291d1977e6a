//! The tag `transcript`: final texts, for players and `gst-launch-1.0 -t`.

use gst::glib;
use gst::prelude::*;
use gst::tags::{CustomTag, Tag};

enum Transcript {}

const NAME: &glib::GStr = glib::gstr!("transcript");

impl<'a> Tag<'a> for Transcript {
    type TagType = &'a str;
    const TAG_NAME: &'static glib::GStr = NAME;
}

impl CustomTag<'_> for Transcript {
    const FLAG: gst::TagFlag = gst::TagFlag::Meta;
    const NICK: &'static glib::GStr = glib::gstr!("transcript");
    const DESCRIPTION: &'static glib::GStr = glib::gstr!("what is said in the audio");

    fn merge_func(src: &glib::Value) -> glib::Value {
        let texts = src.get::<gst::List>().map(|list| {
            list.iter()
                .filter_map(|text| text.get::<String>().ok())
                .collect::<Vec<_>>()
        });
        join(&texts.unwrap_or_default()).to_value()
    }
}

/// Registers the tag, unless something in the process has done so.
pub(crate) fn register() {
    if !gst::tags::tag_exists(NAME) {
        gst::tags::register::<Transcript>();
    }
}

/// Returns a tag list with the text.
///
/// # Errors
/// Something else has registered the tag with another type.
pub(crate) fn list(text: &str) -> Result<gst::TagList, gst::TagError> {
    let mut tags = gst::TagList::new();
    tags.make_mut()
        .add_generic(NAME, text, gst::TagMergeMode::Append)?;
    Ok(tags)
}

/// Joins texts with a space, except between characters of scripts that use none.
pub(crate) fn join(texts: &[String]) -> String {
    let mut joined = String::new();
    for text in texts {
        let apart = joined.chars().next_back().zip(text.chars().next());
        if apart.is_some_and(|(last, first)| {
            let spaced = last.is_whitespace() || first.is_whitespace();
            !(spaced || is_cjk(last) && is_cjk(first))
        }) {
            joined.push(' ');
        }
        joined.push_str(text);
    }
    joined
}

/// Whether `c` is Han, kana, or their punctuation or full-width forms. Korean uses spaces.
fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{303F}' | '\u{3040}'..='\u{312F}' | '\u{31A0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_is_joined_with_spaces_and_chinese_without() {
        for (texts, joined) in [
            (&["The rain.", "It stopped."][..], "The rain. It stopped."),
            (&["今天下雨。", "雨停了。"], "今天下雨。雨停了。"),
            (&["今天下雨。", "OK."], "今天下雨。 OK."),
            (&["OK.", "今天下雨。"], "OK. 今天下雨。"),
            (&["안녕하세요", "여러분"], "안녕하세요 여러분"),
            (&["a ", "b"], "a b"),
            (&[], ""),
        ] {
            let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(join(&texts), joined, "{texts:?}");
        }
    }

    #[test]
    fn registered_once_and_merged() {
        gst::init().expect("GStreamer");
        register();
        register();
        let mut first = list("The rain.").expect("a string");
        let both = first.make_mut();
        let second = list("It stopped.").expect("a string");
        both.insert(&second, gst::TagMergeMode::Append);
        let text = both.get::<Transcript>().expect("a text");
        assert_eq!(text.get(), "The rain. It stopped.");
    }
}
