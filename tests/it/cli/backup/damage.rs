//! Backups that are damaged, cut or made by someone else: refused, and nothing is created.

use std::{fs, path::Path, process::Command};

use kefu::store::archive::{Header, Writer};
use serde_json::Value;

use super::{Shell, error, json, names};

/// Verify and restore must refuse it, and give the same reason.
fn refused(file: &Path, new: &Path) -> String {
    let (code, why) = error(new, &["verify", file.to_str().unwrap()]);
    assert_eq!((code, error(new, &["restore", file.to_str().unwrap()])), (1, (1, why.clone())));
    assert!(!new.exists());
    why
}

#[test]
fn a_flipped_byte_or_a_cut_anywhere_is_noticed_and_nothing_is_created() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--origin", "https://www.example.com"]);
    let (file, bad, new) = (sh.path("b"), sh.path("bad"), sh.path("new"));
    sh.json(&["backup", file.to_str().unwrap(), "--with-opaque-setup"]);
    let good = fs::read(&file).unwrap();
    let last = good.len() - 1;
    let places = |count: usize| (0..count).map(move |n| n * last / (count - 1));
    for at in places(24).chain([12, 16, 17, 25, good.len() - 30]) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        fs::write(&bad, bytes).unwrap();
        refused(&bad, &new);
    }
    for length in places(12).chain([good.len() - 1]).filter(|length| *length < good.len()) {
        fs::write(&bad, &good[..length]).unwrap();
        refused(&bad, &new);
    }
    fs::write(&bad, [&good[..], b"\n"].concat()).unwrap();
    assert!(refused(&bad, &new).contains("something follows its end"));
    refused(Path::new("/dev/null"), &new);
    json(&new, &["restore", file.to_str().unwrap()]);
    json(&new, &["verify"]);
}

#[test]
fn a_restore_that_finds_no_space_leaves_nothing_behind() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let (file, new) = (sh.path("b"), sh.path("new"));
    sh.json(&["backup", file.to_str().unwrap()]);
    // no file may have more than 128 KiB
    let out = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" restore \"$1\" --data-dir \"$2\" --json"])
        .args([Path::new(env!("CARGO_BIN_EXE_kefu")), &file, &new])
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(value["error"]["message"].as_str().unwrap().starts_with("cannot create the database"), "{value}");
    assert_eq!((out.status.code(), new.exists()), (Some(1), false));
    super::super::private_dir(&new);
    json(&new, &["restore", file.to_str().unwrap()]);
}

type Row = (&'static [u8], &'static [u8]);

#[test]
fn a_backup_with_a_right_checksum_and_wrong_content_is_refused() {
    let sh = Shell::new();
    let (file, new) = (sh.path("b"), sh.path("new"));
    let make = |schema: u32, tables: &[(&str, &[Row])], files: &[&str]| {
        let header = Header { schema, created_ms: 0, kefu: "9.9.9".into() };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        for (table, rows) in tables {
            writer.table(table).unwrap();
            rows.iter().for_each(|(key, value)| writer.row(key, value).unwrap());
        }
        for path in files {
            writer.file(path).unwrap();
            writer.data(b"content").unwrap();
        }
        fs::write(&file, writer.finish().unwrap().0).unwrap();
        refused(&file, &new)
    };
    let meta: (&str, &[Row]) = ("meta", &[(b"schema", &[0, 0, 0, 4])]);
    for (tables, files, why) in [
        (&[][..], &[][..], "do not say which schema"),
        (&[("meta", &[(&b"schema"[..], &[0, 0, 0, 3][..])][..])], &[], "another schema version"),
        (&[meta, ("log", &[])], &[], "unknown table \"log\""),
        (&[meta, ("records", &[(b"short", b"12345678")])], &[], "wrong length"),
        (&[meta, ("ids", &[])], &[], "unknown table \"ids\""),
        (&[meta, ("records", &[(&[7; 24], b"12345678")])], &[], "follows number 0"),
        (&[meta], &["company.keys"], "does not know: company.keys"),
        (&[meta], &["robot/sign.key"], "does not know"),
        (&[meta], &["kefu.redb.wal/00.log"], "does not know"),
        // the configuration is read before anything else is done with it
        (&[meta], &["kefu.toml"], "kefu.toml"),
    ] {
        if files.first() == Some(&"kefu.toml") {
            // as a backup it is valid; a restore finds that the configuration is not
            let header = Header { schema: 4, created_ms: 0, kefu: "9.9.9".into() };
            let mut writer = Writer::new(Vec::new(), &header).unwrap();
            writer.table("meta").unwrap();
            writer.row(b"schema", &[0, 0, 0, 4]).unwrap();
            writer.file("kefu.toml").unwrap();
            writer.data(b"content").unwrap();
            fs::write(&file, writer.finish().unwrap().0).unwrap();
            let (code, message) = error(&new, &["restore", file.to_str().unwrap()]);
            assert!(code == 1 && message.contains(why) && !new.exists(), "{message}");
            continue;
        }
        let found = make(4, tables, files);
        assert!(found.contains(why), "{found}");
    }
    let found = make(5, &[meta], &[]);
    assert!(found.contains("schema version 5, this kefu knows up to 4"), "{found}");
    assert!(make(1, &[meta], &[]).contains("no backups of schema version 1"));
    assert_eq!(names(&sh.path("")), ["b"]);
}
