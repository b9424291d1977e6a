//! Specifications of the kinds that most properties are of.

use gst::glib;
use gst::prelude::*;

use super::LIVE;

pub(super) fn string(
    name: &str,
    nick: &str,
    blurb: &str,
    default: Option<&str>,
) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_ready()
        .build()
}

pub(super) fn secret(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .flags(glib::ParamFlags::WRITABLE)
        .mutable_ready()
        .build()
}

pub(super) fn boolean(name: &str, nick: &str, blurb: &str, default: bool) -> glib::ParamSpec {
    let builder = glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default);
    if LIVE.contains(&name) {
        builder.mutable_playing().build()
    } else {
        builder.mutable_ready().build()
    }
}

pub(super) fn uint(name: &str, nick: &str, blurb: &str, default: u32, max: u32) -> glib::ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .maximum(max)
        .default_value(default)
        .mutable_ready()
        .build()
}

pub(super) fn choice<T>(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec
where
    T: StaticType
        + Default
        + ToValue
        + glib::translate::IntoGlib<GlibType = i32>
        + glib::translate::FromGlib<i32>,
{
    glib::ParamSpecEnum::builder_with_default(name, T::default())
        .nick(nick)
        .blurb(blurb)
        .mutable_ready()
        .build()
}
