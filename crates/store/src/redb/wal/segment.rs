//! The bytes of one segment: a header, then groups, each with a header of its own. Pure; `mod.rs` says what segments mean
//! together.
//!
//! Every checksum begins with the store's id and the segment's number, so nothing that an earlier use of the file left
//! behind is taken for content.

use crc32fast::Hasher;

use crate::StoreError;

/// Drawn when a database is made; its log has it, too.
pub(in crate::redb) type StoreId = [u8; 16];

/// Where the first group begins: the header has a block of its own.
pub(super) const FIRST_GROUP: usize = 4096;
/// Bytes before a group's payload: mark, u32 length of the payload, u64 number, u32 checksum of the payload, u32
/// checksum of this header. All numbers are little-endian.
pub(in crate::redb) const GROUP_HEADER: usize = 24;
/// Groups begin at multiples of this.
const ALIGN: usize = 8;

const MAGIC: &[u8; 8] = b"kefu-log";
const GROUP_MAGIC: &[u8; 4] = b"GRP1";
const VERSION: u32 = 1;

/// What a segment says of itself: magic, u32 version, store, u64 number, u64 first group, u32 checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The store that it belongs to.
    pub store: StoreId,
    /// Its number; a higher one is later.
    pub segment: u64,
    /// Number of its first group. Groups of earlier segments that have this number or a higher one were never
    /// acknowledged, and are void.
    pub first: u64,
}

impl Header {
    /// The block at the beginning of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(FIRST_GROUP);
        block.extend_from_slice(MAGIC);
        block.extend_from_slice(&VERSION.to_le_bytes());
        block.extend_from_slice(&self.store);
        block.extend_from_slice(&self.segment.to_le_bytes());
        block.extend_from_slice(&self.first.to_le_bytes());
        block.extend_from_slice(&crc32fast::hash(&block).to_le_bytes());
        block.resize(FIRST_GROUP, 0);
        block
    }

    /// Reads that block. None: the file was never used.
    pub fn decode(block: &[u8]) -> Result<Option<Self>, StoreError> {
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let damaged = || StoreError::Corrupt("the header of a segment of the log is damaged; restore a backup".into());
        let content = block.get(..44).ok_or_else(damaged)?;
        if &content[..8] != MAGIC {
            return Err(damaged());
        }
        let version = u32_at(content, 8);
        if version != VERSION {
            return Err(StoreError::Corrupt(format!(
                "the log has format {version}, this kefu knows {VERSION}: install the kefu that wrote it again"
            )));
        }
        if block.get(44..48) != Some(&crc32fast::hash(content).to_le_bytes()) {
            return Err(damaged());
        }
        let mut store = [0; 16];
        store.copy_from_slice(&content[12..28]);
        Ok(Some(Self { store, segment: u64_at(content, 28), first: u64_at(content, 36) }))
    }

    fn seeded(&self) -> Hasher {
        let mut hasher = Hasher::new();
        hasher.update(&self.store);
        hasher.update(&self.segment.to_le_bytes());
        hasher
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        let mut hasher = self.seeded();
        hasher.update(bytes);
        hasher.finalize()
    }

    /// Completes a group: `group` is space for its header, then the payload; it is padded to its place in the file.
    pub fn seal(&self, number: u64, group: &mut Vec<u8>) {
        let payload = &group[GROUP_HEADER..];
        let (len, checksum) = (payload.len() as u32, self.checksum(payload));
        group[..4].copy_from_slice(GROUP_MAGIC);
        group[4..8].copy_from_slice(&len.to_le_bytes());
        group[8..16].copy_from_slice(&number.to_le_bytes());
        group[16..20].copy_from_slice(&checksum.to_le_bytes());
        let checksum = self.checksum(&group[..20]);
        group[20..24].copy_from_slice(&checksum.to_le_bytes());
        group.resize(padded(group.len()), 0);
    }

    /// The group at `at`, if there is a whole one: its number, its payload and where the next one begins.
    fn group<'a>(&self, content: &'a [u8], at: usize) -> Option<(u64, &'a [u8], usize)> {
        let (number, len) = self.group_header(content, at)?;
        let begin = at + GROUP_HEADER;
        let payload = content.get(begin..begin.checked_add(len)?)?;
        let sound = self.checksum(payload) == u32_at(content, at + 16);
        sound.then_some((number, payload, padded(begin + len)))
    }

    /// Number and length of the group whose header is at `at`.
    fn group_header(&self, content: &[u8], at: usize) -> Option<(u64, usize)> {
        let header = content.get(at..at + GROUP_HEADER)?;
        let sound = &header[..4] == GROUP_MAGIC && self.checksum(&header[..20]) == u32_at(header, 20);
        sound.then(|| (u64_at(header, 8), u32_at(header, 4) as usize))
    }

    /// Passes the groups of a segment's content to `each`, in order, up to the one before `until`. Returns the number of
    /// the first group that is not there.
    ///
    /// A group is written only after the one before it is on disk. So a damaged one is the torn end of the log, unless a
    /// whole group comes after it: then something acknowledged is damaged, which is an error.
    pub fn walk(
        &self,
        content: &[u8],
        until: u64,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<u64, StoreError> {
        let (mut next, mut at) = (self.first, FIRST_GROUP);
        while next < until {
            match self.group(content, at) {
                Some((number, payload, end)) if number == next => {
                    each(number, payload)?;
                    (next, at) = (next + 1, end);
                }
                _ => break,
            }
        }
        if next < until && self.later_group(content, at, next, until) {
            return Err(StoreError::Corrupt(format!(
                "group {next} of the log is damaged, and later ones are not; restore a backup"
            )));
        }
        Ok(next)
    }

    /// Whether a whole group after `missing` and before `until` begins anywhere behind `at`.
    fn later_group(&self, content: &[u8], at: usize, missing: u64, until: u64) -> bool {
        (at..content.len()).step_by(ALIGN).any(|at| {
            content[at..].starts_with(GROUP_MAGIC)
                && self.group(content, at).is_some_and(|(number, ..)| number > missing && number < until)
        })
    }
}

/// Bytes that a group of this many takes in the file.
pub(super) fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGN)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { store: [7; 16], segment: 3, first: 10 };

    fn content(payloads: &[&[u8]]) -> Vec<u8> {
        let mut all = HEADER.encode();
        for (n, payload) in (HEADER.first..).zip(payloads) {
            let mut group = vec![0; GROUP_HEADER];
            group.extend_from_slice(payload);
            HEADER.seal(n, &mut group);
            all.extend_from_slice(&group);
        }
        all.resize(all.len() + 64, 0);
        all
    }

    fn read(content: &[u8], until: u64) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let mut payloads = Vec::new();
        let end = HEADER.walk(content, until, |_, payload| {
            payloads.push(payload.to_vec());
            Ok(())
        })?;
        Ok((end, payloads))
    }

    #[test]
    fn groups_come_back_in_order_up_to_the_one_that_is_void() {
        let all = content(&[b"one", b"", b"three"]);
        assert_eq!(Header::decode(&all[..FIRST_GROUP]), Ok(Some(HEADER)));
        assert_eq!(read(&all, u64::MAX), Ok((13, vec![b"one".to_vec(), vec![], b"three".to_vec()])));
        assert_eq!(read(&all, 12).unwrap().0, 12);
        assert_eq!(read(&all, 12).unwrap().1.len(), 2);
    }

    #[test]
    fn every_changed_bit_of_the_last_group_makes_it_the_torn_end() {
        let all = content(&[b"one", b"two"]);
        let begin = padded(FIRST_GROUP + GROUP_HEADER + 3);
        for bit in 0..(GROUP_HEADER + 3) * 8 {
            let mut torn = all.clone();
            torn[begin + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&torn, u64::MAX), Ok((11, vec![b"one".to_vec()])), "bit {bit}");
        }
        for len in 0..all.len() - FIRST_GROUP {
            assert!(read(&all[..FIRST_GROUP + len], u64::MAX).is_ok(), "cut at {len}");
        }
    }

    #[test]
    fn damage_before_a_whole_group_is_said_to_be_damage_unless_that_group_is_void() {
        let mut all = content(&[b"one", b"two", b"three"]);
        all[FIRST_GROUP + 2] ^= 1;
        assert!(matches!(read(&all, u64::MAX), Err(StoreError::Corrupt(e)) if e.contains("group 10")));
        assert_eq!(read(&all, 11), Ok((10, vec![])));
    }

    #[test]
    fn groups_of_another_store_or_segment_are_no_groups() {
        let all = content(&[b"one"]);
        for other in [Header { store: [8; 16], ..HEADER }, Header { segment: 4, ..HEADER }] {
            assert_eq!(other.walk(&all, u64::MAX, |_, _| panic!("taken for its own")), Ok(10));
        }
    }

    #[test]
    fn a_damaged_header_is_an_error_and_an_unused_file_is_not() {
        assert_eq!(Header::decode(&[0; FIRST_GROUP]), Ok(None));
        for byte in 0..48 {
            let mut block = HEADER.encode();
            block[byte] ^= 0x10;
            assert!(Header::decode(&block).is_err(), "byte {byte}");
        }
    }
}
