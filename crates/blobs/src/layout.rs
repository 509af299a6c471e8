//! Where everything is in a directory of blobs:
//!
//! ```text
//! boot                        the boot of the machine in which it was last used
//! uploads/CONV-MSG.json       who uploads what
//! uploads/CONV-MSG.part       what is there of it
//! uploads/CONV-MSG.whole      the same when it is complete and durable
//! AB/CONV/MSG                 a posted blob; AB: the first byte of CONV
//! ```
//! CONV and MSG are ids in hexadecimal digits.

use std::path::{Path, PathBuf};

use kefu_proto::{ConvId, MsgId};

use crate::BlobId;

/// The paths below a directory.
#[derive(Debug, Clone)]
pub struct Layout(PathBuf);

impl Layout {
    pub fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn boot(&self) -> PathBuf {
        self.0.join("boot")
    }

    pub fn uploads(&self) -> PathBuf {
        self.0.join("uploads")
    }

    /// `extension`: `json`, `part` or `whole`.
    pub fn upload(&self, id: BlobId, extension: &str) -> PathBuf {
        self.uploads().join(format!("{}-{}.{extension}", id.conv, id.msg))
    }

    /// The directory of a conversation.
    pub fn conversation(&self, conv: ConvId) -> PathBuf {
        let name = conv.to_string();
        self.0.join(&name[..2]).join(name)
    }

    pub fn blob(&self, id: BlobId) -> PathBuf {
        self.conversation(id.conv).join(id.msg.to_string())
    }
}

/// The id and the extension of a file below `uploads`.
pub fn upload_of(name: &str) -> Option<(BlobId, &str)> {
    let (id, extension) = name.split_once('.')?;
    let (conv, msg) = id.split_once('-')?;
    Some((BlobId { conv: conv.parse().ok()?, msg: msg.parse().ok()? }, extension))
}

/// The conversation that a directory belongs to.
pub fn conversation_of(name: &str) -> Option<ConvId> {
    name.parse().ok()
}

/// The message that a file of a conversation's directory belongs to.
pub fn message_of(name: &str) -> Option<MsgId> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let id = BlobId { conv: ConvId([0xab; 16]), msg: MsgId([7; 16]) };
        let layout = Layout::new(Path::new("/blobs"));
        let upload = layout.upload(id, "part");
        let name = upload.file_name().unwrap().to_str().unwrap();
        assert_eq!(upload_of(name), Some((id, "part")));
        assert_eq!(layout.blob(id), Path::new("/blobs/ab").join("ab".repeat(16)).join("07".repeat(16)));
        for other in ["boot", "x-y.part", "abab.json", ""] {
            assert_eq!(upload_of(other), None, "{other}");
        }
    }
}
