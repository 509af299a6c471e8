//! Many sentence vectors in 8 bits, and which of them are near another.

use super::kernel::{self, Activation, CodeRows, Kernel, Packed, ViewMut};

/// Rows of 8-bit numbers, one a vector, each with its scale. A quarter of the memory of f32; cosines differ by about 0.002.
/// In memory they lie as the kernels read weights: comparing with all rows is one product.
#[derive(Clone, Debug)]
pub struct Rows {
    kernel: &'static dyn Kernel,
    packed: Packed,
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.packed == other.packed
    }
}

impl Rows {
    /// No rows yet.
    pub fn new(width: usize) -> Self {
        Self::on(kernel::best(), width)
    }

    fn on(kernel: &'static dyn Kernel, width: usize) -> Self {
        Self { kernel, packed: Packed::empty(width, kernel.offset()) }
    }

    /// From stored parts; `None` if they don't belong together.
    pub fn from_parts(width: usize, codes: &[i8], scales: &[f32]) -> Option<Self> {
        let fits = width > 0 && codes.len() == width.checked_mul(scales.len())? && scales.iter().all(|s| s.is_finite());
        let mut rows = fits.then(|| Self::new(width))?;
        rows.reserve(scales.len());
        codes.chunks_exact(width.max(1)).zip(scales).for_each(|(codes, scale)| rows.push_row(codes, *scale));
        Some(rows)
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.packed.inputs()
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.packed.outputs()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Room for so many rows more.
    pub fn reserve(&mut self, rows: usize) {
        self.packed.reserve(rows);
    }

    /// Adds a vector of [`Self::width`] numbers.
    pub fn push(&mut self, vector: &[f32]) {
        let (codes, scale) = quantise(vector);
        self.push_row(&codes, scale);
    }

    /// Adds a row as it is stored.
    pub fn push_row(&mut self, codes: &[i8], scale: f32) {
        self.packed.push(codes, scale, 0.0);
    }

    /// A row as it is stored.
    pub fn row(&self, n: usize) -> (Vec<i8>, f32) {
        self.packed.output(n)
    }

    /// All rows as they are stored: the numbers, and the scales.
    pub fn parts(&self) -> (Vec<i8>, Vec<f32>) {
        let (mut codes, mut scales) = (Vec::with_capacity(self.len() * self.width()), Vec::with_capacity(self.len()));
        for (row, scale) in (0..self.len()).map(|n| self.row(n)) {
            codes.extend(row);
            scales.push(scale);
        }
        (codes, scales)
    }

    /// The cosine of `vector`, which has [`Self::width`] numbers, with every row, in order.
    pub fn cosines(&self, vector: &[f32]) -> Vec<f32> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut query = kernel::Rows::new(self.width(), 0);
        query.reserve(1);
        query.view_mut().row_mut(0).copy_from_slice(vector);
        let mut codes = CodeRows::new(self.width());
        codes.reserve(1);
        self.kernel.quantise(query.view(), 1, &mut codes);
        let mut out = vec![0.0; kernel::stride(self.len(), 0)];
        let (width, stride) = (self.len(), out.len());
        let to = ViewMut { values: &mut out, width, stride };
        self.kernel.product(&codes, 1, &self.packed, Activation::Nothing, to);
        out.truncate(self.len());
        out
    }
}

fn quantise(vector: &[f32]) -> (Vec<i8>, f32) {
    let most = vector.iter().fold(0f32, |m, x| m.max(x.abs()));
    if most <= 0.0 || !most.is_finite() {
        return (vec![0; vector.len()], 0.0);
    }
    let factor = 127.0 / most;
    // within -127 and 127 by the choice of the factor
    (vector.iter().map(|x| (x * factor).round() as i8).collect(), most / 127.0)
}

/// The `most` highest of `scores`, best first; of equals the first.
pub fn top(scores: impl Iterator<Item = f32>, most: usize) -> Vec<(usize, f32)> {
    let mut best: Vec<(usize, f32)> = Vec::with_capacity(most + 1);
    for (n, score) in scores.enumerate() {
        if best.len() < most || best.last().is_some_and(|(_, worst)| score > *worst) {
            let at = best.partition_point(|(_, s)| *s >= score);
            best.insert(at, (n, score));
            best.truncate(most);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some numbers of a sentence vector.
    fn vector(seed: u32, width: usize) -> Vec<f32> {
        let mut x = seed;
        let mut next = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / 16_777_216.0 - 0.3
        };
        let raw: Vec<f32> = (0..width).map(|_| next()).collect();
        let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.iter().map(|x| x / length).collect()
    }

    #[test]
    fn cosines_survive_eight_bits() {
        let mut rows = Rows::new(312);
        (0..70).for_each(|n| rows.push(&vector(n, 312)));
        let query = vector(7, 312);
        let cosines = rows.cosines(&query);
        assert_eq!(cosines.len(), 70);
        for (n, cosine) in cosines.iter().enumerate() {
            let exact: f32 = vector(n as u32, 312).iter().zip(&query).map(|(a, b)| a * b).sum();
            assert!((cosine - exact).abs() < 0.01, "{n}: {cosine} {exact}");
        }
        assert_eq!(top(cosines.into_iter(), 3)[0].0, 7);
        let (codes, scales) = rows.parts();
        assert_eq!(Rows::from_parts(312, &codes, &scales), Some(rows.clone()));
        assert!(Rows::from_parts(311, &codes, &scales).is_none());
        assert_eq!(rows.row(33), (codes[33 * 312..34 * 312].to_vec(), scales[33]));
    }

    #[test]
    fn every_kernel_finds_the_same_bits() {
        for width in [1, 30, 64, 312] {
            let query = vector(99, width);
            let cosines = |kernel| {
                let mut rows = Rows::on(kernel, width);
                (0..50).for_each(|n| rows.push(&vector(n, width)));
                // no vector has such codes, but a damaged file may
                rows.push_row(&vec![i8::MIN; width], 1.0);
                rows.cosines(&query).iter().map(|c| c.to_bits()).collect::<Vec<_>>()
            };
            let all = kernel::available();
            let want = cosines(*all.last().unwrap());
            for kernel in all {
                assert_eq!(cosines(kernel), want, "{} {width}", kernel.name());
            }
        }
    }

    #[test]
    fn the_best_come_first_and_of_equals_the_first() {
        let scores = [0.1, 0.9, 0.5, 0.9, 0.2];
        assert_eq!(top(scores.into_iter(), 3), [(1, 0.9), (3, 0.9), (2, 0.5)]);
        assert!(top(scores.into_iter(), 0).is_empty());
        assert!(Rows::new(4).cosines(&[0.0; 4]).is_empty());
        let mut rows = Rows::new(4);
        rows.push(&[0.0; 4]);
        assert_eq!(rows.cosines(&[0.5; 4]), [0.0]);
    }
}
