//! Workbooks of Excel: the sheets that are visible, or those that are asked for.

use std::{
    collections::BTreeMap,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{DataRef, Dimensions, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::{
    Cell, Column, Row, Table, Values,
    dates::day_of,
    format::{code_of, number, text},
    rows_of,
};
use crate::text_file::Report;

/// Cells further right than this are left out: no column of ours stands there.
const MAX_COLUMNS: u32 = 1024;

type KnowledgeBase = Xlsx<Cursor<Vec<u8>>>;
type Rows = BTreeMap<u32, BTreeMap<usize, Cell>>;

/// The rows of the sheets that have the columns. `wanted`: names of sheets; empty: all visible ones.
pub fn of_workbook(
    bytes: &[u8],
    name: &str,
    wanted: &[String],
    columns: &[Column],
    report: &mut Report,
) -> Vec<Values> {
    // calamine may panic on a damaged file
    let mut told = Report::default();
    let read = catch_unwind(AssertUnwindSafe(|| tables(bytes, name, wanted, &mut told)));
    match read.unwrap_or(Err(XlsxError::Unexpected("its structure makes no sense"))) {
        Ok(tables) => {
            let stop = told.errors() > 0;
            report.append(told);
            if stop { Vec::new() } else { rows_of(tables, columns, report) }
        }
        Err(e) => {
            report.error(name, 0, format!("this is no Excel file that can be read: {e}"));
            Vec::new()
        }
    }
}

/// `A` for 0, `AA` for 26.
pub fn letters(column: usize) -> String {
    let (before, last) = (column / 26, char::from(b'A' + (column % 26) as u8));
    if before == 0 { last.to_string() } else { letters(before - 1) + &last.to_string() }
}

fn tables(bytes: &[u8], file: &str, wanted: &[String], report: &mut Report) -> Result<Vec<Table>, XlsxError> {
    let mut book: KnowledgeBase = calamine::open_workbook_from_rs(Cursor::new(bytes.to_vec()))?;
    let sheets: Vec<_> = book.sheets_metadata().iter().filter(|s| s.typ == SheetType::WorkSheet).cloned().collect();
    let names: Vec<&str> = sheets.iter().map(|s| s.name.as_str()).collect();
    for wish in wanted.iter().filter(|w| !names.contains(&w.as_str())) {
        report.error(file, 0, format!("there is no sheet {wish:?}; there are {}", quoted_list(&names)));
    }
    let mut tables = Vec::new();
    for sheet in &sheets {
        let visible = sheet.visible == SheetVisible::Visible;
        let read = if wanted.is_empty() { visible } else { wanted.contains(&sheet.name) };
        if !read {
            if wanted.is_empty() {
                let how =
                    format!("the sheet {:?} is hidden and was not read; --sheet {:?} reads it", sheet.name, sheet.name);
                report.warning(file, 0, how);
            }
            continue;
        }
        let name = match (file, sheets.len()) {
            ("", 1) => String::new(),
            (_, 1) => file.to_owned(),
            ("", _) => format!("sheet {}", sheet.name),
            _ => format!("{file}, sheet {}", sheet.name),
        };
        tables.push(table(&mut book, &sheet.name, name)?);
    }
    if tables.is_empty() && report.errors() == 0 {
        report.error(file, 0, "all sheets are hidden; --sheet names those to read");
    }
    // an empty sheet beside others says nothing
    if tables.len() > 1 {
        tables.retain(|t| !t.rows.is_empty());
    }
    Ok(tables)
}

fn quoted_list(names: &[&str]) -> String {
    names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
}

fn table(book: &mut KnowledgeBase, sheet: &str, name: String) -> Result<Table, XlsxError> {
    let mut rows = cells(book, sheet)?;
    uncalculated(book, sheet, &mut rows)?;
    let merged = book.merge_cells_by_sheet_name(sheet)?;
    fill(&mut rows, &merged);
    let rows = rows.into_iter().map(|(n, row)| {
        let width = row.last_key_value().map_or(0, |(column, _)| column + 1);
        let mut cells = vec![Cell::default(); width];
        row.into_iter().for_each(|(column, cell)| cells[column] = cell);
        Row { line: u64::from(n) + 1, cells }
    });
    Ok(Table { name, rows: rows.collect(), separator: None })
}

/// What the cells show, without the empty ones. Cell by cell: calamine's own table of a sheet has room for every cell up to the
/// last, and one damaged reference puts that anywhere.
fn cells(book: &mut KnowledgeBase, sheet: &str) -> Result<Rows, XlsxError> {
    let is_1904 = book.has_1904_epoch();
    let mut rows = Rows::new();
    let mut cells = book.worksheet_cells_reader(sheet)?;
    while let Some((found, style)) = cells.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        if column >= MAX_COLUMNS {
            continue;
        }
        let format = cells.styles().get(style).and_then(|s| s.number_format.as_ref());
        let (id, code) = format.map_or((None, "General"), |f| (f.format_id, f.format_code.as_str()));
        let place = || format!("{}{}", letters(column as usize), u64::from(row) + 1);
        let cell = cell(found.get_value(), id, code, is_1904, place);
        if !cell.is_empty() {
            rows.entry(row).or_default().insert(column as usize, cell);
        }
    }
    Ok(rows)
}

fn cell(value: &DataRef<'_>, id: Option<u32>, code: &str, is_1904: bool, place: impl Fn() -> String) -> Cell {
    let refused = |shown: String, why: String| {
        format!(
            "the cell {} holds {shown}, but how it is shown can't be told: {why}; format it as text and write it as it is to be read",
            place()
        )
    };
    match value {
        DataRef::Empty => Cell::default(),
        DataRef::String(s) => {
            Cell { shown: Some(text(s, code).map_err(|why| refused(format!("{s:?}"), why))), day: None }
        }
        DataRef::SharedString(s) => {
            Cell { shown: Some(text(s, code).map_err(|why| refused(format!("{s:?}"), why))), day: None }
        }
        DataRef::Bool(b) => Cell::text(if *b { "TRUE" } else { "FALSE" }.into()),
        DataRef::Error(e) => Cell {
            shown: Some(Err(format!("the cell {} shows the error {e}: correct its formula", place()))),
            day: None,
        },
        DataRef::DateTimeIso(s) => Cell::text(s.replace('T', " ").trim_end_matches(" 00:00:00").to_owned()),
        DataRef::DurationIso(s) => Cell {
            shown: Some(Err(refused(s.clone(), "a duration in a form that Excel does not write".into()))),
            day: None,
        },
        DataRef::Int(_) | DataRef::Float(_) | DataRef::DateTime(_) => {
            let number_of = match value {
                DataRef::Int(n) => *n as f64,
                DataRef::Float(n) => *n,
                DataRef::DateTime(d) => d.as_f64(),
                _ => 0.0,
            };
            let shown = code_of(id, code).and_then(|code| number(number_of, code, is_1904));
            let day = match value {
                DataRef::DateTime(d) if d.is_datetime() && number_of.fract() == 0.0 => {
                    day_of(number_of, is_1904).map(|d| d.to_string())
                }
                _ => None,
            };
            Cell { shown: Some(shown.map_err(|why| refused(number_of.to_string(), why))), day }
        }
    }
}

/// Formulas of which the file has no value: nobody has opened it in a program that calculates.
fn uncalculated(book: &mut KnowledgeBase, sheet: &str, rows: &mut Rows) -> Result<(), XlsxError> {
    let mut cells = book.worksheet_cells_reader(sheet)?;
    while let Some(found) = cells.next_cell_with_formula_metadata()? {
        let (row, column) = found.pos;
        if found.formula.is_some() && matches!(found.value, DataRef::Empty) && column < MAX_COLUMNS {
            let place = format!("{}{}", letters(column as usize), u64::from(row) + 1);
            let message = format!("the cell {place} has a formula without a value: open the file in Excel and save it");
            let cell = Cell { shown: Some(Err(message)), day: None };
            rows.entry(row).or_default().insert(column as usize, cell);
        }
    }
    Ok(())
}

/// Merged cells show what the first one holds, whatever lies beneath. What is merged downwards is said in each row that says
/// something of its own.
fn fill(rows: &mut Rows, merged: &[Dimensions]) {
    for r in merged {
        let (first, columns) = (r.start, r.start.1 as usize..=r.end.1 as usize);
        for (n, row) in rows.range_mut(r.start.0..=r.end.0.max(r.start.0)) {
            row.retain(|column, _| !columns.contains(column) || (*n, *column) == (first.0, first.1 as usize));
        }
    }
    rows.retain(|_, row| !row.is_empty());
    for r in merged {
        let column = r.start.1 as usize;
        let Some(cell) = rows.get(&r.start.0).and_then(|row| row.get(&column)).cloned() else { continue };
        for (_, row) in rows.range_mut(r.start.0..=r.end.0.max(r.start.0)).skip(1) {
            row.insert(column, cell.clone());
        }
    }
}
