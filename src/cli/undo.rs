//! Removes what a failed `init` or `restore` created: the next attempt must not find half a company.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Removes the registered paths when dropped, unless [`Self::keep`] was called.
#[derive(Debug, Default)]
pub struct Undo {
    made: Vec<PathBuf>,
}

impl Undo {
    /// `path` does not exist yet and is about to be made.
    pub fn will_make(&mut self, path: &Path) {
        if !path.exists() {
            self.made.push(path.to_owned());
        }
    }

    /// `path` was made by this command.
    pub fn made(&mut self, path: &Path) {
        self.made.push(path.to_owned());
    }

    /// Keeps everything: the command succeeded.
    pub fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // what can't be removed will be named by the next try
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_things_are_removed_and_only_on_failure() {
        let tmp = tempfile::tempdir().unwrap();
        let (old, new, dir) = (tmp.path().join("old"), tmp.path().join("new"), tmp.path().join("dir"));
        fs::write(&old, "").unwrap();
        for keep in [false, true] {
            let mut undo = Undo::default();
            for path in [&old, &new, &dir] {
                undo.will_make(path);
            }
            fs::write(&new, "").unwrap();
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("inside"), "").unwrap();
            if keep {
                undo.keep();
            } else {
                drop(undo);
            }
            assert_eq!((old.exists(), new.exists(), dir.exists()), (true, keep, keep));
        }
    }
}
