//! Types of properties, and their conversion from and to a `GValue`.

use gst::glib;
use gst::prelude::*;

use super::values::{Compression, Leaky, ResultType};

/// A value in the settings.
pub(crate) trait Field {
    /// Returns the value as the application reads it.
    fn get(&self) -> glib::Value;

    /// Sets a value whose type GObject has checked. Returns false for a null that the field can't
    /// hold.
    fn set(&mut self, value: &glib::Value) -> bool;
}

macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl Field for $kind {
            fn get(&self) -> glib::Value {
                self.to_value()
            }

            fn set(&mut self, value: &glib::Value) -> bool {
                value.get().map(|value| *self = value).is_ok()
            }
        }
    )*};
}

plain!(
    bool,
    u32,
    i32,
    f64,
    String,
    Leaky,
    Compression,
    ResultType,
    Option<gst::Structure>
);

/// Text. Null, an empty text and blanks mean that it is not set.
impl Field for Option<String> {
    fn get(&self) -> glib::Value {
        self.to_value()
    }

    fn set(&mut self, value: &glib::Value) -> bool {
        let text = value.get::<Option<String>>().ok().flatten();
        *self = text.and_then(not_empty);
        true
    }
}

/// Number. 0 means that it is not set.
impl Field for Option<u32> {
    fn get(&self) -> glib::Value {
        self.unwrap_or(0).to_value()
    }

    fn set(&mut self, value: &glib::Value) -> bool {
        value
            .get::<u32>()
            .map(|value| *self = (value > 0).then_some(value))
            .is_ok()
    }
}

impl Field for Vec<String> {
    fn get(&self) -> glib::Value {
        gst::Array::new(self.iter().map(|text| text.to_send_value())).to_value()
    }

    fn set(&mut self, value: &glib::Value) -> bool {
        let array = value.get::<gst::Array>();
        let texts = array.iter().flat_map(|array| array.iter());
        *self = texts.filter_map(|text| text.get().ok()).collect();
        true
    }
}

/// Returns `value` without blanks around it, if anything is left.
pub(crate) fn not_empty(value: String) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
