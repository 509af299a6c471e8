//! What was written is read again; whatever is altered, cut or added is noticed, without much memory.

use super::*;

fn header() -> Header {
    Header { schema: 4, created_ms: 1_234, kefu: "0.2.0".into() }
}

fn sample() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    writer.table("records").unwrap();
    writer.row(b"a", b"first").unwrap();
    writer.row(b"b", b"").unwrap();
    writer.table("ids").unwrap();
    writer.file("tls/server.pem").unwrap();
    writer.data(b"cert").unwrap();
    writer.data(b"ificate").unwrap();
    let (bytes, counts) = writer.finish().unwrap();
    assert_eq!(counts, Counts { rows: 2, files: 1, file_bytes: 11 });
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let mut reader = Reader::new(bytes)?;
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        found.push(format!("{entry:?}"));
    }
    assert!(reader.next_entry()?.is_none());
    assert_eq!(reader.bytes(), bytes.len() as u64);
    Ok(found)
}

/// A backup of these frames, whose end is right.
fn of(frames: &[(u8, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    for (kind, payload) in frames {
        match *kind {
            ROW => writer.counts.rows += 1,
            FILE => writer.counts.files += 1,
            DATA => writer.counts.file_bytes += payload.len() as u64,
            _ => {}
        }
        writer.frame(*kind, &[payload]).unwrap();
    }
    writer.finish().unwrap().0
}

#[test]
fn what_was_written_is_read() {
    let found = read(&sample()).unwrap();
    assert_eq!(found.len(), 7);
    assert_eq!(found[0], r#"Table("records")"#);
    assert_eq!(found[4], r#"File("tls/server.pem")"#);
    assert_eq!(Reader::new(&sample()[..]).unwrap().header(), &header());
}

#[test]
fn a_flipped_bit_a_cut_and_an_addition_are_noticed_everywhere() {
    let good = sample();
    for at in 0..good.len() {
        assert!(read(&good[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(read(&bad).is_err(), "bit {bit} of byte {at}");
        }
    }
    assert!(read(&[&good[..], b"x"].concat()).is_err());
}

#[test]
fn a_structure_that_makes_no_sense_is_refused_though_its_checksum_is_right() {
    let row = |key: &[u8]| [&(key.len() as u32).to_be_bytes(), key, b"v"].concat();
    let (a, b) = (row(b"a"), row(b"b"));
    assert!(read(&of(&[(TABLE, b"t"), (ROW, &a), (ROW, &b)])).is_ok());
    for frames in [
        &[(ROW, &a[..])][..],
        &[(TABLE, b"t"), (ROW, &b), (ROW, &a)],
        &[(TABLE, b"t"), (ROW, &a), (ROW, &a)],
        &[(TABLE, b"t"), (TABLE, b"t")],
        &[(TABLE, b"t"), (ROW, &[0xff; 8])],
        &[(TABLE, b"t"), (ROW, &[0; 3])],
        &[(DATA, b"x")],
        &[(FILE, b"f"), (FILE, b"f")],
        &[(FILE, b"f"), (TABLE, b"t")],
        &[(FILE, b"../f")],
        &[(FILE, b"/f")],
        &[(b'Z', b"")],
        &[(HEADER, b"")],
    ] {
        assert!(matches!(read(&of(frames)), Err(ArchiveError::Damaged { .. })), "{frames:?}");
    }
}

#[test]
fn a_length_takes_no_memory_before_its_bytes_come() {
    let mut bytes = sample()[..16].to_vec();
    bytes.extend([HEADER, 0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(read(&bytes), Err(ArchiveError::Damaged { .. })));
    let mut bytes = of(&[(TABLE, b"t")]);
    bytes.truncate(bytes.len() - 61);
    bytes.extend([ROW, 3, 0xff, 0xff, 0xff, 1, 2, 3]);
    let mut reader = Reader::new(&bytes[..]).unwrap();
    reader.next_entry().unwrap();
    assert!(matches!(reader.next_entry(), Err(ArchiveError::Incomplete(_))));
    assert!(reader.payload.capacity() < 1 << 16);
}

#[test]
fn other_files_later_formats_and_failures_are_named() {
    assert!(matches!(read(b"SQLite format 3\0"), Err(ArchiveError::NotABackup)));
    assert!(matches!(read(b""), Err(ArchiveError::NotABackup)));
    let mut later = sample();
    later[15] = 9;
    assert!(matches!(read(&later), Err(ArchiveError::TooNew(9))));
    let mut out = Vec::new();
    Writer::new(&mut out, &header()).unwrap().fail("the disk failed").unwrap();
    assert_eq!(read(&out).unwrap_err().to_string(), "the disk failed");
}

#[test]
fn paths_lead_nowhere_else() {
    for good in ["kefu.toml", "tls/ca.pem", "knowledge/model/a b/模型.bin"] {
        assert!(path_is_valid(good), "{good}");
    }
    for bad in ["", "/", "/etc/x", "..", "a/../b", "a//b", "a/", ".ssh/x", "a\\b", "a\0b", "a\nb", "a/b/c/d/e/f"] {
        assert!(!path_is_valid(bad), "{bad:?}");
    }
}
