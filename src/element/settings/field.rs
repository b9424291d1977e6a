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

/// Name, nick and blurb of a property.
pub(crate) type Texts<'a> = [&'a str; 3];

/// A value whose type is enough to declare its property.
pub(crate) trait Declare: Field + 'static {
    /// Returns the specification, with this value as the default.
    fn spec(&self, texts: Texts<'_>, flags: glib::ParamFlags) -> glib::ParamSpec;
}

/// Upper bound on numbers that 0 leaves out: milliseconds in the request, which the service takes
/// as a signed number.
const MAX_SENT: u32 = i32::MAX.unsigned_abs();

/// Implements [`Field`] for types that a `GValue` holds.
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

pub(crate) use plain;

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

macro_rules! declare {
    ($($kind:ty: |$name:ident, $value:ident| $builder:expr;)*) => {$(
        impl Declare for $kind {
            fn spec(&self, texts: Texts<'_>, flags: glib::ParamFlags) -> glib::ParamSpec {
                let ([$name, nick, blurb], $value) = (texts, self);
                $builder.nick(nick).blurb(blurb).flags(flags).build()
            }
        }
    )*};
}

declare! {
    bool: |name, value| glib::ParamSpecBoolean::builder(name).default_value(*value);
    u32: |name, value| glib::ParamSpecUInt::builder(name).default_value(*value);
    String: |name, value| glib::ParamSpecString::builder(name).default_value(value.as_str());
    Option<String>: |name, value| {
        glib::ParamSpecString::builder(name).default_value(value.as_deref())
    };
    Option<u32>: |name, value| {
        let default = value.unwrap_or(0);
        glib::ParamSpecUInt::builder(name).maximum(MAX_SENT).default_value(default)
    };
    Leaky: |name, value| glib::ParamSpecEnum::builder_with_default(name, *value);
    Compression: |name, value| glib::ParamSpecEnum::builder_with_default(name, *value);
    ResultType: |name, value| glib::ParamSpecEnum::builder_with_default(name, *value);
}

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
