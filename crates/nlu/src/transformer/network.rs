//! The layers of an encoder, which are Candle's: `BertModel` for BERT and DistilBERT, `XLMRobertaModel` for the RoBERTas.
//!
//! DistilBERT runs as the BERT that it is, with its tensors under BERT's names: candle-transformers' own DistilBERT computes GELU
//! by tanh, where transformers uses the error function.

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::{Activation as CandleActivation, Init, VarBuilder, var_builder::SimpleBackend};
use candle_transformers::models::{
    bert::{self, BertModel},
    xlm_roberta::{self, XLMRobertaModel},
};
use parking_lot::Mutex;

use super::{
    config::{Activation, Architecture, Config},
    weights::Weights,
};
use crate::model::ModelError;

/// An encoder's layers.
pub enum Network {
    /// BERT and DistilBERT.
    Bert(Box<BertModel>),
    /// RoBERTa, XLM-RoBERTa, CamemBERT.
    Roberta(Box<XLMRobertaModel>),
}

impl Network {
    /// Reads every tensor that `config` calls for.
    ///
    /// # Errors
    /// A tensor is absent or unlike what the configuration says.
    pub fn load(config: &Config, weights: &Weights<'_>) -> std::result::Result<Self, ModelError> {
        let failure = Mutex::new(None);
        let names = Names { architecture: config.architecture, root: root(config.architecture, weights) };
        let tensors = Box::new(Tensors { weights, names, failure: &failure });
        let from = VarBuilder::from_backend(tensors, DType::F32, Device::Cpu);
        let loaded = match config.architecture {
            Architecture::Bert | Architecture::DistilBert => {
                BertModel::load(from, &bert(config)).map(|m| Self::Bert(Box::new(m)))
            }
            Architecture::Roberta => XLMRobertaModel::new(&roberta(config), from).map(|m| Self::Roberta(Box::new(m))),
        };
        loaded.map_err(|e| {
            let other = || ModelError::Broken { file: weights.file().into(), why: e.to_string() };
            failure.lock().take().unwrap_or_else(other)
        })
    }

    /// The last hidden states of one text, a row for each token.
    ///
    /// # Errors
    /// Candle's: a token or a length that the tables don't have.
    pub fn hidden_states(&self, tokens: &[u32]) -> Result<Tensor> {
        let ids = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let types = ids.zeros_like()?;
        let states = match self {
            Self::Bert(model) => model.forward(&ids, &types, None)?,
            Self::Roberta(model) => model.forward(&ids, &ids.ones_like()?, &types, None, None, None)?,
        };
        states.squeeze(0)
    }
}

fn bert(c: &Config) -> bert::Config {
    bert::Config {
        vocab_size: c.vocabulary,
        hidden_size: c.hidden,
        num_hidden_layers: c.layers,
        num_attention_heads: c.heads,
        intermediate_size: c.inner,
        hidden_act: match c.activation {
            Activation::Gelu => bert::HiddenAct::Gelu,
            Activation::GeluTanh => bert::HiddenAct::GeluApproximate,
            Activation::Relu => bert::HiddenAct::Relu,
        },
        max_position_embeddings: c.positions,
        type_vocab_size: c.types,
        layer_norm_eps: c.epsilon,
        pad_token_id: c.padding as usize,
        // it would try other names, which is done here
        model_type: None,
        ..bert::Config::default()
    }
}

fn roberta(c: &Config) -> xlm_roberta::Config {
    xlm_roberta::Config {
        hidden_size: c.hidden,
        layer_norm_eps: c.epsilon,
        attention_probs_dropout_prob: 0.0,
        hidden_dropout_prob: 0.0,
        num_attention_heads: c.heads,
        position_embedding_type: "absolute".into(),
        intermediate_size: c.inner,
        hidden_act: match c.activation {
            Activation::Gelu => CandleActivation::Gelu,
            Activation::GeluTanh => CandleActivation::NewGelu,
            Activation::Relu => CandleActivation::Relu,
        },
        num_hidden_layers: c.layers,
        vocab_size: c.vocabulary,
        max_position_embeddings: c.positions,
        type_vocab_size: c.types,
        pad_token_id: c.padding,
    }
}

/// What tensor names begin with: models saved with a head have the encoder's name before every one.
fn root(architecture: Architecture, weights: &Weights<'_>) -> &'static str {
    let roots: &[&str] = match architecture {
        Architecture::Bert => &["", "bert."],
        Architecture::DistilBert => &["", "distilbert."],
        Architecture::Roberta => &["", "roberta."],
    };
    let has = |root: &&&str| weights.has(&format!("{root}embeddings.word_embeddings.weight"));
    roots.iter().find(has).copied().unwrap_or("")
}

/// From Candle's names of tensors to those of the file.
struct Names {
    architecture: Architecture,
    root: &'static str,
}

impl Names {
    fn of(&self, name: &str) -> String {
        let name = match self.architecture {
            Architecture::DistilBert => distilbert(name),
            Architecture::Bert | Architecture::Roberta => name.to_owned(),
        };
        format!("{}{name}", self.root)
    }
}

/// BERT's name of a tensor as DistilBERT has it.
fn distilbert(name: &str) -> String {
    const PARTS: [(&str, &str); 8] = [
        ("attention.self.query", "attention.q_lin"),
        ("attention.self.key", "attention.k_lin"),
        ("attention.self.value", "attention.v_lin"),
        ("attention.output.dense", "attention.out_lin"),
        ("attention.output.LayerNorm", "sa_layer_norm"),
        ("intermediate.dense", "ffn.lin1"),
        ("output.dense", "ffn.lin2"),
        ("output.LayerNorm", "output_layer_norm"),
    ];
    let Some(name) = name.strip_prefix("encoder.") else { return name.to_owned() };
    let part = PARTS.iter().find(|(bert, _)| name.contains(bert));
    format!("transformer.{}", part.map_or_else(|| name.to_owned(), |(bert, distil)| name.replacen(bert, distil, 1)))
}

/// What Candle's models read their tensors from. Its errors are strings; ours are kept beside.
struct Tensors<'a> {
    weights: &'a Weights<'a>,
    names: Names,
    failure: &'a Mutex<Option<ModelError>>,
}

impl SimpleBackend for Tensors<'_> {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        if self.names.architecture == Architecture::DistilBert && name == "embeddings.token_type_embeddings.weight" {
            return Tensor::zeros(shape, dtype, device);
        }
        let mut name = self.names.of(name);
        // as TensorFlow called them, and BERTs that came from there
        let old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        if !self.weights.has(&name) && self.weights.has(&old) {
            name = old;
        }
        let tensor = self.weights.tensor(&name, shape.dims()).map_err(|e| {
            let error = candle_core::Error::Msg(e.to_string());
            *self.failure.lock() = Some(e);
            error
        })?;
        // Candle multiplies by the transpose of a linear map: with its numbers in that order they need not be sorted at every call
        if shape.rank() == 2 && !name.contains("embeddings.") { tensor.t()?.contiguous()?.t() } else { Ok(tensor) }
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        Err(candle_core::Error::Msg(format!("{name} is read without its shape")))
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.weights.has(&self.names.of(name))
    }
}
