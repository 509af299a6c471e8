//! The product of activation codes with packed weights, a tile of rows × outputs at a time.

use super::{Activation, CodeRows, Packed, ViewMut, math, rows::PANEL, simd::Simd};

/// See [`super::Kernel::product`].
#[inline(always)]
pub(super) fn product<S: Simd>(
    s: S,
    input: &CodeRows,
    rows: usize,
    weights: &Packed,
    then: Activation,
    out: ViewMut<'_>,
) {
    // what the tiles rely on, once
    assert!(weights.inputs.next_multiple_of(8) <= input.stride(), "activations as wide as the weights");
    assert!(weights.outputs.next_multiple_of(PANEL) <= out.stride, "room for all outputs");
    assert!(rows <= input.scales.len() && rows * input.stride() <= input.flat().len(), "rows of codes");
    assert!(rows * out.stride <= out.values.len(), "rows of results");
    match then {
        Activation::Nothing => panels::<S, false>(s, input, rows, weights, out),
        Activation::Gelu => panels::<S, true>(s, input, rows, weights, out),
    }
}

#[inline(always)]
fn panels<S: Simd, const GELU: bool>(s: S, input: &CodeRows, rows: usize, weights: &Packed, mut out: ViewMut<'_>) {
    for panel in 0..weights.outputs.div_ceil(PANEL) {
        for line in (0..2).step_by(S::LINES) {
            // rows are shared out evenly: 13 rows are 7 + 6, not 12 + 1
            let (mut first, mut blocks) = (0, rows.div_ceil(S::ROWS));
            while blocks > 0 {
                let take = (rows - first).div_ceil(blocks);
                let at = At { first, panel, line };
                block::<S, GELU>(s, take, input, weights, at, out.lend());
                first += take;
                blocks -= 1;
            }
        }
    }
}

/// Position of a tile.
#[derive(Clone, Copy)]
struct At {
    first: usize,
    panel: usize,
    line: usize,
}

/// One tile with its number of rows made known to the compiler.
#[inline(always)]
fn block<S: Simd, const GELU: bool>(s: S, rows: usize, input: &CodeRows, weights: &Packed, at: At, out: ViewMut<'_>) {
    macro_rules! with_rows {
        ($($n:literal)*) => {
            match rows {
                $($n if $n <= S::ROWS && S::LINES == 2 => tile::<S, $n, 2, GELU>(s, input, weights, at, out),
                  $n if $n <= S::ROWS => tile::<S, $n, 1, GELU>(s, input, weights, at, out),)*
                _ => unreachable!("a tile has 1 to ROWS rows"),
            }
        };
    }
    with_rows!(1 2 3 4 5 6 7 8 9 10 11 12);
}

#[inline(always)]
fn tile<S: Simd, const R: usize, const L: usize, const GELU: bool>(
    s: S,
    input: &CodeRows,
    weights: &Packed,
    at: At,
    out: ViewMut<'_>,
) {
    let line = at.panel * 2 + at.line;
    let stride = input.stride();
    let codes = &input.flat()[at.first * stride..][..R * stride];
    let (groups, starts) = (weights.panel(at.panel), &weights.start[line..]);
    // SAFETY: `codes` is R whole rows, and `product` has checked their width
    let sums = unsafe { s.sums::<R, L>(codes.as_ptr(), stride, groups, at.line, starts) };
    let out_stride = out.stride;
    let results = &mut out.values[at.first * out_stride..][..R * out_stride];
    for (l, column) in sums.into_iter().enumerate() {
        let (scale, bias) = (s.load(&weights.scale[line + l]), s.load(&weights.bias[line + l]));
        for (r, sum) in column.into_iter().enumerate() {
            let scale = s.mul(s.splat(input.scales[at.first + r]), scale);
            let mut value = s.add(s.mul(s.floats(sum), scale), bias);
            if GELU {
                value = math::gelu(s, value);
            }
            // SAFETY: `product` has checked that a row of results holds every panel whole
            s.store(value, unsafe { lanes_mut(results, r * out_stride + (line + l) * 16) });
        }
    }
}

/// Sixteen values at `at`.
///
/// # Safety
/// `at + 16` must not be beyond the end.
#[inline(always)]
pub(super) unsafe fn lanes(from: &[f32], at: usize) -> &[f32; 16] {
    debug_assert!(at + 16 <= from.len());
    // SAFETY: within the slice, as the caller guarantees; an array has the alignment of its element
    unsafe { &*from.as_ptr().add(at).cast() }
}

/// Sixteen values at `at`.
///
/// # Safety
/// `at + 16` must not be beyond the end.
#[inline(always)]
pub(super) unsafe fn lanes_mut(from: &mut [f32], at: usize) -> &mut [f32; 16] {
    debug_assert!(at + 16 <= from.len());
    // SAFETY: within the slice, as the caller guarantees; an array has the alignment of its element
    unsafe { &mut *from.as_mut_ptr().add(at).cast() }
}
