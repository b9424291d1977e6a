//! Language of the text, as tags name it.

use super::{Effect, TextPad};
use crate::sync::lock;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Language {
    /// The next session asks for it.
    wanted: Option<String>,
    /// The last one that a tag downstream named.
    tagged: Option<String>,
}

impl TextPad {
    /// Takes up the language that the next session asks for.
    pub fn set_language(&self, language: Option<String>) {
        lock(&self.state).language.wanted = language;
    }

    /// Appends the tag of the language, as each segment has it.
    pub fn tag_segment(&self, language: Option<String>) {
        self.set_language(language);
        self.wait_for_space();
        self.change(|state| {
            if let Some(tag) = state.language.tag() {
                state.schedule.event(tag, Effect::Unchanged);
            }
        });
    }

    /// Tags another language for downstream, before the text of the session that begins.
    pub fn session_begins(&self, of: (u64, u64)) {
        self.change_for(of, |state| {
            let language = &mut state.language;
            if language.wanted != language.tagged
                && let Some(tag) = language.tag()
            {
                state.schedule.event_of_text(tag);
            }
        });
    }
}

impl Language {
    /// Returns the tag of the language, if there is one.
    fn tag(&mut self) -> Option<gst::Event> {
        let language = self.wanted.clone()?;
        let mut tags = gst::TagList::new();
        if let Some(tags) = tags.get_mut() {
            tags.add::<gst::tags::LanguageCode>(&language.as_str(), gst::TagMergeMode::Replace);
        }
        self.tagged = Some(language);
        Some(gst::event::Tag::new(tags))
    }
}
