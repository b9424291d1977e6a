//! Options of the command line for the service, and how they get to the element.

mod preset;
mod settings;

use std::sync::mpsc;

use gst::prelude::*;

use settings::set;

/// How credentials come to the program, for the end of its help.
pub const CREDENTIALS: &str = "\
Credentials come from the environment: VOLCENGINE_API_KEY, or VOLCENGINE_APP_ID and
VOLCENGINE_ACCESS_KEY. `volcasr check` tells whether they work; `volcasr serve` needs none.";

/// Options of all commands that recognise. Credentials are none of them: arguments can be read by
/// every user of the machine.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The service")]
pub struct ServiceOptions {
    /// Its address; default: VOLCASR_URI in the environment, then the element's own
    #[arg(long)]
    pub uri: Option<String>,
    /// Resource that the account has bought
    #[arg(long, value_name = "ID")]
    pub resource_id: Option<String>,
    /// zh-CN, en-US, ja-JP …; only the endpoint bigmodel_nostream heeds it
    #[arg(long)]
    pub language: Option<String>,
    /// Settings for a use: captions, dictation, meeting, batch, or a preset of your own
    #[arg(long, value_name = "NAME")]
    pub preset: Option<String>,
    /// A word to expect; may be given again
    #[arg(long = "hotword", value_name = "WORD")]
    pub hotwords: Vec<String>,
    /// Tell speakers apart
    #[arg(long)]
    pub speakers: bool,
    /// Any other property of volcasrsink, as gst-launch-1.0 takes it; `gst-inspect-1.0 volcasrsink`
    /// lists them
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
    /// Whether [`apply`](Self::apply) would work, for a caller that has no element yet.
    pub fn check(&self) -> Result<(), String> {
        let sink = gst::ElementFactory::make("volcasrsink").build();
        self.apply(&sink.map_err(|error| error.to_string())?)
    }

    /// Sets a transcriber's properties as [`apply`](Self::apply) sets those of a sink: presets and
    /// names are the sink's. A property that is not set keeps what the environment gives it.
    pub fn apply_to_transcriber(&self, transcriber: &gst::Element) -> Result<(), String> {
        let sink = gst::ElementFactory::make("volcasrsink").build();
        let sink = sink.map_err(|error| error.to_string())?;
        let (sender, names) = mpsc::channel();
        sink.connect_notify(None, move |_, pspec| {
            // The receiver is there as long as the sink.
            let _ = sender.send(pspec.name().to_owned());
        });
        self.apply(&sink)?;
        for name in names.try_iter() {
            let value = sink.property_value(&name);
            if transcriber.has_property_with_type(&name, value.type_()) {
                transcriber.set_property_from_value(&name, &value);
            }
        }
        Ok(())
    }

    /// Sets the element's properties, or says which one can't be set and why. The preset comes
    /// first, so that the other options count.
    pub fn apply(&self, sink: &gst::Element) -> Result<(), String> {
        if let Some(name) = &self.preset {
            preset::load(sink, name)?;
        }
        if let Some(uri) = &self.uri {
            sink.set_property("uri", uri);
        }
        if let Some(id) = &self.resource_id {
            sink.set_property("resource-id", id);
        }
        if let Some(language) = &self.language {
            sink.set_property("language", language);
        }
        if !self.hotwords.is_empty() {
            sink.set_property("hotwords", gst::Array::new(&self.hotwords));
        }
        if self.speakers {
            sink.set_property("enable-speaker-info", true);
        }
        self.settings
            .iter()
            .try_for_each(|(name, value)| set(sink, name, value))
    }
}
