//! GStreamer plugin with the element `volcasrsink`.
pub mod protocol;
pub mod session;
