//! Attention of the tokens of one text to each other, a head at a time, a few queries at a time.

use super::{
    View, ViewMut, math,
    product::{lanes, lanes_mut},
    simd::Simd,
};

/// How many heads and how wide each is.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Number of heads.
    pub count: usize,
    /// Columns of one head.
    pub width: usize,
}

/// Columns of padding that [`super::Kernel::attention`] needs after a row of its input and of its result: a head is read
/// and written in whole lines of sixteen, the last ones beyond its end.
pub const SLACK: usize = 15;

/// What attention computes in between. One per thread.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Keys of one head, one row per column of the head, tokens side by side.
    keys: Vec<f32>,
    /// Scores of a few queries, one row each.
    scores: Vec<f32>,
}

/// See [`super::Kernel::attention`].
#[inline(always)]
pub(super) fn attention<S: Simd>(
    s: S,
    heads: Heads,
    qkv: View<'_>,
    first: usize,
    tokens: usize,
    out: ViewMut<'_>,
    work: &mut Workspace,
) {
    let hidden = heads.count * heads.width;
    let padded = tokens.next_multiple_of(16);
    assert!(qkv.stride >= 3 * hidden + SLACK && out.stride >= hidden + SLACK, "room for whole lines");
    assert!((first + tokens) * qkv.stride <= qkv.values.len(), "rows of queries, keys and values");
    assert!((first + tokens) * out.stride <= out.values.len(), "rows of results");
    if work.keys.len() < heads.width * padded {
        work.keys.resize(heads.width * padded, 0.0);
    }
    if work.scores.len() < S::QUERIES * padded {
        work.scores.resize(S::QUERIES * padded, 0.0);
    }
    let (stride, out_stride) = (qkv.stride, out.stride);
    let rows = &qkv.values[first * stride..][..tokens * stride];
    let results = &mut out.values[first * out_stride..][..tokens * out_stride];
    for head in 0..heads.count {
        let at = head * heads.width;
        let keys = &mut work.keys[..heads.width * padded];
        transpose(rows, stride, hidden + at, padded, keys);
        let view = Head { rows, stride, at, values: 2 * hidden + at, width: heads.width, tokens, padded, keys };
        let mut query = 0;
        while query < tokens {
            let left = tokens - query;
            let scores = &mut work.scores[..S::QUERIES * padded];
            if left >= 8 && S::QUERIES >= 8 {
                queries::<S, 8>(s, view, query, scores, results, out_stride);
                query += 8;
            } else if left >= 4 {
                queries::<S, 4>(s, view, query, scores, results, out_stride);
                query += 4;
            } else {
                queries::<S, 1>(s, view, query, scores, results, out_stride);
                query += 1;
            }
        }
    }
    // heads wrote past their end, the last one into the padding
    for row in results.chunks_exact_mut(out_stride) {
        row[hidden..].fill(0.0);
    }
}

/// One head of one text.
#[derive(Clone, Copy)]
struct Head<'a> {
    rows: &'a [f32],
    stride: usize,
    /// Column of its queries, which is also the column of its results.
    at: usize,
    /// Column of its values.
    values: usize,
    width: usize,
    tokens: usize,
    padded: usize,
    keys: &'a [f32],
}

/// Keys of one head with tokens side by side; tokens that pad the last line are zero.
#[inline(always)]
fn transpose(rows: &[f32], stride: usize, at: usize, padded: usize, keys: &mut [f32]) {
    let tokens = rows.len() / stride;
    for (column, to) in keys.chunks_exact_mut(padded).enumerate() {
        for (token, to) in to.iter_mut().enumerate() {
            *to = if token < tokens { rows[token * stride + at + column] } else { 0.0 };
        }
    }
}

/// Results for Q queries from `query` on.
#[inline(always)]
fn queries<S: Simd, const Q: usize>(
    s: S,
    head: Head<'_>,
    query: usize,
    scores: &mut [f32],
    results: &mut [f32],
    out_stride: usize,
) {
    let scale = s.splat(1.0 / (head.width as f32).sqrt());
    for line in (0..head.padded).step_by(16) {
        let mut sums = [s.splat(0.0); Q];
        for column in 0..head.width {
            // SAFETY: `keys` has `width` rows of `padded`, a multiple of sixteen
            let key = s.load(unsafe { lanes(head.keys, column * head.padded + line) });
            for (q, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the query is one of the tokens, its column within the row
                let x = unsafe { *head.rows.get_unchecked((query + q) * head.stride + head.at + column) };
                *sum = s.add(*sum, s.mul(s.splat(x), key));
            }
        }
        for (q, sum) in sums.iter().enumerate() {
            // SAFETY: `scores` has at least Q rows of `padded`
            s.store(s.mul(*sum, scale), unsafe { lanes_mut(scores, q * head.padded + line) });
        }
    }
    let mut factors = [0f32; Q];
    for (factor, row) in factors.iter_mut().zip(scores.chunks_exact_mut(head.padded)) {
        *factor = soften(s, row, head.tokens);
    }
    for line in (0..head.width).step_by(16) {
        let mut sums = [s.splat(0.0); Q];
        for token in 0..head.tokens {
            // SAFETY: `attention` has checked that a row has SLACK columns after its last head
            let value = s.load(unsafe { lanes(head.rows, token * head.stride + head.values + line) });
            for (q, sum) in sums.iter_mut().enumerate() {
                // SAFETY: `scores` has at least Q rows of `padded` ≥ `tokens`
                let weight = unsafe { *scores.get_unchecked(q * head.padded + token) };
                *sum = s.add(*sum, s.mul(s.splat(weight), value));
            }
        }
        for (q, sum) in sums.iter().enumerate() {
            let value = s.mul(*sum, s.splat(factors[q]));
            // SAFETY: `attention` has checked that a row of results has SLACK columns after its last head
            s.store(value, unsafe { lanes_mut(results, (query + q) * out_stride + head.at + line) });
        }
    }
}

/// Turns scores into e^(score - largest), zero beyond `tokens`; returns one over their sum.
#[inline(always)]
pub(super) fn soften<S: Simd>(s: S, row: &mut [f32], tokens: usize) -> f32 {
    row[tokens..].fill(f32::MIN);
    let (lines, _) = row.as_chunks_mut::<16>();
    let mut most = s.splat(f32::MIN);
    for line in &*lines {
        most = s.max(most, s.load(line));
    }
    let most = s.splat(s.largest(most));
    for line in &mut *lines {
        s.store(math::exp(s, s.sub(s.load(line), most)), line);
    }
    row[tokens..].fill(0.0);
    let (lines, _) = row.as_chunks::<16>();
    let mut sum = s.splat(0.0);
    for line in lines {
        sum = s.add(sum, s.load(line));
    }
    1.0 / s.sum(sum)
}
