//! What an instruction set must offer: sixteen lanes of f32, and products of 8-bit codes summed into sixteen lanes of i32.
//!
//! A value of an implementing type is the proof that this processor has the instructions, so its methods are safe to call.
//! They are all inlined into the functions of `entry`, where the compiler knows the instructions too.

use super::packed::Group;

/// One instruction set. All float operations are one IEEE 754 operation per lane.
pub(super) trait Simd: Copy {
    /// Sixteen f32.
    type F: Copy;
    /// Sixteen i32 (or partial sums of them).
    type Sum: Copy;
    /// Four codes for each of sixteen outputs.
    type Codes: Copy;
    /// Four activation codes, ready to be multiplied with each of the sixteen.
    type Four: Copy;

    /// See [`super::Kernel::offset`].
    const OFFSET: u8;
    /// Rows of activations a tile of the product covers: as many as accumulators fit the registers.
    const ROWS: usize;
    /// Lines of sixteen outputs a tile covers: 1 or 2.
    const LINES: usize;
    /// Rows of queries that attention takes at once.
    const QUERIES: usize;

    fn splat(self, x: f32) -> Self::F;
    fn load(self, from: &[f32; 16]) -> Self::F;
    fn store(self, x: Self::F, to: &mut [f32; 16]);
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// The larger of two numbers; of NaN, anything.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller of two numbers; of NaN, anything.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    fn abs(self, a: Self::F) -> Self::F;
    /// The lanes folded in halves: i with i+8, then +4, +2, +1.
    fn sum(self, a: Self::F) -> f32;
    /// The largest lane.
    fn largest(self, a: Self::F) -> f32;

    /// For lanes that hold [`super::math::ROUND`] + n: 2ⁿ, from the bits, for n in -126..=127.
    fn two_to(self, rounded: Self::F) -> Self::F;
    /// For lanes that hold [`super::math::ROUND`] + n: the byte n + OFFSET of each, for n in -127..=127.
    fn bytes(self, rounded: Self::F) -> [u8; 16];

    fn start(self, from: &[i32; 16]) -> Self::Sum;
    fn codes(self, from: &[i8; 64]) -> Self::Codes;
    fn four(self, from: [u8; 4]) -> Self::Four;
    /// Adds to every lane the four products of its codes.
    fn dot(self, sum: Self::Sum, four: Self::Four, codes: Self::Codes) -> Self::Sum;
    /// The sums as numbers.
    fn floats(self, sum: Self::Sum) -> Self::F;

    /// Sums of R rows for L lines of outputs, from `line` of the groups on; each line starts from its own numbers. For an
    /// instruction set that multiplies rows in pairs to do differently.
    ///
    /// # Safety
    /// `rows` points to R rows of codes, `stride` bytes apart, each with four bytes for every group, padded to a multiple
    /// of eight.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "accumulators are indexed both ways")]
    unsafe fn sums<const R: usize, const L: usize>(
        self,
        rows: *const u8,
        stride: usize,
        groups: &[Group],
        line: usize,
        starts: &[[i32; 16]],
    ) -> [[Self::Sum; R]; L] {
        // loops, not array::from_fn: closures would keep the compiler from inlining instructions
        let mut sums = [[self.start(&starts[0]); R]; L];
        for l in 1..L {
            sums[l] = [self.start(&starts[l]); R];
        }
        for (g, Group(group)) in groups.iter().enumerate() {
            let mut codes = [self.codes(&group[line]); L];
            for l in 1..L {
                codes[l] = self.codes(&group[line + l]);
            }
            for r in 0..R {
                // SAFETY: the caller's promise
                let four = self.four(unsafe { rows.add(r * stride + g * 4).cast::<[u8; 4]>().read() });
                for l in 0..L {
                    sums[l][r] = self.dot(sums[l][r], four, codes[l]);
                }
            }
        }
        sums
    }
}
