//! A property: its specification, and the field that it sets.

use gst::glib;

use super::field::{Field, Texts};
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
    pub fn new<T: Field>(spec: glib::ParamSpec, field: Access<S, T>) -> Self {
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

impl Property {
    /// Makes a property of the field's own type, range and default.
    fn of<T: Field>(texts: Texts<'_>, flags: glib::ParamFlags, field: Access<Settings, T>) -> Self {
        Property::new(field(&mut Settings::default()).spec(texts, flags), field)
    }
}

/// Makes a property that applies at READY → PAUSED.
pub(crate) fn setting<T: Field>(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, T>,
) -> Property {
    let flags = glib::ParamFlags::READWRITE | gst::PARAM_FLAG_MUTABLE_READY;
    Property::of([name, nick, blurb], flags, field)
}

/// Makes a property that applies at once.
pub(crate) fn live<T: Field>(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, T>,
) -> Property {
    let flags = glib::ParamFlags::READWRITE | gst::PARAM_FLAG_MUTABLE_PLAYING;
    Property::of([name, nick, blurb], flags, field)
}

/// Makes a property that can't be read.
pub(crate) fn secret<T: Field>(
    name: &str,
    nick: &str,
    blurb: &str,
    field: Access<Settings, T>,
) -> Property {
    let flags = glib::ParamFlags::WRITABLE | gst::PARAM_FLAG_MUTABLE_READY;
    Property::of([name, nick, blurb], flags, field)
}
