//! Where everything is below the prefix of a bucket:
//!
//! ```text
//! uploads/CONV-MSG        who uploads what: there as long as it is not posted
//! files/CONV/MSG/00000    a part; the next is 00001
//! files/CONV/MSG/meta     how long it is: there since it is posted
//! ```
//! CONV and MSG are ids in hexadecimal digits.

use kefu_proto::ConvId;

use crate::BlobId;

/// All marks of uploads.
pub const UPLOADS: &str = "uploads/";
/// All parts.
pub const FILES: &str = "files/";

pub fn mark(id: BlobId) -> String {
    format!("{UPLOADS}{}-{}", id.conv, id.msg)
}

/// All marks of a conversation.
pub fn marks_of(conv: ConvId) -> String {
    format!("{UPLOADS}{conv}-")
}

/// All that is of a conversation.
pub fn conversation(conv: ConvId) -> String {
    format!("{FILES}{conv}/")
}

/// All that is of a blob, but its mark.
pub fn blob(id: BlobId) -> String {
    format!("{}{}/", conversation(id.conv), id.msg)
}

pub fn part(id: BlobId, n: u64) -> String {
    format!("{}{n:05}", blob(id))
}

pub fn meta(id: BlobId) -> String {
    format!("{}meta", blob(id))
}

/// Before all keys of the conversations that follow.
pub fn after(conv: ConvId) -> String {
    // the next character after /
    format!("{FILES}{conv}0")
}

/// Whose mark it is.
pub fn mark_of(key: &str) -> Option<BlobId> {
    let (conv, msg) = key.strip_prefix(UPLOADS)?.split_once('-')?;
    Some(BlobId { conv: conv.parse().ok()?, msg: msg.parse().ok()? })
}

/// What a key below [`FILES`] is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The n-th part.
    Part(u64),
    /// What it is posted by.
    Meta,
}

/// Which piece of which blob it is.
pub fn piece_of(key: &str) -> Option<(BlobId, Piece)> {
    let mut names = key.strip_prefix(FILES)?.split('/');
    let (conv, msg, name) = (names.next()?, names.next()?, names.next()?);
    let id = BlobId { conv: conv.parse().ok()?, msg: msg.parse().ok()? };
    match name {
        _ if names.next().is_some() => None,
        "meta" => Some((id, Piece::Meta)),
        name => name.parse().ok().map(|n| (id, Piece::Part(n))),
    }
}

#[cfg(test)]
mod tests {
    use kefu_proto::MsgId;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let id = BlobId { conv: ConvId([0xab; 16]), msg: MsgId([7; 16]) };
        assert_eq!(mark_of(&mark(id)), Some(id));
        assert_eq!(piece_of(&part(id, 12)), Some((id, Piece::Part(12))));
        assert_eq!(piece_of(&meta(id)), Some((id, Piece::Meta)));
        assert_eq!(part(id, 12), format!("files/{}/{}/00012", "ab".repeat(16), "07".repeat(16)));
        for other in ["", "files/", "files/x/y/0", "uploads/x-y", &format!("{}/x", meta(id)), &mark(id)] {
            assert_eq!(piece_of(other), None, "{other}");
        }
        assert!(after(id.conv) > meta(id) && after(id.conv) < conversation(ConvId([0xac; 16])));
        assert!(mark(id).starts_with(&marks_of(id.conv)));
    }
}
