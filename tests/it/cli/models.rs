//! Language models that a company brings: everything that learns or understands works with each, whatever its width.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kefu::{
    config::Robot,
    nlu::EncoderService,
    robot::{
        engine::{RobotEngine, RobotFiles, model},
        policy::{Dialogue, Policy, TurnInput},
    },
};

use super::{Shell, mode};

const EXAMPLES: &str = "text,intent\n我要退货,return\n想退货,return\n东西不要了退给你们,return\nreturn it please,return\n\
                        开发票,invoice\n发票开错了,invoice\nI need an invoice,invoice\n发票抬头改一下,invoice\n";

fn encoder(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/encoders").join(name).display().to_string()
}

fn founded() -> Shell {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    sh
}

fn message(sh: &Shell, args: &[&str]) -> String {
    let out = sh.run(args);
    assert!(!out.status.success(), "{args:?}");
    String::from_utf8(out.stderr).unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() { all.extend(files(&entry)) } else { all.push(entry) }
    }
    all.sort();
    all
}

#[test]
fn intents_knowledge_and_policy_work_with_models_of_every_width() {
    let sh = founded();
    let examples = sh.file("examples.csv", EXAMPLES);
    sh.json(&["model", "use", &encoder("xlm-roberta-unigram")]);
    assert!(message(&sh, &["intent", "test", "我要退货"]).contains("kefu intent train"), "the shipped ones don't fit");
    let trained = sh.json(&["intent", "train", &examples]);
    assert_eq!(trained["intents"].as_array().map_or(2, Vec::len), 2, "{trained}");
    assert_eq!(sh.json(&["model", "show"])["intents"], 2);
    sh.json(&["knowledge", "add", "怎么退货", "七天内可以退货。", "--similar", "想退货"]);
    for (model, width) in [("bert-dense", 16), ("distilbert-wordpiece", 24), ("bert-wordpiece", 24)] {
        // learned again from their own examples, and vectors made again
        let used = sh.json(&["model", "use", &encoder(model)]);
        assert_eq!(used["intents"], true, "{model}");
        assert_eq!(sh.json(&["model", "show"])["width"], width);
        let found = sh.json(&["intent", "test", "我要退货"]);
        assert_eq!(found["intents"].as_array().unwrap().len(), 2, "{found}");
        let hits = sh.json(&["knowledge", "test", "想退货"]).to_string();
        assert!(hits.contains("怎么退货"), "{model}: {hits}");
        let decision = sh.json(&["policy", "test", "想退货"]).to_string();
        assert!(decision.contains("七天内可以退货"), "{model}: {decision}");
        sh.json(&["intent", "eval", &examples]);
    }
    sh.json(&["model", "use", "--embedded"]);
    assert_eq!(sh.json(&["intent", "test", "我要退货"])["intents"].as_array().unwrap().len(), 2);
}

#[test]
fn a_server_answers_with_such_a_model() {
    let sh = founded();
    sh.json(&["model", "use", &encoder("bert-unigram")]);
    sh.json(&["knowledge", "add", "怎么退货", "七天内可以退货。", "--similar", "想退货"]);
    let files = RobotFiles::of(&sh.path("data"));
    let encoder_service = EncoderService::start(model(&files).unwrap()).unwrap();
    let robot = RobotEngine::of_server(files, encoder_service, Policy::new(&Robot::default()).unwrap()).unwrap();
    let asked =
        TurnInput {
            text: "想退货", site: "web", now_ms: 1_795_900_000_000, zh: None, dialogue: Dialogue::default()
        };
    let decision = format!("{:?}", robot.decide(&asked));
    assert!(decision.contains("七天内可以退货"), "{decision}");
}

#[test]
fn a_model_is_copied_with_what_it_needs_and_nothing_else_for_its_owner_alone() {
    let sh = founded();
    sh.json(&["model", "use", &encoder("roberta-bpe")]);
    let own = sh.path("data/knowledge/model");
    let names: Vec<String> =
        files(&own).iter().map(|f| f.strip_prefix(&own).unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        [
            "1_Pooling/config.json",
            "config.json",
            "config_sentence_transformers.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
    );
    assert!(files(&own).iter().all(|f| mode(f) == 0o600));
    assert_eq!(mode(&own.join("1_Pooling")), 0o700);
    sh.json(&["model", "use", &encoder("bert-dense"), "--prefix", "问题：\n"]);
    assert!(own.join("2_Dense/model.safetensors").is_file() && !own.join("model.safetensors.index.json").exists());
    assert_eq!(sh.json(&["model", "show"])["prefix"], "问题：\n", "it stays with the copy");
    // from its own place with another prefix
    sh.json(&["model", "use", own.to_str().unwrap(), "--prefix", ""]);
    assert_eq!(sh.json(&["model", "show"])["prefix"], "");
}

#[test]
fn a_model_that_asks_for_what_there_is_not_leaves_the_old_one() {
    let sh = founded();
    sh.json(&["model", "use", &encoder("bert-dense")]);
    let bad = sh.path("bad");
    fs::create_dir(&bad).unwrap();
    for file in ["tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new(&encoder("bert-unigram")).join(file), bad.join(file)).unwrap();
    }
    fs::write(bad.join("config.json"), r#"{"model_type": "new", "hidden_size": 768}"#).unwrap();
    let said = message(&sh, &["model", "use", bad.to_str().unwrap()]);
    assert!(said.contains("config.json: model_type is new; supported: bert, distilbert, roberta"), "{said}");
    fs::rename(bad.join("model.safetensors"), bad.join("pytorch_model.bin")).unwrap();
    fs::copy(Path::new(&encoder("bert-unigram")).join("config.json"), bad.join("config.json")).unwrap();
    let said = message(&sh, &["model", "use", bad.to_str().unwrap()]);
    assert!(said.contains("pytorch_model.bin") && said.contains("safetensors"), "{said}");
    assert_eq!(sh.json(&["model", "show"])["width"], 16);
}
