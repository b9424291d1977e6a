//! Inputs of a batch: files, addresses, and the files in directories.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};
use gst::glib;

/// Endings of files with sound.
const ENDINGS: &[&str] = &[
    "3g2", "3gp", "aac", "ac3", "aif", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "dts",
    "eac3", "f4v", "flac", "flv", "m2ts", "m4a", "m4b", "m4v", "mka", "mkv", "mov", "mp2", "mp3",
    "mp4", "mpeg", "mpg", "mts", "mxf", "oga", "ogg", "ogm", "ogv", "opus", "ra", "rm", "rmvb",
    "spx", "ts", "tta", "vob", "wav", "webm", "wma", "wmv", "wv",
];

/// Reads an argument: a name that is no UTF-8, as in old archives, becomes an address.
pub fn parser() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().try_map(|name| address(name.into()))
}

/// The path as it is, or as an address where it is no UTF-8.
fn address(path: PathBuf) -> Result<String, glib::Error> {
    let name = path.into_os_string().into_string();
    name.or_else(|name: OsString| {
        let path = std::path::absolute(&name).unwrap_or_else(|_| name.into());
        glib::filename_to_uri(path, None).map(Into::into)
    })
}

/// Files and addresses as they are; of directories, the files with sound in them, sorted by name.
/// The second value counts the others in them.
pub fn expand(inputs: &[String]) -> Result<(Vec<String>, usize), String> {
    let mut all = Vec::new();
    let mut left_out = 0;
    for input in inputs {
        let path = Path::new(input);
        if input == "-" || input.contains("://") || !path.is_dir() {
            all.push(input.clone());
            continue;
        }
        let mut found = Vec::new();
        let others = collect(path, &mut found).map_err(|error| format!("{input}: {error}"))?;
        left_out += others;
        if found.is_empty() {
            return Err(format!("no file with sound in the directory {input}"));
        }
        found.sort();
        for path in found {
            all.push(address(path).map_err(|error| format!("{input}: {error}"))?);
        }
    }
    Ok((all, left_out))
}

/// Collects files with sound, and returns how many others there are. Hidden files and links to
/// directories do not count.
fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<usize> {
    let mut others = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path: PathBuf = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            others += collect(&path, found)?;
        } else if path.is_file() {
            match has_sound(&path) {
                true => found.push(path),
                false => others += 1,
            }
        }
    }
    Ok(others)
}

fn has_sound(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_hold_files_with_sound() {
        let root = std::env::temp_dir().join(format!("volcasr-inputs-{}", std::process::id()));
        std::fs::create_dir_all(root.join("b/c")).expect("a directory");
        for name in [
            "b/two.MP3",
            "b/c/three.wav",
            "a.opus",
            "film.rmvb",
            "notes.txt",
            ".hidden.wav",
        ] {
            std::fs::write(root.join(name), "").expect("a file");
        }
        let name = |path: &str| root.join(path).display().to_string();
        let given = [
            "-".to_owned(),
            name(""),
            "rtsp://x/y".into(),
            "no.such".into(),
        ];
        #[cfg(target_os = "linux")]
        std::fs::write(root.join(no_utf_8()), "").expect("a file");
        let expanded = expand(&given).map(|(all, left_out)| {
            let strip = |path: &String| path.replace(&name(""), "").replace("file://", "");
            (all.iter().map(strip).collect::<Vec<_>>(), left_out)
        });
        std::fs::remove_dir_all(&root).expect("the directory");
        let expected = [
            "-",
            "a.opus",
            "b/c/three.wav",
            "b/two.MP3",
            "film.rmvb",
            #[cfg(target_os = "linux")]
            "%D6%D0.wav",
            "rtsp://x/y",
            "no.such",
        ];
        assert_eq!(expanded, Ok((expected.map(str::to_owned).to_vec(), 1)));
    }

    /// A name of an archive in GBK.
    #[cfg(target_os = "linux")]
    fn no_utf_8() -> OsString {
        use std::os::unix::ffi::OsStringExt;
        OsString::from_vec(b"\xd6\xd0.wav".to_vec())
    }
}
