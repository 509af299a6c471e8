//! Passes over whole rows: residual, layer normalisation, quantisation of the result for the next product.

use super::{CodeRows, View, ViewMut, math::ROUND, rows::PANEL, simd::Simd};

/// Gain and bias of a layer normalisation, padded with zeros so that padding stays zero.
#[derive(Debug)]
pub struct Affine {
    gain: Vec<[f32; 16]>,
    bias: Vec<[f32; 16]>,
    /// 1 for columns that exist, 0 for those that pad the last line: padding must not count as far from the mean.
    last: [f32; 16],
    width: usize,
    epsilon: f32,
}

impl Affine {
    /// # Panics
    /// If `gain` and `bias` aren't equally long: the loader has checked them.
    pub fn new(gain: &[f32], bias: &[f32], epsilon: f32) -> Self {
        assert_eq!(gain.len(), bias.len(), "gain and bias of one normalisation");
        let width = gain.len();
        let lines = |values: &[f32]| {
            let mut padded = vec![[0f32; 16]; width.next_multiple_of(PANEL) / 16];
            padded.as_flattened_mut()[..width].copy_from_slice(values);
            padded
        };
        let filled = (width - 1) % 16 + 1;
        let last = std::array::from_fn(|lane| if lane < filled { 1.0 } else { 0.0 });
        Self { gain: lines(gain), bias: lines(bias), last, width, epsilon }
    }
}

/// See [`super::Kernel::add_norm`].
#[inline(always)]
pub(super) fn add_norm<S: Simd>(
    s: S,
    x: ViewMut<'_>,
    residual: Option<View<'_>>,
    rows: usize,
    norm: &Affine,
    mut codes: Option<&mut CodeRows>,
) {
    assert_eq!(x.width, norm.width, "a row as wide as its normalisation");
    assert!(residual.is_none_or(|r| r.stride == x.stride), "a residual of the same shape");
    let (stride, lines) = (x.stride, norm.width.div_ceil(16));
    for n in 0..rows {
        let (row, _) = x.values[n * stride..][..stride].as_chunks_mut::<16>();
        let row = &mut row[..lines];
        if let Some(residual) = residual {
            let (other, _) = residual.values[n * stride..][..stride].as_chunks::<16>();
            for (a, b) in row.iter_mut().zip(other) {
                s.store(s.add(s.load(a), s.load(b)), a);
            }
        }
        normalise(s, row, norm);
        if let Some(codes) = codes.as_deref_mut() {
            let (bytes, scale) = codes.row_mut(n);
            *scale = quantise_row(s, row, bytes);
        }
    }
}

#[inline(always)]
fn normalise<S: Simd>(s: S, row: &mut [[f32; 16]], norm: &Affine) {
    let width = norm.width as f32;
    let mut sum = s.splat(0.0);
    for lane in &*row {
        sum = s.add(sum, s.load(lane));
    }
    let mean = s.splat(s.sum(sum) / width);
    let mut squares = s.splat(0.0);
    if let Some((last, others)) = row.split_last_mut() {
        for lane in others {
            let d = s.sub(s.load(lane), mean);
            squares = s.add(squares, s.mul(d, d));
            s.store(d, lane);
        }
        let d = s.mul(s.sub(s.load(last), mean), s.load(&norm.last));
        squares = s.add(squares, s.mul(d, d));
        s.store(d, last);
    }
    let factor = s.splat(1.0 / (s.sum(squares) / width + norm.epsilon).sqrt());
    for ((lane, gain), bias) in row.iter_mut().zip(&norm.gain).zip(&norm.bias) {
        let d = s.mul(s.load(lane), factor);
        s.store(s.add(s.mul(d, s.load(gain)), s.load(bias)), lane);
    }
}

/// See [`super::Kernel::quantise`].
#[inline(always)]
pub(super) fn quantise<S: Simd>(s: S, x: View<'_>, rows: usize, codes: &mut CodeRows) {
    let (stride, lines) = (x.stride, x.width.div_ceil(16));
    for n in 0..rows {
        let (row, _) = x.values[n * stride..][..stride].as_chunks::<16>();
        let (bytes, scale) = codes.row_mut(n);
        *scale = quantise_row(s, &row[..lines], bytes);
    }
}

/// Writes the codes of a row and returns their scale: the largest magnitude / 127.
#[inline(always)]
fn quantise_row<S: Simd>(s: S, row: &[[f32; 16]], bytes: &mut [u8]) -> f32 {
    let mut most = s.splat(0.0);
    for lane in row {
        most = s.max(most, s.abs(s.load(lane)));
    }
    let most = s.largest(most);
    // rows so small that 127 / most overflows count as zero
    let (scale, factor) = if most > 1e-30 { (most / 127.0, 127.0 / most) } else { (0.0, 0.0) };
    let (factor, round) = (s.splat(factor), s.splat(ROUND));
    let (to, _) = bytes.as_chunks_mut::<16>();
    assert!(row.len() <= to.len(), "room for a row's codes");
    for (lane, to) in row.iter().zip(to) {
        *to = s.bytes(s.add(s.mul(s.load(lane), factor), round));
    }
    scale
}
