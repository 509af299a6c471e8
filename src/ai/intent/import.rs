//! Examples from files: CSV with the columns `text` and `intent`, TOML with one intent a file, or a directory of both.

use std::path::Path;

use serde::Deserialize;

use super::examples::{Examples, Intent, check_name, check_text};
use crate::ai::text_file::{Encoding, Report, decode};

/// Reads a file or a directory (not its subdirectories; in the order of names). What can't be read is in the report.
///
/// # Errors
/// The path itself can't be read.
pub fn read_path(path: &Path, encoding: Encoding, report: &mut Report) -> std::io::Result<Examples> {
    let mut examples = Examples::default();
    if !path.is_dir() {
        let bytes = std::fs::read(path)?;
        let toml = path.extension().is_some_and(|e| e == "toml");
        read(&bytes, toml, "", encoding, &mut examples, report);
        return Ok(examples);
    }
    let mut files: Vec<_> = std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut any = false;
    for file in files {
        let toml = file.extension().is_some_and(|e| e == "toml");
        if toml || file.extension().is_some_and(|e| e == "csv") {
            any = true;
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            read(&std::fs::read(&file)?, toml, &name, encoding, &mut examples, report);
        }
    }
    if !any {
        report.error("", 0, "the directory has neither .csv nor .toml files");
    }
    Ok(examples)
}

/// Adds the examples of one file's bytes. `name` stands in the report.
pub fn read(bytes: &[u8], toml: bool, name: &str, encoding: Encoding, examples: &mut Examples, report: &mut Report) {
    if let Some(text) = decode(bytes, encoding, name, report) {
        if toml { from_toml(&text, name, examples, report) } else { from_csv(&text, name, examples, report) }
    }
}

fn from_csv(text: &str, name: &str, examples: &mut Examples, report: &mut Report) {
    let first = text.lines().next().unwrap_or("");
    let delimiter =
        [b',', b'\t', b';'].into_iter().max_by_key(|d| (first.bytes().filter(|b| b == d).count(), *d == b','));
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter.unwrap_or(b',')).from_reader(text.as_bytes());
    let headings: Vec<String> = match reader.headers() {
        Ok(h) => h.iter().map(|h| h.trim().to_lowercase()).collect(),
        Err(e) => return report.error(name, 1, format!("this is no CSV: {e}")),
    };
    let find = |names: &[&str]| headings.iter().position(|h| names.contains(&h.as_str()));
    let (text_at, intent_at) = (find(&["text", "utterance", "文本"]), find(&["intent", "label", "意图"]));
    let (Some(text_at), Some(intent_at)) = (text_at, intent_at) else {
        for (column, at) in [("text", text_at), ("intent", intent_at)] {
            if at.is_none() {
                let message = format!("the column {column:?} is missing; the first line must be: text,intent");
                report.error(name, 1, message);
            }
        }
        return;
    };
    let mut row = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut row) {
            Ok(false) => return,
            Ok(true) => {}
            Err(e) => return report.error(name, line, format!("this is no CSV from here: {e}")),
        }
        let line = row.position().map_or(line, csv::Position::line);
        let (Some(text), Some(intent)) = (row.get(text_at), row.get(intent_at)) else {
            report.error(name, line, format!("the row has {} of {} columns", row.len(), headings.len()));
            continue;
        };
        match check_text(text).and_then(|()| check_name(intent.trim())) {
            Ok(()) => examples.push(text.trim(), intent.trim(), (name.to_owned(), line)),
            Err(message) => report.error(name, line, message),
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
