//! A property of the element from text.

use gst::glib;
use gst::prelude::*;

/// Sets a property, or says why it can't be set: `set_property_from_str` panics on that.
pub fn set(sink: &gst::Element, name: &str, text: &str) -> Result<(), String> {
    if ["app-key", "access-key", "api-key"].contains(&name) {
        return Err(format!(
            "{name} is not taken from arguments, which every user of the machine can read: set \
             VOLCENGINE_APP_ID and VOLCENGINE_ACCESS_KEY, or VOLCENGINE_API_KEY, in the environment"
        ));
    }
    let pspec = sink.find_property(name).ok_or_else(|| {
        format!("volcasrsink has no property {name}: `gst-inspect-1.0 volcasrsink` lists them")
    })?;
    let flags = pspec.flags();
    if !flags.contains(glib::ParamFlags::WRITABLE)
        || flags.contains(glib::ParamFlags::CONSTRUCT_ONLY)
    {
        return Err(format!("the property {name} can't be set"));
    }
    let value = glib::Value::deserialize_with_pspec(text, &pspec)
        .map_err(|_| format!("{text:?} is no value for {name}: {}", kind(&pspec)))?;
    if let Some(range) = outside(&pspec, &value) {
        return Err(format!("{text} is no value for {name}: {range}"));
    }
    sink.set_property_from_value(name, &value);
    Ok(())
}

/// Describes the values that a property takes.
fn kind(pspec: &glib::ParamSpec) -> String {
    match glib::EnumClass::with_type(pspec.value_type()) {
        Some(class) => {
            let nicks: Vec<&str> = class.values().iter().map(glib::EnumValue::nick).collect();
            format!("it is one of {}", nicks.join(", "))
        }
        None => format!("it is a {}", pspec.value_type()),
    }
}

/// The range that a number misses.
fn outside(pspec: &glib::ParamSpec, value: &glib::Value) -> Option<String> {
    macro_rules! check {
        ($($spec:ty => $number:ty),*) => {
            $(if let Some(spec) = pspec.downcast_ref::<$spec>()
                && let Ok(number) = value.get::<$number>()
            {
                let (least, most) = (spec.minimum(), spec.maximum());
                return match (least..=most).contains(&number) {
                    true => None,
                    false if most == <$number>::MAX => Some(format!("at least {least}")),
                    false => Some(format!("from {least} to {most}")),
                };
            })*
        };
    }
    check!(
        glib::ParamSpecInt => i32, glib::ParamSpecUInt => u32, glib::ParamSpecInt64 => i64,
        glib::ParamSpecUInt64 => u64, glib::ParamSpecDouble => f64
    );
    None
}
