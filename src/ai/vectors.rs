//! Many sentence vectors in 8 bits, and which of them are near another.

/// Rows of 8-bit numbers, one a vector, each with its scale. A quarter of the memory of f32; cosines differ by about 0.002.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    width: usize,
    codes: Vec<i8>,
    scales: Vec<f32>,
}

/// A vector to look for, widened for the loop over the rows.
#[derive(Clone, Debug)]
pub struct Query {
    codes: Vec<i16>,
    scale: f32,
}

impl Query {
    /// Of one vector.
    pub fn new(vector: &[f32]) -> Self {
        let (codes, scale) = quantise(vector);
        Self { codes: codes.into_iter().map(i16::from).collect(), scale }
    }
}

impl Rows {
    /// No rows yet.
    pub fn new(width: usize) -> Self {
        Self { width, codes: Vec::new(), scales: Vec::new() }
    }

    /// From stored parts; `None` if they don't belong together.
    pub fn from_parts(width: usize, codes: Vec<i8>, scales: Vec<f32>) -> Option<Self> {
        let fits = codes.len() == width.checked_mul(scales.len())? && scales.iter().all(|s| s.is_finite());
        fits.then_some(Self { width, codes, scales })
    }

    /// Numbers in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Adds a vector of [`Self::width`] numbers.
    pub fn push(&mut self, vector: &[f32]) {
        debug_assert_eq!(vector.len(), self.width);
        let (codes, scale) = quantise(vector);
        self.codes.extend(codes);
        self.scales.push(scale);
    }

    /// Adds a row as it is stored.
    pub fn push_row(&mut self, codes: &[i8], scale: f32) {
        debug_assert_eq!(codes.len(), self.width);
        self.codes.extend_from_slice(codes);
        self.scales.push(scale);
    }

    /// A row as it is stored.
    pub fn row(&self, n: usize) -> (&[i8], f32) {
        (&self.codes[n * self.width..(n + 1) * self.width], self.scales[n])
    }

    /// All rows as they are stored.
    pub fn parts(&self) -> (&[i8], &[f32]) {
        (&self.codes, &self.scales)
    }

    /// The cosine of `query` with every row, in order.
    pub fn cosines<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = f32> + 'a {
        let rows = self.codes.chunks_exact(self.width.max(1));
        rows.zip(&self.scales).map(|(row, scale)| dot(&query.codes, row) as f32 * (query.scale * scale))
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

/// Products of i16 summed in i32: the shape that compilers turn into vector instructions.
fn dot(a: &[i16], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(i16::from(*y))).sum()
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

    #[test]
    fn cosines_survive_eight_bits() {
        let vector = |seed: u32| {
            let mut x = seed;
            let raw: Vec<f32> = (0..312)
                .map(|_| {
                    x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (x >> 8) as f32 / 16_777_216.0 - 0.3
                })
                .collect();
            let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
            raw.iter().map(|x| x / length).collect::<Vec<_>>()
        };
        let mut rows = Rows::new(312);
        (0..20).for_each(|n| rows.push(&vector(n)));
        let query = vector(7);
        for (n, cosine) in rows.cosines(&Query::new(&query)).enumerate() {
            let exact: f32 = vector(n as u32).iter().zip(&query).map(|(a, b)| a * b).sum();
            assert!((cosine - exact).abs() < 0.01, "{n}: {cosine} {exact}");
        }
        assert_eq!(top(rows.cosines(&Query::new(&query)), 3)[0].0, 7);
        let (codes, scales) = rows.parts();
        assert_eq!(Rows::from_parts(312, codes.to_vec(), scales.to_vec()), Some(rows.clone()));
        assert!(Rows::from_parts(311, codes.to_vec(), scales.to_vec()).is_none());
    }

    #[test]
    fn the_best_come_first_and_of_equals_the_first() {
        let scores = [0.1, 0.9, 0.5, 0.9, 0.2];
        assert_eq!(top(scores.into_iter(), 3), [(1, 0.9), (3, 0.9), (2, 0.5)]);
        assert!(top(scores.into_iter(), 0).is_empty());
        assert!(Rows::new(4).cosines(&Query::new(&[0.0; 4])).next().is_none());
    }
}
