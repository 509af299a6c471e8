//! x86-64 with AVX2 (Intel from Haswell, AMD from Zen, Hygon, Zhaoxin): two registers for sixteen lanes.

use std::arch::x86_64::{
    __m256, __m256i, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_max_ps, _mm_max_ss, _mm_movehdup_ps, _mm_movehl_ps,
    _mm_packus_epi16, _mm256_abs_epi8, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256, _mm256_andnot_ps,
    _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cvtepi32_ps,
    _mm256_div_ps, _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_packus_epi32,
    _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_sign_epi8,
    _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps,
};

use super::{
    Activation, Affine, CodeRows, Heads, Kernel, Packed, Strided, View, ViewMut, Workspace, entry::kernel, simd::Simd,
};

/// Proof that the processor has the instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<&'static dyn Kernel> {
        is_x86_feature_detected!("avx2").then_some(&Self(()))
    }
}

kernel!(Avx2, "avx2", features = "avx2");

/// An instruction on both halves. A macro, because closures would keep the compiler from inlining instructions.
macro_rules! both {
    ($instruction:ident, $($argument:expr),+) => {
        unsafe { [$instruction($($argument[0]),+), $instruction($($argument[1]),+)] }
    };
}

// SAFETY of every block below: `self` proves the instructions. Pointers come from arrays of the length that is read or
// written, and the instructions used don't ask for alignment.
impl Simd for Avx2 {
    type F = [__m256; 2];
    type Sum = [__m256i; 2];
    /// The codes and their magnitudes.
    type Codes = [(__m256i, __m256i); 2];
    type Four = __m256i;

    const OFFSET: u8 = 0;
    /// 4 rows × 2 registers are 8 accumulators of 16 registers; weights, magnitudes and products take the rest.
    const ROWS: usize = 4;
    const LINES: usize = 1;
    const QUERIES: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        unsafe { [_mm256_set1_ps(x); 2] }
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> Self::F {
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }

    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; 16]) {
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x[1]);
        }
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_add_ps, a, b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_sub_ps, a, b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_mul_ps, a, b)
    }

    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_div_ps, a, b)
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_max_ps, a, b)
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        both!(_mm256_min_ps, a, b)
    }

    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        let signs = self.splat(-0.0);
        both!(_mm256_andnot_ps, signs, a)
    }

    #[inline(always)]
    fn sum(self, a: Self::F) -> f32 {
        unsafe {
            let a = _mm256_add_ps(a[0], a[1]);
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
        }
    }

    #[inline(always)]
    fn largest(self, a: Self::F) -> f32 {
        unsafe {
            let a = _mm256_max_ps(a[0], a[1]);
            let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)))
        }
    }

    #[inline(always)]
    fn two_to(self, rounded: Self::F) -> Self::F {
        let bits = both!(_mm256_castps_si256, rounded);
        let shifted = unsafe { [_mm256_slli_epi32::<23>(bits[0]), _mm256_slli_epi32::<23>(bits[1])] };
        let one = unsafe { [_mm256_set1_epi32(1f32.to_bits() as i32); 2] };
        let power = both!(_mm256_add_epi32, shifted, one);
        both!(_mm256_castsi256_ps, power)
    }

    #[inline(always)]
    fn bytes(self, rounded: Self::F) -> [u8; 16] {
        let mask = unsafe { [_mm256_set1_epi32(0xff); 2] };
        let bits = both!(_mm256_castps_si256, rounded);
        let low = both!(_mm256_and_si256, bits, mask);
        unsafe {
            // packing works within halves of a register; the permutation puts the quarters in order again
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low[0], low[1]));
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            std::mem::transmute(bytes)
        }
    }

    #[inline(always)]
    fn start(self, from: &[i32; 16]) -> Self::Sum {
        unsafe { [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(8).cast())] }
    }

    #[inline(always)]
    fn codes(self, from: &[i8; 64]) -> Self::Codes {
        unsafe {
            let halves = [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(32).cast())];
            [(halves[0], _mm256_abs_epi8(halves[0])), (halves[1], _mm256_abs_epi8(halves[1]))]
        }
    }

    #[inline(always)]
    fn four(self, from: [u8; 4]) -> __m256i {
        unsafe { _mm256_set1_epi32(i32::from_le_bytes(from)) }
    }

    /// `vpmaddubsw` multiplies unsigned by signed bytes, so the weight gives its sign to the activation. Two products of
    /// magnitudes up to 127 make at most 32,258: its 16-bit sums never saturate, and the result is exact.
    #[inline(always)]
    fn dot(self, sum: Self::Sum, four: __m256i, codes: Self::Codes) -> Self::Sum {
        unsafe {
            let one = _mm256_set1_epi16(1);
            let low = _mm256_maddubs_epi16(codes[0].1, _mm256_sign_epi8(four, codes[0].0));
            let high = _mm256_maddubs_epi16(codes[1].1, _mm256_sign_epi8(four, codes[1].0));
            [
                _mm256_add_epi32(sum[0], _mm256_madd_epi16(low, one)),
                _mm256_add_epi32(sum[1], _mm256_madd_epi16(high, one)),
            ]
        }
    }

    #[inline(always)]
    fn floats(self, sum: Self::Sum) -> Self::F {
        both!(_mm256_cvtepi32_ps, sum)
    }
}
