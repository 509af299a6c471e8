//! Weights of a linear map in the order the kernels read them.
//!
//! Outputs are taken 32 at a time (a panel). Within a panel, memory runs over groups of four inputs; a group holds four
//! codes for each of 32 outputs, so that one 64-byte load fetches sixteen outputs, and one instruction multiplies their
//! four codes with four activations and adds. Outputs and inputs that pad a panel or a group have codes of zero.

use super::rows::PANEL;

/// Four inputs for 32 outputs: two lines of sixteen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Group(pub [[i8; 64]; 2]);

/// Packed weights, scales and bias of a linear map.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    groups: Vec<Group>,
    /// Per output, padded: what an accumulator begins with, to take the activations' offset out again.
    pub(super) start: Vec<[i32; 16]>,
    pub(super) scale: Vec<[f32; 16]>,
    pub(super) bias: Vec<[f32; 16]>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    offset: u8,
}

impl Packed {
    /// No outputs yet, each of `inputs` codes, for activations with `offset` added to every code.
    pub fn empty(inputs: usize, offset: u8) -> Self {
        let (groups, start, scale, bias) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { groups, start, scale, bias, inputs, outputs: 0, offset }
    }

    /// Reserves memory for this many more outputs.
    pub fn reserve(&mut self, outputs: usize) {
        let panels = (self.outputs + outputs).div_ceil(PANEL) - self.outputs.div_ceil(PANEL);
        self.groups.reserve_exact(panels * self.inputs.div_ceil(4));
        self.start.reserve_exact(panels * 2);
        self.scale.reserve_exact(panels * 2);
        self.bias.reserve_exact(panels * 2);
    }

    /// Adds an output.
    ///
    /// # Panics
    /// If `codes` are not as many as the inputs: a mistake in the caller, no matter of data.
    pub fn push(&mut self, codes: &[i8], scale: f32, bias: f32) {
        assert_eq!(codes.len(), self.inputs, "as many codes as inputs");
        let (panel, half, lane) = place(self.outputs);
        let per_panel = self.inputs.div_ceil(4);
        if self.outputs.is_multiple_of(PANEL) {
            self.groups.resize((panel + 1) * per_panel, Group([[0; 64]; 2]));
            self.start.resize(panel * 2 + 2, [0; 16]);
            self.scale.resize(panel * 2 + 2, [0.0; 16]);
            self.bias.resize(panel * 2 + 2, [0.0; 16]);
        }
        for (four, group) in codes.chunks(4).zip(&mut self.groups[panel * per_panel..]) {
            group.0[half][lane * 4..][..four.len()].copy_from_slice(four);
        }
        let (line, sum): (usize, i32) = (panel * 2 + half, codes.iter().map(|code| i32::from(*code)).sum());
        self.start[line][lane] = -i32::from(self.offset) * sum;
        self.scale[line][lane] = scale;
        self.bias[line][lane] = bias;
        self.outputs += 1;
    }

    /// The codes and the scale of output `n`, as they were before packing.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn output(&self, n: usize) -> (Vec<i8>, f32) {
        assert!(n < self.outputs, "output {n} of {}", self.outputs);
        let (panel, half, lane) = place(n);
        let mut codes = Vec::with_capacity(self.inputs.next_multiple_of(4));
        for group in self.panel(panel) {
            codes.extend_from_slice(&group.0[half][lane * 4..][..4]);
        }
        codes.truncate(self.inputs);
        (codes, self.scale[panel * 2 + half][lane])
    }

    /// The groups of one panel, in order of inputs.
    pub(super) fn panel(&self, n: usize) -> &[Group] {
        let per_panel = self.inputs.div_ceil(4);
        &self.groups[n * per_panel..][..per_panel]
    }

    /// Values in a row of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

/// Panel, half of it, and lane of an output.
fn place(output: usize) -> (usize, usize, usize) {
    (output / PANEL, output % PANEL / 16, output % 16)
}
