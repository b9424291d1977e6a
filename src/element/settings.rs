//! The values of the properties, each declared once in [`properties`].

mod field;
mod properties;
mod property;
mod values;

use gst::glib;
use gst::prelude::*;

use crate::client::redact_uri;

pub(crate) use field::{Field, not_empty, plain};
pub(crate) use properties::{DEFAULT_URI, specs};
pub(crate) use property::Property;
pub use values::{Compression, Leaky, ResultType};
pub(crate) use values::{RESOURCE_IDS, Settings};

impl Settings {
    /// Sets a writable property. GObject has checked the type and the range.
    pub fn set(&mut self, name: &str, value: &glib::Value) {
        match properties::find(name) {
            // An empty URI is an error: the default would lead to another service.
            Some(_) if name == "uri" => self.uri = value.get().ok().flatten(),
            // Empty: no proxy; null: the environment's.
            Some(_) if name == "proxy" => self.proxy = value.get().ok().flatten(),
            Some(property) => property.set(self, value),
            None => {}
        }
    }

    /// Returns the value of a property that can be read and is set by the user.
    pub fn get(&mut self, name: &str) -> glib::Value {
        if name == "uri" {
            // Dot dumps show it, and it may hold a secret.
            return redact_uri(self.uri.as_deref().unwrap_or(DEFAULT_URI)).to_value();
        }
        if name == "proxy" {
            let proxy = self.proxy.as_deref();
            return proxy.map(redact_uri).to_value();
        }
        match properties::find(name) {
            Some(property) => property.get(self),
            // GObject passes only names that the class has registered.
            None => unreachable!("no such property: {name}"),
        }
    }
}
