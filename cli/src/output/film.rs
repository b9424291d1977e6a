//! A film that is written beside the place where it will be.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::place::part_of;
use crate::failure::Failure;

/// A film that is not whole yet; gone if it does not get there. What has its name stays until then.
#[derive(Debug)]
pub struct Film {
    whole: PathBuf,
    part: PathBuf,
}

impl Film {
    /// Begins it, so that a place that can't be written to is known at once.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error: &io::Error| Failure::of_path(path, error);
        if path.exists() && !path.is_file() {
            return Err(Failure::from(format!(
                "{}: it is there, and is no file",
                path.display()
            )));
        }
        // A link stays one.
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let part = part_of(&whole);
        File::create_new(&part).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure {
                text: format!("{}: it is there already", part.display()),
                hint: Some("another run may be writing the video; if none is, delete it".into()),
                ..Failure::default()
            },
            _ => failed(&error),
        })?;
        Ok(Film { whole, part })
    }

    /// The file to write to.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Gives it its name. It is on the disk first: a crash must not leave the name alone.
    pub fn complete(self) -> Result<(), Failure> {
        let named = || {
            File::open(&self.part)?.sync_all()?;
            fs::rename(&self.part, &self.whole)
        };
        named().map_err(|error| Failure::of_path(&self.whole, &error))
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        // After the rename there is nothing of this name.
        let _ = fs::remove_file(&self.part);
    }
}
