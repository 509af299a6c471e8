//! Symmetric 8-bit codes with one scale per row: the scheme the model is trained with. A matrix may be stored with 4 bits.

use std::borrow::Cow;

/// A matrix of rows, each `scale * code`. Codes are signed.
#[derive(Clone, Debug)]
pub struct Codes<'a> {
    /// Row after row, as `bits` says.
    pub(super) bytes: Cow<'a, [u8]>,
    bits: Bits,
    /// One per row.
    pub scales: Vec<f32>,
    /// Codes in a row.
    pub columns: usize,
}

/// How codes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// A byte for each, to be read as `i8`; never -128.
    Eight,
    /// With 8 added, two in a byte, the first in its low half. A row ends with a byte.
    Four,
}

impl Bits {
    /// Bytes of a row of `columns` codes.
    pub fn bytes(self, columns: usize) -> usize {
        match self {
            Self::Eight => columns,
            Self::Four => columns.div_ceil(2),
        }
    }
}

fn half(byte: u8, column: usize) -> i8 {
    (byte >> (column % 2 * 4) & 15) as i8 - 8
}

impl<'a> Codes<'a> {
    /// Codes of rows that were stored before: `bits` of `bytes`, a scale for each row.
    pub fn stored(bytes: &'a [u8], bits: Bits, scales: Vec<f32>, columns: usize) -> Self {
        Self { bytes: bytes.into(), bits, scales, columns }
    }

    fn bytes(&self, n: usize) -> &[u8] {
        let width = self.bits.bytes(self.columns);
        &self.bytes[n * width..][..width]
    }

    /// Puts the codes of row `n` into `row`, instead of what is there; their scale.
    pub fn row(&self, n: usize, row: &mut Vec<i8>) -> f32 {
        row.clear();
        let bytes = self.bytes(n);
        match self.bits {
            Bits::Eight => row.extend(bytes.iter().map(|b| *b as i8)),
            Bits::Four => row.extend((0..self.columns).map(|at| half(bytes[at / 2], at))),
        }
        self.scales[n]
    }

    /// Row `n` as numbers.
    pub fn values(&self, n: usize) -> impl Iterator<Item = f32> {
        let (bytes, bits, scale) = (self.bytes(n), self.bits, self.scales[n]);
        let code = move |at| match bits {
            Bits::Eight => bytes[at] as i8,
            Bits::Four => half(bytes[at / 2], at),
        };
        (0..self.columns).map(move |at| f32::from(code(at)) * scale)
    }

    /// The same, independent of the file they were read from.
    pub fn into_owned(self) -> Codes<'static> {
        Codes { bytes: self.bytes.into_owned().into(), ..self }
    }

    /// The nearest codes of `rows`: scale = largest magnitude / 127, halves rounded to even.
    pub fn nearest(rows: &[f32], columns: usize) -> Codes<'static> {
        let (mut bytes, mut scales) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len() / columns.max(1)));
        for row in rows.chunks_exact(columns) {
            let scale = row.iter().fold(0f32, |most, w| most.max(w.abs())) / 127.0;
            scales.push(scale);
            bytes.extend(row.iter().map(|w| match scale {
                0.0 => 0,
                _ => (w / scale).round_ties_even().clamp(-127.0, 127.0) as i8 as u8,
            }));
        }
        Codes { bytes: bytes.into(), bits: Bits::Eight, scales, columns }
    }
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
            let mut row = Vec::new();
            let scale = codes.row(n, &mut row);
            let most = row.iter().map(|code| code.unsigned_abs()).max().unwrap();
            assert_eq!(most, if n == 2 { 0 } else { 127 });
            for (value, want) in codes.values(n).zip(&rows[n * 256..]) {
                assert!((value - want).abs() <= scale * 0.500_01, "{value} for {want}");
            }
        }
    }

    #[test]
    fn four_bits_are_codes_around_eight() {
        for (bytes, columns, want) in [
            (&[0x1f, 0x88, 0x97][..], 2, vec![vec![7, -7], vec![0, 0], vec![-1, 1]]),
            (&[0x9f, 0xf8, 0x71, 0x09], 3, vec![vec![7, 1, 0], vec![-7, -1, 1]]),
        ] {
            let codes = Codes::stored(bytes, Bits::Four, vec![0.5; want.len()], columns);
            for (n, want) in want.iter().enumerate() {
                let mut row = vec![99];
                assert_eq!((codes.row(n, &mut row), &row), (0.5, want));
                assert!(codes.values(n).eq(want.iter().map(|code| f32::from(*code) * 0.5)));
            }
        }
    }

    #[test]
    fn a_half_goes_to_the_even_neighbour() {
        let codes = Codes::nearest(&[127.0, 0.5, 1.5, 2.5, -0.5, -1.5], 6);
        let mut row = Vec::new();
        codes.row(0, &mut row);
        assert_eq!(row, [127, 0, 2, 2, 0, -2]);
    }
}
