//! Types of properties, and their conversion from and to a `GValue`.

use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::values::{Compression, DEFAULT_URI, Leaky, ProxyUri, ResultType, ServiceUri};
use crate::client::redact_uri;

/// A value in the settings, whose type declares its property.
pub(crate) trait Field: 'static {
    /// Returns the specification, with this value as the default.
    fn spec(&self, texts: Texts<'_>, flags: glib::ParamFlags) -> glib::ParamSpec;

    /// Returns the value as the application reads it.
    fn get(&self) -> glib::Value;

    /// Sets a value whose type GObject has checked. Returns false for a null that the field can't
    /// hold.
    fn set(&mut self, value: &glib::Value) -> bool;
}

/// Name, nick and blurb of a property.
pub(crate) type Texts<'a> = [&'a str; 3];

/// Upper bound on numbers that 0 leaves out: milliseconds in the request, which the service takes
/// as a signed number.
const MAX_SENT: u32 = i32::MAX.unsigned_abs();

/// Implements [`Field`] for a type, with the builder of its property's specification. A type that a
/// `GValue` does not hold also has the one that it does, and the ways there and back.
macro_rules! field {
    ($kind:ty, |$name:ident, $default:ident| $builder:expr) => {
        field!(
            $kind,
            $kind,
            Clone::clone,
            |value| value,
            |$name, $default| $builder
        );
    };
    ($kind:ty, $value:ty, $get:expr, $set:expr, |$name:ident, $default:ident| $builder:expr) => {
        impl $crate::element::settings::Field for $kind {
            fn spec(&self, texts: [&str; 3], flags: glib::ParamFlags) -> glib::ParamSpec {
                let get: fn(&$kind) -> $value = $get;
                let ([$name, nick, blurb], $default) = (texts, get(self));
                $builder.nick(nick).blurb(blurb).flags(flags).build()
            }

            fn get(&self) -> glib::Value {
                let get: fn(&$kind) -> $value = $get;
                get(self).to_value()
            }

            fn set(&mut self, value: &glib::Value) -> bool {
                let set: fn($value) -> $kind = $set;
                value.get().map(|value| *self = set(value)).is_ok()
            }
        }
    };
}

pub(crate) use field;

field!(bool, |name, default| {
    glib::ParamSpecBoolean::builder(name).default_value(default)
});
field!(u32, |name, default| {
    glib::ParamSpecUInt::builder(name).default_value(default)
});
// The only one is the sample rate.
field!(i32, |name, default| {
    glib::ParamSpecInt::builder(name)
        .minimum(16_000)
        .maximum(24_000)
        .default_value(default)
});
field!(f64, |name, default| {
    glib::ParamSpecDouble::builder(name)
        .minimum(0.0)
        .default_value(default)
});
field!(String, |name, default| {
    glib::ParamSpecString::builder(name).default_value(&*default)
});
field!(Leaky, |name, default| {
    glib::ParamSpecEnum::builder_with_default(name, default)
});
field!(Compression, |name, default| {
    glib::ParamSpecEnum::builder_with_default(name, default)
});
field!(ResultType, |name, default| {
    glib::ParamSpecEnum::builder_with_default(name, default)
});
field!(Option<gst::Structure>, |name, _default| {
    glib::ParamSpecBoxed::builder::<gst::Structure>(name)
});

// Null, an empty text and blanks mean that it is not set.
field!(
    Option<String>,
    Option<String>,
    Clone::clone,
    |text| text.and_then(not_empty),
    |name, default| glib::ParamSpecString::builder(name).default_value(default.as_deref())
);

// 0 means that it is not set.
field!(
    Option<u32>,
    u32,
    |number| number.unwrap_or(0),
    |number| (number > 0).then_some(number),
    |name, default| glib::ParamSpecUInt::builder(name)
        .maximum(MAX_SENT)
        .default_value(default)
);

// Milliseconds, of which GObject takes no more.
field!(
    Duration,
    u32,
    |time| time.as_millis() as u32,
    |ms| Duration::from_millis(ms.into()),
    |name, default| glib::ParamSpecUInt::builder(name).default_value(default)
);

// Likewise; 0 means never.
field!(
    Option<Duration>,
    u32,
    |time| time.map_or(0, |time| time.as_millis() as u32),
    |ms| (ms > 0).then(|| Duration::from_millis(ms.into())),
    |name, default| glib::ParamSpecUInt::builder(name).default_value(default)
);

field!(
    Vec<String>,
    gst::Array,
    |texts| gst::Array::new(texts.iter().map(|text| text.to_send_value())),
    |array| array.iter().filter_map(|text| text.get().ok()).collect(),
    |name, _default| gst::ParamSpecArray::builder(name).element_spec(
        &glib::ParamSpecString::builder("word")
            .nick("Word")
            .blurb("One hot word or phrase")
            .build()
    )
);

// Dot dumps show it, and it may hold a secret.
field!(
    ServiceUri,
    Option<String>,
    |uri| Some(redact_uri(uri.0.as_deref().unwrap_or(DEFAULT_URI))),
    ServiceUri,
    |name, default| glib::ParamSpecString::builder(name).default_value(default.as_deref())
);

field!(
    ProxyUri,
    Option<String>,
    |uri| uri.0.as_deref().map(redact_uri),
    ProxyUri,
    |name, default| glib::ParamSpecString::builder(name).default_value(default.as_deref())
);

/// Returns `value` without blanks around it, if anything is left.
pub(crate) fn not_empty(value: String) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
