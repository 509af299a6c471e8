//! Entries from files: CSV, XLSX, Markdown (`## question`, answer below), JSON (as exported).

mod markdown;

use std::{collections::BTreeMap, path::Path};

use super::{Entry, book::MAX_ENTRIES};
use crate::{
    encoding::decode,
    table::{self, Column, Reading},
    text_file::{MAX_FILE, Report, elsewhere, folded},
};

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows with headings; the separator is guessed.
    Csv,
    /// Excel.
    Xlsx,
    /// Markdown.
    Markdown,
    /// JSON.
    Json,
}

impl Kind {
    /// By the end of a file's name.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The columns of a table, in the order in which [`super::export`] writes them; the first of the names is the one it writes.
pub const COLUMNS: [Column; 8] = [
    column(&["id", "编号"], false, false),
    column(&["question", "title", "问题", "标准问", "标准问题"], true, false),
    column(&["similar", "相似问", "相似问法", "相似问题"], false, false),
    column(&["answer", "答案", "回答", "回复"], true, false),
    column(&["site", "站点"], false, false),
    column(&["from", "开始", "生效日期"], false, true),
    column(&["until", "结束", "失效日期"], false, true),
    column(&["lang", "language", "语言"], false, false),
];

const fn column(names: &'static [&'static str], required: bool, day: bool) -> Column {
    Column { names, required, day }
}

/// File or sheet, and line, row or number of the entry.
type Place = (String, u64);

/// The entries of a file's bytes, settled. What is wrong is in the report, by line, row or number of the entry; entries
/// with errors are left out.
pub fn read(bytes: &[u8], kind: Kind, how: &Reading, report: &mut Report) -> Vec<Entry> {
    if bytes.len() > MAX_FILE {
        report.error("", 0, format!("the file is larger than {} MiB: split it", MAX_FILE >> 20));
        return Vec::new();
    }
    let text = |report: &mut Report| decode(bytes, how.encoding, "", report).unwrap_or_default();
    let found: Vec<(Place, Entry)> = match kind {
        Kind::Xlsx => from_table(table::of_workbook(bytes, "", &how.sheets, &COLUMNS, report)),
        Kind::Csv => {
            let text = text(report);
            if report.errors() > 0 {
                return Vec::new();
            }
            let exported = COLUMNS.map(|c| c.names[0]);
            from_table(table::of_text(&text, "", &COLUMNS, &exported, report))
        }
        Kind::Markdown => markdown::read(&text(report)).into_iter().map(|(n, e)| ((String::new(), n), e)).collect(),
        Kind::Json => {
            let text = text(report);
            if report.errors() > 0 {
                return Vec::new();
            }
            from_json(&text, report).into_iter().map(|(n, e)| ((String::new(), n), e)).collect()
        }
    };
    if found.is_empty() && report.errors() == 0 {
        report.error("", 0, "the file has no entries");
    }
    settle(found, report)
}

fn from_table(rows: Vec<table::Values>) -> Vec<(Place, Entry)> {
    let entry = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().unwrap_or_default();
        let (id, question, similar, answer) = (next(), next(), next(), next());
        let mut some = || Some(next()).filter(|s| !s.trim().is_empty());
        let (site, from, until, lang) = (some(), some(), some(), some());
        Entry { id, question, similar: vec![similar], answer, site, from, until, lang }
    };
    rows.into_iter().map(|row| (row.place, entry(row.cells))).collect()
}

fn settle(found: Vec<(Place, Entry)>, report: &mut Report) -> Vec<Entry> {
    if found.len() > MAX_ENTRIES {
        report.error("", 0, format!("{} entries are too many: at most {MAX_ENTRIES}", found.len()));
    }
    // where each question was met, and which of the entries it is
    let mut questions: BTreeMap<(String, Option<String>), (Place, usize)> = BTreeMap::new();
    let mut ids: BTreeMap<String, Place> = BTreeMap::new();
    let mut entries: Vec<Entry> = Vec::with_capacity(found.len());
    for (place, mut entry) in found {
        let (file, line) = (place.0.as_str(), place.1);
        let wrong = entry.settle();
        wrong.iter().for_each(|w| report.error(file, line, w));
        if !wrong.is_empty() {
            continue;
        }
        if !entry.id.is_empty()
            && let Some(other) = ids.insert(entry.id.clone(), place.clone())
        {
            report.error(file, line, format!("the id {} is{}, too", entry.id, elsewhere(file, &other.0, other.1)));
            continue;
        }
        let key = (folded(&entry.question), entry.site.clone());
        // one question may have several answers at several times
        let limited = entry.from.is_some() || entry.until.is_some();
        match questions.get(&key) {
            _ if limited => {}
            Some((other, n)) => {
                let there = elsewhere(file, &other.0, other.1);
                let first = &mut entries[*n];
                if first.answer != entry.answer {
                    report.error(file, line, format!("this question has another answer{there}: decide for one"));
                } else if !entry.id.is_empty() || first.lang != entry.lang {
                    report.error(
                        file,
                        line,
                        format!("this entry is{there}, too, with another id or language: decide for one"),
                    );
                } else {
                    let more: Vec<String> = entry.similar.into_iter().filter(|s| !first.similar.contains(s)).collect();
                    let what =
                        if more.is_empty() { "taken once" } else { "taken once, with the similar phrasings of both" };
                    report.warning(file, line, format!("this entry is{there}, too; {what}"));
                    first.similar.extend(more);
                }
                continue;
            }
            None => _ = questions.insert(key, (place.clone(), entries.len())),
        }
        entries.push(entry);
    }
    entries
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Json {
    KnowledgeBase { entries: Vec<serde_json::Value> },
    Bare(Vec<serde_json::Value>),
}

fn from_json(text: &str, report: &mut Report) -> Vec<(u64, Entry)> {
    let list = match serde_json::from_str::<serde_json::Value>(text) {
        Err(e) => {
            report.error("", e.line() as u64, format!("this is no JSON: {e}"));
            return Vec::new();
        }
        Ok(value) => match serde_json::from_value(value) {
            Ok(Json::KnowledgeBase { entries } | Json::Bare(entries)) => entries,
            Err(_) => {
                report.error("", 0, "the JSON is neither a list of entries nor {\"entries\": […]}");
                return Vec::new();
            }
        },
    };
    let mut entries = Vec::with_capacity(list.len());
    for (n, value) in list.into_iter().enumerate() {
        match serde_json::from_value(value) {
            Ok(entry) => entries.push((n as u64 + 1, entry)),
            Err(e) => report.error("", n as u64 + 1, format!("this entry (counted from 1) can't be read: {e}")),
        }
    }
    entries
}

#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
