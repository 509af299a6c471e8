//! Products of f32 with f32, and softmax: what learning a classifier is made of. Sixteen columns a line.

use super::{attention::soften, simd::Simd};

/// The left side of a product: a matrix with any start and stride.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a> {
    /// Holds all its numbers.
    pub values: &'a [f32],
    /// Number of rows.
    pub rows: usize,
    /// Numbers in a row.
    pub depth: usize,
    /// From a number to the one below it.
    pub down: usize,
    /// From a number to the next of its row.
    pub next: usize,
}

/// See [`super::Kernel::combine`].
#[inline(always)]
pub(super) fn combine<S: Simd>(s: S, a: Strided<'_>, b: &[[f32; 16]], out: &mut [[f32; 16]]) {
    if a.rows == 0 || a.depth == 0 {
        return;
    }
    let lines = out.len() / a.rows;
    // what the tiles rely on, once
    assert!(out.len() == a.rows * lines && b.len() == a.depth * lines, "matrices that fit each other");
    assert!((a.rows - 1) * a.down + (a.depth - 1) * a.next < a.values.len(), "a matrix within its numbers");
    for line in 0..lines {
        let mut row = 0;
        while row < a.rows {
            let left = a.rows - row;
            row += if left >= 8 && S::QUERIES >= 8 {
                tile::<S, 8>(s, a, b, out, At { row, line, lines })
            } else if left >= 4 {
                tile::<S, 4>(s, a, b, out, At { row, line, lines })
            } else {
                tile::<S, 1>(s, a, b, out, At { row, line, lines })
            };
        }
    }
}

/// Position of a tile, and how many lines a row of the result has.
#[derive(Clone, Copy)]
struct At {
    row: usize,
    line: usize,
    lines: usize,
}

/// R rows of one line; gives R. Products are added one after the other, so a tile's shape doesn't change its bits.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "accumulators are indexed both ways")]
fn tile<S: Simd, const R: usize>(s: S, a: Strided<'_>, b: &[[f32; 16]], out: &mut [[f32; 16]], at: At) -> usize {
    // loops, not array::from_fn: closures would keep the compiler from inlining instructions
    let mut sums = [s.splat(0.0); R];
    for r in 0..R {
        sums[r] = s.load(&out[(at.row + r) * at.lines + at.line]);
    }
    for k in 0..a.depth {
        // SAFETY: `combine` has checked that `b` has a row for every number of a row of `a`
        let line = s.load(unsafe { b.get_unchecked(k * at.lines + at.line) });
        for r in 0..R {
            // SAFETY: `combine` has checked that the last number of the last row is within
            let x = unsafe { *a.values.get_unchecked((at.row + r) * a.down + k * a.next) };
            sums[r] = s.add(sums[r], s.mul(s.splat(x), line));
        }
    }
    for r in 0..R {
        s.store(sums[r], &mut out[(at.row + r) * at.lines + at.line]);
    }
    R
}

/// See [`super::Kernel::softmax`].
#[inline(always)]
pub(super) fn softmax<S: Simd>(s: S, rows: &mut [[f32; 16]], width: usize) {
    for row in rows.chunks_exact_mut(width.div_ceil(16).max(1)) {
        let factor = s.splat(soften(s, row.as_flattened_mut(), width));
        for line in row {
            s.store(s.mul(s.load(line), factor), line);
        }
    }
}
