//! Rows with headings: CSV and Excel.

use std::{
    collections::BTreeMap,
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{Data, Reader as _, Xlsx, XlsxError};

use crate::ai::{knowledge::Entry, text_file::Report};

/// Headings by field, the first is the one that is exported.
pub const HEADINGS: [(&str, &[&str]); 8] = [
    ("id", &["id", "编号"]),
    ("question", &["question", "title", "问题", "标准问", "标准问题"]),
    ("similar", &["similar", "相似问", "相似问法", "相似问题"]),
    ("answer", &["answer", "答案", "回答", "回复"]),
    ("site", &["site", "站点"]),
    ("from", &["from", "开始", "生效日期"]),
    ("until", &["until", "结束", "失效日期"]),
    ("lang", &["lang", "language", "语言"]),
];

/// Where each field stands.
struct Columns([Option<usize>; 8]);

impl Columns {
    fn of(headings: &[String], report: &mut Report) -> Option<Self> {
        let places =
            HEADINGS.map(|(_, names)| headings.iter().position(|h| names.contains(&h.trim().to_lowercase().as_str())));
        for required in [1, 3] {
            if places[required].is_none() {
                let name = HEADINGS[required].0;
                report.error(
                    "",
                    1,
                    format!("the column {name:?} is missing; the first row must name question and answer"),
                );
            }
        }
        (places[1].is_some() && places[3].is_some()).then_some(Self(places))
    }

    fn entry(&self, cell: &dyn Fn(usize) -> String) -> Entry {
        let get = |n: usize| self.0[n].map(cell).unwrap_or_default();
        let some = |n: usize| Some(get(n)).filter(|s| !s.trim().is_empty());
        Entry {
            id: get(0),
            question: get(1),
            similar: get(2).split(['\n', '|', '｜']).map(str::to_owned).collect(),
            answer: get(3),
            site: some(4),
            from: some(5),
            until: some(6),
            lang: some(7),
        }
    }
}

/// Entries with their lines.
pub fn from_csv(text: &str, report: &mut Report) -> Vec<(u64, Entry)> {
    let first = text.lines().next().unwrap_or("");
    let many = |d: u8| (first.bytes().filter(|b| *b == d).count(), d == b',');
    let delimiter = [b',', b'\t', b';'].into_iter().max_by_key(|d| many(*d)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let headings: Vec<String> = match reader.headers() {
        Ok(row) => row.iter().map(str::to_owned).collect(),
        Err(e) => {
            report.error("", 1, format!("this is no CSV: {e}"));
            return Vec::new();
        }
    };
    let Some(columns) = Columns::of(&headings, report) else { return Vec::new() };
    let (mut entries, mut row) = (Vec::new(), csv::StringRecord::new());
    loop {
        let before = reader.position().line();
        match reader.read_record(&mut row) {
            Ok(true) => {
                let line = row.position().map_or(before, csv::Position::line);
                entries.push((line, columns.entry(&|n| row.get(n).unwrap_or("").to_owned())));
            }
            Ok(false) => return entries,
            Err(e) => {
                report.error("", before, format!("this is no CSV from here: {e}"));
                return entries;
            }
        }
    }
}

/// Cells further right than this are left out: no column of ours stands there.
const MAX_COLUMNS: u32 = 1024;

type Rows = BTreeMap<u32, BTreeMap<usize, String>>;

/// Entries of the first sheet with their rows.
pub fn from_xlsx(bytes: &[u8], report: &mut Report) -> Vec<(u64, Entry)> {
    // calamine may panic on a damaged file
    let read = catch_unwind(AssertUnwindSafe(|| rows(bytes)));
    let rows = match read.unwrap_or(Err(XlsxError::Unexpected("its structure makes no sense"))) {
        Ok(rows) => rows,
        Err(e) => {
            report.error("", 0, format!("this is no Excel file that can be read: {e}"));
            return Vec::new();
        }
    };
    let mut rows = rows.into_iter();
    let first = rows.next().map(|(_, row)| row).unwrap_or_default();
    let width = first.last_key_value().map_or(0, |(column, _)| column + 1);
    let headings: Vec<String> = (0..width).map(|c| first.get(&c).cloned().unwrap_or_default()).collect();
    let Some(columns) = Columns::of(&headings, report) else { return Vec::new() };
    rows.map(|(n, row)| (u64::from(n) + 1, columns.entry(&|c| row.get(&c).cloned().unwrap_or_default()))).collect()
}

/// What the cells of the first sheet say, without the empty ones. Cell by cell: calamine's own table of a sheet has room for
/// every cell up to the last, and one damaged reference puts that anywhere.
fn rows(bytes: &[u8]) -> Result<Rows, XlsxError> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes))?;
    let mut rows = Rows::new();
    let Some(first) = book.sheet_names().into_iter().next() else { return Ok(rows) };
    let mut cells = book.worksheet_cells_reader(&first)?;
    while let Some(found) = cells.next_cell()? {
        let ((row, column), text) = (found.get_position(), cell(&found.get_value().clone().into()));
        if column < MAX_COLUMNS && !text.trim().is_empty() {
            rows.entry(row).or_default().insert(column as usize, text);
        }
    }
    Ok(rows)
}

fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(d) if d.is_datetime() => {
            let (year, month, day, ..) = d.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => other.to_string(),
    }
}
