//! ARM64: NEON alone (Phytium FT-2000+, Cortex-A57), with the dot product (Kunpeng 920, Neoverse N1), with products of
//! small matrices (Neoverse V1 and N2, Graviton 3). Four registers for sixteen lanes.

use std::arch::{aarch64::*, asm, is_aarch64_feature_detected};

use super::{
    Activation, Affine, CodeRows, Heads, Kernel, Packed, Strided, View, ViewMut, Workspace, entry::kernel,
    packed::Group, simd::Simd,
};

/// NEON, which every ARM64 processor has. Needs no proof, but for symmetry is one.
#[derive(Clone, Copy, Debug)]
struct Neon(());

/// Proof that the processor has `sdot`.
#[derive(Clone, Copy, Debug)]
struct NeonDot(());

/// Proof that the processor has `sdot` and `smmla`.
#[derive(Clone, Copy, Debug)]
struct NeonMatrix(());

/// What this processor has, fastest first.
pub(super) fn detect() -> impl Iterator<Item = &'static dyn Kernel> {
    let dot = is_aarch64_feature_detected!("dotprod");
    let matrix = dot && is_aarch64_feature_detected!("i8mm");
    let all: [Option<&'static dyn Kernel>; 3] =
        [matrix.then_some(&NeonMatrix(())), dot.then_some(&NeonDot(())), Some(&Neon(()))];
    all.into_iter().flatten()
}

kernel!(Neon, "neon", features = "neon");
kernel!(NeonDot, "neon-sdot", features = "neon,dotprod");
kernel!(NeonMatrix, "neon-i8mm", features = "neon,dotprod,i8mm");

type Floats = [float32x4_t; 4];
type Sums = [int32x4_t; 4];

/// An instruction on every quarter. A macro, because closures would keep the compiler from inlining instructions.
macro_rules! each {
    ($instruction:ident, $($argument:expr),+) => {
        unsafe {
            [
                $instruction($($argument[0]),+),
                $instruction($($argument[1]),+),
                $instruction($($argument[2]),+),
                $instruction($($argument[3]),+),
            ]
        }
    };
}

/// Four registers from `at`.
macro_rules! load {
    ($instruction:ident, $at:expr, $step:literal) => {
        unsafe {
            let at = $at;
            [
                $instruction(at),
                $instruction(at.add($step)),
                $instruction(at.add(2 * $step)),
                $instruction(at.add(3 * $step)),
            ]
        }
    };
}

/// Bits moved to where an f32 has its exponent.
#[inline]
#[target_feature(enable = "neon")]
fn exponent(bits: uint32x4_t) -> uint32x4_t {
    vshlq_n_u32::<23>(bits)
}

/// Adds to each lane of `sum` the four products of its bytes. Two products of magnitudes up to 127 make at most 32,258, so
/// pairs can be summed in 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn pairwise(sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    let low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    vpadalq_s16(sum, vpaddq_s16(low, vmull_high_s8(a, b)))
}

/// Adds to each lane of `sum` the four products of its bytes. Rust has no stable name for the instruction.
#[inline]
#[target_feature(enable = "dotprod")]
fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: registers only, and the function has the feature
    unsafe {
        asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

/// Adds to the 2 × 2 matrix `sum` the product of two rows of eight bytes with two columns of eight.
#[inline]
#[target_feature(enable = "i8mm")]
fn smmla(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: registers only, and the function has the feature
    unsafe {
        asm!("smmla {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sum, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

// SAFETY of every block below: `self` proves the instructions. Pointers come from arrays of the length that is read or
// written.
macro_rules! shared {
    () => {
        type F = Floats;
        type Sum = Sums;
        type Codes = [int8x16_t; 4];
        type Four = int8x16_t;

        const OFFSET: u8 = 0;
        const LINES: usize = 1;
        const QUERIES: usize = 4;

        #[inline(always)]
        fn splat(self, x: f32) -> Floats {
            unsafe { [vdupq_n_f32(x); 4] }
        }

        #[inline(always)]
        fn load(self, from: &[f32; 16]) -> Floats {
            load!(vld1q_f32, from.as_ptr(), 4)
        }

        #[inline(always)]
        fn store(self, x: Floats, to: &mut [f32; 16]) {
            unsafe {
                vst1q_f32(to.as_mut_ptr(), x[0]);
                vst1q_f32(to.as_mut_ptr().add(4), x[1]);
                vst1q_f32(to.as_mut_ptr().add(8), x[2]);
                vst1q_f32(to.as_mut_ptr().add(12), x[3]);
            }
        }

        #[inline(always)]
        fn add(self, a: Floats, b: Floats) -> Floats {
            each!(vaddq_f32, a, b)
        }

        #[inline(always)]
        fn sub(self, a: Floats, b: Floats) -> Floats {
            each!(vsubq_f32, a, b)
        }

        #[inline(always)]
        fn mul(self, a: Floats, b: Floats) -> Floats {
            each!(vmulq_f32, a, b)
        }

        #[inline(always)]
        fn div(self, a: Floats, b: Floats) -> Floats {
            each!(vdivq_f32, a, b)
        }

        #[inline(always)]
        fn max(self, a: Floats, b: Floats) -> Floats {
            each!(vmaxq_f32, a, b)
        }

        #[inline(always)]
        fn min(self, a: Floats, b: Floats) -> Floats {
            each!(vminq_f32, a, b)
        }

        #[inline(always)]
        fn abs(self, a: Floats) -> Floats {
            each!(vabsq_f32, a)
        }

        #[inline(always)]
        fn sum(self, a: Floats) -> f32 {
            unsafe {
                let a = vaddq_f32(vaddq_f32(a[0], a[2]), vaddq_f32(a[1], a[3]));
                let a = vadd_f32(vget_low_f32(a), vget_high_f32(a));
                vget_lane_f32::<0>(a) + vget_lane_f32::<1>(a)
            }
        }

        #[inline(always)]
        fn largest(self, a: Floats) -> f32 {
            unsafe { vmaxvq_f32(vmaxq_f32(vmaxq_f32(a[0], a[2]), vmaxq_f32(a[1], a[3]))) }
        }

        #[inline(always)]
        fn two_to(self, rounded: Floats) -> Floats {
            let bits = each!(vreinterpretq_u32_f32, rounded);
            let shifted = each!(exponent, bits);
            let one = unsafe { [vdupq_n_u32(1f32.to_bits()); 4] };
            let power = each!(vaddq_u32, shifted, one);
            each!(vreinterpretq_f32_u32, power)
        }

        #[inline(always)]
        fn bytes(self, rounded: Floats) -> [u8; 16] {
            let bits = each!(vreinterpretq_u32_f32, rounded);
            let low = each!(vmovn_u32, bits);
            unsafe {
                let (a, b) = (vmovn_u16(vcombine_u16(low[0], low[1])), vmovn_u16(vcombine_u16(low[2], low[3])));
                std::mem::transmute(vcombine_u8(a, b))
            }
        }

        #[inline(always)]
        fn start(self, from: &[i32; 16]) -> Sums {
            load!(vld1q_s32, from.as_ptr(), 4)
        }

        #[inline(always)]
        fn codes(self, from: &[i8; 64]) -> [int8x16_t; 4] {
            load!(vld1q_s8, from.as_ptr(), 16)
        }

        #[inline(always)]
        fn four(self, from: [u8; 4]) -> int8x16_t {
            unsafe { vreinterpretq_s8_s32(vdupq_n_s32(i32::from_le_bytes(from))) }
        }

        #[inline(always)]
        fn floats(self, sum: Sums) -> Floats {
            each!(vcvtq_f32_s32, sum)
        }
    };
}

impl Simd for Neon {
    /// 4 rows × 4 registers are 16 accumulators of 32 registers; weights and products take the rest.
    const ROWS: usize = 4;
    shared!();

    #[inline(always)]
    fn dot(self, sum: Sums, four: int8x16_t, codes: [int8x16_t; 4]) -> Sums {
        let fours = [four; 4];
        each!(pairwise, sum, fours, codes)
    }
}

impl Simd for NeonDot {
    /// 6 rows × 4 registers are 24 accumulators of 32 registers.
    const ROWS: usize = 6;
    shared!();

    #[inline(always)]
    fn dot(self, sum: Sums, four: int8x16_t, codes: [int8x16_t; 4]) -> Sums {
        let fours = [four; 4];
        each!(sdot, sum, fours, codes)
    }
}

impl Simd for NeonMatrix {
    /// As [`NeonDot`]; 3 pairs of rows × 8 pairs of outputs.
    const ROWS: usize = 6;
    shared!();

    #[inline(always)]
    fn dot(self, sum: Sums, four: int8x16_t, codes: [int8x16_t; 4]) -> Sums {
        NeonDot(()).dot(sum, four, codes)
    }

    /// Two groups at a time, which interleaved by words are eight codes of each output; rows in pairs.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "accumulators are indexed both ways")]
    unsafe fn sums<const R: usize, const L: usize>(
        self,
        rows: *const u8,
        stride: usize,
        groups: &[Group],
        line: usize,
        starts: &[[i32; 16]],
    ) -> [[Sums; R]; L] {
        let pairs = R.div_ceil(2);
        // SAFETY: the caller's promise about `rows`; the instructions are proved by `self`
        unsafe {
            let mut sums = [[self.start(&starts[0]); R]; L];
            for l in 0..L {
                // blocks[p][i]: rows 2p, 2p + 1 by outputs 2i, 2i + 1; of the R entries, half are used
                let mut blocks = [[vdupq_n_s32(0); 8]; R];
                let (twos, last) = groups.as_chunks::<2>();
                for (g, [a, b]) in twos.iter().enumerate() {
                    let mut fours = [vdupq_n_s8(0); R];
                    for p in 0..pairs {
                        let (even, odd) = (p * 2, (p * 2 + 1).min(R - 1));
                        let even = vld1_s8(rows.add(even * stride + g * 8).cast());
                        fours[p] = vcombine_s8(even, vld1_s8(rows.add(odd * stride + g * 8).cast()));
                    }
                    let (a, b) = (self.codes(&a.0[line + l]), self.codes(&b.0[line + l]));
                    for i in 0..4 {
                        let (a, b) = (vreinterpretq_s32_s8(a[i]), vreinterpretq_s32_s8(b[i]));
                        let low = vreinterpretq_s8_s32(vzip1q_s32(a, b));
                        let high = vreinterpretq_s8_s32(vzip2q_s32(a, b));
                        for p in 0..pairs {
                            blocks[p][i * 2] = smmla(blocks[p][i * 2], fours[p], low);
                            blocks[p][i * 2 + 1] = smmla(blocks[p][i * 2 + 1], fours[p], high);
                        }
                    }
                }
                let start = self.start(&starts[l]);
                for r in 0..R {
                    for i in 0..4 {
                        let low = vreinterpretq_s64_s32(blocks[r / 2][i * 2]);
                        let high = vreinterpretq_s64_s32(blocks[r / 2][i * 2 + 1]);
                        let row = if r % 2 == 0 { vzip1q_s64(low, high) } else { vzip2q_s64(low, high) };
                        sums[l][r][i] = vaddq_s32(start[i], vreinterpretq_s32_s64(row));
                    }
                    if let [Group(group)] = last {
                        let four = rows.add(r * stride + (groups.len() - 1) * 4).cast::<[u8; 4]>().read();
                        sums[l][r] = self.dot(sums[l][r], self.four(four), self.codes(&group[line + l]));
                    }
                }
            }
            sums
        }
    }
}
