//! Layouts of older directories; those of today are in the tests of `transformer`.

use super::*;

fn layout(files: &[(&str, &str)]) -> Result<Layout, ModelError> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Layout::read(&Directory::new(dir.path()), None)
}

#[test]
fn a_directory_of_transformers_alone_is_averaged() {
    let bare = layout(&[]).unwrap();
    assert_eq!((bare.pooling, bare.encoder.as_str(), bare.max_tokens), (Pooling::Mean, "", None));
    assert_eq!((bare.prefix.as_str(), bare.pooling_file), ("", None));
}

#[test]
fn older_files_say_the_same_by_other_keys() {
    let modules = r#"[{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
        {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}]"#;
    let found = layout(&[
        ("modules.json", modules),
        ("1_Pooling/config.json", r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#),
        ("2_Dense/config.json", r#"{"in_features": 8, "out_features": 4, "activation_function": "torch.nn.Identity"}"#),
        ("0_Transformer/sentence_bert_config.json", r#"{"max_seq_length": 256, "do_lower_case": true}"#),
        ("0_Transformer/tokenizer_config.json", r#"{"model_max_length": 1e30}"#),
    ])
    .unwrap();
    let dense = Dense { folder: "2_Dense/".into(), inputs: 8, outputs: 4, bias: true, tanh: false };
    assert_eq!(
        found,
        Layout {
            encoder: "0_Transformer/".into(),
            pooling: Pooling::First,
            pooling_file: Some("1_Pooling/config.json".into()),
            dense: vec![dense],
            max_tokens: Some(256),
            lowercase: true,
            prefix: String::new(),
        }
    );
}

#[test]
fn a_prefix_that_leaves_no_room_is_refused() {
    let long = format!(r#"{{"prompts": {{"query": "{}"}}}}"#, "x".repeat(501));
    let said = layout(&[("config_sentence_transformers.json", &long)]).unwrap_err().to_string();
    assert!(said.contains("prompts is a very long one"), "{said}");
    let (name, text) = Layout::prompts_file("问：\n\"");
    assert_eq!(layout(&[(name, &text)]).unwrap().prefix, "问：\n\"");
}
