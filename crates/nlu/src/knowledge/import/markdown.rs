//! Markdown: each heading of the second level is a question, what stands below is its answer.
//!
//! Lines `also: …`, `id: …`, `site: …`, `from: …`, `until: …`, `lang: …` directly below the heading belong to the entry.

use crate::knowledge::Entry;

/// Entries with the lines of their headings. What stands before the first heading is left out.
pub fn read(text: &str) -> Vec<(u64, Entry)> {
    let mut entries: Vec<(u64, Entry)> = Vec::new();
    let (mut fenced, mut head) = (false, false);
    for (line, n) in text.lines().zip(1..) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if !fenced && let Some(question) = line.strip_prefix("## ") {
            entries.push((n, Entry { question: closed(question).to_owned(), ..Entry::default() }));
            head = true;
            continue;
        }
        if !fenced && line.starts_with("# ") {
            continue; // the title of a chapter
        }
        let Some((_, entry)) = entries.last_mut() else { continue };
        if head && field(line, entry) {
            continue;
        }
        head = head && line.trim().is_empty();
        entry.answer.push_str(line);
        entry.answer.push('\n');
    }
    entries
}

/// A heading without the marks that may close it: `## question ##`.
fn closed(heading: &str) -> &str {
    let heading = heading.trim();
    let bare = heading.trim_end_matches('#');
    if bare.ends_with([' ', '\t']) || bare.is_empty() { bare.trim_end() } else { heading }
}

/// Takes a line `name: value` into the entry, if it is one.
fn field(line: &str, entry: &mut Entry) -> bool {
    let Some((name, value)) = line.split_once([':', '：']) else { return false };
    let value = value.trim().to_owned();
    match name.trim().to_lowercase().as_str() {
        "also" | "similar" | "相似问" => entry.similar.extend(value.split(['|', '｜']).map(str::to_owned)),
        "id" => entry.id = value,
        "site" => entry.site = Some(value),
        "from" => entry.from = Some(value),
        "until" => entry.until = Some(value),
        "lang" => entry.lang = Some(value),
        _ => return false,
    }
    true
}
