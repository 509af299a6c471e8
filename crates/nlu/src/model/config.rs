//! `config.json` and `1_Pooling/config.json`: what kind of model this is, checked against what the engine can run.

use serde::Deserialize;

use super::ModelError;
use crate::layout;

/// Bounds on what is accepted, to keep a wrong file from asking for absurd memory. BERT-large is 1024 wide with 24 layers.
const MAX_WIDTH: usize = 8192;
const MAX_LAYERS: usize = 64;

/// Architectures that the kernels have.
const KNOWN: &str = "bert and electra";

/// The shape of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `bert` or `electra`.
    pub model_type: String,
    /// Width of the hidden states and of the vector.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads per layer.
    pub heads: usize,
    /// Width between the two products of the feed-forward part.
    pub inner: usize,
    /// Width of the embedding tables; less than `hidden` means a projection follows.
    pub embedding: usize,
    /// Rows of the embedding table.
    pub vocabulary: usize,
    /// Longest text in tokens.
    pub positions: usize,
    /// Added to a variance before the root.
    pub epsilon: f32,
    /// How hidden states become one vector.
    pub pooling: Pooling,
}

/// How hidden states become one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pooling {
    /// Mean over all tokens.
    Mean,
    /// The state of `[CLS]`.
    First,
}

/// Read first: a file of another architecture lacks the keys of these, and that is not what is wrong with it.
#[derive(Deserialize)]
struct Kind {
    model_type: Option<String>,
}

impl From<Pooling> for layout::Pooling {
    fn from(pooling: Pooling) -> Self {
        match pooling {
            Pooling::Mean => Self::Mean,
            Pooling::First => Self::First,
        }
    }
}

#[derive(Deserialize)]
struct File {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    embedding_size: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "epsilon")]
    layer_norm_eps: f32,
    #[serde(default = "gelu")]
    hidden_act: String,
    position_embedding_type: Option<String>,
}

fn epsilon() -> f32 {
    1e-12
}

fn gelu() -> String {
    "gelu".into()
}

impl Config {
    /// Reads the two files; without the second, pooling is the mean.
    pub(crate) fn read(config: &[u8], pooling: Option<&[u8]>) -> Result<Self, ModelError> {
        let json = |source: serde_json::Error| ModelError::Json { file: "config.json".into(), source };
        match serde_json::from_slice::<Kind>(config).map_err(json)?.model_type.as_deref() {
            None | Some("bert" | "electra") => {}
            Some(other) => return Err(unsupported("model_type", other, KNOWN)),
        }
        let file: File = serde_json::from_slice(config).map_err(json)?;
        const NAME: &str = "1_Pooling/config.json";
        let pooling = match pooling.map(|text| layout::read_pooling(text, NAME)).transpose()? {
            None | Some((layout::Pooling::Mean, _)) => Pooling::Mean,
            Some((layout::Pooling::First, _)) => Pooling::First,
            Some((other, _)) => return Err(unsupported("the pooling mode", other, "mean or cls alone")),
        };
        file.checked(pooling)
    }

    /// Width of one attention head.
    pub fn head(&self) -> usize {
        self.hidden / self.heads
    }
}

fn unsupported(key: &'static str, found: impl ToString, known: impl ToString) -> ModelError {
    ModelError::Unsupported { key, found: found.to_string(), known: known.to_string() }
}

impl File {
    fn checked(self, pooling: Pooling) -> Result<Config, ModelError> {
        let electra = match self.model_type.as_str() {
            "bert" => false,
            "electra" => true,
            other => return Err(unsupported("model_type", other, KNOWN)),
        };
        if self.hidden_act != "gelu" {
            return Err(unsupported("hidden_act", self.hidden_act, "gelu"));
        }
        if let Some(kind) = self.position_embedding_type.filter(|k| k != "absolute") {
            return Err(unsupported("position_embedding_type", kind, "absolute"));
        }
        let embedding = self.embedding_size.filter(|_| electra).unwrap_or(self.hidden_size);
        for (key, value, most) in [
            ("hidden_size", self.hidden_size, MAX_WIDTH),
            ("intermediate_size", self.intermediate_size, 4 * MAX_WIDTH),
            ("embedding_size", embedding, MAX_WIDTH),
            ("num_hidden_layers", self.num_hidden_layers, MAX_LAYERS),
            ("num_attention_heads", self.num_attention_heads, self.hidden_size),
            ("vocab_size", self.vocab_size, 1 << 20),
        ] {
            if value == 0 || value > most {
                return Err(unsupported(key, value, format!("1 to {most}")));
            }
        }
        if self.max_position_embeddings < 8 || self.max_position_embeddings > 1 << 16 {
            return Err(unsupported("max_position_embeddings", self.max_position_embeddings, "8 to 65536"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(unsupported("num_attention_heads", self.num_attention_heads, "a divisor of hidden_size"));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(unsupported("layer_norm_eps", self.layer_norm_eps, "a number between 0 and 1"));
        }
        Ok(Config {
            model_type: self.model_type,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            inner: self.intermediate_size,
            embedding,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            epsilon: self.layer_norm_eps,
            pooling,
        })
    }
}
