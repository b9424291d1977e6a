//! A property: its specification, and the field that it sets.

use gst::glib;
use gst::prelude::*;

use super::field::Field;
use super::values::Settings;

/// Access to the field of a property.
pub(crate) type Access<S, T> = fn(&mut S) -> &mut T;

/// Access to a field of any type.
type Erased<S> = dyn for<'a> Fn(&'a mut S) -> &'a mut (dyn Field + 'static) + Send + Sync;

/// A property that the user sets.
///
/// The settings are those that the elements share, or what one of them adds.
pub(crate) struct Property<S = Settings> {
    /// Name, type, default, texts and flags.
    pub spec: glib::ParamSpec,
    access: Box<Erased<S>>,
}

impl<S: 'static> Property<S> {
    /// Makes a property.
    pub fn new<T: Field + 'static>(spec: glib::ParamSpec, field: Access<S, T>) -> Self {
        Property {
            spec,
            access: Box::new(move |settings| field(settings)),
        }
    }

    /// Sets the value. Null sets the default where the field can't hold it.
    pub fn set(&self, settings: &mut S, value: &glib::Value) {
        let field = (self.access)(settings);
        if !field.set(value) {
            field.set(self.spec.default_value());
        }
    }

    /// Returns the value.
    pub fn get(&self, settings: &mut S) -> glib::Value {
        (self.access)(settings).get()
    }
}

/// Returns the field's default.
fn default<T: Clone>(field: Access<Settings, T>) -> T {
    field(&mut Settings::default()).clone()
}

/// Makes a text with a default.
pub(crate) fn string(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, String>,
) -> Property {
    let default = default(field);
    let spec = glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default.as_str())
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes an optional text.
pub(crate) fn text(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, Option<String>>,
) -> Property {
    let default = default(field);
    let spec = glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default.as_deref())
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes a text that can't be read.
pub(crate) fn secret(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, Option<String>>,
) -> Property {
    let spec = glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .flags(glib::ParamFlags::WRITABLE)
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes a switch that applies at READY → PAUSED.
pub(crate) fn boolean(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, bool>,
) -> Property {
    let spec = glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default(field))
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes a switch that applies at once.
pub(crate) fn live(name: &str, nick: &str, blurb: &str, field: Access<Settings, bool>) -> Property {
    let spec = glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default(field))
        .mutable_playing();
    Property::new(spec.build(), field)
}

/// Makes a number from 0 to `max`.
pub(crate) fn number(
    name: &str,
    nick: &str,
    blurb: &str,
    max: u32,
    field: Access<Settings, u32>,
) -> Property {
    let spec = glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .maximum(max)
        .default_value(default(field))
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes milliseconds in the request, which the service takes as a signed number; 0: not sent.
pub(crate) fn sent_ms(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, Option<u32>>,
) -> Property {
    let spec = glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .maximum(i32::MAX.unsigned_abs())
        .default_value(default(field).unwrap_or(0))
        .mutable_ready();
    Property::new(spec.build(), field)
}

/// Makes an enumeration.
pub(crate) fn enumeration<T>(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, T>,
) -> Property
where
    T: Field
        + StaticType
        + Clone
        + Default
        + ToValue
        + glib::translate::IntoGlib<GlibType = i32>
        + glib::translate::FromGlib<i32>
        + 'static,
{
    let spec = glib::ParamSpecEnum::builder_with_default(name, default(field))
        .nick(nick)
        .blurb(blurb)
        .mutable_ready();
    Property::new(spec.build(), field)
}
