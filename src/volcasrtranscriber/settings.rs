//! The properties that only this element has; the service's are
//! [shared](crate::element::settings).

use std::sync::LazyLock;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::schedule::Unit;
use crate::cue::Style;
use crate::element::run_slot::results;
use crate::element::settings::{self, Property, field};

/// Content of one buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstVolcasrTranscriberGrouping")]
pub enum Grouping {
    /// A word.
    #[default]
    #[enum_value(name = "Word: a word with its punctuation", nick = "word")]
    Word,
    /// An utterance.
    #[enum_value(
        name = "Utterance: a whole utterance, once it is final",
        nick = "utterance"
    )]
    Utterance,
    /// Lines for a screen.
    #[enum_value(
        name = "Cue: lines for a screen, of cue-width columns, once their utterance is final",
        nick = "cue"
    )]
    Cue,
}

field!(Grouping, |name, default| {
    glib::ParamSpecEnum::builder_with_default(name, default)
});

/// The values of these properties.
#[derive(Clone, Debug)]
pub(super) struct TextSettings {
    pub language_code: Option<String>,
    pub grouping: Grouping,
    pub cue_width: u32,
    pub cue_lines: u32,
    /// In milliseconds.
    pub latency: u32,
    /// In milliseconds.
    pub lateness: u32,
}

impl Default for TextSettings {
    fn default() -> Self {
        let Style { width, lines } = Style::default();
        TextSettings {
            language_code: None,
            grouping: Grouping::default(),
            cue_width: width as u32,
            cue_lines: lines as u32,
            latency: 4000,
            lateness: 0,
        }
    }
}

impl TextSettings {
    /// Returns what one buffer holds.
    pub fn unit(&self) -> Unit {
        match self.grouping {
            Grouping::Word => Unit::Word,
            Grouping::Utterance => Unit::Utterance,
            Grouping::Cue => Unit::Cue(Style {
                width: self.cue_width as usize,
                lines: self.cue_lines as usize,
            }),
        }
    }

    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency.into())
    }

    /// Returns the language as tags have it: `en` for `en-US`.
    pub fn language_tag(&self, language: Option<&str>) -> Option<String> {
        let code = self.language_code.as_deref().or(language)?;
        let base = code.split(['-', '_']).next()?.to_ascii_lowercase();
        let known = (2..=3).contains(&base.len()) && base.bytes().all(|b| b.is_ascii_lowercase());
        known.then_some(base)
    }

    /// Returns the property of this name.
    pub fn find(name: &str) -> Option<&'static Property<TextSettings>> {
        OWN.iter().find(|property| property.spec.name() == name)
    }
}

static OWN: LazyLock<Vec<Property<TextSettings>>> = LazyLock::new(own);

/// All properties of the class.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let own = OWN.iter().map(|property| property.spec.clone());
    settings::specs()
        .chain(own)
        .chain([max_observed_delay()])
        .chain(results())
        .collect()
});

fn max_observed_delay() -> glib::ParamSpec {
    glib::ParamSpecUInt::builder("max-observed-delay")
        .nick("Maximum observed delay")
        .blurb(
            "Milliseconds that text came later than latency allows, at most so far; with a live \
             source only. Raise latency by it if captions are late",
        )
        .read_only()
        .build()
}

fn own() -> Vec<Property<TextSettings>> {
    let default = TextSettings::default();
    let number = |name, nick, default| {
        let number = glib::ParamSpecUInt::builder(name).nick(nick);
        number.default_value(default)
    };
    let language = glib::ParamSpecString::builder("language-code")
        .nick("Language code")
        .blurb(
            "Language of the speech, as in en-US. Overrides language. Can be changed at any time; \
             takes effect with the next session. Used by bigmodel_nostream only (null: what \
             language says)",
        )
        .mutable_playing();
    let grouping = glib::ParamSpecEnum::builder::<Grouping>("grouping")
        .nick("Grouping")
        .blurb(
            "What one buffer holds. Words leave one by one, in a live pipeline before they are \
             final if latency ends; the others leave when they are final",
        )
        .mutable_ready();
    let width = number("cue-width", "Cue width", default.cue_width)
        .blurb("Columns of a cue's line, with grouping=cue; a CJK character takes two")
        .minimum(2)
        .maximum(200)
        .mutable_ready();
    let lines = number("cue-lines", "Cue lines", default.cue_lines)
        .blurb("Lines of a cue at most, with grouping=cue")
        .minimum(1)
        .maximum(10)
        .mutable_ready();
    let latency = number("latency", "Latency", default.latency)
        .blurb(
            "Milliseconds that text may come after what was said; with a live source they are \
             added to the pipeline's latency",
        )
        .mutable_playing();
    let lateness = number("lateness", "Lateness", default.lateness)
        .blurb(
            "Milliseconds by which text is shown later than what was said: added to the segment's \
             base, so that the rest of the pipeline need not wait for latency. Can be changed at \
             any time; takes effect with the next segment",
        )
        .mutable_playing();
    vec![
        Property::new(language.build(), |s| &mut s.language_code),
        Property::new(grouping.build(), |s| &mut s.grouping),
        Property::new(width.build(), |s| &mut s.cue_width),
        Property::new(lines.build(), |s| &mut s.cue_lines),
        Property::new(latency.build(), |s| &mut s.latency),
        Property::new(lateness.build(), |s| &mut s.lateness),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code that is set, the one that the service names, and the tag.
    #[test]
    fn tags_name_the_language_alone() {
        for (code, named, tag) in [
            (None, None, None),
            (None, Some("yue-CN"), Some("yue")),
            (Some("en-US"), Some("fr-FR"), Some("en")),
            (Some("zh_CN"), None, Some("zh")),
            (Some(""), Some("fr-FR"), None),
            (Some("x"), None, None),
            (Some("中文"), None, None),
        ] {
            let settings = TextSettings {
                language_code: code.map(String::from),
                ..TextSettings::default()
            };
            assert_eq!(
                settings.language_tag(named).as_deref(),
                tag,
                "{code:?} {named:?}"
            );
        }
    }
}
