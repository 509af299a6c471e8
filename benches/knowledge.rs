//! Finding among 100,000 entries of knowledge: words, vectors of 312 numbers, and both fused. One core.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark or tool ends where it cannot go on"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use kefu::nlu::{
    embed::{Embed, EmbedError, Fingerprint},
    knowledge::{Cache, Entry, Index, KnowledgeBase, KnowledgeQuery},
};

const ENTRIES: u32 = 100_000;
const WIDTH: usize = 312;

/// Numbers that look like a vector; the time doesn't depend on their values.
struct Noise;

impl Embed for Noise {
    fn width(&self) -> usize {
        WIDTH
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let mut x = text.bytes().fold(1u32, |x, b| x.wrapping_mul(31).wrapping_add(b.into()));
        let mut number = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / 16_777_216.0 - 0.5
        };
        let vector: Vec<f32> = (0..WIDTH).map(|_| number()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        Ok(vector.iter().map(|x| x / length).collect())
    }
}

/// A question of a dozen characters from the few hundred that questions are made of.
fn question(n: u32) -> String {
    const START: [&str; 8] = ["请问", "怎么", "我想", "为什么", "你好", "能不能", "多久", "帮我"];
    let word = |k: u32| char::from_u32(0x4E00 + n.wrapping_mul(2_654_435_761).rotate_left(k * 5) % 400).unwrap_or('一');
    let rest: String = (0..8).map(word).collect();
    format!("{}{rest}？", START[n as usize % START.len()])
}

fn find(c: &mut Criterion) {
    let entry = |n| Entry { id: format!("e{n}"), question: question(n), answer: "是".into(), ..Entry::default() };
    let book = KnowledgeBase { entries: (0..ENTRIES).map(|n| (format!("e{n}"), entry(n))).collect() };
    let mut cache = Cache::new(Fingerprint([0; 16]), WIDTH);
    let mut workers: Vec<Box<dyn Embed>> = vec![Box::new(Noise)];
    if cache.fill(&book, &mut workers, &mut |_, _| ()).is_err() {
        return;
    }
    let index = Index::new(book, &cache);
    let text = question(4_711_007);
    let Ok(vector) = Noise.embed(&text) else { return };
    let wanted = KnowledgeQuery { text: &text, vector: &vector, site: "web", day: "2026-01-01", lang: "zh" };
    c.bench_function("knowledge: 5 of 100,000 entries", |b| b.iter(|| index.find(&wanted, 5)));
}

criterion_group!(benches, find);
criterion_main!(benches);
