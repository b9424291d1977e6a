//! Where a transcript is written to.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Stdout, Write};
use std::path::{Path, PathBuf};

/// Something to write to, of which the last bytes may be written anew.
pub trait Place: Write {
    /// Goes back over the last `bytes`; false where that can't be.
    fn step_back(&mut self, bytes: usize) -> io::Result<bool>;
}

impl Place for File {
    fn step_back(&mut self, bytes: usize) -> io::Result<bool> {
        let back = i64::try_from(bytes).map_err(io::Error::other)?;
        // A pipe or a terminal that was named as a file can't.
        Ok(self.seek(SeekFrom::Current(-back)).is_ok())
    }
}

impl Place for Stdout {
    fn step_back(&mut self, _: usize) -> io::Result<bool> {
        Ok(false)
    }
}

/// Begins a file beside the place where it will be, which stays as it is until the file is whole.
/// Returns that place, behind a link if `path` is one, the name of the part, and the part.
pub fn begin(path: &Path) -> io::Result<(PathBuf, PathBuf, File)> {
    only_file(path)?;
    // A link stays one.
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let part = part_of(&whole);
    only_file(&part)?;
    let file = File::create(&part)?;
    Ok((whole, part, file))
}

/// Fails where something else than a file has the name: a device, a pipe, a link to nothing.
fn only_file(path: &Path) -> io::Result<()> {
    match path.symlink_metadata().is_ok() && !path.is_file() {
        true => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is there, and is no file",
        )),
        false => Ok(()),
    }
}

/// Returns the name under which a file is written until it is whole.
pub fn part_of(whole: &Path) -> PathBuf {
    let mut path = whole.as_os_str().to_owned();
    path.push(".part");
    PathBuf::from(path)
}

#[cfg(test)]
impl Place for Vec<u8> {
    fn step_back(&mut self, bytes: usize) -> io::Result<bool> {
        self.truncate(self.len() - bytes);
        Ok(true)
    }
}
