//! Time of the encoder by tokens and by kernel: `cargo bench --bench encoder -- --model DIR`.
//!
//! One thread, one text at a time. Kernels and lengths take turns, so that whatever else the machine does hits all alike;
//! the least and the median of all runs are printed. Pin it to a core (`taskset -c 1`) and compare ratios, not figures of
//! different days. `--json` for programs; `models/train/ort_bench.py` runs it next to ONNX Runtime.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use std::{path::PathBuf, sync::Arc, time::Instant};

use kefu::nlu::{Encoder, Model, kernel, model::Files};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    model: Option<PathBuf>,
    kernel: Option<String>,
    lengths: Vec<usize>,
    runs: usize,
    json: bool,
}

fn options() -> anyhow::Result<Options> {
    let mut found = Options { model: None, kernel: None, lengths: vec![8, 16, 32, 64], runs: 500, json: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| anyhow::anyhow!("{word} needs a value"));
        match word.as_str() {
            "--model" => found.model = Some(value()?.into()),
            "--kernel" => found.kernel = Some(value()?),
            "--tokens" => found.lengths = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--runs" => found.runs = value()?.parse()?,
            "--json" => found.json = true,
            "--bench" => {} // cargo adds it
            other => anyhow::bail!("{other} is not known; --model DIR --kernel NAME --tokens 8,16 --runs N --json"),
        }
    }
    Ok(found)
}

/// Runs of one kernel at one length.
struct Series {
    encoder: usize,
    tokens: usize,
    micros: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let files = || match &options.model {
        Some(dir) => Ok(Files::open(dir)?),
        None => Files::embedded().ok_or_else(|| anyhow::anyhow!("no model inside; name one with --model DIR")),
    };
    let chosen = |k: &&'static dyn kernel::Kernel| options.kernel.as_ref().is_none_or(|name| name == k.name());
    let mut encoders = Vec::new();
    for kernel in kernel::available().into_iter().filter(chosen) {
        let begin = Instant::now();
        let model = Model::new(files()?, kernel)?;
        if !options.json {
            println!("{}: loaded in {:.1} ms", model.kernel(), begin.elapsed().as_secs_f64() * 1e3);
        }
        encoders.push(Encoder::new(Arc::new(model))?);
    }
    anyhow::ensure!(!encoders.is_empty(), "this processor has no such kernel");
    let mut all: Vec<Series> = (0..encoders.len())
        .flat_map(|encoder| {
            options.lengths.iter().map(move |tokens| Series { encoder, tokens: *tokens, micros: vec![] })
        })
        .collect();
    for run in 0..options.runs {
        for series in &mut all {
            let encoder = &mut encoders[series.encoder];
            let size = encoder.model().config().vocabulary;
            let tokens: Vec<u32> = (0..series.tokens).map(|i| ((run * 131 + i * 37) % size) as u32).collect();
            let begin = Instant::now();
            std::hint::black_box(encoder.encode(&tokens)?);
            series.micros.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    }
    for series in &mut all {
        series.micros.sort_by(f64::total_cmp);
        let (least, median) = (series.micros[0], series.micros[series.micros.len() / 2]);
        let (name, tokens) = (encoders[series.encoder].model().kernel(), series.tokens);
        if options.json {
            let line = serde_json::json!({ "kernel": name, "tokens": tokens, "least_us": least, "median_us": median });
            println!("{line}");
        } else {
            println!("{name:>12} {tokens:>4} tokens   least {least:>8.1} µs   median {median:>8.1} µs");
        }
    }
    Ok(())
}
