//! Data directories that earlier versions made (`tests/data/schema`), unpacked, and what clients had written then.

use std::{
    fs::{self, File, Permissions},
    io::Read,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use kefu::{
    crypto::{
        codec::{b64u, from_b64u_exact},
        hash,
        hpke::KemSecret,
        sign::SigningKey,
    },
    proto::{ConvId, ConvState, UserId},
};
use serde::Deserialize;

use super::super::Shell;
use crate::support::peer::Me;

/// What was written.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    /// Of all agents.
    pub password: String,
    /// Seed of the signing key and private box key.
    visitors: Vec<[String; 2]>,
    /// What people wrote.
    pub conversations: Vec<Conversation>,
}

/// A conversation as the old server had it.
#[derive(Debug, Deserialize)]
pub(super) struct Conversation {
    pub conv: ConvId,
    /// Index of its visitor.
    pub visitor: usize,
    /// An agent who can read it.
    pub reader: UserId,
    pub state: ConvState,
    /// What people read in it.
    pub texts: Vec<String>,
    /// Hash of each record with its number and its time.
    pub records: Vec<String>,
}

impl Written {
    /// A visitor with the keys that their browser has.
    pub fn visitor(&self, n: usize) -> Me {
        let [seed, x] = self.visitors[n].each_ref().map(|text| from_b64u_exact(text).unwrap());
        Me { key: SigningKey::from_seed(&seed), x: Some(KemSecret::from_bytes(&x)), ..Me::visitor("s1") }
    }
}

/// A record as in [`Conversation::records`].
pub(super) fn hashed(frame: &[u8]) -> String {
    b64u(&hash::h("kefu test of upgrades", &[frame]))
}

/// All that are kept.
pub(super) fn all() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schema");
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "gz"));
    files.sort();
    files
}

/// Schema and end, as in `3-killed`.
pub(super) fn name(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap().to_owned()
}

/// Unpacks one.
pub(super) fn unpack(file: &Path) -> (Shell, Written) {
    let sh = Shell::new();
    let mut tar = Vec::new();
    GzDecoder::new(File::open(file).unwrap()).read_to_end(&mut tar).unwrap();
    let mut rest = &tar[..];
    // a header of 512 bytes and a content that is filled up to a multiple of them; at the end headers of zeros
    while let Some((head, after)) = rest.split_at_checked(512).filter(|(head, _)| head[0] != 0) {
        let text = |from: usize, len: usize| {
            let field = &head[from..from + len];
            str::from_utf8(field.split(|byte| *byte == 0).next().unwrap()).unwrap()
        };
        let octal = |from, len| usize::from_str_radix(text(from, len), 8).unwrap();
        let (path, size) = (sh.path(text(0, 100)), octal(124, 12));
        match head[156] {
            b'5' => fs::create_dir(&path).unwrap(),
            b'0' => fs::write(&path, &after[..size]).unwrap(),
            other => panic!("{}: what is a {other}?", path.display()),
        }
        fs::set_permissions(&path, Permissions::from_mode(octal(100, 8) as u32)).unwrap();
        rest = &after[size.next_multiple_of(512)..];
    }
    let written = serde_json::from_slice(&fs::read(sh.path("written.json")).unwrap()).unwrap();
    (sh, written)
}
