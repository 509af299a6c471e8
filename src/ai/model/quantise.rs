//! Symmetric 8-bit codes with one scale per row: the scheme the model is trained with. Tables may be stored with 4 bits.

/// A matrix of rows, each `scale * code`. Codes are signed bytes.
#[derive(Clone, Debug)]
pub struct Codes {
    /// Row after row, `columns` bytes each, to be read as `i8`; never -128.
    pub bytes: Vec<u8>,
    /// One per row.
    pub scales: Vec<f32>,
    /// Bytes in a row.
    pub columns: usize,
}

impl Codes {
    /// The codes of one row and their scale.
    pub fn row(&self, n: usize) -> (&[u8], f32) {
        (&self.bytes[n * self.columns..][..self.columns], self.scales[n])
    }

    /// Row `n` as numbers.
    pub fn values(&self, n: usize) -> impl Iterator<Item = f32> {
        let (bytes, scale) = self.row(n);
        bytes.iter().map(move |b| f32::from(*b as i8) * scale)
    }

    /// The nearest codes of `rows`: scale = largest magnitude / 127, halves rounded to even.
    pub fn nearest(rows: &[f32], columns: usize) -> Self {
        let (mut bytes, mut scales) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len() / columns.max(1)));
        for row in rows.chunks_exact(columns) {
            let scale = row.iter().fold(0f32, |most, w| most.max(w.abs())) / 127.0;
            scales.push(scale);
            bytes.extend(row.iter().map(|w| match scale {
                0.0 => 0,
                _ => (w / scale).round_ties_even().clamp(-127.0, 127.0) as i8 as u8,
            }));
        }
        Self { bytes, scales, columns }
    }
}

/// Rows of `columns` codes from 4 bits each, stored with 8 added, the first of a byte in its low half.
pub(super) fn unpacked(bytes: &[u8], columns: usize) -> Vec<u8> {
    let halves = |row: &[u8]| row.iter().flat_map(|b| [b & 15, b >> 4]).take(columns).collect::<Vec<u8>>();
    bytes.chunks_exact(columns.div_ceil(2).max(1)).flat_map(halves).map(|code| code.wrapping_sub(8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_within_half_a_step_and_use_the_whole_range() {
        let rows: Vec<f32> = (0..512).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.013).chain([0.0; 256]).collect();
        let codes = Codes::nearest(&rows, 256);
        assert_eq!(codes.scales.len(), 3);
        for n in 0..3 {
            let (bytes, scale) = codes.row(n);
            let most = bytes.iter().map(|b| (*b as i8).unsigned_abs()).max().unwrap();
            assert_eq!(most, if n == 2 { 0 } else { 127 });
            for (value, want) in codes.values(n).zip(&rows[n * 256..]) {
                assert!((value - want).abs() <= scale * 0.500_01, "{value} for {want}");
            }
        }
    }

    #[test]
    fn four_bits_are_codes_around_eight() {
        let signed = |bytes: &[u8], columns| unpacked(bytes, columns).iter().map(|b| *b as i8).collect::<Vec<_>>();
        assert_eq!(signed(&[0x1f, 0x88, 0x97], 2), [7, -7, 0, 0, -1, 1]);
        assert_eq!(signed(&[0x9f, 0xf8, 0x71, 0x09], 3), [7, 1, 0, -7, -1, 1]);
    }

    #[test]
    fn a_half_goes_to_the_even_neighbour() {
        let codes = Codes::nearest(&[127.0, 0.5, 1.5, 2.5, -0.5, -1.5], 6);
        let signed: Vec<i8> = codes.bytes.iter().map(|b| *b as i8).collect();
        assert_eq!(signed, [127, 0, 2, 2, 0, -2]);
    }
}
