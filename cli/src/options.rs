//! What the command line says about the service, and how it gets to the element.

use gst::glib;
use gst::prelude::*;

/// How credentials come to the program, for the end of its help.
pub const CREDENTIALS: &str = "\
Credentials come from the environment: VOLCENGINE_API_KEY, or VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY.";

/// Options of both programs. Credentials are none of them: arguments can be read by every user of the machine.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The service")]
pub struct ServiceOptions {
    /// Its address; default: VOLCASR_URI in the environment, then the element's own
    #[arg(long)]
    pub uri: Option<String>,
    /// What the account has bought
    #[arg(long, value_name = "ID")]
    pub resource_id: Option<String>,
    /// zh-CN, en-US, ja-JP …; only the endpoint bigmodel_nostream heeds it
    #[arg(long)]
    pub language: Option<String>,
    /// Any other property of volcasrsink, as gst-launch-1.0 takes it; `gst-inspect-1.0 volcasrsink` lists them
    #[arg(long = "set", value_name = "PROPERTY=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("PROPERTY=VALUE is needed, as in max-speed=0")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl ServiceOptions {
    /// Whether [`apply`](Self::apply) would work, for who has no element yet.
    pub fn check(&self) -> Result<(), String> {
        let sink = gst::ElementFactory::make("volcasrsink").build();
        self.apply(&sink.map_err(|error| error.to_string())?)
    }

    /// Sets the element's properties, or says which one can't be set and why.
    pub fn apply(&self, sink: &gst::Element) -> Result<(), String> {
        if let Some(uri) = &self.uri {
            sink.set_property("uri", uri);
        }
        if let Some(id) = &self.resource_id {
            sink.set_property("resource-id", id);
        }
        if let Some(language) = &self.language {
            sink.set_property("language", language);
        }
        self.settings
            .iter()
            .try_for_each(|(name, value)| set(sink, name, value))
    }
}

/// `set_property_from_str` panics on a property that is not there or can't be set: so each is looked at first.
fn set(sink: &gst::Element, name: &str, text: &str) -> Result<(), String> {
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

/// What a property takes.
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
            $(if let (Some(spec), Ok(number)) = (pspec.downcast_ref::<$spec>(), value.get::<$number>()) {
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
