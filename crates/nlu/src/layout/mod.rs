//! What a model directory says about itself beside the encoder: the modules of sentence-transformers, pooling, prompts, lengths.
//!
//! Everything is optional: a directory of `transformers` alone is an encoder whose states are averaged. What is there and
//! asks for something that kefu doesn't have is refused by file and field. Nothing here reads weights.

mod directory;
mod pooling;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, path::Path};

use serde::Deserialize;

pub use directory::Directory;
pub use pooling::Pooling;
pub(crate) use pooling::read as read_pooling;

use crate::model::ModelError;

/// Characters of a prefix. It is read before every text; a longer one would leave no room for the text.
const MAX_PREFIX: usize = 500;
/// Modules of a directory: a transformer, a pooling, and few more.
const MAX_MODULES: usize = 16;

const MODULES: &str = "modules.json";
const PROMPTS: &str = "config_sentence_transformers.json";

/// What a model directory is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Folder of the encoder: empty, or such as `0_Transformer/`.
    pub encoder: String,
    /// How the states of the tokens become one vector.
    pub pooling: Pooling,
    /// The file that says so; none: the mean.
    pub pooling_file: Option<String>,
    /// What the vector goes through after pooling.
    pub dense: Vec<Dense>,
    /// Longest text in tokens, where the directory limits it.
    pub max_tokens: Option<usize>,
    /// Texts are lowercased before the tokenizer's own rules.
    pub lowercase: bool,
    /// What is read before every text, such as `query: `.
    pub prefix: String,
}

/// A linear layer after pooling, with its activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Its folder, with a slash.
    pub folder: String,
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Whether its outputs go through `tanh`; else they stay.
    pub tanh: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct DenseFile {
    in_features: usize,
    out_features: usize,
    #[serde(default = "yes")]
    bias: bool,
    activation_function: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

#[derive(Default, Deserialize)]
struct TransformerFile {
    max_seq_length: Option<usize>,
    do_lower_case: Option<bool>,
}

#[derive(Deserialize)]
struct TokenizerFile {
    // 1e30 says that there is no limit
    model_max_length: Option<f64>,
}

#[derive(Deserialize)]
struct PromptsFile {
    #[serde(default)]
    prompts: HashMap<String, String>,
    default_prompt_name: Option<String>,
}

fn yes() -> bool {
    true
}

impl Layout {
    /// Reads what `dir` says. `prefix`, if there is one, stands in place of the directory's own prompts.
    ///
    /// # Errors
    /// A file that can't be read, or a field that asks for what isn't supported, by name.
    pub fn read(dir: &Directory, prefix: Option<&str>) -> Result<Self, ModelError> {
        let modules: Option<Vec<Module>> = dir.json(MODULES)?;
        let (encoder, pooling_file, dense) = match modules {
            None => (String::new(), Some("1_Pooling/config.json".to_owned()), Vec::new()),
            Some(modules) => arranged(dir, &modules)?,
        };
        let pooling = pooling_file.as_deref().map_or(Ok(None), |file| dir.optional(file))?;
        let pooling_file = pooling_file.filter(|_| pooling.is_some());
        let (pooling, with_prompt) = match (&pooling, &pooling_file) {
            (Some(json), Some(file)) => pooling::read(json, file)?,
            _ => (Pooling::Mean, true),
        };
        let own: TransformerFile = dir.json(&format!("{encoder}sentence_bert_config.json"))?.unwrap_or_default();
        let tokenizer: Option<TokenizerFile> = dir.json(&format!("{encoder}tokenizer_config.json"))?;
        // a cast of a float ends at the largest number, which is no limit
        let most = tokenizer.and_then(|t| t.model_max_length).map(|most| most as usize);
        let prefix = match prefix {
            Some(prefix) => prefix.to_owned(),
            None => prompt(dir)?,
        };
        if prefix.chars().count() > MAX_PREFIX {
            return Err(field(PROMPTS, "prompts", "a very long one", format!("at most {MAX_PREFIX} characters")));
        }
        if !with_prompt && !prefix.is_empty() {
            let file = pooling_file.unwrap_or_default();
            return Err(field(&file, "include_prompt", "false", "true, or a model without a prompt"));
        }
        Ok(Self {
            encoder,
            pooling,
            pooling_file,
            dense,
            max_tokens: own.max_seq_length.into_iter().chain(most).min(),
            lowercase: own.do_lower_case.unwrap_or(false),
            prefix,
        })
    }

    /// A `config_sentence_transformers.json` that makes `prefix` the one of every text.
    pub fn prompts_file(prefix: &str) -> (&'static str, String) {
        let json = serde_json::json!({ "prompts": { "query": prefix }, "default_prompt_name": "query" });
        (PROMPTS, format!("{json:#}\n"))
    }

    /// The files beside the encoder's that a directory may have, whether or not anything is read from them.
    pub fn describing() -> [&'static str; 2] {
        [MODULES, PROMPTS]
    }
}

/// The folder of the encoder, the file of the pooling, and what comes after.
fn arranged(dir: &Directory, modules: &[Module]) -> Result<(String, Option<String>, Vec<Dense>), ModelError> {
    const KNOWN: &str = "Transformer, Pooling, then Dense and Normalize as often as you like";
    let kinds: Vec<&str> = modules.iter().map(|m| m.kind.rsplit('.').next().unwrap_or_default()).collect();
    let other = || field(MODULES, "type", kinds.join(", "), KNOWN);
    let (["Transformer", "Pooling", rest @ ..], [first, pooling, after @ ..]) = (&kinds[..], modules) else {
        return Err(other());
    };
    if modules.len() > MAX_MODULES {
        return Err(field(MODULES, "type", modules.len(), format!("at most {MAX_MODULES} modules")));
    }
    let mut dense = Vec::new();
    for (kind, module) in rest.iter().zip(after) {
        match *kind {
            // kefu's vectors have length 1 whether or not a module says so
            "Normalize" => {}
            "Dense" => dense.push(read_dense(dir, folder(&module.path)?)?),
            _ => return Err(other()),
        }
    }
    Ok((folder(&first.path)?, Some(format!("{}config.json", folder(&pooling.path)?)), dense))
}

/// A path of modules.json with a slash at its end. It stays inside the directory.
fn folder(path: &str) -> Result<String, ModelError> {
    let inside = Path::new(path).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    match path {
        "" => Ok(String::new()),
        _ if inside && !path.contains('\\') => Ok(format!("{}/", path.trim_end_matches('/'))),
        _ => Err(field(MODULES, "path", path, "a folder inside the directory")),
    }
}

fn read_dense(dir: &Directory, folder: String) -> Result<Dense, ModelError> {
    const MOST: usize = 8192;
    let name = format!("{folder}config.json");
    let file: DenseFile = dir.required_json(&name)?;
    for (key, value) in [("in_features", file.in_features), ("out_features", file.out_features)] {
        if value == 0 || value > MOST {
            return Err(field(&name, key, value, format!("1 to {MOST}")));
        }
    }
    if file.use_residual {
        return Err(field(&name, "use_residual", "true", "false"));
    }
    let tanh = match file.activation_function.as_deref().map(|a| a.rsplit('.').next().unwrap_or_default()) {
        None | Some("Tanh") => true,
        Some("Identity") => false,
        Some(other) => return Err(field(&name, "activation_function", other, "Tanh and Identity")),
    };
    Ok(Dense { folder, inputs: file.in_features, outputs: file.out_features, bias: file.bias, tanh })
}

/// What the directory wants read before a text. kefu compares questions with questions, so of a pair it is the query's.
fn prompt(dir: &Directory) -> Result<String, ModelError> {
    let Some(file) = dir.json::<PromptsFile>(PROMPTS)? else { return Ok(String::new()) };
    match file.default_prompt_name {
        Some(name) => file
            .prompts
            .get(&name)
            .cloned()
            .ok_or_else(|| field(PROMPTS, "default_prompt_name", &name, "the name of one of its prompts")),
        None => Ok(file.prompts.get("query").cloned().unwrap_or_default()),
    }
}

/// The error for a field that asks for what isn't supported.
pub(crate) fn field(file: &str, field: &str, found: impl ToString, known: impl ToString) -> ModelError {
    ModelError::Field { file: file.into(), field: field.into(), found: found.to_string(), known: known.to_string() }
}
