//! `kefu bench fsync`: how fast the disk makes writes durable, which bounds everything that is acknowledged.

use std::{
    io::{Seek, SeekFrom, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hdrhistogram::Histogram;

use super::report::{Report, Sync};
use crate::{files::open_or_create, loadgen::load_average};

/// Sizes of a write before each sync: a page, and groups of some 500-byte messages.
const SIZES: [usize; 4] = [4 << 10, 16 << 10, 64 << 10, 512 << 10];
/// After so many bytes the writing starts over in the file.
const FILE: u64 = 64 << 20;

/// `kefu bench fsync`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A directory on the disk to measure [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How long to measure each size
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
}

impl Args {
    /// Runs the measurement and prints it.
    pub fn run(self, json: bool) -> anyhow::Result<()> {
        let dir = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        let path = dir.join(format!("kefu-bench-fsync-{}", std::process::id()));
        let syncs = SIZES.iter().map(|size| self.size(&path, *size)).collect::<Result<_, _>>();
        let _ = std::fs::remove_file(&path);
        let load_average = load_average();
        Report { command: "fsync", fsync: Some(syncs?), load_average, ..Report::default() }.print(json)
    }

    fn size(&self, path: &std::path::Path, bytes: usize) -> anyhow::Result<Sync> {
        let named = || format!("cannot write {}", path.display());
        let mut file = open_or_create(path, 0o600).with_context(named)?;
        let (block, mut took) = (vec![0xa5; bytes], Histogram::<u64>::new(3)?);
        let (started, time) = (Instant::now(), Duration::from_secs(self.seconds.max(1)));
        let mut at = 0;
        while started.elapsed() < time {
            if at + bytes as u64 > FILE {
                at = 0;
            }
            file.seek(SeekFrom::Start(at)).with_context(named)?;
            let begun = Instant::now();
            file.write_all(&block).with_context(named)?;
            file.sync_data().with_context(named)?;
            took.record(begun.elapsed().as_micros() as u64)?;
            at += bytes as u64;
        }
        let ms = |q| took.value_at_quantile(q) as f64 / 1000.0;
        Ok(Sync {
            bytes: bytes as u64,
            per_second: took.len() as f64 / started.elapsed().as_secs_f64(),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
        })
    }
}
