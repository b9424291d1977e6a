//! Properties that are fields of the request, which are kept in
//! [`Request`](crate::protocol::request::Request) itself.

use super::super::property::{Property, setting};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn recognition() -> Vec<Property> {
    vec![
        setting(
            "enable-itn",
            "Enable ITN",
            "Write numbers, dates and the like as digits",
            |s| &mut s.request.enable_itn,
        ),
        setting(
            "enable-punc",
            "Enable punctuation",
            "Punctuate the text; always sent, because the default that the service documents \
             varies",
            |s| &mut s.request.enable_punc,
        ),
        setting(
            "enable-ddc",
            "Enable DDC",
            "Leave out fillers and repetitions",
            |s| &mut s.request.enable_ddc,
        ),
        setting(
            "show-utterances",
            "Show utterances",
            "Ask for utterances, with times, words and finality; without them there is only the \
             whole text of a session, and nothing is final before its end",
            |s| &mut s.request.show_utterances,
        ),
        setting(
            "enable-nonstream",
            "Enable two-pass",
            "Recognise each finished sentence a second time, more exactly; on bigmodel_async \
             only. Final texts come later",
            |s| &mut s.request.enable_nonstream,
        ),
        setting(
            "result-type",
            "Result type",
            "What a response lists: all utterances of the session, or only the current ones, \
             which keeps long sessions cheap",
            |s| &mut s.result_type,
        ),
        setting(
            "language",
            "Language",
            "Language of the speech, as in en-US; honoured by bigmodel_nostream only (null: the \
             service's choice)",
            |s| &mut s.request.language,
        ),
        setting(
            "end-window-size",
            "End window size",
            "Milliseconds of silence after which an utterance is final; the service takes 200 to \
             5000 (0: not sent: then nothing may become final before the end)",
            |s| &mut s.request.end_window_size,
        ),
        setting(
            "force-to-speech-time",
            "Force to speech time",
            "Milliseconds of audio before which no utterance ends (0: not sent)",
            |s| &mut s.request.force_to_speech_time,
        ),
        setting(
            "vad-segment-duration",
            "VAD segment duration",
            "Milliseconds after which speech is cut by its meaning; without effect when \
             end-window-size is sent (0: not sent)",
            |s| &mut s.request.vad_segment_duration,
        ),
        setting(
            "enable-speaker-info",
            "Enable speaker info",
            "Tell speakers apart: the attribute speaker_id of utterances; numbers hold within one \
             session only",
            |s| &mut s.request.enable_speaker_info,
        ),
        setting(
            "ssd-version",
            "Speaker version",
            "Version of enable-speaker-info, sent together with it: 200 for short talk between at \
             most 5 speakers, 300 for long meetings (null: not sent)",
            |s| &mut s.request.ssd_version,
        ),
    ]
}

pub(super) fn vocabulary() -> Vec<Property> {
    vec![
        setting(
            "hotwords",
            "Hot words",
            "Words and names to listen for. On a command line, a space needs a backslash: \
             hotwords='<\"deep\\ learning\",\"GStreamer\">'",
            |s| &mut s.request.hotwords,
        ),
        setting(
            "context",
            "Context",
            "A JSON object merged into the request's corpus.context, for example \
             {\"context_type\":\"dialog_ctx\",\"context_data\":[{\"text\":\"…\"}]}",
            |s| &mut s.context,
        ),
        setting(
            "boosting-table-id",
            "Boosting table id",
            "Id of a hot word table kept at the vendor; beats the name",
            |s| &mut s.request.tables.boosting_table_id,
        ),
        setting(
            "boosting-table-name",
            "Boosting table name",
            "Name of a hot word table kept at the vendor",
            |s| &mut s.request.tables.boosting_table_name,
        ),
        setting(
            "correct-table-id",
            "Correction table id",
            "Id of a replacement table kept at the vendor; beats the name",
            |s| &mut s.request.tables.correct_table_id,
        ),
        setting(
            "correct-table-name",
            "Correction table name",
            "Name of a replacement table kept at the vendor",
            |s| &mut s.request.tables.correct_table_name,
        ),
        setting(
            "extra-request",
            "Extra request fields",
            "Further fields of the request, typed as the service wants them; a wrong type is \
             refused with 55000000. For example \
             extra-request=\"request,accelerate_score=(int)10,enable_accelerate_text=true\"",
            |s| &mut s.extra_request,
        ),
    ]
}
