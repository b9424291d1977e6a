//! Containers of a film, and the encoders that fit in each.

use std::path::Path;

/// Container of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Matroska,
    WebM,
    Mp4,
    Ogg,
}

/// A piece of a launch line, and the package of Debian and Ubuntu that has its elements.
type Piece = (&'static str, &'static str);

const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";
const BASE: &str = "gstreamer1.0-plugins-base";
const UGLY: &str = "gstreamer1.0-plugins-ugly";
const LIBAV: &str = "gstreamer1.0-libav";

/// Draws the captions.
const OVERLAY: Piece = (
    "textoverlay font-desc=\"Sans 18\" shaded-background=true",
    "gstreamer1.0-x",
);

// Of constant quality, where the encoder knows that: the defaults are a constant bitrate, which is
// too low for a large picture.
// Without a buffer to fill, x264 takes `bitrate` for no limit, which 2 Mbit/s would be.
const X264: Piece = (
    "x264enc pass=qual quantizer=21 vbv-buf-capacity=0 speed-preset=veryfast",
    UGLY,
);
const OPENH264: Piece = ("openh264enc rate-control=off ! h264parse", BAD);
const MPEG4: Piece = ("avenc_mpeg4 pass=quant quantizer=4", LIBAV);
const VP8: Piece = (
    "vp8enc deadline=1 cpu-used=4 target-bitrate=0 bits-per-pixel=0.1",
    GOOD,
);
const VP9: Piece = (
    "vp9enc deadline=1 cpu-used=6 row-mt=true target-bitrate=0 bits-per-pixel=0.07",
    GOOD,
);
// Its times are numbers of frames: each frame has to be there.
const THEORA: Piece = ("videorate ! theoraenc quality=54", BASE);

const OPUS: Piece = ("opusenc bitrate=128000", BASE);
const VORBIS: Piece = ("vorbisenc quality=0.5", BASE);
const FLAC: Piece = ("flacenc", GOOD);
const AVENC_AAC: Piece = ("avenc_aac bitrate=160000", LIBAV);
const FDK_AAC: Piece = ("fdkaacenc bitrate=160000", BAD);
const VO_AAC: Piece = ("voaacenc bitrate=160000", BAD);
const MP3: Piece = ("lamemp3enc", GOOD);

/// Pieces of a launch line that draw on a film and write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub overlay: &'static str,
    pub video: &'static str,
    pub audio: &'static str,
    pub muxer: &'static str,
}

impl Container {
    /// Returns the container of a file, by the ending of its name.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("mkv") => Ok(Container::Matroska),
            Some("webm") => Ok(Container::WebM),
            Some("mp4" | "m4v") => Ok(Container::Mp4),
            Some("ogv" | "ogg") => Ok(Container::Ogg),
            _ => Err(format!(
                "{}: its ending names no container for a film: .mkv, .webm, .mp4 and .ogv do",
                path.display()
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Container::Matroska => ".mkv",
            Container::WebM => ".webm",
            Container::Mp4 => ".mp4",
            Container::Ogg => ".ogv",
        }
    }

    fn muxer(self) -> Piece {
        match self {
            Container::Matroska => ("matroskamux", GOOD),
            Container::WebM => ("webmmux", GOOD),
            Container::Mp4 => ("mp4mux", GOOD),
            Container::Ogg => ("oggmux", BASE),
        }
    }

    /// Returns the encoders of pictures, the best first.
    fn video(self) -> &'static [Piece] {
        match self {
            // openh264enc prints an error of its library at each end.
            Container::Matroska => &[X264, VP8, OPENH264, THEORA],
            Container::WebM => &[VP8, VP9],
            Container::Mp4 => &[X264, OPENH264, MPEG4],
            Container::Ogg => &[THEORA],
        }
    }

    /// Returns the encoders of sound, the best first.
    fn audio(self) -> &'static [Piece] {
        match self {
            Container::Matroska => &[OPUS, VORBIS, FLAC],
            Container::WebM => &[OPUS, VORBIS],
            Container::Mp4 => &[AVENC_AAC, FDK_AAC, VO_AAC, MP3],
            Container::Ogg => &[VORBIS, OPUS],
        }
    }

    /// Returns the first encoders of which `has` knows all elements, or the packages that have one.
    pub fn encoding(self, has: impl Fn(&str) -> bool) -> Result<Encoding, String> {
        let is_there = |(piece, _): &&Piece| {
            let mut elements = piece.split(" ! ");
            elements.all(|element| has(element.split(' ').next().unwrap_or(element)))
        };
        let first = |pieces: &[Piece], what: &str| {
            let found = pieces.iter().find(is_there).map(|(piece, _)| *piece);
            found.ok_or_else(|| self.missing(pieces, what))
        };
        Ok(Encoding {
            overlay: first(&[OVERLAY], "element that draws captions")?,
            muxer: first(&[self.muxer()], "muxer")?,
            video: first(self.video(), "video encoder")?,
            audio: first(self.audio(), "audio encoder")?,
        })
    }

    /// Returns encodings with each of its encoders that `has` knows.
    #[cfg(test)]
    pub fn encodings(self, has: impl Fn(&str) -> bool) -> Vec<Encoding> {
        let Ok(first) = self.encoding(&has) else {
            return Vec::new();
        };
        let is_there = |piece: &&'static str| {
            let mut elements = piece.split(" ! ");
            elements.all(|element| has(element.split(' ').next().unwrap_or(element)))
        };
        let of = |pieces: &'static [Piece]| pieces.iter().map(|(piece, _)| *piece).filter(is_there);
        let videos = of(self.video()).map(|video| Encoding { video, ..first });
        videos
            .chain(of(self.audio()).map(|audio| Encoding { audio, ..first }))
            .collect()
    }

    fn missing(self, pieces: &[Piece], what: &str) -> String {
        let named: Vec<String> = pieces
            .iter()
            .map(|(piece, package)| {
                let element = piece.split(" ! ").find(|e| !e.starts_with("videorate"));
                let name = element.and_then(|element| element.split(' ').next());
                format!("{} ({package})", name.unwrap_or(piece))
            })
            .collect();
        format!(
            "no {what} for {} is installed; on Debian and Ubuntu, install the package of {}",
            self.name(),
            named.join(" or ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_names() {
        let cases = [
            ("a/talk.mkv", Some(Container::Matroska)),
            ("talk.WebM", Some(Container::WebM)),
            ("talk.mp4", Some(Container::Mp4)),
            ("talk.ogv", Some(Container::Ogg)),
            ("talk.avi", None),
            ("mkv", None),
        ];
        for (name, container) in cases {
            let found = Container::of_file(Path::new(name));
            assert_eq!(found.as_ref().ok(), container.as_ref(), "{name}");
        }
        let error = Container::of_file(Path::new("talk.avi")).expect_err("no container");
        assert!(
            error.contains("talk.avi") && error.contains(".mkv"),
            "{error}"
        );
    }

    /// An encoder with a parser behind it is there only with the parser.
    #[test]
    fn the_first_encoder_that_is_installed() {
        let with = |lacks: &'static [&str]| move |name: &str| !lacks.contains(&name);
        let all = Container::Mp4.encoding(with(&[])).expect("all are there");
        assert_eq!(all.video, X264.0);
        let some = Container::Mp4.encoding(with(&["x264enc", "h264parse", "avenc_aac"]));
        let some = some.expect("others are there");
        assert_eq!((some.video, some.audio), (MPEG4.0, FDK_AAC.0));
    }

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let without = |lacks: &'static str| move |name: &str| !name.contains(lacks);
        let cases = [
            (
                Container::WebM,
                "vp",
                "vp8enc (gstreamer1.0-plugins-good) or vp9enc",
            ),
            (
                Container::Ogg,
                "theora",
                "theoraenc (gstreamer1.0-plugins-base)",
            ),
            (Container::Mp4, "mp4mux", "no muxer for .mp4"),
            (
                Container::Matroska,
                "overlay",
                "textoverlay (gstreamer1.0-x)",
            ),
        ];
        for (container, lacks, text) in cases {
            let error = container.encoding(without(lacks)).expect_err(lacks);
            assert!(error.contains(text), "{lacks}: {error}");
        }
    }
}
