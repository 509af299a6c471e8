//! The arithmetic of the encoder, and of what compares and learns from its vectors, once per instruction set, chosen when the
//! program runs.
//!
//! Whatever the processor, the bits of the result are the same:
//! - products of 8-bit codes are summed in i32, which is exact in any order;
//! - f32 is only added, multiplied, divided and rooted, which IEEE 754 rounds one way, and never fused (no FMA), because
//!   a processor without it would round twice;
//! - sums of floats run in sixteen lanes that are folded in one fixed order, whatever the width of a register;
//! - exp and erf are our own polynomials (`math`), not a library's.
//!
//! `simd` is the vocabulary: what an instruction set must offer. `product`, `attention`, `norm`, `dense` and `math`
//! are written once in it; `avx512`, `avx2`, `neon` and `portable` spell it out. `rows` and `packed` are the layouts in memory.
//!
//! A crate of its own because it is built for speed where the rest of kefu is built for size, and because it needs unsafe
//! code, which the other crates forbid. That has two reasons: the processor's vector instructions are unsafe to name
//! where the compiler doesn't know that they exist, and inner loops read without bounds checks. The first is answered by
//! proof values (`Avx2` can only be made after the processor was asked), the second by checks before the loop.

#![expect(
    clippy::inline_always,
    reason = "an instruction set's functions must be inlined into their like, or each is a call"
)]
#![expect(clippy::unreadable_literal, reason = "coefficients are written as they were published")]

mod attention;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dense;
mod entry;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod norm;
mod packed;
mod portable;
mod product;
mod rows;
mod simd;
#[cfg(test)]
mod tests;

pub use attention::{Heads, SLACK, Workspace};
pub use dense::Strided;
pub use norm::Affine;
pub use packed::Packed;
pub use rows::{CodeRows, Rows, View, ViewMut, stride};

/// What follows a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// No activation.
    Nothing,
    /// The Gaussian error linear unit, by erf.
    Gelu,
}

/// The arithmetic in one instruction set.
pub trait Kernel: Send + Sync + std::fmt::Debug {
    /// For people: `avx512-vnni`, `avx2`, …
    fn name(&self) -> &'static str;

    /// Added to every activation code before products, so that signed codes fit an instruction for unsigned ones.
    fn offset(&self) -> u8;

    /// `out = then(input · weightsᵀ + bias)` for the first `rows` rows.
    ///
    /// # Panics
    /// If the widths don't fit each other: a mistake in the caller, no matter of data.
    fn product(&self, input: &CodeRows, rows: usize, weights: &Packed, then: Activation, out: ViewMut<'_>);

    /// Attention of the tokens of one text to each other: rows `first .. first + tokens` of `qkv` to the same of `out`.
    ///
    /// # Panics
    /// As [`Kernel::product`].
    fn attention(
        &self,
        heads: Heads,
        qkv: View<'_>,
        first: usize,
        tokens: usize,
        out: ViewMut<'_>,
        work: &mut Workspace,
    );

    /// `x = norm(x + residual)` for the first `rows` rows, and, if asked for, their codes.
    ///
    /// # Panics
    /// As [`Kernel::product`].
    fn add_norm(
        &self,
        x: ViewMut<'_>,
        residual: Option<View<'_>>,
        rows: usize,
        norm: &Affine,
        codes: Option<&mut CodeRows>,
    );

    /// The nearest codes of the first `rows` rows.
    ///
    /// # Panics
    /// As [`Kernel::product`].
    fn quantise(&self, x: View<'_>, rows: usize, codes: &mut CodeRows);

    /// `out += a · b`, all in f32. Rows of `b` and `out` are whole lines, of `out` as many as divided by the rows of `a`.
    ///
    /// # Panics
    /// As [`Kernel::product`].
    fn combine(&self, a: Strided<'_>, b: &[[f32; 16]], out: &mut [[f32; 16]]);

    /// Turns rows of `width` scores, each in whole lines, into probabilities; what pads a row becomes 0. None is smaller
    /// than e^-87 times the largest of its row.
    fn softmax(&self, rows: &mut [[f32; 16]], width: usize);
}

/// Every kernel this processor can run, fastest first. The last is the portable one.
pub fn available() -> Vec<&'static dyn Kernel> {
    let mut kernels: Vec<&'static dyn Kernel> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    kernels.extend([avx512::Avx512::detect(), avx2::Avx2::detect()].into_iter().flatten());
    #[cfg(target_arch = "aarch64")]
    kernels.extend(neon::detect());
    kernels.push(&portable::Portable);
    kernels
}

/// The fastest kernel of this processor.
pub fn best() -> &'static dyn Kernel {
    available()[0]
}
