//! The values of the properties, each declared once in [`properties`].

mod field;
mod properties;
mod property;
mod values;

use gst::glib;

pub(crate) use field::{Field, field, not_empty};
pub(crate) use properties::specs;
pub(crate) use property::Property;
pub use values::{Compression, Leaky, ResultType};
pub(crate) use values::{DEFAULT_URI, Posts, RESOURCE_IDS, Settings};

impl Settings {
    /// Sets a writable property. GObject has checked the type and the range.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        if let Some(property) = properties::find(name) {
            property.set(self, value);
        }
    }

    /// Returns the value of a property that can be read and is set by the user.
    pub fn get(&mut self, name: &str) -> glib::Value {
        match properties::find(name) {
            Some(property) => property.get(self),
            // GObject passes only names that the class has registered.
            None => unreachable!("no such property: {name}"),
        }
    }
}
