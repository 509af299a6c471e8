//! What strangers can do to a server, measured: each attack of one address against a server of its own, with the limits of
//! the default configuration, while a team and its visitors elsewhere keep writing to each other.
//!
//! `make attack` builds and attacks this tree's executable; `KEFU_ATTACKED=old:new make attack` compares others. With words behind
//! it (`cargo bench --bench attack -- EXECUTABLE… [--only NAME]`) it is run by hand. It wants some gigabytes of disk in
//! `TMPDIR` and a minute or two for each attack; the machine should have nothing else to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

mod attacks;
mod client;
mod crowd;
mod server;
mod strangers;
mod target;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use attacks::Attack;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let (mut executables, mut only) = (Vec::new(), None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &arg[..] {
            "--only" => only = Some(args.next().context("--only what?")?),
            // cargo's own
            "--bench" => {}
            _ => executables.push(PathBuf::from(arg)),
        }
    }
    if executables.is_empty() {
        executables.push(env!("CARGO_BIN_EXE_kefu").into());
    }
    for executable in &executables {
        ensure!(executable.is_file(), "{} is no file", executable.display());
        report(executable, only.as_deref()).await?;
    }
    Ok(())
}

async fn report(executable: &Path, only: Option<&str>) -> anyhow::Result<()> {
    println!("\n{}\n", executable.display());
    println!(
        "| attack | what came of it | memory before, most, after (MiB) | processor | others: p50, p99 before (ms) | meanwhile | late or refused |"
    );
    println!("|---|---|---|---|---|---|---|");
    for attack in Attack::ALL.iter().filter(|a| only.is_none_or(|only| a.name().starts_with(only))) {
        match attack.run(executable).await {
            Ok(line) => println!("{line}"),
            Err(e) => println!("| {} | failed: {e:#} | | | | | |", attack.name()),
        }
    }
    Ok(())
}
