//! Examples from files: CSV or XLSX with the columns `text` and `intent`, TOML with one intent a file, or a directory of them.

use std::path::Path;

use serde::Deserialize;

use super::examples::{Examples, Intent, check_name, check_text};
use crate::{
    encoding::decode,
    table::{self, Column, Reading, Values},
    text_file::{MAX_FILE, Report},
};

/// Reads a file or a directory (not its subdirectories; in the order of names). What can't be read is in the report.
///
/// # Errors
/// The path itself can't be read.
pub fn read_path(path: &Path, how: &Reading, report: &mut Report) -> std::io::Result<Examples> {
    let mut examples = Examples::default();
    if !path.is_dir() {
        let bytes = std::fs::read(path)?;
        if !how.sheets.is_empty() && Kind::of(path) != Some(Kind::Xlsx) {
            report.error("", 0, "the file has no sheets: --sheet is for .xlsx");
        }
        read(&bytes, Kind::of(path).unwrap_or(Kind::Csv), "", how, &mut examples, report);
        return Ok(examples);
    }
    let mut files: Vec<_> = std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut any = false;
    for file in files {
        if let Some(kind) = Kind::of(&file) {
            any = true;
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            read(&std::fs::read(&file)?, kind, &name, how, &mut examples, report);
        }
    }
    if !any {
        report.error("", 0, "the directory has no .csv, .tsv, .xlsx or .toml files");
    }
    Ok(examples)
}

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows with headings.
    Csv,
    /// Excel.
    Xlsx,
    /// One intent.
    Toml,
}

impl Kind {
    /// By the end of a file's name.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

const COLUMNS: [Column; 2] = [
    Column { names: &["text", "utterance", "文本"], required: true, day: false },
    Column { names: &["intent", "label", "意图"], required: true, day: false },
];
/// The first row of what the console exports.
const EXPORTED: [&str; 2] = ["text", "intent"];

/// Adds the examples of one file's bytes. `name` stands in the report.
pub fn read(bytes: &[u8], kind: Kind, name: &str, how: &Reading, examples: &mut Examples, report: &mut Report) {
    if bytes.len() > MAX_FILE {
        return report.error(name, 0, format!("the file is larger than {} MiB: split it", MAX_FILE >> 20));
    }
    let text = |report: &mut Report| decode(bytes, how.encoding, name, report);
    let rows = match kind {
        Kind::Toml => return text(report).into_iter().for_each(|t| from_toml(&t, name, examples, report)),
        Kind::Xlsx => table::of_workbook(bytes, name, &how.sheets, &COLUMNS, report),
        Kind::Csv => text(report).map(|t| table::of_text(&t, name, &COLUMNS, &EXPORTED, report)).unwrap_or_default(),
    };
    for Values { place, cells } in rows {
        let [text, intent] = cells.as_slice() else { continue };
        match check_text(text).and_then(|()| check_name(intent.trim())) {
            Ok(()) => examples.push(text.trim(), intent.trim(), place),
            Err(message) => report.error(&place.0, place.1, message),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    zh: String,
    #[serde(default)]
    en: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    zh_examples: Vec<toml::Spanned<String>>,
    #[serde(default)]
    en_examples: Vec<toml::Spanned<String>>,
    #[serde(default)]
    examples: Vec<toml::Spanned<String>>,
}

fn from_toml(text: &str, name: &str, examples: &mut Examples, report: &mut Report) {
    let line = |offset: usize| 1 + text.bytes().take(offset).filter(|b| *b == b'\n').count() as u64;
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(e) => {
            let at = e.span().map_or(0, |s| line(s.start));
            return report.error(name, at, format!("this is no intent: {}", e.message()));
        }
    };
    if let Err(message) = check_name(&file.name) {
        return report.error(name, 0, message);
    }
    let intent = Intent { zh: file.zh, en: file.en, about: file.about };
    examples.intents.insert(file.name.clone(), intent);
    for example in file.zh_examples.iter().chain(&file.en_examples).chain(&file.examples) {
        let at = line(example.span().start);
        match check_text(example.get_ref()) {
            Ok(()) => examples.push(example.get_ref().trim(), &file.name, (name.to_owned(), at)),
            Err(message) => report.error(name, at, message),
        }
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
