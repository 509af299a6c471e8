//! x86-64 with AVX-512 VNNI (Intel from Ice Lake, AMD from Zen 4): one register holds sixteen lanes, one instruction
//! multiplies 64 pairs of codes and sums them in fours.

use std::arch::x86_64::{
    __m512, __m512i, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_max_ps, _mm_max_ss, _mm_movehdup_ps, _mm_movehl_ps,
    _mm_set1_epi8, _mm_xor_si128, _mm256_add_ps, _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_max_ps,
    _mm512_abs_ps, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps,
    _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps, _mm512_div_ps, _mm512_dpbusd_epi32, _mm512_extractf32x8_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::{
    Activation, Affine, CodeRows, Heads, Kernel, Packed, Strided, View, ViewMut, Workspace, entry::kernel, simd::Simd,
};

/// Proof that the processor has the instructions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<&'static dyn Kernel> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vnni");
        has.then_some(&Self(()))
    }
}

kernel!(Avx512, "avx512-vnni", features = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni");

// SAFETY of every block below: `self` proves the instructions. Pointers come from arrays of the length that is read or
// written, and the instructions used don't ask for alignment.
impl Simd for Avx512 {
    type F = __m512;
    type Sum = __m512i;
    type Codes = __m512i;
    type Four = __m512i;

    /// `vpdpbusd` takes its activations unsigned: codes are moved up by 128, and 128 times the sum of the weights is taken
    /// off at the start. Sums can't overflow: 255 · 127 · inputs stays below 2³¹ up to 66,000 inputs.
    const OFFSET: u8 = 128;
    /// 12 rows × 2 lines are 24 accumulators of 32 registers.
    const ROWS: usize = 12;
    const LINES: usize = 2;
    const QUERIES: usize = 8;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> __m512 {
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; 16]) {
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        unsafe { _mm512_abs_ps(a) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        unsafe {
            let a = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
        }
    }

    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        unsafe {
            let a = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)))
        }
    }

    #[inline(always)]
    fn two_to(self, rounded: __m512) -> __m512 {
        unsafe {
            let shifted = _mm512_slli_epi32::<23>(_mm512_castps_si512(rounded));
            _mm512_castsi512_ps(_mm512_add_epi32(shifted, _mm512_set1_epi32(1f32.to_bits() as i32)))
        }
    }

    #[inline(always)]
    fn bytes(self, rounded: __m512) -> [u8; 16] {
        unsafe {
            let low = _mm512_cvtepi32_epi8(_mm512_castps_si512(rounded));
            std::mem::transmute(_mm_xor_si128(low, _mm_set1_epi8(i8::MIN)))
        }
    }

    #[inline(always)]
    fn start(self, from: &[i32; 16]) -> __m512i {
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn codes(self, from: &[i8; 64]) -> __m512i {
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn four(self, from: [u8; 4]) -> __m512i {
        unsafe { _mm512_set1_epi32(i32::from_le_bytes(from)) }
    }

    #[inline(always)]
    fn dot(self, sum: __m512i, four: __m512i, codes: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sum, four, codes) }
    }

    #[inline(always)]
    fn floats(self, sum: __m512i) -> __m512 {
        unsafe { _mm512_cvtepi32_ps(sum) }
    }
}
