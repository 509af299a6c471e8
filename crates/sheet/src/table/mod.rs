//! Tables that people bring, as CSV or as a workbook of Excel: rows under headings, each cell as it is shown. Nothing is left
//! out without a word: what can't be taken is a mistake with its line, what isn't read is named.

mod csv;
mod dates;
mod decimal;
mod format;
mod format_code;
mod xlsx;

use super::{encoding::Encoding, text_file::Report};

pub use csv::{of_text, quoted};
pub use xlsx::of_workbook;

/// How a file is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Of a text.
    pub encoding: Encoding,
    /// Of a workbook: these sheets; empty: all that are visible.
    pub sheets: Vec<String>,
}

/// A column that a reader knows.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What it may be called, in small letters; the first is how it is called in messages and files that we write.
    pub names: &'static [&'static str],
    /// A table without it is none.
    pub required: bool,
    /// It holds a day: a date is taken as `2026-01-31`, whatever its format leaves out.
    pub day: bool,
}

/// What a row says in the columns, in their order; empty where it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The file or sheet, as the report names it, and the line or row.
    pub place: (String, u64),
    /// One for each column.
    pub cells: Vec<String>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cell {
    /// What it shows, or why that can't be told.
    shown: Option<Result<String, String>>,
    /// The day it holds.
    day: Option<String>,
}

impl Cell {
    fn text(text: String) -> Self {
        Self { shown: Some(Ok(text)), day: None }
    }

    fn is_empty(&self) -> bool {
        match &self.shown {
            None => true,
            Some(Ok(text)) => text.trim().is_empty(),
            Some(Err(_)) => false,
        }
    }
}

/// A row with its line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    line: u64,
    cells: Vec<Cell>,
}

impl Row {
    fn is_empty(&self) -> bool {
        self.cells.iter().all(Cell::is_empty)
    }
}

/// Rows, the first of which are the headings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    /// As the report names it.
    name: String,
    rows: Vec<Row>,
    /// The separator of a text.
    separator: Option<char>,
}

/// How a table and the columns fit.
enum Fit {
    /// Each column's place.
    All(Vec<Option<usize>>),
    /// None of the required ones is there.
    None,
    /// Some are there, or one is there twice; the report says it.
    Wrong,
}

impl Table {
    fn headings(&self) -> Vec<String> {
        let first = self.rows.first().map(|r| r.cells.as_slice()).unwrap_or_default();
        first.iter().map(|c| c.shown.clone().and_then(Result::ok).unwrap_or_default().trim().to_owned()).collect()
    }

    fn head_line(&self) -> u64 {
        self.rows.first().map_or(1, |r| r.line)
    }

    fn fit(&self, columns: &[Column], report: &mut Report) -> Fit {
        let headings = self.headings();
        let line = self.head_line();
        let mut wrong = false;
        let places: Vec<Option<usize>> = columns
            .iter()
            .map(|column| {
                let is = |h: &&(usize, &String)| column.names.contains(&h.1.to_lowercase().as_str());
                let found: Vec<_> = headings.iter().enumerate().filter(|h| is(&h)).collect();
                if let [(_, one), (_, other), ..] = found.as_slice() {
                    wrong = true;
                    let name = column.names[0];
                    report.error(
                        &self.name,
                        line,
                        format!("the columns {one:?} and {other:?} are both read as {name}: rename one"),
                    );
                }
                found.first().map(|(n, _)| *n)
            })
            .collect();
        let required = |n: &usize| columns[*n].required;
        let missing: Vec<usize> = (0..columns.len()).filter(required).filter(|n| places[*n].is_none()).collect();
        if wrong {
            Fit::Wrong
        } else if missing.is_empty() {
            Fit::All(places)
        } else if missing.len() == (0..columns.len()).filter(required).count() {
            Fit::None
        } else {
            self.tell_missing(columns, &missing, report);
            Fit::Wrong
        }
    }

    fn tell_missing(&self, columns: &[Column], missing: &[usize], report: &mut Report) {
        let needed: Vec<&str> = columns.iter().filter(|c| c.required).map(|c| c.names[0]).collect();
        for n in missing {
            let name = columns[*n].names[0];
            let needed = needed.join(" and ");
            report.error(
                &self.name,
                self.head_line(),
                format!("the column {name:?} is missing; the first row must name {needed}"),
            );
        }
    }

    fn read(self, columns: &[Column], places: &[Option<usize>], report: &mut Report) -> Vec<Values> {
        let headings = self.headings();
        let unread: Vec<String> = headings
            .iter()
            .enumerate()
            .filter(|(n, h)| !h.is_empty() && !places.contains(&Some(*n)))
            .map(|(_, h)| format!("{h:?}"))
            .collect();
        if !unread.is_empty() {
            let (are, list) = (if unread.len() == 1 { "column" } else { "columns" }, unread.join(", "));
            report.warning(&self.name, self.head_line(), format!("not read: the {are} {list}"));
        }
        let named = headings.iter().rposition(|h| !h.is_empty()).map_or(0, |n| n + 1);
        let ours = places.iter().zip(columns).filter(|(_, c)| c.required).filter_map(|(p, _)| *p).max().unwrap_or(0);
        let mut out = Vec::with_capacity(self.rows.len());
        for row in self.rows.iter().skip(1).filter(|r| !r.is_empty()) {
            if self.separator.is_some() && row.cells.len() <= ours {
                let (has, of) = (row.cells.len(), headings.len());
                report.error(&self.name, row.line, format!("the row has {has} of {of} columns"));
                continue;
            }
            if let Some(message) = self.left_over(row, &headings, named) {
                report.error(&self.name, row.line, message);
                continue;
            }
            let mut wrong = false;
            let cells = places.iter().zip(columns).map(|(place, column)| {
                let cell = place.and_then(|n| row.cells.get(n));
                match cell.map(|c| (&c.shown, &c.day)) {
                    Some((Some(Ok(_)), Some(day))) if column.day => day.clone(),
                    Some((_, Some(day))) if column.day => day.clone(),
                    Some((Some(Ok(text)), _)) => text.clone(),
                    Some((Some(Err(message)), _)) => {
                        wrong = true;
                        report.error(&self.name, row.line, message);
                        String::new()
                    }
                    _ => String::new(),
                }
            });
            let cells = cells.collect();
            if !wrong {
                out.push(Values { place: (self.name.clone(), row.line), cells });
            }
        }
        out
    }

    /// What is wrong with a row that says something where no heading is.
    fn left_over(&self, row: &Row, headings: &[String], named: usize) -> Option<String> {
        let unnamed = |n: usize| headings.get(n).is_none_or(String::is_empty);
        let (n, cell) = row.cells.iter().enumerate().find(|(n, c)| unnamed(*n) && !c.is_empty())?;
        let text = match &cell.shown {
            Some(Ok(text)) => super::text_file::shown(text.trim()),
            _ => String::new(),
        };
        Some(match self.separator {
            Some(separator) => {
                let cells = row.cells.len();
                format!(
                    "{text:?} is in column {} of {cells}, but the first row names {named}: write a text with {separator:?} in double quotes, or name the column",
                    n + 1
                )
            }
            None => format!("{text:?} is in column {}, which has no name in the first row", xlsx::letters(n)),
        })
    }
}

/// The rows of the tables that have the columns; others are named, and a mistake if there is no table but them.
fn rows_of(tables: Vec<Table>, columns: &[Column], report: &mut Report) -> Vec<Values> {
    let mut out = Vec::new();
    let mut others: Vec<Table> = Vec::new();
    let mut any = false;
    for table in tables {
        match table.fit(columns, report) {
            Fit::All(places) => {
                any = true;
                out.extend(table.read(columns, &places, report));
            }
            Fit::Wrong => any = true,
            Fit::None => others.push(table),
        }
    }
    if !any && let Some(first) = others.first() {
        let missing: Vec<usize> = (0..columns.len()).filter(|n| columns[*n].required).collect();
        first.tell_missing(columns, &missing, report);
        return out;
    }
    for other in others {
        let names: Vec<&str> = columns.iter().filter(|c| c.required).map(|c| c.names[0]).collect();
        report.warning(&other.name, 0, format!("not read: its first row does not name {}", names.join(" and ")));
    }
    out
}
