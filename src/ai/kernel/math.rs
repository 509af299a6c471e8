//! exp and the Gaussian error linear unit in sixteen lanes, from operations that every processor rounds alike.

use super::simd::Simd;

/// 1.5 · 2²³. Adding it to a number of magnitude below 2²² leaves the nearest integer (halves to even) in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// e^x for x ≤ 0; what is smaller than e^-87 counts as e^-87. Relative error below 2 in the last place.
///
/// Method and coefficients: Cephes, expf.c (S. Moshier): e^x = 2^n · e^r, |r| ≤ ln 2 / 2, ln 2 in two parts.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(x, s.splat(-87.0));
    let rounded = s.add(s.mul(x, s.splat(std::f32::consts::LOG2_E)), s.splat(ROUND));
    let n = s.sub(rounded, s.splat(ROUND));
    let r = s.sub(x, s.mul(n, s.splat(0.693_359_4)));
    let r = s.add(r, s.mul(n, s.splat(2.121_944_4e-4)));
    let p = horner(s, r, &[1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5]);
    let e = s.add(s.add(s.mul(p, s.mul(r, r)), r), s.splat(1.0));
    s.mul(e, s.two_to(rounded))
}

/// x/2 · (1 + erf(x/√2)), within 5e-7 of the exact value relative to the larger of 1 and |x|.
#[inline(always)]
pub(super) fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    let erf = erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
    s.mul(s.mul(x, s.splat(0.5)), s.add(erf, s.splat(1.0)))
}

/// The error function: odd, 1 in f32 from 4 on. A quotient of polynomials in x² by Eigen's authors
/// (`generic_fast_erf_float`, also used by TensorFlow and XLA).
#[inline(always)]
fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.max(s.min(x, s.splat(4.0)), s.splat(-4.0));
    let x2 = s.mul(x, x);
    let above = horner(
        s,
        x2,
        &[
            -2.726_142_3e-10,
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_4e-5,
            -7.349_906_3e-4,
            -2.954_599_8e-3,
            -1.609_603_3e-2,
        ],
    );
    let below = horner(s, x2, &[-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329_3e-3, -1.426_473_9e-2]);
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
