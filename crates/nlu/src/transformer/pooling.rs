//! From the states of the tokens to one vector of length 1: pooling, and the dense layers that may follow.

use candle_core::{Module as _, Result, Tensor};
use candle_nn::Linear;

use super::weights::Weights;
use crate::{
    encoder::normalise,
    layout::{Dense, Directory, Pooling, field},
    model::ModelError,
};

/// What comes after the encoder.
#[derive(Debug)]
pub struct PoolingHead {
    pooling: Pooling,
    dense: Vec<(Linear, bool)>,
    width: usize,
}

impl PoolingHead {
    /// Reads the dense layers of `dir`. `hidden` is the width of the encoder.
    ///
    /// # Errors
    /// A layer's weights can't be read, or its width isn't that of what comes before.
    pub fn load(
        dir: &Directory,
        pooling: Pooling,
        dense: &[Dense],
        hidden: usize,
    ) -> std::result::Result<Self, ModelError> {
        let mut width = hidden;
        let mut layers = Vec::new();
        for layer in dense {
            if layer.inputs != width {
                return Err(field(&format!("{}config.json", layer.folder), "in_features", layer.inputs, width));
            }
            let weights = Weights::open(dir, &layer.folder)?;
            let matrix = weights.tensor("linear.weight", &[layer.outputs, layer.inputs])?;
            let bias = layer.bias.then(|| weights.tensor("linear.bias", &[layer.outputs])).transpose()?;
            layers.push((Linear::new(matrix, bias), layer.tanh));
            width = layer.outputs;
        }
        Ok(Self { pooling, dense: layers, width })
    }

    /// How states become one vector.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Numbers in a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The vector of a text whose tokens have these states, one row each.
    ///
    /// # Errors
    /// Candle's.
    pub fn vector(&self, states: &Tensor) -> Result<Vec<f32>> {
        let mut pooled = match self.pooling {
            Pooling::Mean => states.mean_keepdim(0)?,
            Pooling::First => states.narrow(0, 0, 1)?,
            Pooling::Max => states.max_keepdim(0)?,
        };
        for (layer, tanh) in &self.dense {
            pooled = layer.forward(&pooled)?;
            if *tanh {
                pooled = pooled.tanh()?;
            }
        }
        let mut vector: Vec<f32> = pooled.flatten_all()?.to_vec1()?;
        normalise(&mut vector);
        Ok(vector)
    }
}
