//! Fits the weights of `crates/nlu/src/knowledge/score.rs` to questions whose entry is known, and writes `crates/nlu/src/knowledge/weights.rs`:
//!
//!   cargo run --example fit_questions -- models/questions/build-zh.csv models/questions/build-en.csv
//!
//! Each file is one company's knowledge. A choice among the candidates of a question and "none of them" is one term of the
//! likelihood; a Newton method finds its maximum, always the same one. Printed are the results of five parts of the entries, each
//! scored with weights that were fitted to the other four. `--dump FILE` writes the features instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail};
use kefu::nlu::{
    SentenceModel,
    embed::Fingerprint,
    knowledge::{
        Cache, Entry, Index, KnowledgeBase, KnowledgeQuery,
        score::{COUNT, Features, name},
    },
};

/// Keeps weights small: the sum of their squares counts this much against the likelihood of all questions.
const DECAY: f64 = 0.1;
/// What words are put before and after a question that is otherwise the entry's own, so that politeness is learned to mean
/// nothing.
const AROUND: [[&str; 2]; 6] = [
    ["请问", ""],
    ["你好，", "呀"],
    ["我想问一下", ""],
    ["Hi, ", " please"],
    ["please tell me: ", ""],
    ["", " thanks"],
];

struct Case {
    file: usize,
    part: usize,
    kind: &'static str,
    text: String,
    entry: String,
    /// Features, whether it is the right one, whether something contradicts.
    candidates: Vec<(Features, bool, bool, String)>,
}

fn main() -> anyhow::Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let dump = words.iter().position(|w| w == "--dump").map(|at| words.drain(at..at + 2).nth(1));
    if words.is_empty() {
        bail!("usage: fit_questions FILE.csv …");
    }
    let model = SentenceModel::embedded()?.context("this build has no model")?;
    let mut workers = model.encoders(16)?;
    let mut cases = Vec::new();
    for (n, file) in words.iter().enumerate() {
        read(Path::new(file), n, &model, &mut workers, &mut cases)?;
    }
    if let Some(path) = dump.flatten() {
        return dumped(&path, &cases);
    }
    let mut lines = BTreeMap::new();
    for part in 0..5 {
        let weights = fit(cases.iter().filter(|c| c.part != part));
        for case in cases.iter().filter(|c| c.part == part && c.kind != "around") {
            *lines.entry((case.file, case.kind, outcome(case, &weights))).or_insert(0) += 1;
        }
    }
    for ((file, kind, outcome), n) in &lines {
        println!("{:<32} {kind:<10} {outcome:<10} {n:>4}", words[*file]);
    }
    let weights = fit(cases.iter());
    let list: Vec<String> = weights.iter().enumerate().map(|(n, w)| format!("    {w:.3}, // {}", name(n))).collect();
    let text = format!(
        "//! Made by `cargo run --example fit_questions`: what each feature of `score.rs` counts.\n\n\
         use super::score::COUNT;\n\n\
         /// In the order of the features.\npub(super) const WEIGHTS: [f32; COUNT] = [\n{}\n];\n",
        list.join("\n")
    );
    fs::write("crates/nlu/src/knowledge/weights.rs", text).context("crates/nlu/src/knowledge/weights.rs")?;
    Ok(())
}

/// What would be done with 75 % as the least probability: as the default policy does it.
fn outcome(case: &Case, weights: &[f64]) -> &'static str {
    let shares = shares(case, weights);
    let best = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]));
    let Some(best) = best else { return "nothing" };
    let (_, right, conflict, _) = &case.candidates[best];
    match (shares[best] >= 0.75 && !conflict, right) {
        (true, true) => "own",
        (true, false) => "OTHER",
        _ if shares.iter().sum::<f64>() >= 0.25 => "asks",
        _ => "abstains",
    }
}

fn read(
    file: &Path,
    n: usize,
    model: &SentenceModel,
    workers: &mut [Box<dyn kefu::nlu::embed::Embed>],
    cases: &mut Vec<Case>,
) -> anyhow::Result<()> {
    let mut rows = csv::Reader::from_path(file).with_context(|| file.display().to_string())?;
    let head = rows.headers()?.clone();
    let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>()?;
    let field = |row: &csv::StringRecord, name: &str| {
        let at = head.iter().position(|h| h == name);
        at.and_then(|at| row.get(at)).unwrap_or_default().trim().to_owned()
    };
    let mut book = KnowledgeBase::default();
    for row in &rows {
        let entry = Entry {
            id: field(row, "entry"),
            question: field(row, "question"),
            answer: field(row, "answer"),
            ..Entry::default()
        };
        book.entries.insert(entry.id.clone(), entry);
    }
    let print = Fingerprint::of(&mut *workers[0])?;
    let mut cache = Cache::new(print, model.width());
    cache.fill(&book, workers, &mut |_, _| ())?;
    let index = Index::new(book, &cache);
    for (part, row) in rows.iter().enumerate() {
        let entry = field(row, "entry");
        let kinds = [("para", "paraphrase1"), ("para", "paraphrase2"), ("near", "near1"), ("near", "near2")];
        let mut asked: Vec<(&'static str, String)> =
            kinds.iter().map(|(kind, name)| (*kind, field(row, name))).collect();
        let chinese = field(row, "question").chars().any(|c| !c.is_ascii() && c.is_alphabetic());
        let around = AROUND.iter().filter(|a| a.concat().is_ascii() != chinese);
        asked.extend(around.map(|a| ("around", format!("{}{}{}", a[0], field(row, "question"), a[1]))));
        for (kind, text) in asked {
            let vector = workers[0].embed(&text)?;
            let wanted = KnowledgeQuery { text: &text, vector: &vector, site: "", day: "", lang: "" };
            let candidates = index.find(&wanted, 8).into_iter().map(|f| {
                (
                    f.features,
                    kind != "near" && f.entry.id == entry,
                    !f.conflicts.is_empty(),
                    format!("{} {:?}", f.entry.id, f.conflicts),
                )
            });
            let candidates = candidates.collect();
            cases.push(Case { file: n, part: part % 5, kind, text, entry: entry.clone(), candidates });
        }
    }
    Ok(())
}

fn dumped(path: &str, cases: &[Case]) -> anyhow::Result<()> {
    let mut out = csv::Writer::from_path(path)?;
    let names = ["file", "part", "kind", "text", "entry", "right", "conflict", "found"];
    out.write_record(names.iter().map(|n| (*n).to_owned()).chain((0..COUNT).map(name)))?;
    for c in cases {
        for (features, right, conflict, found) in &c.candidates {
            let head = [c.file.to_string(), c.part.to_string(), c.kind.into(), c.text.clone(), c.entry.clone()];
            let flags = [right, conflict].map(|f| u8::from(*f).to_string());
            out.write_record(
                head.into_iter()
                    .chain(flags)
                    .chain([found.clone()])
                    .chain(features.iter().map(std::string::ToString::to_string)),
            )?;
        }
    }
    Ok(out.flush()?)
}

/// Probabilities of the candidates.
fn shares(case: &Case, weights: &[f64]) -> Vec<f64> {
    let dot = |x: &Features| x.iter().zip(weights).map(|(x, w)| f64::from(*x) * w).sum::<f64>();
    let logits: Vec<f64> = case.candidates.iter().map(|(x, ..)| dot(x)).collect();
    let most = logits.iter().copied().fold(0.0, f64::max);
    let sum: f64 = (-most).exp() + logits.iter().map(|z| (z - most).exp()).sum::<f64>();
    logits.iter().map(|z| (z - most).exp() / sum).collect()
}

/// The weights of greatest likelihood. The sum is concave, so Newton's steps, halved while they don't help, end at its top.
fn fit<'a>(cases: impl Iterator<Item = &'a Case>) -> Vec<f64> {
    const N: usize = COUNT;
    let cases: Vec<&Case> = cases.collect();
    let mut weights = vec![0.0; N];
    let mut now = value(&cases, &weights);
    for _ in 0..50 {
        let (mut gradient, mut curve) = ([0.0; N], vec![[0.0; N]; N]);
        for (i, w) in weights.iter().enumerate() {
            gradient[i] = -2.0 * DECAY * w;
            curve[i][i] = 2.0 * DECAY;
        }
        for case in &cases {
            let p = shares(case, &weights);
            let mut mean = [0.0; N];
            for ((x, ..), p) in case.candidates.iter().zip(&p) {
                (0..N).for_each(|i| mean[i] += p * f64::from(x[i]));
            }
            for ((x, right, ..), p) in case.candidates.iter().zip(&p) {
                let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
                for i in 0..N {
                    gradient[i] += (f64::from(u8::from(*right)) - p) * x[i];
                    (0..N).for_each(|j| curve[i][j] += p * x[i] * x[j]);
                }
            }
            for i in 0..N {
                (0..N).for_each(|j| curve[i][j] -= mean[i] * mean[j]);
            }
        }
        let step = solved(curve, gradient);
        let mut length = 1.0;
        let next = loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(w, s)| w + length * s).collect();
            if value(&cases, &next) >= now || length < 1e-6 {
                break next;
            }
            length /= 2.0;
        };
        let then = value(&cases, &next);
        weights = next;
        if then - now < 1e-9 {
            break;
        }
        now = then;
    }
    weights
}

fn value(cases: &[&Case], weights: &[f64]) -> f64 {
    let likely = |case: &&Case| {
        let p = shares(case, weights);
        let right = case.candidates.iter().position(|(_, right, ..)| *right);
        right.map_or_else(|| 1.0 - p.iter().sum::<f64>(), |n| p[n]).max(1e-12).ln()
    };
    cases.iter().map(likely).sum::<f64>() - DECAY * weights.iter().map(|w| w * w).sum::<f64>()
}

/// Gauss with pivots; the matrix is positive definite.
fn solved<const N: usize>(mut a: Vec<[f64; N]>, mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        let pivot = (i..N).max_by(|x, y| a[*x][i].abs().total_cmp(&a[*y][i].abs())).unwrap_or(i);
        a.swap(i, pivot);
        b.swap(i, pivot);
        let row = a[i];
        for r in i + 1..N {
            let f = a[r][i] / row[i];
            a[r].iter_mut().zip(row).for_each(|(x, above)| *x -= f * above);
            b[r] -= f * b[i];
        }
    }
    for i in (0..N).rev() {
        for c in i + 1..N {
            b[i] -= a[i][c] * b[c];
        }
        b[i] /= a[i][i];
    }
    b
}
