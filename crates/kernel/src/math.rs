//! exp and the Gaussian error linear unit in sixteen lanes, from operations that every processor rounds alike.

use super::simd::Simd;

/// 1.5 · 2²³. Adding it to a number of magnitude below 2²² leaves the nearest integer (halves to even) in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// (e^r - 1 - r) / r². Cephes, expf.c (S. Moshier).
#[expect(clippy::excessive_precision, reason = "as published")]
const EXP: [f32; 6] =
    [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];

/// erf(x)/x in x², above and below the line: Eigen, generic_fast_erf_float (also in TensorFlow and XLA).
#[expect(clippy::excessive_precision, reason = "as published")]
const ERF_ABOVE: [f32; 7] = [
    -2.72614225801306e-10,
    2.77068142495902e-8,
    -2.10102402082508e-6,
    -5.69250639462346e-5,
    -7.34990630326855e-4,
    -2.95459980854025e-3,
    -1.60960333262415e-2,
];
#[expect(clippy::excessive_precision, reason = "as published")]
const ERF_BELOW: [f32; 5] =
    [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2];

/// e^x for x ≤ 0; what is smaller than e^-87 counts as e^-87. Relative error below 2 in the last place.
///
/// The method is Cephes's: e^x = 2^n · e^r with |r| ≤ ln 2 / 2, ln 2 taken off in two parts so that r is exact.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(x, s.splat(-87.0));
    let rounded = s.add(s.mul(x, s.splat(std::f32::consts::LOG2_E)), s.splat(ROUND));
    let n = s.sub(rounded, s.splat(ROUND));
    let r = s.sub(x, s.mul(n, s.splat(0.693_359_4)));
    let r = s.add(r, s.mul(n, s.splat(2.121_944_4e-4)));
    let p = horner(s, r, &EXP);
    let e = s.add(s.add(s.mul(p, s.mul(r, r)), r), s.splat(1.0));
    s.mul(e, s.two_to(rounded))
}

/// x/2 · (1 + erf(x/√2)), within 5e-7 of the exact value relative to the larger of 1 and |x|.
#[inline(always)]
pub(super) fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    let erf = erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
    s.mul(s.mul(x, s.splat(0.5)), s.add(erf, s.splat(1.0)))
}

/// The error function: odd, 1 in f32 from 4 on.
#[inline(always)]
fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.min(x, s.splat(4.0)), s.splat(-4.0));
    let x2 = s.mul(x, x);
    let (above, below) = (horner(s, x2, &ERF_ABOVE), horner(s, x2, &ERF_BELOW));
    s.div(s.mul(x, above), below)
}

/// A polynomial, coefficients from the highest power down.
#[inline(always)]
fn horner<S: Simd, const N: usize>(s: S, x: S::F, coefficients: &[f32; N]) -> S::F {
    let mut p = s.splat(coefficients[0]);
    for c in &coefficients[1..] {
        p = s.add(s.mul(p, x), s.splat(*c));
    }
    p
}
