//! The properties that the user sets: each is declared here, with the field that it stands for.
//!
//! A table instead of `glib::Properties`: that one declares for one class, and these are to serve
//! every element of the plugin.

mod request;

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use super::property::{Property, live, secret, setting};

static PROPERTIES: LazyLock<Vec<Property>> = LazyLock::new(|| all().collect());

fn all() -> impl Iterator<Item = Property> {
    let groups = [
        connection(),
        proxy(),
        limits(),
        request::recognition(),
        request::vocabulary(),
        output(),
    ];
    groups.into_iter().flatten()
}

/// Returns the specifications, for a class. No two classes can have the same ones.
pub(crate) fn specs() -> impl Iterator<Item = glib::ParamSpec> {
    all().map(|property| property.spec)
}

/// Returns the property of this name.
pub(crate) fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES
        .iter()
        .find(|property| property.spec.name() == name)
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn connection() -> Vec<Property> {
    vec![
        setting(
            "uri",
            "Service URI",
            "WebSocket URI of the service: wss://, or ws:// to a loopback address \
             (elsewhere only with allow-insecure). The path chooses the endpoint: \
             bigmodel_async, bigmodel or bigmodel_nostream. Credentials do not belong in \
             it. When it is not set, the environment variable VOLCASR_URI is used",
            |s| &mut s.service.uri,
        ),
        secret(
            "app-key",
            "App key",
            "App id that the old console shows, sent together with access-key; write-only. When \
             it is not set, the environment variable VOLCENGINE_APP_ID is used; unlike a \
             launch line, the environment is not shown to other users",
            |s| &mut s.service.app_key,
        ),
        secret(
            "access-key",
            "Access key",
            "Access token that the old console shows, sent together with app-key; write-only. \
             When it is not set, the environment variable VOLCENGINE_ACCESS_KEY is used",
            |s| &mut s.service.access_key,
        ),
        secret(
            "api-key",
            "API key",
            "API key that the new console shows, sent instead of app-key and access-key; \
             write-only. When it is not set, the environment variable VOLCENGINE_API_KEY is used",
            |s| &mut s.service.api_key,
        ),
        setting(
            "resource-id",
            "Resource id",
            "What the account has bought: volc.seedasr.sauc.duration, \
             volc.seedasr.sauc.concurrent, volc.bigasr.sauc.duration or \
             volc.bigasr.sauc.concurrent. A wrong one is refused with 400 or 403",
            |s| &mut s.service.resource_id,
        ),
        setting(
            "uid",
            "User id",
            "Identifies the user in the vendor's logs",
            |s| &mut s.request.uid,
        ),
        setting(
            "allow-insecure",
            "Allow insecure",
            "Send credentials and audio unencrypted over ws:// to another machine; every machine \
             on the way can read them",
            |s| &mut s.service.allow_insecure,
        ),
        setting(
            "model-name",
            "Model name",
            "The model; the service knows only \"bigmodel\"",
            |s| &mut s.request.model_name,
        ),
        setting(
            "compression",
            "Compression",
            "Compression of what is sent; gzip saves some 15 percent of the traffic for speech \
             and costs most of this element's CPU time",
            |s| &mut s.service.compression,
        ),
        setting(
            "rate",
            "Sample rate",
            "Sample rate of the audio in Hz, 24000 or 16000, which the caps follow. \
             Try 16000 if the service refuses 24000 (45000151) or sends garbled text",
            |s| &mut s.rate,
        ),
    ]
}

fn proxy() -> Vec<Property> {
    vec![
        setting(
            "proxy",
            "Proxy",
            "URI of the proxy on the way to the service: http://, https://, socks5:// or \
             socks5h://; the proxy resolves the service's name. An empty one is no proxy. When it \
             is not set, the environment's https_proxy (http_proxy for ws://), all_proxy and \
             no_proxy are used, but never for a loopback address",
            |s| &mut s.proxy.uri,
        ),
        secret(
            "proxy-id",
            "Proxy id",
            "User name for the proxy, sent together with proxy-pw; write-only. It takes the place \
             of one in the proxy's URI",
            |s| &mut s.proxy.id,
        ),
        secret(
            "proxy-pw",
            "Proxy password",
            "Password for the proxy, sent together with proxy-id or the user name in the \
             proxy's URI; write-only",
            |s| &mut s.proxy.password,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn limits() -> Vec<Property> {
    vec![
        setting(
            "connect-timeout",
            "Connect timeout",
            "Milliseconds for one attempt to connect, from the name's look-up to the service's \
             answer to the request",
            |s| &mut s.limits.connect,
        ),
        setting(
            "finish-timeout",
            "Finish timeout",
            "Milliseconds to wait for the last words after the end, begun again by each response; \
             six times that in all. Then the last text is posted as final and unconfirmed",
            |s| &mut s.limits.finish,
        ),
        setting(
            "idle-timeout",
            "Idle timeout",
            "Milliseconds without audio after which the session is finished in good order; the \
             next buffer opens another (0: never; the service itself ends a session after 5 to 8 \
             seconds)",
            |s| &mut s.limits.idle,
        ),
        setting(
            "max-session-time",
            "Maximum session time",
            "Milliseconds of audio after which a session goes over to a new connection at the \
             next pause, or anywhere at 1.5 times that, later where the service is behind (0: \
             never; with result-type=full every response repeats the whole session)",
            |s| &mut s.limits.session,
        ),
        setting(
            "max-reconnects",
            "Maximum reconnects",
            "Attempts in a row to connect or to restore a lost connection, with pauses growing \
             from 250 ms to 8 s; counted anew when the service has answered for new audio (0: \
             none)",
            |s| &mut s.sending.max_reconnects,
        ),
        setting(
            "replay-time",
            "Replay time",
            "Milliseconds of sent audio without final text that are kept to be sent again on a new \
             connection; 120 s take up to 5.8 MB (0: none, so that a lost connection loses what \
             was being said)",
            |s| &mut s.sending.replay,
        ),
        setting(
            "max-queue-time",
            "Maximum queue time",
            "Milliseconds of audio that may wait to be sent before leaky decides; 30 s take 1.4 \
             MB",
            |s| &mut s.sending.max_queue,
        ),
        setting(
            "leaky",
            "Leaky",
            "What happens when max-queue-time of audio waits: block the pipeline, or drop the \
             oldest audio, counted and warned about",
            |s| &mut s.leaky,
        ),
        setting(
            "max-speed",
            "Maximum speed",
            "How many times faster than real time waiting audio is sent, replays included, \
             after a burst of one second (0: no limit; the service documents none, nor that \
             it has none)",
            |s| &mut s.sending.max_speed,
        ),
        Property::new(
            glib::ParamSpecUInt::builder("chunk-duration")
                .nick("Chunk duration")
                .blurb(
                    "Milliseconds of audio in one frame, which the first words wait for; the \
                     service asks for 100 to 200 (0: a frame for every buffer)",
                )
                .maximum(2000)
                .default_value(200)
                .mutable_ready()
                .build(),
            |s| &mut s.sending.chunk,
        ),
    ]
}

fn output() -> Vec<Property> {
    vec![
        live(
            "interim-results",
            "Interim results",
            "Post utterances while they may still change; off: final ones only",
            |s| &mut s.posts.interim,
        ),
        live(
            "post-tags",
            "Post tags",
            "Post each final utterance as the tag \"transcript\", too; gst-launch-1.0 -t prints \
             it",
            |s| &mut s.posts.tags,
        ),
        live(
            "post-responses",
            "Post responses",
            "Post each response's JSON as the element message volcasr-response, too; costs a copy \
             of each",
            |s| &mut s.posts.responses,
        ),
    ]
}
