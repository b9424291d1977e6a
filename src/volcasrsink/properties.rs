//! The element's properties, as `gst-inspect-1.0` shows them.

mod shorthands;

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use shorthands::{boolean, choice, secret, string, uint};

use super::settings::{
    Compression, DEFAULT_SSD_VERSION, DEFAULT_UID, DEFAULT_URI, Leaky, ResultType, Settings,
};

/// Applied at once, the others at the next READY → PAUSED.
pub(super) const LIVE: [&str; 3] = ["interim-results", "post-tags", "post-responses"];

/// All of them. Those that are not in [`LIVE`] say so by their mutability flag.
pub(super) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
    let mut all = connection();
    all.extend(limits());
    all.extend(recognition());
    all.extend(vocabulary());
    all.extend(output());
    all
});

fn connection() -> Vec<glib::ParamSpec> {
    vec![
        string(
            "uri",
            "Service URI",
            "WebSocket URI of the service: wss://, or ws:// to a loopback address (elsewhere only with allow-insecure). \
             The path chooses the endpoint: bigmodel_async, bigmodel or bigmodel_nostream. \
             Credentials do not belong in it. When it is not set, the environment variable VOLCASR_URI counts",
            Some(DEFAULT_URI),
        ),
        secret(
            "app-key",
            "App key",
            "App id that the old console shows, sent together with access-key; write-only. When it is not set, the environment \
             variable VOLCENGINE_APP_ID counts; unlike a launch line, the environment is not shown to other users",
        ),
        secret(
            "access-key",
            "Access key",
            "Access token that the old console shows, sent together with app-key; write-only. When it is not set, the \
             environment variable VOLCENGINE_ACCESS_KEY counts",
        ),
        secret(
            "api-key",
            "API key",
            "API key that the new console shows, sent instead of app-key and access-key; write-only. When it is not set, the \
             environment variable VOLCENGINE_API_KEY counts",
        ),
        string(
            "resource-id",
            "Resource id",
            "What the account has bought: volc.seedasr.sauc.duration, volc.seedasr.sauc.concurrent, \
             volc.bigasr.sauc.duration or volc.bigasr.sauc.concurrent. A wrong one is refused with 400 or 403",
            Some(Settings::default().resource_id.as_str()),
        ),
        string(
            "uid",
            "User id",
            "Identifies the user in the vendor's logs",
            Some(DEFAULT_UID),
        ),
        boolean(
            "allow-insecure",
            "Allow insecure",
            "Send credentials and audio unencrypted over ws:// to another machine; anybody on the way can read them",
            false,
        ),
        string(
            "model-name",
            "Model name",
            "The model; the service knows only \"bigmodel\"",
            Some("bigmodel"),
        ),
        choice::<Compression>(
            "compression",
            "Compression",
            "Compression of what is sent; gzip saves some 15 percent of the traffic for speech and costs most of this \
             element's CPU time",
        ),
        glib::ParamSpecInt::builder("rate")
            .nick("Sample rate")
            .blurb(
                "Sample rate of the audio in Hz, 24000 or 16000, which the caps follow. \
                 Try 16000 if the service refuses 24000 (45000151) or hears gibberish",
            )
            .minimum(16_000)
            .maximum(24_000)
            .default_value(24_000)
            .mutable_ready()
            .build(),
    ]
}

fn limits() -> Vec<glib::ParamSpec> {
    const MAX: u32 = u32::MAX;
    let defaults = Settings::default();
    vec![
        uint(
            "connect-timeout",
            "Connect timeout",
            "Milliseconds for one try to connect, from the name's look-up to the service's answer to the request",
            defaults.connect_timeout,
            MAX,
        ),
        uint(
            "finish-timeout",
            "Finish timeout",
            "Milliseconds to wait for the last words after the end, begun again by each response; six times that in \
             all. Then what was heard last is posted as final and unconfirmed",
            defaults.finish_timeout,
            MAX,
        ),
        uint(
            "idle-timeout",
            "Idle timeout",
            "Milliseconds without audio after which the session is finished in good order; the next buffer opens \
             another (0: never; the service itself ends a session after 5 to 8 seconds)",
            defaults.idle_timeout,
            MAX,
        ),
        uint(
            "max-session-time",
            "Maximum session time",
            "Milliseconds of audio after which a session goes over to a new connection at the next pause, or anywhere \
             at 1.5 times that, later where the service is behind (0: never; with result-type=full every response repeats the whole session)",
            defaults.max_session_time,
            MAX,
        ),
        uint(
            "max-reconnects",
            "Maximum reconnects",
            "Tries in a row to connect or to restore a lost connection, with pauses growing from 250 ms to 8 s; counted \
             anew when the service has answered for new audio (0: none)",
            defaults.max_reconnects,
            MAX,
        ),
        uint(
            "replay-time",
            "Replay time",
            "Milliseconds of sent, not yet settled audio that are kept to be sent again on a new connection; 120 s take \
             up to 5.8 MB (0: none, so that a lost connection loses what was being said)",
            defaults.replay_time,
            MAX,
        ),
        uint(
            "max-queue-time",
            "Maximum queue time",
            "Milliseconds of audio that may wait to be sent before leaky decides; 30 s take 1.4 MB",
            defaults.max_queue_time,
            MAX,
        ),
        choice::<Leaky>(
            "leaky",
            "Leaky",
            "What happens when max-queue-time of audio waits: block the pipeline, or drop the oldest audio, counted \
             and warned about",
        ),
        glib::ParamSpecDouble::builder("max-speed")
            .nick("Maximum speed")
            .blurb(
                "How many times faster than real time waiting audio is sent, replays included, after a burst of one \
                 second (0: no limit; the service documents none, nor that it has none)",
            )
            .minimum(0.0)
            .default_value(defaults.max_speed)
            .mutable_ready()
            .build(),
        uint(
            "chunk-duration",
            "Chunk duration",
            "Milliseconds of audio in one frame, which the first words wait for; the service asks for 100 to 200 \
             (0: a frame for every buffer)",
            defaults.chunk_duration,
            2000,
        ),
    ]
}

fn recognition() -> Vec<glib::ParamSpec> {
    const MAX: u32 = i32::MAX as u32;
    vec![
        boolean(
            "enable-itn",
            "Enable ITN",
            "Write numbers, dates and the like as digits",
            true,
        ),
        boolean(
            "enable-punc",
            "Enable punctuation",
            "Punctuate the text; always sent, because the default that the service documents varies",
            true,
        ),
        boolean(
            "enable-ddc",
            "Enable DDC",
            "Leave out fillers and repetitions",
            true,
        ),
        boolean(
            "show-utterances",
            "Show utterances",
            "Ask for utterances, with times, words and finality; without them there is only the whole text of a session, \
             and nothing is final before its end",
            true,
        ),
        boolean(
            "enable-nonstream",
            "Enable two-pass",
            "Recognise each finished sentence a second time, more exactly; on bigmodel_async only. Final texts come later",
            false,
        ),
        choice::<ResultType>(
            "result-type",
            "Result type",
            "What a response lists: all utterances of the session, or only the current ones, which keeps long sessions cheap",
        ),
        string(
            "language",
            "Language",
            "Language of the speech, as in en-US; honoured by bigmodel_nostream only (null: the service's choice)",
            None,
        ),
        uint(
            "end-window-size",
            "End window size",
            "Milliseconds of silence after which an utterance is final; the service takes 300 to 5000, older versions 200 \
             (0: not sent: then nothing may become final before the end)",
            800,
            MAX,
        ),
        uint(
            "force-to-speech-time",
            "Force to speech time",
            "Milliseconds of audio before which no utterance ends (0: not sent)",
            0,
            MAX,
        ),
        uint(
            "vad-segment-duration",
            "VAD segment duration",
            "Milliseconds after which speech is cut by its meaning; without effect when end-window-size is sent (0: not sent)",
            0,
            MAX,
        ),
        boolean(
            "enable-speaker-info",
            "Enable speaker info",
            "Tell speakers apart: the attribute speaker_id of utterances; numbers hold within one session only",
            false,
        ),
        string(
            "ssd-version",
            "Speaker version",
            "Version of enable-speaker-info, sent together with it: 200 for short talk between at most 5 speakers, 300 for \
             long meetings (null: not sent)",
            Some(DEFAULT_SSD_VERSION),
        ),
    ]
}

fn vocabulary() -> Vec<glib::ParamSpec> {
    vec![
        gst::ParamSpecArray::builder("hotwords")
            .nick("Hot words")
            .blurb(
                "Words and names to listen for. On a command line, a space needs a backslash: \
                 hotwords='<\"deep\\ learning\",\"GStreamer\">'",
            )
            .element_spec(
                &glib::ParamSpecString::builder("word").nick("Word").blurb("One hot word or phrase").build(),
            )
            .mutable_ready()
            .build(),
        string(
            "context",
            "Context",
            "A JSON object merged into the request's corpus.context, for example \
             {\"context_type\":\"dialog_ctx\",\"context_data\":[{\"text\":\"…\"}]}",
            None,
        ),
        string(
            "boosting-table-id",
            "Boosting table id",
            "Id of a hot word table kept at the vendor; beats the name",
            None,
        ),
        string("boosting-table-name", "Boosting table name", "Name of a hot word table kept at the vendor", None),
        string(
            "correct-table-id",
            "Correction table id",
            "Id of a replacement table kept at the vendor; beats the name",
            None,
        ),
        string("correct-table-name", "Correction table name", "Name of a replacement table kept at the vendor", None),
        glib::ParamSpecBoxed::builder::<gst::Structure>("extra-request")
            .nick("Extra request fields")
            .blurb(
                "Further fields of the request, typed as the service wants them; a wrong type is refused with 55000000. \
                 For example extra-request=\"request,accelerate_score=(int)10,enable_accelerate_text=true\"",
            )
            .mutable_ready()
            .build(),
    ]
}

fn output() -> Vec<glib::ParamSpec> {
    let id = |name, nick, blurb| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .read_only()
            .build()
    };
    vec![
        boolean(
            "interim-results",
            "Interim results",
            "Post utterances while they may still change; off: final ones only",
            true,
        ),
        boolean(
            "post-tags",
            "Post tags",
            "Post each final utterance as the tag \"transcript\", too; gst-launch-1.0 -t prints it",
            true,
        ),
        boolean(
            "post-responses",
            "Post responses",
            "Post each response's JSON as the element message volcasr-response, too; costs a copy of each",
            false,
        ),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "What was done so far: connections, frames, audio, latencies; times in nanoseconds",
            )
            .read_only()
            .build(),
        id(
            "log-id",
            "Log id",
            "The service's id of the current or last connection, which the vendor's support asks for",
        ),
        id(
            "connect-id",
            "Connect id",
            "This element's id of the current or last connection",
        ),
    ]
}
