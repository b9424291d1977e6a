//! Inputs of a batch: files, addresses, and the files in directories.

use std::io;
use std::path::{Path, PathBuf};

/// Endings of files with sound.
const ENDINGS: &[&str] = &[
    "3gp", "aac", "ac3", "aif", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "flac", "flv",
    "m2ts", "m4a", "m4b", "m4v", "mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpeg", "mpg", "mts",
    "mxf", "oga", "ogg", "ogv", "opus", "spx", "ts", "vob", "wav", "webm", "wma", "wmv", "wv",
];

/// Files and addresses as they are; of directories, the files with sound in them, sorted by name.
pub fn expand(inputs: &[String]) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        if input == "-" || input.contains("://") || !path.is_dir() {
            all.push(input.clone());
            continue;
        }
        let mut found = Vec::new();
        collect(path, &mut found).map_err(|error| format!("{input}: {error}"))?;
        if found.is_empty() {
            return Err(format!("no file with sound in the directory {input}"));
        }
        found.sort();
        all.extend(found);
    }
    Ok(all)
}

/// Hidden files and links to directories are left out.
fn collect(directory: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path: PathBuf = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&path, found)?;
        } else if has_sound(&path) && path.is_file() {
            // A name that is no UTF-8 can be given as an address.
            found.extend(path.to_str().map(str::to_owned));
        }
    }
    Ok(())
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
        let expanded = expand(&given).map(|all| {
            let strip = |path: &String| path.replace(&name(""), "");
            all.iter().map(strip).collect::<Vec<_>>()
        });
        std::fs::remove_dir_all(&root).expect("the directory");
        let expected = [
            "-",
            "a.opus",
            "b/c/three.wav",
            "b/two.MP3",
            "rtsp://x/y",
            "no.such",
        ];
        assert_eq!(expanded, Ok(expected.map(str::to_owned).to_vec()));
    }
}
