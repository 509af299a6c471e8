//! Models of random weights for tests: real files in memory, small vocabulary, any shape.

use std::collections::BTreeMap;

use safetensors::{Dtype, tensor::TensorView};

use super::{Codes, Files, files::TokenizerFile};

/// What a random model looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub hidden: usize,
    pub embedding: usize,
    pub heads: usize,
    pub inner: usize,
    pub layers: usize,
}

/// The shape the project trains.
pub(crate) const STUDENT: Shape = Shape { hidden: 312, embedding: 128, heads: 12, inner: 1248, layers: 4 };
/// A small one for tests of everything but arithmetic.
pub(crate) const SMALL: Shape = Shape { hidden: 48, embedding: 32, heads: 4, inner: 96, layers: 2 };

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored {
    F32,
    F16,
    Bf16,
    Codes,
    /// Codes, of the word table with 4 bits.
    Packed,
}

const VOCABULARY: [&str; 24] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "我", "要", "退", "货", "单", "订", "哪", "里", "？", "where", "is", "my",
    "order", "##s", "##ing", "re", "##fund", "!", "?", ",",
];

/// A tensor as bytes.
pub(crate) type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// Numbers around zero, the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * 0.1
    }
}

/// The tensors of a random model, under Hugging Face's names.
pub(crate) fn tensors(shape: Shape, stored: Stored, seed: u64) -> Tensors {
    let mut random = Random(seed);
    let mut all = Tensors::new();
    let mut put = |name: String, dims: &[usize], around: f32, codes: bool| {
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| around + random.next()).collect();
        let bytes = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        match stored {
            Stored::Packed if name.contains("word_embeddings") => {
                let nearest = Codes::nearest(&values, dims[1]);
                let scales: Vec<f32> = nearest.scales.iter().map(|s| s * 127.0 / 7.0).collect();
                let code = |b: u8| ((f32::from(b as i8) * 7.0 / 127.0).round() + 8.0) as u8;
                let packed = nearest.bytes.chunks_exact(2).map(|b| code(b[0]) | code(b[1]) << 4).collect();
                all.insert(format!("{name}_scale"), (Dtype::F32, vec![dims[0]], bytes(&scales)));
                all.insert(name, (Dtype::U8, vec![dims[0], dims[1] / 2], packed));
            }
            Stored::Codes | Stored::Packed if codes => {
                let nearest = Codes::nearest(&values, dims[1]);
                all.insert(format!("{name}_scale"), (Dtype::F32, vec![dims[0]], bytes(&nearest.scales)));
                all.insert(name, (Dtype::I8, dims.to_vec(), nearest.bytes.into_owned()));
            }
            Stored::F16 => {
                let halves = values.iter().flat_map(|x| half::f16::from_f32(*x).to_le_bytes()).collect();
                all.insert(name, (Dtype::F16, dims.to_vec(), halves));
            }
            Stored::Bf16 => {
                let halves = values.iter().flat_map(|x| half::bf16::from_f32(*x).to_le_bytes()).collect();
                all.insert(name, (Dtype::BF16, dims.to_vec(), halves));
            }
            _ => {
                all.insert(name, (Dtype::F32, dims.to_vec(), bytes(&values)));
            }
        }
    };
    let Shape { hidden, embedding, inner, .. } = shape;
    put("embeddings.word_embeddings.weight".into(), &[VOCABULARY.len(), embedding], 0.0, true);
    put("embeddings.position_embeddings.weight".into(), &[128, embedding], 0.0, false);
    put("embeddings.token_type_embeddings.weight".into(), &[2, embedding], 0.0, false);
    let mut linear = vec![];
    let mut norms = vec![("embeddings.LayerNorm".to_owned(), embedding)];
    if embedding != hidden {
        linear.push(("embeddings_project".to_owned(), hidden, embedding));
    }
    for n in 0..shape.layers {
        let at = format!("encoder.layer.{n}");
        for part in ["query", "key", "value"] {
            linear.push((format!("{at}.attention.self.{part}"), hidden, hidden));
        }
        linear.push((format!("{at}.attention.output.dense"), hidden, hidden));
        linear.push((format!("{at}.intermediate.dense"), inner, hidden));
        linear.push((format!("{at}.output.dense"), hidden, inner));
        norms
            .extend([(format!("{at}.attention.output.LayerNorm"), hidden), (format!("{at}.output.LayerNorm"), hidden)]);
    }
    for (name, outputs, inputs) in linear {
        put(format!("{name}.weight"), &[outputs, inputs], 0.0, true);
        put(format!("{name}.bias"), &[outputs], 0.0, false);
    }
    for (name, width) in norms {
        put(format!("{name}.weight"), &[width], 1.0, false);
        put(format!("{name}.bias"), &[width], 0.0, false);
    }
    all
}

/// Tensors as a safetensors file.
pub(crate) fn safetensors(tensors: &Tensors) -> Vec<u8> {
    let views = tensors.iter().map(|(name, (dtype, dims, bytes))| {
        (name.as_str(), TensorView::new(*dtype, dims.clone(), bytes).expect("bytes of the shape"))
    });
    safetensors::serialize(views, None).expect("a file")
}

/// The configuration of a shape.
pub(crate) fn config(shape: Shape) -> serde_json::Value {
    serde_json::json!({
        "model_type": "electra", "hidden_size": shape.hidden, "embedding_size": shape.embedding,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads, "intermediate_size": shape.inner,
        "vocab_size": VOCABULARY.len(), "max_position_embeddings": 128, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    })
}

/// A tokenizer.json of the small vocabulary.
pub(crate) fn tokenizer() -> serde_json::Value {
    let vocab: BTreeMap<&str, usize> = VOCABULARY.iter().copied().zip(0..).collect();
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab },
    })
}

/// All files of a random model.
pub(crate) fn files(shape: Shape, stored: Stored, seed: u64) -> Files {
    Files {
        config: config(shape).to_string().into(),
        pooling: None,
        tokenizer: TokenizerFile::Json(tokenizer().to_string().into()),
        weights: safetensors(&tensors(shape, stored, seed)).into(),
    }
}

/// Some tokens of the vocabulary between the two around every text.
pub(crate) fn tokens(seed: u64, count: usize) -> Vec<u32> {
    let mut random = Random(seed);
    let inside = (2..count).map(|_| 4 + (random.next().abs() * 199.0) as u32);
    [2].into_iter().chain(inside).chain([3]).collect()
}
