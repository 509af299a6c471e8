//! Entry points from [`super::Kernel`] to the generic code. Each instruction set gets functions of its own, compiled with its
//! instructions, into which everything written in [`super::simd::Simd`] is inlined.

/// Implements [`super::Kernel`] for a proof value of `simd`, with the given target features.
macro_rules! kernel {
    ($proof:ty, $name:literal $(, features = $features:literal)?) => {
        impl $crate::Kernel for $proof {
            fn name(&self) -> &'static str {
                $name
            }

            fn offset(&self) -> u8 {
                <Self as $crate::simd::Simd>::OFFSET
            }

            fn product(&self, input: &CodeRows, rows: usize, weights: &Packed, then: Activation, out: ViewMut<'_>) {
                $(#[target_feature(enable = $features)])?
                fn door(s: $proof, input: &CodeRows, rows: usize, weights: &Packed, then: Activation, out: ViewMut<'_>) {
                    $crate::product::product(s, input, rows, weights, then, out);
                }
                kernel!(@call $($features)?, door(*self, input, rows, weights, then, out))
            }

            fn attention(
                &self, heads: Heads, qkv: View<'_>, first: usize, tokens: usize, out: ViewMut<'_>, work: &mut Workspace,
            ) {
                $(#[target_feature(enable = $features)])?
                fn door(
                    s: $proof, heads: Heads, qkv: View<'_>, first: usize, tokens: usize, out: ViewMut<'_>, work: &mut Workspace,
                ) {
                    $crate::attention::attention(s, heads, qkv, first, tokens, out, work);
                }
                kernel!(@call $($features)?, door(*self, heads, qkv, first, tokens, out, work))
            }

            fn add_norm(
                &self, x: ViewMut<'_>, residual: Option<View<'_>>, rows: usize, norm: &Affine, codes: Option<&mut CodeRows>,
            ) {
                $(#[target_feature(enable = $features)])?
                fn door(
                    s: $proof, x: ViewMut<'_>, residual: Option<View<'_>>, rows: usize, norm: &Affine, codes: Option<&mut CodeRows>,
                ) {
                    $crate::norm::add_norm(s, x, residual, rows, norm, codes);
                }
                kernel!(@call $($features)?, door(*self, x, residual, rows, norm, codes))
            }

            fn quantise(&self, x: View<'_>, rows: usize, codes: &mut CodeRows) {
                $(#[target_feature(enable = $features)])?
                fn door(s: $proof, x: View<'_>, rows: usize, codes: &mut CodeRows) {
                    $crate::norm::quantise(s, x, rows, codes);
                }
                kernel!(@call $($features)?, door(*self, x, rows, codes))
            }

            fn combine(&self, a: Strided<'_>, b: &[[f32; 16]], out: &mut [[f32; 16]]) {
                $(#[target_feature(enable = $features)])?
                fn door(s: $proof, a: Strided<'_>, b: &[[f32; 16]], out: &mut [[f32; 16]]) {
                    $crate::dense::combine(s, a, b, out);
                }
                kernel!(@call $($features)?, door(*self, a, b, out))
            }

            fn softmax(&self, rows: &mut [[f32; 16]], width: usize) {
                $(#[target_feature(enable = $features)])?
                fn door(s: $proof, rows: &mut [[f32; 16]], width: usize) {
                    $crate::dense::softmax(s, rows, width);
                }
                kernel!(@call $($features)?, door(*self, rows, width))
            }
        }
    };
    (@call , $call:expr) => { $call };
    (@call $features:literal, $call:expr) => {
        // SAFETY: a proof value is only made after the processor was found to have the features
        unsafe { $call }
    };
}

pub(super) use kernel;
