//! GStreamer's side of recognition, for every element of the plugin: its settings, a run, what is
//! posted.
//!
//! - [`settings`]: the values that the user sets, each declared once;
//! - [`run_config`]: the settings of one run, checked; [`ineffective`] finds those without effect;
//! - [`run`]: one run, until PAUSED → READY, and the streaming thread's way through it;
//! - [`run_slot`]: an element's run, what is left of the last one, and properties that are read;
//! - [`input`]: meaning of a buffer or a gap for the service, and clipping; [`drops`] reports
//!   dropped audio;
//! - [`timeline`]: from the service's times to the pipeline's;
//! - [`bus`]: everything that is posted.

pub(crate) mod bus;
pub(crate) mod caps;
pub(crate) mod drops;
pub(crate) mod ineffective;
pub(crate) mod input;
pub(crate) mod run;
pub(crate) mod run_config;
pub(crate) mod run_slot;
pub(crate) mod settings;
pub(crate) mod timeline;

/// The custom downstream event that ends the session, like the sink's signal `finish`.
pub(crate) const FINISH: &str = "volcasr/finish";
