//! `1_Pooling/config.json`: how the states of the tokens become one vector.

use std::{collections::HashMap, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::field;
use crate::model::ModelError;

/// How the states of the tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The state of the first token, `[CLS]` or `<s>`.
    First,
    /// The largest of each number.
    Max,
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::First => "cls",
            Self::Max => "max",
        })
    }
}

/// One name, or several that are to be joined.
#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

/// Since sentence-transformers 6 there is one key; before, one for each mode, such as `pooling_mode_mean_tokens`.
#[derive(Deserialize)]
struct File {
    pooling_mode: Option<Modes>,
    include_prompt: Option<bool>,
    #[serde(flatten)]
    older: HashMap<String, Value>,
}

const OLDER: [(&str, &str); 6] = [
    ("pooling_mode_cls_token", "cls"),
    ("pooling_mode_max_tokens", "max"),
    ("pooling_mode_mean_tokens", "mean"),
    ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
    ("pooling_mode_weightedmean_tokens", "weightedmean"),
    ("pooling_mode_lasttoken", "lasttoken"),
];

/// What the file says, and whether the tokens of a prompt take part.
pub fn read(json: &[u8], name: &str) -> Result<(Pooling, bool), ModelError> {
    let file: File = serde_json::from_slice(json).map_err(|source| ModelError::Json { file: name.into(), source })?;
    let on = |(key, _): &&(&str, &str)| file.older.get(*key) == Some(&Value::Bool(true));
    let modes: Vec<&str> = match &file.pooling_mode {
        Some(Modes::One(mode)) => vec![mode],
        Some(Modes::Several(modes)) => modes.iter().map(String::as_str).collect(),
        None => OLDER.iter().filter(on).map(|(_, mode)| *mode).collect(),
    };
    let pooling = match modes[..] {
        // nothing said is the mean; the second name is the mean times a number, which a vector of length 1 has lost
        [] | ["mean" | "mean_sqrt_len_tokens"] => Pooling::Mean,
        ["cls"] => Pooling::First,
        ["max"] => Pooling::Max,
        _ => return Err(field(name, "pooling_mode", modes.join(" and "), "one of mean, cls, max")),
    };
    Ok((pooling, file.include_prompt.unwrap_or(true)))
}
