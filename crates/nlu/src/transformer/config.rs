//! `config.json`: which architecture an encoder has and how large it is, checked before anything of that size is read.

use serde::Deserialize;

use crate::{
    layout::{Directory, field},
    model::ModelError,
};

/// Bounds on what is accepted, to keep a wrong file from asking for absurd memory. XLM-RoBERTa-XL is 2560 wide with 36 layers.
const MAX_WIDTH: usize = 8192;
const MAX_LAYERS: usize = 64;
const MAX_VOCABULARY: usize = 1 << 21;

/// What kind of encoder it is. They differ in names of tensors and in how positions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// BERT: positions from 0, token types.
    Bert,
    /// DistilBERT: BERT with half of the layers and no token types, under other names.
    DistilBert,
    /// RoBERTa, XLM-RoBERTa, CamemBERT: positions from the padding token's number on.
    Roberta,
}

/// The function between the two products of the feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// By the error function.
    Gelu,
    /// By tanh.
    GeluTanh,
    /// The positive part.
    Relu,
}

/// The shape of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What kind it is.
    pub architecture: Architecture,
    /// The same as the file calls it, such as `xlm-roberta`.
    pub model_type: String,
    /// Width of the hidden states.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads per layer.
    pub heads: usize,
    /// Width between the two products of the feed-forward part.
    pub inner: usize,
    /// Rows of the word table.
    pub vocabulary: usize,
    /// Rows of the position table.
    pub positions: usize,
    /// Rows of the table of token types.
    pub types: usize,
    /// Added to a variance before the root.
    pub epsilon: f64,
    /// Between the products of the feed-forward part.
    pub activation: Activation,
    /// Number of the padding token.
    pub padding: u32,
}

#[derive(Deserialize)]
struct File {
    model_type: String,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    pad_token_id: Option<u32>,
    is_decoder: Option<bool>,
    quantization_config: Option<serde::de::IgnoredAny>,
}

impl Config {
    /// Reads the file `name`.
    ///
    /// # Errors
    /// It can't be read, or asks for another kind of encoder or an absurd size.
    pub fn read(dir: &Directory, name: &str) -> Result<Self, ModelError> {
        dir.required_json::<Kind>(name)?.known(name)?;
        let file: File = dir.required_json(name)?;
        file.checked(name)
    }

    /// Longest text in tokens that there are positions for.
    pub fn longest(&self) -> usize {
        match self.architecture {
            Architecture::Bert | Architecture::DistilBert => self.positions,
            Architecture::Roberta => self.positions.saturating_sub(self.padding as usize + 1),
        }
    }
}

/// Read first: a file of another architecture lacks the keys of these, and that is not what is wrong with it.
#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
}

impl Kind {
    fn known(&self, name: &str) -> Result<Architecture, ModelError> {
        match self.model_type.as_deref() {
            Some("bert") => Ok(Architecture::Bert),
            Some("distilbert") => Ok(Architecture::DistilBert),
            Some("roberta" | "xlm-roberta" | "camembert") => Ok(Architecture::Roberta),
            other => {
                let known =
                    "bert, distilbert, roberta, xlm-roberta, camembert (and electra with a WordPiece tokenizer)";
                Err(field(name, "model_type", other.unwrap_or("missing"), known))
            }
        }
    }
}

impl File {
    fn checked(self, name: &str) -> Result<Config, ModelError> {
        let architecture = Kind { model_type: Some(self.model_type.clone()) }.known(name)?;
        let bad = |key: &str, found: &dyn std::fmt::Display, known: String| Err(field(name, key, found, known));
        let activation = match self.hidden_act.as_deref() {
            None | Some("gelu") => Activation::Gelu,
            Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast") => Activation::GeluTanh,
            Some("relu") => Activation::Relu,
            Some(other) => return bad("hidden_act", &other, "gelu, gelu_new, gelu_pytorch_tanh, relu".into()),
        };
        if let Some(kind) = self.position_embedding_type.filter(|k| k != "absolute") {
            return bad("position_embedding_type", &kind, "absolute".into());
        }
        if self.is_decoder == Some(true) {
            return bad("is_decoder", &true, "false".into());
        }
        if self.quantization_config.is_some() {
            return bad("quantization_config", &"set", "weights in F32, F16 or BF16".into());
        }
        // DistilBERT has no types; candle's BERT gets one of zeros
        let types = if architecture == Architecture::DistilBert { 1 } else { self.type_vocab_size.unwrap_or(2) };
        for (key, value, most) in [
            ("hidden_size", self.hidden_size, MAX_WIDTH),
            ("intermediate_size", self.intermediate_size, 4 * MAX_WIDTH),
            ("num_hidden_layers", self.num_hidden_layers, MAX_LAYERS),
            ("num_attention_heads", self.num_attention_heads, self.hidden_size),
            ("vocab_size", self.vocab_size, MAX_VOCABULARY),
            ("type_vocab_size", types, 1 << 10),
        ] {
            if value == 0 || value > most {
                return bad(key, &value, format!("1 to {most}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return bad("num_attention_heads", &self.num_attention_heads, "a divisor of hidden_size".into());
        }
        let epsilon = self.layer_norm_eps.unwrap_or(1e-12);
        if !(epsilon > 0.0 && epsilon < 1.0) {
            return bad("layer_norm_eps", &epsilon, "a number between 0 and 1".into());
        }
        let padding = self.pad_token_id.unwrap_or(u32::from(architecture == Architecture::Roberta));
        if architecture == Architecture::Roberta && padding as usize >= self.vocab_size {
            return bad("pad_token_id", &padding, "a token of the vocabulary".into());
        }
        let config = Config {
            architecture,
            model_type: self.model_type,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            inner: self.intermediate_size,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            types,
            epsilon,
            activation,
            padding,
        };
        if config.longest() < 8 || config.positions > 1 << 16 {
            return bad("max_position_embeddings", &config.positions, "8 to 65536 tokens of a text".into());
        }
        Ok(config)
    }
}
