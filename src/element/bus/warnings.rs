//! Warnings: their texts, and the structures in their details.

use std::time::Duration;

use gst::{ResourceError, StreamError};

use super::errors::{Report, URI};
use super::nanos;
use crate::element::ineffective::Ineffective;
use crate::element::timeline::Times;

/// Audio was dropped, the first of it at `times`.
pub(crate) fn dropped(times: Times, lost: Duration) -> Report {
    let place = times.running_time.or(times.timestamp).unwrap_or_default();
    let text = format!(
        "{} ms of audio from {place} on were dropped: more than max-queue-time waits to be sent",
        lost.as_millis()
    );
    let times = Times {
        duration: lost.try_into().ok(),
        ..times
    };
    let details = times.add_to(gst::Structure::builder("volcasr-dropped"));
    Report::new(ResourceError::Write, &text).with(details)
}

/// A setting has no effect.
pub(crate) fn ineffective(found: &Ineffective) -> Report {
    let details = gst::Structure::builder("volcasr-setting").field("property", found.property);
    Report::new(ResourceError::Settings, &found.text).with(details)
}

/// Audio is being discarded because it is played backwards.
pub(crate) fn reverse_playback() -> Report {
    let text = "Audio that is played backwards can't be recognised, and is discarded";
    Report::new(StreamError::Format, text)
}

/// Another connection is tried, for the `attempt`th time in a row and after `backoff`. It replays
/// the audio from `times` on. `lost`: a session was lost; `cause` and `details`: of the error.
pub(crate) fn reconnecting(
    (lost, cause, details): (bool, &str, gst::Structure),
    (attempt, backoff): (u32, Duration),
    times: Times,
) -> Report {
    let what = match lost {
        true => "The connection was lost and is being restored",
        false => "No session yet, trying again",
    };
    let ms = backoff.as_millis();
    let text = format!("{what} in {ms} ms (attempt {attempt}): {cause}");
    let times = Times {
        duration: None,
        ..times
    };
    let builder = times.add_to(gst::Structure::builder("volcasr-reconnect"));
    let details = builder
        .field("attempt", attempt)
        .field("pause", nanos(backoff))
        .field("error", details);
    Report::new(ResourceError::Write, &text).with(details)
}

/// The last words did not come. `cause`: of a connection that was lost.
pub(crate) fn finish_timed_out(waited: Duration, cause: Option<String>) -> Report {
    let why = match &cause {
        Some(cause) => format!(": {cause}"),
        None => String::new(),
    };
    let text = format!(
        "The service did not confirm the last words, for which this element waited {} ms{why}. \
         The last text was posted as final and unconfirmed. The properties finish-timeout and \
         max-reconnects say how long to wait, and how often to ask again.",
        waited.as_millis()
    );
    let details = gst::Structure::builder("volcasr-finish-timeout").field("waited", nanos(waited));
    Report {
        debug: cause,
        ..Report::new(ResourceError::Read, &text).with(details)
    }
}

/// The service counts more audio than it was sent. `rate_to_try`: of the audio, if there is one.
pub(crate) fn sample_rate_mismatch(
    counted: Duration,
    sent: Duration,
    rate_to_try: Option<u32>,
) -> Report {
    let remedy = match rate_to_try {
        Some(rate) => format!("Try the property rate={rate}"),
        None => format!("Check that the {URI} names a v3/sauc endpoint"),
    };
    let text = format!(
        "The service has worked through more audio than was sent: it seems to count at another \
         rate. {remedy}."
    );
    let details = gst::Structure::builder("volcasr-rate")
        .field("counted", nanos(counted))
        .field("sent", nanos(sent));
    Report::new(StreamError::Format, &text).with(details)
}

/// None of a session's responses can be read.
pub(crate) fn not_understood(responses: u32) -> Report {
    let text = format!(
        "None of {responses} responses of the service holds anything that this element can read. \
         Check that the {URI} names a v3/sauc endpoint; post-responses shows what they hold."
    );
    let details = gst::Structure::builder("volcasr-unreadable").field("responses", responses);
    Report::new(StreamError::Decode, &text).with(details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_of_warnings() {
        gst::init().expect("GStreamer");
        let (ms, second) = (Duration::from_millis, gst::ClockTime::SECOND);
        let times = Times {
            timestamp: Some(6 * second),
            running_time: Some(7 * second),
            duration: Some(second / 2),
            ..Times::default()
        };
        let error = gst::Structure::new_empty("volcasr-error");
        let placed = "timestamp=(guint64)6000000000, running-time=(guint64)7000000000";
        for (report, expected) in [
            // The duration is that of what was dropped.
            (
                dropped(times, ms(400)),
                &*format!("volcasr-dropped, {placed}, duration=(guint64)400000000;"),
            ),
            (
                reconnecting((true, "cause", error), (2, ms(250)), times),
                &format!(
                    "volcasr-reconnect, {placed}, attempt=(uint)2, pause=(guint64)250000000, \
                     error=[volcasr-error];"
                ),
            ),
            (
                finish_timed_out(ms(10_000), None),
                "volcasr-finish-timeout, waited=(guint64)10000000000;",
            ),
            (
                finish_timed_out(Duration::MAX, None),
                "volcasr-finish-timeout, waited=(guint64)18446744073709551615;",
            ),
            (
                sample_rate_mismatch(ms(3000), ms(2000), None),
                "volcasr-rate, counted=(guint64)3000000000, sent=(guint64)2000000000;",
            ),
        ] {
            let details = report.details.expect("details");
            assert_eq!(details, expected.parse::<gst::Structure>().expect("one"));
        }
    }
}
