//! The book as files that [`super::import`] reads.

use std::fmt::Write as _;

use super::{Book, Entry};

/// The columns.
const COLUMNS: [&str; 8] = ["id", "question", "similar", "answer", "site", "from", "until", "lang"];

/// One row an entry; similar phrasings are separated by `|`.
pub fn to_csv(book: &Book) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    // writing into memory doesn't fail, and every row has as many fields as the first
    let _ = out.write_record(COLUMNS);
    for e in book.entries.values() {
        let similar = e.similar.join("|");
        let optional = |field: &Option<String>| field.clone().unwrap_or_default();
        let rest = [optional(&e.site), optional(&e.from), optional(&e.until), optional(&e.lang)];
        let row = [&e.id, &e.question, &similar, &e.answer].into_iter().chain(&rest);
        let _ = out.write_record(row);
    }
    String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// `{"entries": […]}`.
pub fn to_json(book: &Book) -> String {
    #[derive(serde::Serialize)]
    struct File<'a> {
        entries: Vec<&'a Entry>,
    }
    let file = File { entries: book.entries.values().collect() };
    // strings always have JSON
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// `## question`, the fields, the answer.
pub fn to_markdown(book: &Book) -> String {
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
