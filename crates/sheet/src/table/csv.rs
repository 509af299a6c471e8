//! CSV: fields between separators, in double quotes where they hold one. Stricter than most readers: a quote that never ends, or
//! one that ends before its field does, has swallowed something.

use super::{Cell, Column, Row, Table, Values, rows_of};
use crate::text_file::Report;

/// The characters with which a cell becomes a formula in a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The rows of a text that has the columns. `exported`: the first row of a file that we wrote.
pub fn of_text(text: &str, name: &str, columns: &[Column], exported: &[&str], report: &mut Report) -> Vec<Values> {
    let (body, lines_before, said) = separator_line(text);
    let separator = said.unwrap_or_else(|| guess(body));
    let Some(rows) = fields(body, separator, lines_before, name, report) else { return Vec::new() };
    let ours = rows.first().is_some_and(|(_, row)| row.iter().map(String::as_str).eq(exported.iter().copied()));
    let rows = rows.into_iter().map(|(line, row)| Row {
        line,
        cells: row.into_iter().map(|text| Cell::text(unguarded(text, ours))).collect(),
    });
    let rows = rows.filter(|r| !r.is_empty()).collect();
    rows_of(vec![Table { name: name.to_owned(), rows, separator: Some(separator) }], columns, report)
}

/// A field as it is written: in double quotes where it needs them, and never a formula. A guard is an apostrophe before what
/// would be one; a text that looks guarded gets another, so that reading takes off exactly one.
pub fn quoted(text: &str) -> String {
    let guard = if is_formula(text.trim_start_matches('\'')) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', ';', '"', '\n', '\r', '\t']) && text.trim() == text {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn is_formula(text: &str) -> bool {
    text.starts_with(FORMULA)
}

/// Without the guard that [`quoted`] put before it. In a file of somebody else an apostrophe may be a quotation mark: it stays
/// where another follows.
fn unguarded(text: String, ours: bool) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) && (ours || !rest.contains('\'')) => rest.to_owned(),
        _ => text,
    }
}

/// Excel's line `sep=;`, which says the separator and is no row.
fn separator_line(text: &str) -> (&str, u64, Option<char>) {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let line = text[..end].trim_end_matches([',', ';', '\t']);
    let line = if line.len() < 5 { &text[..end] } else { line };
    let bare = line.trim_matches('"');
    let said = bare.get(..4).filter(|s| s.eq_ignore_ascii_case("sep=")).and_then(|_| {
        let mut rest = bare[4..].chars();
        // `sep=,` may have lost its comma to the trimming above
        rest.next().or_else(|| text[..end].trim_matches('"').chars().nth(4))
    });
    let Some(separator) = said.filter(|c| c.is_ascii() && !c.is_alphanumeric() && *c != '"') else {
        return (text, 0, None);
    };
    let rest = &text[end..];
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r'])).unwrap_or(rest);
    (rest, 1, Some(separator))
}

/// The separator that the first line has most of.
fn guess(text: &str) -> char {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let many = |c: char| (first.matches(c).count(), c == ',');
    [',', '\t', ';'].into_iter().max_by_key(|c| many(*c)).unwrap_or(',')
}

/// The fields of each row with its line. `None` if a quote makes the rest unreadable; the report says where.
fn fields(
    text: &str,
    separator: char,
    before: u64,
    name: &str,
    report: &mut Report,
) -> Option<Vec<(u64, Vec<String>)>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut line, mut row_line) = (before + 1, before + 1);
    // of the quote that is open, or of the one that was closed in this field
    let (mut opened, mut closed): (Option<u64>, Option<u64>) = (None, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_line = c == '\n' || (c == '\r' && chars.peek() != Some(&'\n'));
        if let Some(at) = opened {
            match c {
                '"' if chars.peek() == Some(&'"') => {
                    chars.next();
                    field.push('"');
                }
                '"' => (opened, closed) = (None, Some(at)),
                c => field.push(c),
            }
            line += u64::from(ends_line);
            continue;
        }
        if c == separator || c == '\n' || c == '\r' {
            if c == '\r' && !ends_line {
                continue; // its line feed follows
            }
            row.push(std::mem::take(&mut field));
            closed = None;
            if c != separator {
                line += 1;
                rows.push((row_line, std::mem::take(&mut row)));
                row_line = line;
            }
        } else if c == '"' && field.is_empty() && closed.is_none() {
            opened = Some(line);
        } else if let Some(at) = closed {
            if !c.is_whitespace() {
                let end = if at == line { String::new() } else { format!(" that begins in line {at}") };
                report.error(
                    name,
                    line,
                    format!("{c:?} follows the end of a text in double quotes{end}: write a quote inside it twice (\"\"), or close the one before"),
                );
                return None;
            }
        } else {
            field.push(c);
        }
    }
    if let Some(at) = opened {
        report.error(name, at, "a double quote begins a text here that never ends: close it, or write it twice (\"\") if it is part of the text");
        return None;
    }
    if !field.is_empty() || !row.is_empty() || closed.is_some() {
        row.push(field);
        rows.push((row_line, row));
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_and_reads_is_read_alike(
            rows in proptest::collection::vec(proptest::collection::vec("[a退\"',;\n\r\t =]{0,6}", 2..4), 1..6)
        ) {
            let mut out = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            rows.iter().for_each(|row| out.write_record(row).unwrap());
            let text = String::from_utf8(out.into_inner().unwrap()).unwrap();
            let found = fields(&text, ',', 0, "", &mut Report::default()).unwrap();
            prop_assert_eq!(found.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), rows, "{}", text);
        }

        #[test]
        fn what_is_quoted_is_read_back(row in proptest::collection::vec("[a退\"',;\n\t =+@-]{0,6}", 2..4)) {
            let text = row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",");
            let found = fields(&text, ',', 0, "", &mut Report::default()).unwrap();
            let cells: Vec<String> = found[0].1.iter().map(|cell| unguarded(cell.clone(), true)).collect();
            prop_assert_eq!(&cells, &row);
            prop_assert!(found[0].1.iter().all(|cell| !cell.starts_with(FORMULA)));
        }
    }
}
