//! `kefu bench disk`: what stored messages need on the disk.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{
    company::BenchCompany,
    populate::{Content, populate},
    report::{Disk, Report},
    scratch::Scratch,
    server,
    stored::envelope_bytes,
};
use crate::{
    app::{database_path, runtime, store_and_directory},
    crypto::sign::random,
    loadgen::load_average,
};

/// Texts and links, a few long ones, and small pictures.
const MIX: [Share; 4] = [Share::new(200, 70), Share::new(600, 20), Share::new(4 << 10, 8), Share::new(32 << 10, 2)];
/// What the name of the log's directory has after that of the database.
const LOG: &str = ".wal";
/// The longest text whose envelope the server accepts, about.
const LONGEST: usize = 60 << 10;

/// `kefu bench disk`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Stored messages, 40 in each conversation
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub messages: u64,
    /// Texts of so many bytes, each with its share of the messages
    #[arg(long, value_name = "BYTES:SHARE", value_delimiter = ',', default_values_t = MIX, value_parser = share)]
    pub mix: Vec<Share>,
    /// All texts have this many bytes
    #[arg(long, value_name = "BYTES", conflicts_with = "mix", value_parser = clap::value_parser!(u32).range(..=LONGEST as i64))]
    pub size: Option<u32>,
    /// Create the data directory here [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Texts of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    bytes: usize,
    share: u32,
}

impl Share {
    const fn new(bytes: usize, share: u32) -> Self {
        Self { bytes, share }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.bytes, self.share)
    }
}

fn share(text: &str) -> Result<Share, String> {
    let parsed = || Some((text.split_once(':')?.0.parse().ok()?, text.split_once(':')?.1.parse().ok()?));
    match parsed() {
        Some((bytes, share @ 1..=1_000_000)) if bytes <= LONGEST => Ok(Share::new(bytes, share)),
        _ => Err(format!("{text:?} is not bytes and a share, such as 200:70; a text has at most {LONGEST} bytes")),
    }
}

impl Args {
    /// Runs the measurement.
    pub fn run(&self) -> anyhow::Result<Report> {
        let mix = self.size.map_or_else(|| self.mix.clone(), |size| vec![Share::new(size as usize, 1)]);
        let sizes: Vec<(usize, u32)> = mix.iter().map(|s| (envelope_bytes(s.bytes), s.share)).collect();
        let disk = runtime()?.block_on(self.store(&sizes))?;
        Ok(Report {
            command: "disk",
            stored_messages: Some(self.messages),
            disk: Some(disk),
            load_average: load_average(),
            ..Report::default()
        })
    }

    async fn store(&self, sizes: &[(usize, u32)]) -> anyhow::Result<Disk> {
        let (dir, config) = (Scratch::new(self.dir.as_deref())?, server::config());
        BenchCompany::found(dir.path(), &config, 1).await?;
        let content = Content { messages: self.messages, ..Content::default() };
        eprintln!("storing {} messages in {} conversations", self.messages, content.conversations());
        let (store, directory) = store_and_directory(dir.path(), &config).await?;
        let mut message_bytes = 0;
        let next = || {
            let bytes = pick(sizes, u32::from_be_bytes(random()));
            message_bytes += bytes as u64;
            bytes
        };
        let filled = populate(&*store, &directory, content, next).await;
        // everything comes to the database, and the log has nothing that is still needed
        store.close().await;
        filled?;
        let database = database_path(dir.path(), &config);
        let database_bytes = allocated(&database)?;
        let mut log = database.into_os_string();
        log.push(LOG);
        Ok(Disk {
            message_bytes,
            database_bytes,
            log_bytes: allocated(Path::new(&log))?,
            database_bytes_per_message_byte: database_bytes as f64 / message_bytes.max(1) as f64,
        })
    }
}

/// A size, chosen by a random number.
fn pick(sizes: &[(usize, u32)], random: u32) -> usize {
    let all: u64 = sizes.iter().map(|(_, share)| u64::from(*share)).sum();
    let mut at = u64::from(random) % all.max(1);
    for (bytes, share) in sizes {
        match at.checked_sub((*share).into()) {
            Some(rest) => at = rest,
            None => return *bytes,
        }
    }
    0
}

/// Bytes that a file occupies, or all files of a directory.
fn allocated(path: &Path) -> anyhow::Result<u64> {
    let read = || format!("cannot read {}", path.display());
    let found = fs::symlink_metadata(path).with_context(read)?;
    if !found.is_dir() {
        return Ok(found.blocks() * 512);
    }
    fs::read_dir(path).with_context(read)?.map(|entry| allocated(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_chosen_by_their_shares() {
        let sizes = [(10, 70), (20, 20), (30, 10)];
        let chosen: Vec<usize> = (0..100).map(|n| pick(&sizes, n)).collect();
        let count = |bytes| chosen.iter().filter(|n| **n == bytes).count();
        assert_eq!((count(10), count(20), count(30)), (70, 20, 10));
    }

    #[test]
    fn a_share_is_bytes_and_a_number() {
        assert_eq!(share("200:70"), Ok(Share::new(200, 70)));
        assert_eq!(share(&MIX[3].to_string()), Ok(MIX[3]));
        for wrong in ["", "200", "200:", ":70", "200:0", "100000:1", "-1:5"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
