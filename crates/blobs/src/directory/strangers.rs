//! What is in a directory of blobs and is none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::posted::entries;
use crate::layout::{conversation_of, message_of, upload_of};

/// What a look at a directory found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Files and directories that kefu did not make, the first ones.
    pub other: Vec<PathBuf>,
    /// Those of another user than the directory's, the first ones, with that user.
    pub owned_by_others: Vec<(PathBuf, u32)>,
}

/// Looks at up to `most` files and directories below a directory of blobs, and names up to `named` of each kind.
///
/// # Errors
/// The directory can't be read.
pub fn strangers(root: &Path, most: usize, named: usize) -> io::Result<Strangers> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = fs::metadata(root)?.uid();
    let (mut found, mut seen) = (Strangers::default(), 0);
    let mut to_look_at = vec![(root.to_owned(), Level::Root)];
    while let Some((dir, level)) = to_look_at.pop() {
        let list = match entries(&dir) {
            Ok(list) => list,
            // what cannot be read is another user's, and named as such one level above
            Err(_) if level != Level::Root => continue,
            Err(e) => return Err(e),
        };
        for entry in list {
            let entry = entry?;
            seen += 1;
            if seen > most {
                return Ok(found);
            }
            // it may be gone by now; links are not followed
            let Ok(meta) = entry.metadata() else { continue };
            let below = entry.file_name().to_str().and_then(|name| level.below(name, meta.is_dir()));
            if meta.uid() != owner && found.owned_by_others.len() < named {
                found.owned_by_others.push((entry.path(), meta.uid()));
            }
            match below {
                Some(Level::File) if meta.is_file() => {}
                Some(below) if meta.is_dir() => to_look_at.push((entry.path(), below)),
                _ if found.other.len() < named => found.other.push(entry.path()),
                _ => {}
            }
        }
    }
    found.other.sort();
    found.owned_by_others.sort();
    Ok(found)
}

/// How deep something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Uploads,
    Shard,
    Conversation,
    File,
}

impl Level {
    /// What something of this name is here; none if kefu gives nothing such a name.
    fn below(self, name: &str, is_dir: bool) -> Option<Self> {
        let is_shard = name.len() == 2 && name.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        match self {
            Self::Root if name == "uploads" => Some(Self::Uploads),
            Self::Root if name == "boot" && !is_dir => Some(Self::File),
            Self::Root if is_shard => Some(Self::Shard),
            Self::Uploads => upload_of(name).map(|_| Self::File),
            Self::Shard => conversation_of(name).map(|_| Self::Conversation),
            Self::Conversation => message_of(name).map(|_| Self::File),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_kefu_did_not_make_is_named() {
        let dir = TempDir::new().unwrap();
        let (conv, msg) = ("ab".repeat(16), "07".repeat(16));
        for path in ["boot", &format!("uploads/{conv}-{msg}.part"), &format!("ab/{conv}/{msg}")] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        assert_eq!(strangers(dir.path(), 100, 3).unwrap(), Strangers::default());
        fs::write(dir.path().join("notes.txt"), "x").unwrap();
        fs::create_dir(dir.path().join("lost+found")).unwrap();
        fs::write(dir.path().join(format!("ab/{conv}/x")), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join(format!("ab/{conv}/{}", "08".repeat(16)))).unwrap();
        let other = strangers(dir.path(), 100, 9).unwrap().other;
        let names: Vec<_> = other.iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        let link = format!("ab/{conv}/{}", "08".repeat(16));
        assert_eq!(names, [&link, &format!("ab/{conv}/x"), "lost+found", "notes.txt"]);
        assert_eq!(strangers(dir.path(), 100, 2).unwrap().other.len(), 2);
        assert!(strangers(&dir.path().join("none"), 1, 1).is_err());
    }
}
