//! Answers about the directory that many ask for, written once for each state of it and shared by all who get them.

use bytes::Bytes;

use super::rows;
use crate::crypto::{
    directory::{Entry, Snapshot},
    hash,
};

const BEGIN: &[u8] = b"{\"entries\":[";

/// The whole log as the JSON of `GET /directory`, of which every answer is a part.
pub(super) struct WrittenLog {
    json: Bytes,
    /// Where each entry begins, and where the list ends.
    entries: Vec<usize>,
    hash: String,
}

impl WrittenLog {
    pub fn new(entries: &[Entry], snapshot: Option<&Snapshot>) -> Self {
        let (mut json, mut begins) = (BEGIN.to_vec(), Vec::with_capacity(entries.len() + 1));
        for entry in entries {
            if !begins.is_empty() {
                json.push(b',');
            }
            begins.push(json.len());
            json.extend_from_slice(&rows::json(entry));
        }
        begins.push(json.len());
        json.extend_from_slice(b"],\"snapshot\":");
        json.extend_from_slice(&rows::json(&snapshot));
        json.push(b'}');
        let hash = data_encoding::HEXLOWER.encode(&hash::h("written", &[&json])[..8]);
        Self { json: json.into(), entries: begins, hash }
    }

    /// The answer with the entries after a number (−1: all).
    pub fn after(&self, after: i64) -> DirectoryJson {
        let last = self.entries.len() - 1;
        let from = usize::try_from(after.saturating_add(1)).unwrap_or(0).min(last);
        let tag = format!("\"{}-{from}\"", self.hash);
        let pieces = match from {
            0 => [self.json.clone(), Bytes::new()],
            _ => [Bytes::from_static(BEGIN), self.json.slice(self.entries[from]..)],
        };
        DirectoryJson { pieces, tag }
    }
}

/// `GET /directory`: the JSON of a [`super::DirectoryAnswer`].
#[derive(Debug, Clone)]
pub struct DirectoryJson {
    /// The JSON, in two pieces.
    pub pieces: [Bytes; 2],
    /// Its `ETag`.
    pub tag: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crypto::codec::Key32, org::DirectoryAnswer};

    fn entry(n: u8) -> Entry {
        Entry { raw: vec![n; 3].into(), signer: Key32([n; 32]), sig: vec![n; 64].into() }
    }

    #[test]
    fn every_part_of_the_log_is_the_json_of_its_answer() {
        for count in 0..4 {
            let entries: Vec<Entry> = (0..count).map(entry).collect();
            let log = WrittenLog::new(&entries, None);
            let mut tags = std::collections::HashSet::new();
            for after in [i64::MIN, -2, -1, 0, 1, 2, 3, 99, i64::MAX] {
                let from = usize::try_from(after.saturating_add(1)).unwrap_or(0).min(entries.len());
                let DirectoryJson { pieces, tag } = log.after(after);
                let read: DirectoryAnswer = serde_json::from_slice(&pieces.concat()).unwrap();
                assert_eq!(read, DirectoryAnswer { entries: entries[from..].to_vec(), snapshot: None });
                tags.insert((from, tag));
            }
            assert_eq!(tags.len(), entries.len() + 1, "a tag for each answer");
        }
    }
}
