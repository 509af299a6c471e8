//! The tensors of a model by their Hugging Face names, read through Candle, checked for shape, as 8-bit codes.

use candle_core::{DType, Device, safetensors::Load};
use safetensors::{Dtype, SafeTensors};

use super::{Codes, Config, ModelError, quantise::Bits};

/// A linear map: `outputs` rows of `inputs` codes, and a bias.
#[derive(Clone, Debug)]
pub struct Linear<'a> {
    /// One row per output.
    pub codes: Codes<'a>,
    /// One per output.
    pub bias: Vec<f32>,
}

/// A layer normalisation.
#[derive(Clone, Debug)]
pub struct Norm {
    /// Multiplied with the normalised row.
    pub gain: Vec<f32>,
    /// Added to it.
    pub bias: Vec<f32>,
}

/// One layer of the encoder.
#[derive(Clone, Debug)]
pub struct LayerWeights<'a> {
    /// Query, key and value: one below the other, one product makes all three.
    pub qkv: [Linear<'a>; 3],
    /// From the heads back to the hidden state.
    pub out: Linear<'a>,
    /// After attention.
    pub norm: Norm,
    /// Into the feed-forward part.
    pub up: Linear<'a>,
    /// Out of it.
    pub down: Linear<'a>,
    /// After the feed-forward part.
    pub last_norm: Norm,
}

/// All weights of a model, before they are packed for a processor. Codes stay where they are in the file.
#[derive(Clone, Debug)]
pub struct Weights<'a> {
    /// The word table.
    pub words: Codes<'a>,
    /// Position rows with the row of token type 0 added: there is only one sentence.
    pub positions: Vec<f32>,
    /// After the tables.
    pub norm: Norm,
    /// From the width of the tables to the hidden width, where they differ.
    pub project: Option<Linear<'a>>,
    /// The layers in order.
    pub layers: Vec<LayerWeights<'a>>,
}

impl<'a> Weights<'a> {
    /// Reads every tensor that `config` calls for.
    pub(super) fn read(c: &Config, bytes: &'a [u8]) -> Result<Self, ModelError> {
        let file = &File(SafeTensors::deserialize(bytes)?);
        let root = file.root();
        let tables = format!("{root}embeddings");
        let mut positions =
            file.floats(&format!("{tables}.position_embeddings.weight"), &[c.positions, c.embedding])?;
        let types = format!("{tables}.token_type_embeddings.weight");
        let kinds = file.0.tensor(&types).map_or(0, |t| t.shape().first().copied().unwrap_or(0));
        let types = file.floats(&types, &[kinds.max(1), c.embedding])?;
        for row in positions.chunks_exact_mut(c.embedding) {
            row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
        }
        let project = (c.embedding != c.hidden)
            .then(|| file.linear(&format!("{root}embeddings_project"), c.hidden, c.embedding))
            .transpose()?;
        Ok(Weights {
            words: file.codes(&format!("{tables}.word_embeddings"), c.vocabulary, c.embedding)?,
            positions,
            norm: file.norm(&format!("{tables}.LayerNorm"), c.embedding)?,
            project,
            layers: (0..c.layers)
                .map(|n| layer(c, file, &format!("{root}encoder.layer.{n}")))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn layer<'a>(c: &Config, file: &File<'a>, at: &str) -> Result<LayerWeights<'a>, ModelError> {
    let [q, k, v] =
        ["query", "key", "value"].map(|part| file.linear(&format!("{at}.attention.self.{part}"), c.hidden, c.hidden));
    Ok(LayerWeights {
        qkv: [q?, k?, v?],
        out: file.linear(&format!("{at}.attention.output.dense"), c.hidden, c.hidden)?,
        norm: file.norm(&format!("{at}.attention.output.LayerNorm"), c.hidden)?,
        up: file.linear(&format!("{at}.intermediate.dense"), c.inner, c.hidden)?,
        down: file.linear(&format!("{at}.output.dense"), c.hidden, c.inner)?,
        last_norm: file.norm(&format!("{at}.output.LayerNorm"), c.hidden)?,
    })
}

/// An open safetensors file.
struct File<'a>(SafeTensors<'a>);

impl<'a> File<'a> {
    /// What tensor names begin with: models saved with a head have `bert.` before every name.
    fn root(&self) -> &'static str {
        let has = |root: &&str| self.0.tensor(&format!("{root}embeddings.word_embeddings.weight")).is_ok();
        ["", "bert.", "electra."].into_iter().find(has).unwrap_or("")
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<safetensors::tensor::TensorView<'a>, ModelError> {
        let view = self.0.tensor(name).map_err(|_| ModelError::MissingTensor(name.into()))?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), shape.to_vec());
            return Err(ModelError::Shape { name: name.into(), found, expected });
        }
        Ok(view)
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self.view(name, shape)?;
        let candle = |source| ModelError::Candle { name: name.into(), source };
        if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(ModelError::Type { name: name.into(), found: format!("{:?}", view.dtype()) });
        }
        let flat = view.load(&Device::Cpu).and_then(|t| t.flatten_all()).map_err(candle)?;
        let values = match flat.dtype() {
            DType::F16 => flat.to_vec1::<half::f16>().map(|v| v.into_iter().map(f32::from).collect()),
            DType::BF16 => flat.to_vec1::<half::bf16>().map(|v| v.into_iter().map(f32::from).collect()),
            _ => flat.to_vec1::<f32>(),
        };
        let values: Vec<f32> = values.map_err(candle)?;
        if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(ModelError::NotFinite(name.into())) }
    }

    /// The codes of `{at}.weight`: as stored (I8, or U8 with two of 4 bits in a byte), or the nearest to stored floats.
    fn codes(&self, at: &str, rows: usize, columns: usize) -> Result<Codes<'a>, ModelError> {
        let name = format!("{at}.weight");
        let scales = || self.floats(&format!("{name}_scale"), &[rows]);
        if self.0.tensor(&name).is_ok_and(|view| view.dtype() == Dtype::U8) {
            let view = self.view(&name, &[rows, Bits::Four.bytes(columns)])?;
            return Ok(Codes::stored(view.data(), Bits::Four, scales()?, columns));
        }
        let view = self.view(&name, &[rows, columns])?;
        if view.dtype() != Dtype::I8 {
            return Ok(Codes::nearest(&self.floats(&name, &[rows, columns])?, columns));
        }
        // -128 has no positive twin, which the sign trick of the kernels needs; no quantiser of this scheme writes it
        if view.data().contains(&(i8::MIN as u8)) {
            return Err(ModelError::Type { name, found: "I8 with codes of -128".into() });
        }
        Ok(Codes::stored(view.data(), Bits::Eight, scales()?, columns))
    }

    fn linear(&self, at: &str, outputs: usize, inputs: usize) -> Result<Linear<'a>, ModelError> {
        Ok(Linear { codes: self.codes(at, outputs, inputs)?, bias: self.floats(&format!("{at}.bias"), &[outputs])? })
    }

    fn norm(&self, at: &str, width: usize) -> Result<Norm, ModelError> {
        let gain = self.floats(&format!("{at}.weight"), &[width])?;
        Ok(Norm { gain, bias: self.floats(&format!("{at}.bias"), &[width])? })
    }
}
