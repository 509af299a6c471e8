//! The steps of the encoder as Candle in-place ops on one tensor of hidden states: [`Embed`] fills it, [`Step`] takes it
//! through a layer. An op is a function from hidden states to hidden states; what it computes in between lies in [`Scratch`].

use std::cell::RefCell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result};

use super::{
    kernel::{Activation, CodeRows, Heads, Rows, SLACK, ViewMut, Workspace},
    model::{Config, Layer, Model},
};

/// What the ops compute in between. Grows to the largest batch it has seen.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Rows of the tables, before the projection.
    embedded: Rows,
    /// Codes of what has the width of the tables or of the hidden states.
    codes: CodeRows,
    qkv: Rows,
    context: Rows,
    attended: Rows,
    inner: Rows,
    inner_codes: CodeRows,
    work: Workspace,
}

impl Scratch {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            embedded: Rows::new(config.embedding, 0),
            codes: CodeRows::new(config.hidden.max(config.embedding)),
            qkv: Rows::new(3 * config.hidden, SLACK),
            context: Rows::new(config.hidden, SLACK),
            attended: Rows::new(config.hidden, 0),
            inner: Rows::new(config.inner, 0),
            inner_codes: CodeRows::new(config.inner),
            work: Workspace::default(),
        }
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        for buffer in [&mut self.embedded, &mut self.qkv, &mut self.context, &mut self.attended, &mut self.inner] {
            buffer.reserve(rows);
        }
        self.codes.reserve(rows);
        self.inner_codes.reserve(rows);
    }
}

/// Fills the hidden states of several texts, one below the other, from their tokens.
pub(super) struct Embed<'a, T> {
    pub model: &'a Model,
    pub texts: &'a [T],
    pub scratch: RefCell<&'a mut Scratch>,
}

/// Takes the hidden states of texts of the given lengths through one layer.
pub(super) struct Step<'a> {
    pub model: &'a Model,
    pub layer: &'a Layer,
    pub lengths: &'a [usize],
    pub scratch: RefCell<&'a mut Scratch>,
}

/// The tensor's memory as rows of `width` values.
fn hidden<'a>(storage: &'a mut CpuStorage, layout: &Layout, width: usize) -> Result<ViewMut<'a>> {
    let (_, stride) = layout.shape().dims2()?;
    let CpuStorage::F32(values) = storage else { candle_core::bail!("hidden states are f32") };
    let Some((from, to)) = layout.contiguous_offsets() else { candle_core::bail!("hidden states are contiguous") };
    Ok(ViewMut { values: &mut values[from..to], width, stride })
}

impl<T: AsRef<[u32]>> InplaceOp1 for Embed<'_, T> {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (tables, kernel) = (&self.model.tables, self.model.kernel);
        let mut scratch = self.scratch.borrow_mut();
        let scratch = &mut **scratch;
        let mut hidden = hidden(storage, layout, self.model.config.hidden)?;
        let width = tables.words.columns;
        let mut rows = match &tables.project {
            Some(_) => scratch.embedded.view_mut(),
            None => hidden.lend(),
        };
        let mut n = 0;
        for text in self.texts {
            for (token, position) in text.as_ref().iter().zip(tables.positions.chunks_exact(width)) {
                let word = tables.words.values(*token as usize);
                for ((to, word), position) in rows.row_mut(n).iter_mut().zip(word).zip(position) {
                    *to = word + position;
                }
                n += 1;
            }
        }
        match &tables.project {
            None => kernel.add_norm(rows, None, n, &tables.norm, None),
            Some(project) => {
                kernel.add_norm(rows, None, n, &tables.norm, Some(&mut scratch.codes));
                kernel.product(&scratch.codes, n, project, Activation::Nothing, hidden);
            }
        }
        Ok(())
    }
}

impl InplaceOp1 for Step<'_> {
    fn name(&self) -> &'static str {
        "layer"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (layer, kernel, config) = (self.layer, self.model.kernel, &self.model.config);
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { codes, qkv, context, attended, inner, inner_codes, work, .. } = &mut **scratch;
        let mut x = hidden(storage, layout, config.hidden)?;
        let rows = self.lengths.iter().sum();
        let heads = Heads { count: config.heads, width: config.head() };

        kernel.quantise(x.view(), rows, codes);
        kernel.product(codes, rows, &layer.qkv, Activation::Nothing, qkv.view_mut());
        let mut first = 0;
        for tokens in self.lengths {
            kernel.attention(heads, qkv.view(), first, *tokens, context.view_mut(), work);
            first += tokens;
        }
        kernel.quantise(context.view(), rows, codes);
        kernel.product(codes, rows, &layer.out, Activation::Nothing, attended.view_mut());
        kernel.add_norm(attended.view_mut(), Some(x.view()), rows, &layer.norm, Some(codes));

        kernel.product(codes, rows, &layer.up, Activation::Gelu, inner.view_mut());
        kernel.quantise(inner.view(), rows, inner_codes);
        kernel.product(inner_codes, rows, &layer.down, Activation::Nothing, x.lend());
        kernel.add_norm(x, Some(attended.view()), rows, &layer.last_norm, None);
        Ok(())
    }
}
