//! The same model in plain Candle: f32 tensors, Candle's own products, nothing of `kernel`. The fast path is tested against
//! it, and it tells what quantisation costs. Not for serving: it starts Candle's threads and takes several times as long.

use candle_core::{D, DType, Device, Result, Tensor};

use super::model::{Codes, Config, LayerWeights, Linear, Norm, Pooling, Weights};

/// What activations look like on their way into a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// As they are: the model without activation quantisation.
    Float,
    /// Rounded to 8-bit codes per row, as the kernels do.
    Codes,
}

/// A model whose weights are the values of its codes.
#[derive(Debug)]
pub struct Reference {
    config: Config,
    activations: Activations,
    words: Tensor,
    positions: Tensor,
    norm: (Tensor, Tensor),
    project: Option<(Tensor, Tensor)>,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    qkv: (Tensor, Tensor),
    out: (Tensor, Tensor),
    norm: (Tensor, Tensor),
    up: (Tensor, Tensor),
    down: (Tensor, Tensor),
    last_norm: (Tensor, Tensor),
}

fn matrix(codes: &Codes<'_>) -> Result<Tensor> {
    let values: Vec<f32> = (0..codes.scales.len()).flat_map(|n| codes.values(n)).collect();
    Tensor::from_vec(values, (codes.scales.len(), codes.columns), &Device::Cpu)
}

fn vector(values: &[f32]) -> Result<Tensor> {
    Tensor::from_slice(values, values.len(), &Device::Cpu)
}

fn linear(l: &Linear<'_>) -> Result<(Tensor, Tensor)> {
    stacked(std::slice::from_ref(l))
}

/// Several maps of the same row, as one.
fn stacked(all: &[Linear<'_>]) -> Result<(Tensor, Tensor)> {
    let rows = all.iter().map(|l| matrix(&l.codes)).collect::<Result<Vec<_>>>()?;
    let bias: Vec<f32> = all.iter().flat_map(|l| &l.bias).copied().collect();
    Ok((Tensor::cat(&rows, 0)?.t()?.contiguous()?, vector(&bias)?))
}

fn affine(n: &Norm) -> Result<(Tensor, Tensor)> {
    Ok((vector(&n.gain)?, vector(&n.bias)?))
}

impl Layer {
    fn new(w: &LayerWeights<'_>) -> Result<Self> {
        Ok(Self {
            qkv: stacked(&w.qkv)?,
            out: linear(&w.out)?,
            norm: affine(&w.norm)?,
            up: linear(&w.up)?,
            down: linear(&w.down)?,
            last_norm: affine(&w.last_norm)?,
        })
    }
}

impl Reference {
    /// The model of these weights.
    ///
    /// # Errors
    /// Candle's.
    pub fn new(config: &Config, weights: &Weights<'_>, activations: Activations) -> Result<Self> {
        let rows = (config.positions, config.embedding);
        Ok(Self {
            config: config.clone(),
            activations,
            words: matrix(&weights.words)?,
            positions: Tensor::from_slice(&weights.positions, rows, &Device::Cpu)?,
            norm: affine(&weights.norm)?,
            project: weights.project.as_ref().map(linear).transpose()?,
            layers: weights.layers.iter().map(Layer::new).collect::<Result<_>>()?,
        })
    }

    /// The vector of one text.
    ///
    /// # Errors
    /// Candle's: a token or a length that the tables don't have.
    pub fn encode(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        let ids = Tensor::from_slice(tokens, tokens.len(), &Device::Cpu)?;
        let x = (self.words.index_select(&ids, 0)? + self.positions.narrow(0, 0, tokens.len())?)?;
        let mut x = self.normed(&x, &self.norm)?;
        if let Some(project) = &self.project {
            x = self.linear(&x, project)?;
        }
        for layer in &self.layers {
            let attended = self.linear(&self.attention(&self.linear(&x, &layer.qkv)?)?, &layer.out)?;
            let y = self.normed(&(attended + x)?, &layer.norm)?;
            let inner = self.linear(&y, &layer.up)?.gelu_erf()?;
            x = self.normed(&(self.linear(&inner, &layer.down)? + y)?, &layer.last_norm)?;
        }
        let pooled = match self.config.pooling {
            Pooling::Mean => x.mean(0)?,
            Pooling::First => x.get(0)?,
        };
        pooled.broadcast_div(&pooled.sqr()?.sum_all()?.sqrt()?)?.to_vec1()
    }

    fn linear(&self, x: &Tensor, (weights, bias): &(Tensor, Tensor)) -> Result<Tensor> {
        let x = match self.activations {
            Activations::Float => x.clone(),
            Activations::Codes => {
                let most = x.abs()?.max_keepdim(D::Minus1)?;
                let codes = x.broadcast_mul(&(most.recip()? * 127.0)?)?.round()?;
                codes.broadcast_mul(&(most / 127.0)?)?
            }
        };
        x.matmul(weights)?.broadcast_add(bias)
    }

    fn normed(&self, x: &Tensor, (gain, bias): &(Tensor, Tensor)) -> Result<Tensor> {
        let x = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = x.sqr()?.mean_keepdim(D::Minus1)?;
        let x = x.broadcast_div(&(variance + f64::from(self.config.epsilon))?.sqrt()?)?;
        x.broadcast_mul(gain)?.broadcast_add(bias)
    }

    fn attention(&self, qkv: &Tensor) -> Result<Tensor> {
        let (heads, head, hidden) = (self.config.heads, self.config.head(), self.config.hidden);
        let tokens = qkv.dim(0)?;
        let part = |n: usize| {
            let part = qkv.narrow(1, n * hidden, hidden)?.reshape((tokens, heads, head))?;
            part.transpose(0, 1)?.contiguous()
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scores = (q.matmul(&k.t()?.contiguous()?)? * (1.0 / (head as f64).sqrt()))?;
        let scores = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let weights = scores.broadcast_div(&scores.sum_keepdim(D::Minus1)?)?;
        weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((tokens, hidden))?.to_dtype(DType::F32)
    }
}
