//! Formats of a transcript.

use std::path::Path;

/// Format of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for each utterance
    Txt,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles
    Vtt,
    /// A JSON document
    Json,
    /// A JSON object for each utterance, one a line
    Jsonl,
}

impl Format {
    /// How a file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Txt => "txt",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
        }
    }

    /// The format of a file, by the ending of its name.
    pub fn of_file(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        let all = <Format as clap::ValueEnum>::value_variants();
        let by_name = all
            .iter()
            .copied()
            .find(|format| format.extension() == ending);
        by_name.or(match ending.as_str() {
            "text" => Some(Format::Txt),
            "webvtt" => Some(Format::Vtt),
            "ndjson" => Some(Format::Jsonl),
            _ => None,
        })
    }
}

/// How a transcript is written.
#[derive(Clone, Copy, Debug, PartialEq, clap::Args)]
#[command(next_help_heading = "How it is written")]
pub struct Looks {
    /// Begin each line of text with its time
    #[arg(long)]
    pub timestamps: bool,
    /// Columns of a subtitle's line; a Chinese character takes two
    #[arg(long, value_name = "N", default_value_t = 42,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..))]
    pub max_line_width: usize,
    /// Lines of a subtitle
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_line_count: usize,
}

impl Default for Looks {
    fn default() -> Self {
        Looks {
            timestamps: false,
            max_line_width: 42,
            max_line_count: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_names() {
        let cases = [
            ("talk.srt", Some(Format::Srt)),
            ("talk.VTT", Some(Format::Vtt)),
            ("a.b/talk.json", Some(Format::Json)),
            ("talk.jsonl", Some(Format::Jsonl)),
            ("talk.ndjson", Some(Format::Jsonl)),
            ("talk.text", Some(Format::Txt)),
            ("talk.doc", None),
            ("talk", None),
            ("srt", None),
        ];
        for (name, format) in cases {
            assert_eq!(Format::of_file(Path::new(name)), format, "{name}");
        }
    }
}
