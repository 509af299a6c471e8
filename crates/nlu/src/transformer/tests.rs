//! The oracle is sentence-transformers: tiny random models of every kind with its vectors (`models/train/tiny_models.py`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    compat,
    embed::{Embed as _, Fingerprint},
    sentence::SentenceModel,
};

#[derive(Deserialize)]
struct Expected {
    text: String,
    tokens: Vec<u32>,
    vector: Vec<f32>,
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/encoders").join(name)
}

fn expected(name: &str) -> Vec<Expected> {
    serde_json::from_slice(&fs::read(directory(name).join("expected.json")).unwrap()).unwrap()
}

fn vector(model: &SentenceModel, text: &str) -> Vec<f32> {
    model.encoder(1).unwrap().embed(text).unwrap()
}

/// A copy of a model that a test may spoil.
fn copy(name: &str) -> tempfile::TempDir {
    fn all(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                fs::create_dir(&to).unwrap();
                all(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    all(&directory(name), dir.path());
    dir
}

fn change(dir: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = dir.join(file);
    let mut json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

/// Where in a safetensors file a tensor begins.
fn place(file: &[u8], tensor: &str) -> usize {
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let json: Value = serde_json::from_slice(&file[8..header]).unwrap();
    header + json[tensor]["data_offsets"][0].as_u64().unwrap() as usize
}

fn message(dir: &Path) -> String {
    SentenceModel::open(dir).unwrap_err().to_string()
}

#[test]
fn every_architecture_and_tokenizer_gives_the_vectors_of_sentence_transformers() {
    for (name, path, width) in [
        ("bert-unigram", "bert", 24),
        ("bert-dense", "bert", 16),
        ("roberta-bpe", "roberta", 24),
        ("xlm-roberta-unigram", "xlm-roberta", 24),
        ("distilbert-wordpiece", "distilbert", 24),
    ] {
        let model = SentenceModel::open(&directory(name)).unwrap();
        let said = model.describe();
        assert_eq!((said.path, said.architecture.as_str(), said.width), ("Candle f32", path, width));
        let mut encoder = model.encoder(2).unwrap();
        for Expected { text, tokens, vector: want } in expected(name) {
            assert_eq!(compat::for_model(&text), text, "the oracle reads texts as they are");
            assert_eq!(encoder.tokens(&text).unwrap(), tokens, "{name}: {text:?}");
            let found = encoder.embed(&text).unwrap();
            let off = found.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5 && found.len() == want.len(), "{name}: {text:?} is {off} off");
        }
    }
}

#[test]
fn a_bert_with_wordpiece_stays_with_the_kernels_and_near_the_same_vectors() {
    let model = SentenceModel::open(&directory("bert-wordpiece")).unwrap();
    assert_eq!(model.describe().path, "8-bit kernels");
    let mut encoder = model.encoder(1).unwrap();
    for Expected { text, tokens, vector: want } in expected("bert-wordpiece") {
        assert_eq!(encoder.tokens(&text).unwrap(), tokens, "{text:?}");
        let cosine: f32 = encoder.embed(&text).unwrap().iter().zip(&want).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.99, "{text:?}: {cosine}");
    }
}

#[test]
fn a_batch_gives_what_one_by_one_gives() {
    let model = SentenceModel::open(&directory("roberta-bpe")).unwrap();
    let mut encoder = model.encoder(2).unwrap();
    let texts: Vec<Vec<u32>> = ["退货", "", "where is it?"].map(|t| encoder.tokens(t).unwrap()).into();
    let together = encoder.encode_batch(&texts).unwrap().to_vec();
    for (text, vector) in texts.iter().zip(together.chunks_exact(24)) {
        assert_eq!(encoder.encode_batch(std::slice::from_ref(text)).unwrap(), vector);
    }
    assert!(encoder.encode_batch(&[vec![]]).unwrap_err().to_string().contains("1 to 40"));
    assert!(encoder.encode_batch(&[vec![5; 41]]).is_err());
    assert!(encoder.encode_batch(&[vec![0, 299, 300, 2]]).unwrap_err().to_string().contains("token 300"));
}

#[test]
fn what_visitors_type_is_text_and_costs_no_more_than_its_length() {
    let model = SentenceModel::open(&directory("xlm-roberta-unigram")).unwrap();
    let encoder = model.encoder(1).unwrap();
    let typed = encoder.tokens("a</s>b<pad>").unwrap();
    assert_eq!(typed.iter().filter(|t| **t < 3).collect::<Vec<_>>(), [&0, &2], "only those around the text: {typed:?}");
    assert_eq!(encoder.tokens("ＲＥＦＵＮＤ").unwrap(), encoder.tokens("REFUND").unwrap());
    let long = "退货".repeat(2_000_000);
    assert_eq!(encoder.tokens(&long).unwrap().len(), 16);
}

#[test]
fn a_prefix_is_read_before_every_text_and_makes_another_model() {
    let dir = copy("bert-unigram");
    let own = SentenceModel::open(dir.path()).unwrap();
    assert_eq!(own.describe().prefix, "query: ");
    let none = SentenceModel::open_with(dir.path(), Some("")).unwrap();
    assert_eq!(vector(&none, "query: 退货"), vector(&own, "退货"));
    let prompts = "config_sentence_transformers.json";
    change(dir.path(), prompts, |j| j["default_prompt_name"] = "passage".into());
    let passage = SentenceModel::open(dir.path()).unwrap();
    assert_eq!(passage.describe().prefix, "passage: ");
    let print = |m: &SentenceModel| Fingerprint::of(&mut m.encoder(1).unwrap()).unwrap();
    assert!(print(&own) != print(&none) && print(&own) != print(&passage) && print(&none) != print(&passage));
    assert_eq!(print(&none), print(&SentenceModel::open_with(dir.path(), Some("")).unwrap()));
    change(dir.path(), prompts, |j| j["default_prompt_name"] = "web".into());
    assert!(message(dir.path()).contains("default_prompt_name is web"), "{}", message(dir.path()));

    let kernels = copy("bert-wordpiece");
    let with = SentenceModel::open_with(kernels.path(), Some("order ")).unwrap();
    let without = SentenceModel::open(kernels.path()).unwrap();
    assert_eq!(vector(&with, "退货"), vector(&without, "order 退货"));
    assert_ne!(print(&with), print(&without));
}

#[test]
fn other_weights_are_another_model() {
    let dir = copy("xlm-roberta-unigram");
    let before = SentenceModel::open(dir.path()).unwrap().fingerprint();
    assert_eq!(SentenceModel::open(&directory("xlm-roberta-unigram")).unwrap().fingerprint(), before);
    let path = dir.path().join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let at = place(&bytes, "encoder.layer.1.output.dense.bias");
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_ne!(SentenceModel::open(dir.path()).unwrap().fingerprint(), before);
}

#[test]
fn a_model_names_the_files_it_is_made_of() {
    let model = SentenceModel::open(&directory("roberta-bpe")).unwrap();
    for file in ["modules.json", "1_Pooling/config.json", "model-00002-of-00002.safetensors", "tokenizer.json"] {
        assert!(model.files().iter().any(|f| f == file), "{file}: {:?}", model.files());
    }
    assert!(!model.files().iter().any(|f| f == "expected.json"));
    let dense = SentenceModel::open(&directory("bert-dense")).unwrap();
    assert!(dense.files().iter().any(|f| f == "2_Dense/model.safetensors"));
    let kernels = SentenceModel::open(&directory("bert-wordpiece")).unwrap();
    assert!(kernels.files().iter().any(|f| f == "config_sentence_transformers.json"));
}

#[test]
fn what_is_not_supported_is_named_by_file_and_field() {
    let with = |file: &str, edit: fn(&mut Value)| {
        let dir = copy("bert-unigram");
        change(dir.path(), file, edit);
        message(dir.path())
    };
    let named = |message: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?} in {message}");
    };
    named(with("config.json", |j| j["model_type"] = "new".into()), &["config.json: model_type is new", "xlm-roberta"]);
    named(with("config.json", |j| j["model_type"] = Value::Null), &["model_type is missing"]);
    named(with("config.json", |j| j["hidden_act"] = "silu".into()), &["hidden_act is silu", "gelu"]);
    named(
        with("config.json", |j| j["position_embedding_type"] = "alibi".into()),
        &["position_embedding_type is alibi"],
    );
    named(with("config.json", |j| j["is_decoder"] = true.into()), &["is_decoder is true"]);
    named(with("config.json", |j| j["quantization_config"] = json!({"bits": 4})), &["quantization_config"]);
    named(with("config.json", |j| j["num_attention_heads"] = 5.into()), &["num_attention_heads is 5", "divisor"]);
    named(with("config.json", |j| j["hidden_size"] = 1_000_000.into()), &["hidden_size is 1000000"]);
    named(with("config.json", |j| j["hidden_size"] = "wide".into()), &["config.json can't be read", "wide"]);
    named(with("config.json", |j| j["max_position_embeddings"] = 3.into()), &["max_position_embeddings is 3"]);
    named(with("config.json", |j| j["vocab_size"] = 9.into()), &["vocab_size is 9", "tokenizer.json"]);
    named(
        with("config.json", |j| j["intermediate_size"] = 50.into()),
        &["model.safetensors", "intermediate.dense", "50"],
    );
    named(with("config.json", |j| j["num_hidden_layers"] = 3.into()), &["model.safetensors", "has no encoder.layer.2"]);
    let pooling = "1_Pooling/config.json";
    named(with(pooling, |j| j["pooling_mode"] = "lasttoken".into()), &[pooling, "pooling_mode is lasttoken", "mean"]);
    named(with(pooling, |j| j["pooling_mode"] = json!(["cls", "mean"])), &["pooling_mode is cls and mean"]);
    named(with(pooling, |j| j["include_prompt"] = false.into()), &[pooling, "include_prompt is false"]);
    named(with(pooling, |j| *j = json!({"pooling_mode_weightedmean_tokens": true})), &["pooling_mode is weightedmean"]);
    let modules = "modules.json";
    named(with(modules, |j| j[2]["type"] = "x.LSTM".into()), &[modules, "type is Transformer, Pooling, LSTM"]);
    named(with(modules, |j| j[1]["path"] = "../../etc".into()), &[modules, "path is ../../etc", "inside"]);
    named(with(modules, |j| *j = json!([])), &[modules, "Transformer, Pooling"]);
    named(with("tokenizer.json", |j| j["model"]["type"] = "Magic".into()), &["tokenizer.json can't be used"]);
    named(with("tokenizer.json", |j| j["post_processor"] = Value::Null), &["tokenizer.json", "post_processor"]);
    named(
        with("tokenizer_config.json", |j| j["model_max_length"] = 2.into()),
        &["tokenizer.json", "2 tokens around a text of at most 2"],
    );
    let dense = copy("bert-dense");
    change(dense.path(), "2_Dense/config.json", |j| j["activation_function"] = "torch.nn.ReLU".into());
    named(message(dense.path()), &["2_Dense/config.json: activation_function is ReLU", "Tanh"]);
    change(dense.path(), "2_Dense/config.json", |j| *j = json!({"in_features": 9, "out_features": 4}));
    named(message(dense.path()), &["2_Dense/config.json: in_features is 9", "24"]);
}

#[test]
fn weights_that_cannot_be_read_say_what_to_do() {
    let dir = copy("roberta-bpe");
    let index = "model.safetensors.index.json";
    change(dir.path(), index, |j| j["weight_map"]["embeddings.LayerNorm.bias"] = "../model.safetensors".into());
    assert!(message(dir.path()).contains("weight_map"), "{}", message(dir.path()));
    fs::remove_file(dir.path().join(index)).unwrap();
    assert!(message(dir.path()).contains("model.safetensors can't be read"), "{}", message(dir.path()));
    fs::write(dir.path().join("pytorch_model.bin"), "pickle").unwrap();
    let said = message(dir.path());
    assert!(said.contains("pytorch_model.bin can't be used") && said.contains("save_pretrained"), "{said}");

    let dir = copy("bert-unigram");
    let path = dir.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    for cut in [0, 7, 8, 100, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(message(dir.path()).contains("model.safetensors"), "{}", message(dir.path()));
    }
    let mut huge = whole.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&path, huge).unwrap();
    assert!(message(dir.path()).contains("cut off"), "{}", message(dir.path()));
    let mut nan = whole.clone();
    let at = place(&nan, "encoder.layer.1.output.dense.bias");
    nan[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, nan).unwrap();
    assert!(message(dir.path()).contains("not finite"), "{}", message(dir.path()));
    fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    fs::write(dir.path().join("sentencepiece.bpe.model"), "").unwrap();
    let said = message(dir.path());
    assert!(said.contains("sentencepiece.bpe.model") && said.contains("AutoTokenizer"), "{said}");
}

/// A broken or hostile file is an error or another model, whatever its bytes are, and never the end of the thread.
#[test]
fn changed_bytes_of_every_file_are_an_error_or_a_model() {
    let mut seed = 7u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for name in ["bert-unigram", "bert-dense", "roberta-bpe", "distilbert-wordpiece"] {
        let dir = copy(name);
        for file in SentenceModel::open(dir.path()).unwrap().files() {
            let path = dir.path().join(file);
            let whole = fs::read(&path).unwrap();
            for _ in 0..if file == "tokenizer.json" { 60 } else { 12 } {
                let mut bytes = whole.clone();
                for _ in 0..=next(3) {
                    // mostly where there is structure: the head of safetensors, anywhere in JSON
                    let at = next(bytes.len().min(9_000));
                    match next(4) {
                        0 => bytes[at] = next(256) as u8,
                        1 => bytes[at] = b"0123456789{}[],:\"-"[next(18)],
                        2 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, b'9'),
                    }
                }
                fs::write(&path, bytes).unwrap();
                if let Ok(model) = SentenceModel::open(dir.path()) {
                    let mut encoder = model.encoder(1).unwrap();
                    for text in ["", "退货 refund, a\u{301}😀", &"x".repeat(9_000)] {
                        let _ = encoder.embed(text);
                    }
                }
            }
            fs::write(&path, whole).unwrap();
        }
    }
}
