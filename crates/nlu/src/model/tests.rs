//! Loading: what is accepted, and what a person is told about what isn't.

use std::sync::Arc;

use super::{
    testing::{SMALL, STUDENT, Shape, Stored, Tensors, config, files, safetensors, tensors, tokens},
    *,
};
use crate::{
    Encoder,
    reference::{Activations, Reference},
};

fn vector(model: Model, tokens: &[u32]) -> Vec<f32> {
    Encoder::new(Arc::new(model)).unwrap().encode(tokens).unwrap().to_vec()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn message(change: impl FnOnce(&mut serde_json::Value, &mut Tensors)) -> String {
    let (mut config, mut all) = (config(SMALL), tensors(SMALL, Stored::Codes, 1));
    change(&mut config, &mut all);
    let mut changed = files(SMALL, Stored::Codes, 1);
    changed.config = config.to_string().into();
    changed.weights = safetensors(&all).into();
    Model::new(changed, kernel::best()).map(drop).unwrap_err().to_string()
}

#[test]
fn all_kernels_give_the_same_bits_and_agree_with_candle() {
    let bert = Shape { hidden: 384, embedding: 384, heads: 12, inner: 512, layers: 2 };
    for shape in [SMALL, STUDENT, bert] {
        let files = files(shape, Stored::Codes, 5);
        let (config, _, weights) = files.read().unwrap();
        let exact = Reference::new(&config, &weights, Activations::Codes).unwrap();
        let float = Reference::new(&config, &weights, Activations::Float).unwrap();
        for length in [2, 3, 17, 64] {
            let tokens = tokens(length as u64, length);
            let (exact, float) = (exact.encode(&tokens).unwrap(), float.encode(&tokens).unwrap());
            let vectors: Vec<Vec<f32>> = kernel::available()
                .into_iter()
                .map(|k| vector(Model::new(files.clone(), k).unwrap(), &tokens))
                .collect();
            for v in &vectors {
                assert!(v.iter().zip(&vectors[0]).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
            let (same, near) = (cosine(&vectors[0], &exact), cosine(&vectors[0], &float));
            assert!(same > 0.999_9, "{shape:?}, {length} tokens: {same} to the same codes in Candle");
            assert!(near > 0.995, "{shape:?}, {length} tokens: {near} to unquantised activations");
            let length: f64 = vectors[0].iter().map(|x| f64::from(*x).powi(2)).sum();
            assert!((length - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_batch_gives_the_bits_of_one_by_one() {
    let model = Arc::new(Model::new(files(STUDENT, Stored::Codes, 2), kernel::best()).unwrap());
    let texts: Vec<Vec<u32>> = [5, 2, 40, 16, 1, 128].iter().map(|n| tokens(*n as u64, *n)).collect();
    let mut encoder = Encoder::new(Arc::clone(&model)).unwrap();
    let together = encoder.encode_batch(&texts).unwrap().to_vec();
    for (text, vector) in texts.iter().zip(together.chunks_exact(312)) {
        assert_eq!(encoder.encode(text).unwrap(), vector);
    }
}

#[test]
fn stored_codes_floats_and_halves_are_the_same_model() {
    let tokens = tokens(9, 12);
    let of = |stored| vector(Model::new(files(SMALL, stored, 3), kernel::best()).unwrap(), &tokens);
    let codes = of(Stored::Codes);
    assert_eq!(of(Stored::F32), codes);
    assert!(cosine(&of(Stored::F16), &codes) > 0.999);
    assert!(cosine(&of(Stored::Bf16), &codes) > 0.99);
    assert!(cosine(&of(Stored::Packed), &codes) > 0.97);
}

#[test]
fn pooling_takes_the_first_token_if_told_so() {
    let mut with = files(SMALL, Stored::Codes, 3);
    with.pooling = Some(br#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#.as_slice().into());
    let (config, _, weights) = with.read().unwrap();
    let want = Reference::new(&config, &weights, Activations::Codes).unwrap().encode(&tokens(4, 9)).unwrap();
    assert!(cosine(&vector(Model::new(with.clone(), kernel::best()).unwrap(), &tokens(4, 9)), &want) > 0.999_9);
}

#[test]
fn names_may_begin_with_the_model_type() {
    let all = tensors(SMALL, Stored::F32, 3).into_iter().map(|(name, t)| (format!("bert.{name}"), t)).collect();
    let mut with = files(SMALL, Stored::F32, 3);
    with.weights = safetensors(&all).into();
    let plain = Model::new(files(SMALL, Stored::F32, 3), kernel::best()).unwrap();
    assert_eq!(vector(Model::new(with, kernel::best()).unwrap(), &tokens(4, 9)), vector(plain, &tokens(4, 9)));
}

#[test]
fn errors_name_what_is_wrong() {
    let without = |name: &'static str| message(move |_, t| drop(t.remove(name).unwrap()));
    assert!(without("encoder.layer.1.output.dense.bias").contains("has no encoder.layer.1.output.dense.bias"));
    assert!(without("embeddings_project.weight_scale").contains("has no embeddings_project.weight_scale"));
    assert!(message(|c, _| drop(c.as_object_mut().unwrap().remove("hidden_size"))).contains("hidden_size"));
    assert!(message(|c, _| c["model_type"] = "gpt2".into()).contains("model_type is gpt2"));
    assert!(message(|c, _| c["hidden_act"] = "relu".into()).contains("hidden_act is relu"));
    assert!(message(|c, _| c["num_attention_heads"] = 7.into()).contains("num_attention_heads is 7"));
    assert!(message(|c, _| c["num_attention_heads"] = 0.into()).contains("num_attention_heads is 0"));
    assert!(message(|c, _| c["hidden_size"] = 64.into()).contains("config.json makes it"));
    assert!(message(|c, _| c["vocab_size"] = 5.into()).contains("24 tokens"));
    let name = "encoder.layer.0.output.LayerNorm.weight";
    assert!(message(|_, t| t.get_mut(name).unwrap().2[..4].copy_from_slice(&f32::NAN.to_le_bytes())).contains(name));
    let name = "encoder.layer.0.intermediate.dense.weight";
    assert!(message(|_, t| t.get_mut(name).unwrap().2[0] = 128).contains("-128"));
    let mut cut = files(SMALL, Stored::Codes, 1);
    cut.weights = cut.weights.slice(..2000);
    assert!(Model::new(cut, kernel::best()).unwrap_err().to_string().contains("model.safetensors can't be read"));
}

#[test]
fn a_directory_is_read_and_a_missing_file_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = || Model::open(dir.path()).unwrap_err().to_string();
    assert!(error().contains("tokenizer.json"), "{}", error());
    std::fs::write(dir.path().join("tokenizer.json"), testing::tokenizer().to_string()).unwrap();
    assert!(error().contains("config.json"), "{}", error());
    std::fs::write(dir.path().join("config.json"), config(SMALL).to_string()).unwrap();
    assert!(error().contains("model.safetensors"), "{}", error());
    let weights = safetensors(&tensors(SMALL, Stored::Codes, 1));
    std::fs::write(dir.path().join("model.safetensors"), weights).unwrap();
    let model = Model::open(dir.path()).unwrap();
    assert_eq!(model.tokens("退货？"), [2, 6, 7, 12, 3]);
    assert_eq!((model.width(), model.max_tokens()), (48, 128));
}

#[test]
fn tokens_out_of_range_and_texts_out_of_length_are_refused() {
    let mut encoder =
        Encoder::new(Arc::new(Model::new(files(SMALL, Stored::Codes, 1), kernel::best()).unwrap())).unwrap();
    assert!(encoder.encode(&[2, 24, 3]).unwrap_err().to_string().contains("token 24"));
    assert!(encoder.encode(&[]).unwrap_err().to_string().contains("1 to 128"));
    assert!(encoder.encode(&[2; 129]).is_err());
    assert!(encoder.encode(&[2; 128]).is_ok());
}

/// The trainer writes tokens and vectors of some two hundred sentences with its own 8-bit arithmetic, vectors as base64 of
/// 16-bit integers. A last bit of an f32 sum may move an activation over a rounding boundary, hence not 1.
#[cfg(model_embedded)]
#[test]
fn the_shipped_model_gives_the_vectors_of_its_trainer() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/model.json");
    let reference: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let model = Arc::new(Model::embedded().unwrap().unwrap());
    let mut encoder = Encoder::new(Arc::clone(&model)).unwrap();
    let sentences = reference["sentences"].as_array().unwrap();
    assert!(sentences.len() >= 200);
    for sentence in sentences {
        let text = sentence["text"].as_str().unwrap();
        let tokens: Vec<u32> = serde_json::from_value(sentence["ids"].clone()).unwrap();
        let tokens = match tokens.len() {
            0..=128 => tokens,
            _ => [&tokens[..127], &[*tokens.last().unwrap()]].concat(),
        };
        // the trainer reads texts as they are; wide letters are made narrow for it
        assert_eq!(model.tokenizer.encode(text, model.max_tokens()), tokens, "{text:?}");
        let bytes = data_encoding::BASE64.decode(sentence["vector"].as_str().unwrap().as_bytes()).unwrap();
        let want: Vec<f32> = bytes.as_chunks::<2>().0.iter().map(|b| f32::from(i16::from_le_bytes(*b))).collect();
        let found = cosine(encoder.encode(&tokens).unwrap(), &want);
        assert!(found > 0.999, "{text:?}: {found}");
    }
}
