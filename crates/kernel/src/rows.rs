//! Matrices in memory: rows of f32 and rows of 8-bit codes, aligned and padded for vector registers.
//!
//! Padding holds zeros wherever a kernel reads it as a number; kernels keep it so.

/// Rows are padded to a multiple of this many values: the columns of one weight panel.
pub(super) const PANEL: usize = 32;

/// Rows of f32 to read, with any start and stride.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Row after row with padding.
    pub values: &'a [f32],
    /// Values in a row without padding.
    pub width: usize,
    /// Values from one row to the next.
    pub stride: usize,
}

/// Rows of f32 to write, with any start and stride.
#[derive(Debug)]
pub struct ViewMut<'a> {
    /// Row after row with padding.
    pub values: &'a mut [f32],
    /// Values in a row without padding.
    pub width: usize,
    /// Values from one row to the next.
    pub stride: usize,
}

impl<'a> View<'a> {
    /// Row `n` without its padding.
    pub fn row(self, n: usize) -> &'a [f32] {
        &self.values[n * self.stride..][..self.width]
    }
}

impl ViewMut<'_> {
    /// Row `n` without its padding.
    pub fn row_mut(&mut self, n: usize) -> &mut [f32] {
        &mut self.values[n * self.stride..][..self.width]
    }

    /// The same rows, to read.
    pub fn view(&self) -> View<'_> {
        View { values: self.values, width: self.width, stride: self.stride }
    }

    /// The same rows, lent on.
    pub fn lend(&mut self) -> ViewMut<'_> {
        ViewMut { values: self.values, width: self.width, stride: self.stride }
    }
}

/// Values from one row to the next for rows of `width` values and at least `slack` of padding.
pub fn stride(width: usize, slack: usize) -> usize {
    (width + slack).next_multiple_of(PANEL)
}

/// A cache line of floats; gives a vector of them its alignment.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct FloatLine([f32; 16]);

/// A cache line of codes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct CodeLine([u8; 64]);

/// Rows of f32.
#[derive(Debug)]
pub struct Rows {
    lines: Vec<FloatLine>,
    width: usize,
    stride: usize,
}

impl Rows {
    /// No rows yet, each `width` wide, with at least `slack` values of padding.
    pub fn new(width: usize, slack: usize) -> Self {
        Self { lines: Vec::new(), width, stride: stride(width, slack) }
    }

    /// Reserves `rows` rows. Allocates only if there never were as many.
    pub fn reserve(&mut self, rows: usize) {
        let lines = rows * self.stride / 16;
        if self.lines.len() < lines {
            self.lines.resize(lines, FloatLine([0.0; 16]));
        }
    }

    /// The rows, to read.
    pub fn view(&self) -> View<'_> {
        // SAFETY: a FloatLine is sixteen f32 and nothing else (repr(C), 64 bytes, 64 aligned)
        let values = unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) };
        View { values, width: self.width, stride: self.stride }
    }

    /// The rows, to write.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        // SAFETY: as in `view`, and the borrow of self is exclusive
        let values = unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16) };
        ViewMut { values, width: self.width, stride: self.stride }
    }
}

/// Rows of 8-bit codes with a scale per row. The bytes are a kernel's own: code plus its offset.
#[derive(Debug)]
pub struct CodeRows {
    lines: Vec<CodeLine>,
    pub(super) scales: Vec<f32>,
    stride: usize,
}

impl CodeRows {
    /// No rows yet, each with a capacity of `width` codes.
    pub fn new(width: usize) -> Self {
        Self { lines: Vec::new(), scales: Vec::new(), stride: width.next_multiple_of(64) }
    }

    /// Reserves `rows` rows. Allocates only if there never were as many.
    pub fn reserve(&mut self, rows: usize) {
        let lines = rows * self.stride / 64;
        if self.scales.len() < rows {
            self.lines.resize(lines, CodeLine([0; 64]));
            self.scales.resize(rows, 0.0);
        }
    }

    /// Bytes from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// All rows with padding.
    pub(super) fn flat(&self) -> &[u8] {
        // SAFETY: a CodeLine is 64 bytes and nothing else
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 64) }
    }

    /// The bytes of row `n` with padding, and its scale.
    pub(super) fn row_mut(&mut self, n: usize) -> (&mut [u8], &mut f32) {
        let stride = self.stride;
        // SAFETY: as in `flat`, and the borrow of self is exclusive
        let all = unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 64) };
        (&mut all[n * stride..][..stride], &mut self.scales[n])
    }
}
