//! Sentence vectors of many texts by this engine, for `models/train/score.py --vectors`:
//!
//!   cargo run --release --example embed -- DIR TEXTS OUT
//!
//! DIR is a model directory, TEXTS holds one JSON string a line, OUT gets little-endian f32 rows in that order.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use std::{fs, path::Path};

use anyhow::{Context as _, bail};
use kefu::nlu::{SentenceModel, embed::embed_all};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [dir, texts, out] = &words[..] else { bail!("usage: embed DIR TEXTS OUT") };
    let model = SentenceModel::open(Path::new(dir))?;
    let lines = fs::read_to_string(texts).with_context(|| texts.clone())?;
    let texts = lines.lines().map(serde_json::from_str).collect::<Result<Vec<String>, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut report = |done: usize| eprint!("\r{done} of {}", texts.len());
    let rows = embed_all(&mut model.encoders(usize::MAX)?, &texts, &mut report)?;
    let said = model.describe();
    eprintln!(" texts by {} {}", said.path, said.kernel.unwrap_or_default());
    fs::write(out, rows.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()).with_context(|| out.clone())?;
    Ok(())
}
