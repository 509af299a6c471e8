//! What people bring, and what they are told; and that what is exported is read back.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::knowledge::{KnowledgeBase, export};

fn of(text: &str, kind: Kind) -> (Vec<Entry>, Vec<String>) {
    let mut report = Report::default();
    let entries = read(text.as_bytes(), kind, &Reading::default(), &mut report);
    (entries, report.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn the_same_book_comes_from_every_kind() {
    let csv = "question,similar,answer,until\n怎么退货,想退货|退货流程,\"七天内\n可退\",2026/1/5\n运费,,10元,\n";
    let markdown =
        "# 售后\n开头\n## 怎么退货\nalso: 想退货 | 退货流程\nuntil: 2026-01-05\n\n七天内\n可退\n\n## 运费\n10元\n";
    let json = r#"[{"question":"怎么退货","similar":["想退货","退货流程"],"answer":"七天内\n可退","until":"2026-1-5"},
        {"question":"运费","answer":"10元"}]"#;
    let (first, problems) = of(csv, Kind::Csv);
    assert_eq!((first.len(), problems.len(), first[0].until.as_deref()), (2, 0, Some("2026-01-05")), "{problems:?}");
    assert_eq!(of(markdown, Kind::Markdown), (first.clone(), Vec::new()));
    assert_eq!(of(json, Kind::Json), (first, Vec::new()));
}

#[test]
fn a_sheet_of_excel_is_read_with_its_dates() {
    let mut report = Report::default();
    let bytes = include_bytes!("../../../../../tests/data/knowledge.xlsx");
    let entries = read(bytes, Kind::Xlsx, &Reading::default(), &mut report);
    assert_eq!(report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(), ["line 4: the answer is empty"]);
    assert_eq!(entries.len(), 2);
    assert_eq!((entries[0].question.as_str(), entries[0].until.as_deref()), ("怎么退货", Some("2026-01-05")));
    assert_eq!(entries[0].similar, ["想退货", "退货流程"]);
    assert_eq!(entries[1].answer, "10");
    assert_eq!(of("no zip", Kind::Xlsx).1.len(), 1);
}

#[test]
fn cells_may_stand_anywhere_in_a_sheet() {
    let cell = |at: &str, text: &str| format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let row = |n: u32, cells: &[String]| format!(r#"<row r="{n}">{}</row>"#, cells.concat());
    let of_rows = |rows: &[String]| {
        let mut report = Report::default();
        let entries = read(&workbook(&rows.concat()), Kind::Xlsx, &Reading::default(), &mut report);
        (entries.len(), report.problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let head = row(2, &[cell("B2", "问题"), cell("D2", "答案")]);
    let far = row(1_048_576, &[cell("B1048576", "怎么退货"), cell("D1048576", "可退"), cell("XFD1048576", "x")]);
    assert_eq!(of_rows(&[head.clone(), far]), (1, vec![]));
    // rows and columns that no sheet has: an error or left out, whatever the reader of workbooks thinks of them
    let impossible = row(5, &[cell("ZZZZZZZZ99999999999", "x")]);
    let (entries, problems) = of_rows(&[head, row(3, &[cell("B3", "a"), cell("D3", "b")]), impossible]);
    assert!(entries == 1 || problems[0].contains("no Excel file that can be read"), "{entries} {problems:?}");
}

/// The workbook of the tests' data with a sheet of these rows.
fn workbook(rows: &str) -> Vec<u8> {
    let bytes = include_bytes!("../../../../../tests/data/knowledge.xlsx");
    let mut old = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut new = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for n in 0..old.len() {
        let file = old.by_index_raw(n).unwrap();
        if !file.name().unwrap().contains("sheet1") {
            new.raw_copy_file(file).unwrap();
        }
    }
    new.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
    let space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    write!(new, r#"<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>"#).unwrap();
    new.finish().unwrap().into_inner()
}

#[test]
fn mistakes_have_their_lines() {
    for (text, kind, says) in [
        ("question,text\na,b\n", Kind::Csv, "line 1: the column \"answer\" is missing"),
        ("question,answer\na,b\nc,\n", Kind::Csv, "line 3: the answer is empty"),
        ("question,answer\na,b\nA,c\n", Kind::Csv, "line 3: this question has another answer in line 2"),
        ("question,answer\na,b\na,b\n", Kind::Csv, "line 3: this entry is in line 2, too"),
        ("id,question,answer\nx,a,b\nx,c,d\n", Kind::Csv, "line 3: the id x is in line 2, too"),
        ("question,answer,from\na,b,soon\n", Kind::Csv, "line 2: from is \"soon\""),
        ("## a\n\n## b\nc\n", Kind::Markdown, "line 1: the answer is empty"),
        ("text only\n", Kind::Markdown, "the file has no entries"),
        ("[{\"question\":\"a\",\n}]", Kind::Json, "line 2: this is no JSON"),
        ("[{\"question\":\"a\"}]", Kind::Json, "line 1: this entry (counted from 1) can't be read"),
        ("7", Kind::Json, "the JSON is neither"),
    ] {
        let (_, problems) = of(text, kind);
        assert!(problems.iter().any(|p| p.starts_with(says)), "{text}: {problems:?}");
    }
}

#[test]
fn code_and_deeper_headings_belong_to_the_answer() {
    let (entries, _) =
        of("## a\n```\n## no question\n```\n### steps\n1. x\n## b\nid: later\nis no field: here\nc\n", Kind::Markdown);
    assert_eq!(entries.len(), 2);
    assert!(entries[0].answer.contains("## no question") && entries[0].answer.contains("### steps"));
    assert_eq!((entries[1].id.as_str(), entries[1].answer.as_str()), ("later", "is no field: here\nc"));
}

#[test]
fn marks_that_close_a_heading_are_not_of_the_question() {
    let (entries, _) = of("## 怎么退货 ##\na\n## C# 支持吗\nb\n## 用 C#\nc\n", Kind::Markdown);
    let questions: Vec<&str> = entries.iter().map(|e| e.question.as_str()).collect();
    assert_eq!(questions, ["怎么退货", "C# 支持吗", "用 C#"]);
}

prop_compose! {
    fn entry()(question in "[a-z退货 ]{0,8}x", similar in proptest::collection::vec("[a-z怎么]{1,6}", 0..3),
        answer in "[=+@'-]{0,2}[a-z\n.,;'|\"七天]{0,20}y", site in proptest::option::of("[a-z]{1,4}"),
        until in proptest::option::of("2026-0[1-9]-1[0-9]")) -> Entry {
        let mut e = Entry { question, similar, answer, site, until, ..Entry::default() };
        e.settle();
        e
    }
}

proptest! {
    #[test]
    fn what_is_exported_is_read_back(list in proptest::collection::vec(entry(), 1..6)) {
        let mut book = KnowledgeBase::default();
        book.put_all(list);
        for (kind, text) in [
            (Kind::Csv, export::to_csv(&book)),
            (Kind::Json, export::to_json(&book)),
            (Kind::Markdown, export::to_markdown(&book)),
        ] {
            let (entries, problems) = of(&text, kind);
            let again = KnowledgeBase { entries: entries.into_iter().map(|e| (e.id.clone(), e)).collect() };
            // one question may stand twice, once limited in time: reading may refuse that, but must not change it
            if problems.is_empty() {
                prop_assert_eq!(&again, &book, "{:?} {}", kind, text);
            }
        }
    }

    #[test]
    fn no_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        for kind in [Kind::Csv, Kind::Markdown, Kind::Json, Kind::Xlsx] {
            read(&bytes, kind, &Reading::default(), &mut Report::default());
        }
        let mut sheet = include_bytes!("../../../../../tests/data/knowledge.xlsx").to_vec();
        let at = at.index(sheet.len());
        sheet.splice(at..sheet.len().min(at + 3), bytes.into_iter().take(3));
        read(&sheet, Kind::Xlsx, &Reading::default(), &mut Report::default());
    }

    #[test]
    fn nearly_right_files_do_not_either(text in "(question|answer|,|\"|\n|## |also: |```|\\{|\\[|:|退货){0,40}") {
        for kind in [Kind::Csv, Kind::Markdown, Kind::Json] {
            of(&text, kind);
        }
    }
}
