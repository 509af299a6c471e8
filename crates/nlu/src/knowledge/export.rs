//! The book as files that [`super::import`] reads.

use std::fmt::Write as _;

use super::{Entry, KnowledgeBase, import::COLUMNS};
use crate::table::quoted;

/// One row an entry; similar phrasings are separated by `|`. No cell is a formula for a spreadsheet.
pub fn to_csv(book: &KnowledgeBase) -> String {
    let mut out = COLUMNS.map(|c| c.names[0]).join(",") + "\n";
    for e in book.entries.values() {
        let similar = e.similar.join("|");
        let optional = |field: &Option<String>| field.clone().unwrap_or_default();
        let rest = [&e.site, &e.from, &e.until, &e.lang].map(optional);
        let row = [&e.id, &e.question, &similar, &e.answer].into_iter().chain(&rest).map(|cell| quoted(cell));
        out += &row.collect::<Vec<_>>().join(",");
        out.push('\n');
    }
    out
}

/// `{"entries": […]}`.
pub fn to_json(book: &KnowledgeBase) -> String {
    #[derive(serde::Serialize)]
    struct File<'a> {
        entries: Vec<&'a Entry>,
    }
    let file = File { entries: book.entries.values().collect() };
    // strings always have JSON
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// `## question`, the fields, the answer.
pub fn to_markdown(book: &KnowledgeBase) -> String {
    let mut out = String::new();
    for e in book.entries.values() {
        // writing into a string doesn't fail
        let _ = writeln!(out, "## {}\nid: {}", e.question.replace('\n', " "), e.id);
        if !e.similar.is_empty() {
            let _ = writeln!(out, "also: {}", e.similar.join(" | "));
        }
        for (name, value) in [("site", &e.site), ("from", &e.from), ("until", &e.until), ("lang", &e.lang)] {
            if let Some(value) = value {
                let _ = writeln!(out, "{name}: {value}");
            }
        }
        let _ = writeln!(out, "\n{}\n", e.answer);
    }
    out
}
