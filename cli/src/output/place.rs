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
