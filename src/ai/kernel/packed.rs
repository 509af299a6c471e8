//! Weights of a linear map in the order the kernels read them.
//!
//! Outputs are taken 32 at a time (a panel). Within a panel, memory runs over groups of four inputs; a group holds four
//! codes for each of 32 outputs, so that one 64-byte load brings sixteen outputs, and one instruction multiplies their
//! four codes with four activations and adds. Outputs and inputs that pad a panel or a group have codes of zero.

use super::rows::PANEL;

/// Four inputs for 32 outputs: two lines of sixteen.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Group(pub [[i8; 64]; 2]);

/// Packed weights, scales and bias of a linear map.
#[derive(Debug)]
pub struct Packed {
    groups: Vec<Group>,
    /// Per output, padded: what an accumulator begins with, to take the activations' offset out again.
    pub(super) start: Vec<[i32; 16]>,
    pub(super) scale: Vec<[f32; 16]>,
    pub(super) bias: Vec<[f32; 16]>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Packed {
    /// Packs `outputs` rows of `inputs` codes each, for activations with `offset` added to every code.
    ///
    /// # Panics
    /// If the lengths don't fit: the loader has checked them.
    pub fn new(codes: &[u8], scales: &[f32], bias: &[f32], offset: u8) -> Self {
        let outputs = scales.len();
        let inputs = codes.len() / outputs;
        assert!(inputs * outputs == codes.len() && bias.len() == outputs, "codes, scales and bias of one matrix");
        let panels = outputs.div_ceil(PANEL);
        let per_panel = inputs.div_ceil(4);
        let mut groups = vec![Group([[0; 64]; 2]); panels * per_panel];
        let mut start = vec![[0i32; 16]; panels * 2];
        for (output, row) in codes.chunks_exact(inputs).enumerate() {
            let (panel, half, lane) = (output / PANEL, output % PANEL / 16, output % 16);
            for (four, group) in row.chunks(4).zip(&mut groups[panel * per_panel..]) {
                for (to, code) in group.0[half][lane * 4..].iter_mut().zip(four) {
                    *to = *code as i8;
                }
            }
            let sum: i32 = row.iter().map(|code| i32::from(*code as i8)).sum();
            start[output / 16][lane] = -i32::from(offset) * sum;
        }
        let lanes = |values: &[f32]| {
            let mut padded = vec![[0f32; 16]; panels * 2];
            padded.as_flattened_mut()[..outputs].copy_from_slice(values);
            padded
        };
        Self { groups, start, scale: lanes(scales), bias: lanes(bias), inputs, outputs }
    }

    /// The groups of one panel, in order of inputs.
    pub(super) fn panel(&self, n: usize) -> &[Group] {
        let per_panel = self.inputs.div_ceil(4);
        &self.groups[n * per_panel..][..per_panel]
    }

    /// Values in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}
