//! Plain Rust: for processors without anything better, for LoongArch, and as the measure of all other kernels.

use super::{Affine, CodeRows, Heads, Packed, Then, View, ViewMut, Work, entry::kernel, simd::Simd};

/// Needs no proof.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

kernel!(Portable, "portable");

/// `f` on every lane.
#[inline(always)]
fn each(a: [f32; 16], b: [f32; 16], f: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

/// The lanes folded in halves.
#[inline(always)]
fn fold(mut a: [f32; 16], f: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            a[i] = f(a[i], a[i + half]);
        }
    }
    a[0]
}

impl Simd for Portable {
    type F = [f32; 16];
    type Sum = [i32; 16];
    type Codes = [i8; 64];
    type Four = [i8; 4];

    const OFFSET: u8 = 0;
    const ROWS: usize = 2;
    const LINES: usize = 1;
    const QUERIES: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 16] {
        [x; 16]
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> [f32; 16] {
        *from
    }

    #[inline(always)]
    fn store(self, x: [f32; 16], to: &mut [f32; 16]) {
        *to = x;
    }

    #[inline(always)]
    fn add(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn max(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn min(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        each(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: [f32; 16]) -> [f32; 16] {
        a.map(f32::abs)
    }

    #[inline(always)]
    fn sum(self, a: [f32; 16]) -> f32 {
        fold(a, |a, b| a + b)
    }

    #[inline(always)]
    fn largest(self, a: [f32; 16]) -> f32 {
        fold(a, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn two_to(self, rounded: [f32; 16]) -> [f32; 16] {
        rounded.map(|x| f32::from_bits((x.to_bits() << 23).wrapping_add(1f32.to_bits())))
    }

    #[inline(always)]
    fn bytes(self, rounded: [f32; 16]) -> [u8; 16] {
        rounded.map(|x| x.to_bits() as u8)
    }

    #[inline(always)]
    fn start(self, from: &[i32; 16]) -> [i32; 16] {
        *from
    }

    #[inline(always)]
    fn codes(self, from: &[i8; 64]) -> [i8; 64] {
        *from
    }

    #[inline(always)]
    fn four(self, from: [u8; 4]) -> [i8; 4] {
        from.map(|b| b as i8)
    }

    #[inline(always)]
    fn dot(self, sum: [i32; 16], four: [i8; 4], codes: [i8; 64]) -> [i32; 16] {
        let mut sums = sum;
        for (sum, codes) in sums.iter_mut().zip(codes.as_chunks::<4>().0) {
            // pairs of products fit 16 bits, and processors multiply twice as many of those
            let product = |k: usize| i16::from(four[k]) * i16::from(codes[k]);
            *sum += i32::from(product(0) + product(1)) + i32::from(product(2) + product(3));
        }
        sums
    }

    #[inline(always)]
    fn floats(self, sum: [i32; 16]) -> [f32; 16] {
        sum.map(|n| n as f32)
    }
}
