//! Plain Rust: for processors without anything better, for LoongArch, and as the measure of all other kernels.

use super::{
    Activation, Affine, CodeRows, Heads, Packed, Strided, View, ViewMut, Workspace, entry::kernel, simd::Simd,
};

/// Runs on every processor, so no check is needed.
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
    /// Two partial sums per output: what compilers make good vector code of, even for SSE2.
    type Sum = [i32; 32];
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
    fn start(self, from: &[i32; 16]) -> [i32; 32] {
        let mut sums = [0; 32];
        for (sum, from) in sums.chunks_exact_mut(2).zip(from) {
            sum[0] = *from;
        }
        sums
    }

    #[inline(always)]
    fn codes(self, from: &[i8; 64]) -> [i8; 64] {
        *from
    }

    #[inline(always)]
    fn four(self, from: [u8; 4]) -> [i8; 4] {
        from.map(|b| b as i8)
    }

    /// Written so that compilers see sums of neighbouring 16-bit products, which SSE2 and LSX have an instruction for.
    #[inline(always)]
    fn dot(self, mut sum: [i32; 32], four: [i8; 4], codes: [i8; 64]) -> [i32; 32] {
        let mut x = [0i16; 64];
        for (i, x) in x.iter_mut().enumerate() {
            *x = i16::from(four[i % 4]);
        }
        for (i, sum) in sum.iter_mut().enumerate() {
            *sum +=
                i32::from(codes[i * 2]) * i32::from(x[i * 2]) + i32::from(codes[i * 2 + 1]) * i32::from(x[i * 2 + 1]);
        }
        sum
    }

    #[inline(always)]
    fn floats(self, sum: [i32; 32]) -> [f32; 16] {
        std::array::from_fn(|i| (sum[i * 2] + sum[i * 2 + 1]) as f32)
    }
}
