//! Files as people bring them: what is read of each, or which mistake with which line. Those of `tests/data/imports` are as
//! spreadsheets and scripts wrote them; other workbooks are made here.

use std::{fmt::Write as _, io::Write as _};

use super::*;
use crate::knowledge::{KnowledgeBase, export};

/// What a file must do: entries as (question, answer), or the beginning of a problem.
enum Is {
    Read(&'static [(&'static str, &'static str)]),
    Wrong(&'static [&'static str]),
}
use Is::{Read, Wrong};

fn read_file(bytes: &[u8], kind: Kind, sheets: &[&str]) -> (Vec<Entry>, Vec<String>, usize) {
    let mut report = Report::default();
    let how = Reading { sheets: sheets.iter().map(|s| (*s).to_owned()).collect(), ..Reading::default() };
    let entries = read(bytes, kind, &how, &mut report);
    (entries, report.problems.iter().map(ToString::to_string).collect(), report.errors())
}

fn check(name: &str, bytes: &[u8], kind: Kind, is: &Is) {
    let (entries, told, errors) = read_file(bytes, kind, &[]);
    match is {
        Read(list) => {
            let found: Vec<_> = entries.iter().map(|e| (e.question.as_str(), e.answer.as_str())).collect();
            assert_eq!((found.as_slice(), errors), (*list, 0), "{name}: {told:?}");
        }
        Wrong(list) => {
            assert!(errors > 0, "{name}: {entries:?}");
            for says in *list {
                assert!(told.iter().any(|t| t.starts_with(says)), "{name}: {told:?} has no {says:?}");
            }
        }
    }
}

macro_rules! data {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../../../tests/data/imports/", $name)).as_slice())
    };
}

#[test]
fn files_are_read_or_their_mistakes_are_named() {
    for ((name, bytes), is) in [
        (
            data!("x-fmt.xlsx"),
            Read(&[
                ("几点下班", "18:00"),
                ("手续费", "7%"),
                ("年费多少", "￥99.00"),
                ("活动到哪天", "2026年12月31日"),
                ("客服电话", "01234567890"),
            ]),
        ),
        (data!("x-na.xlsx"), Wrong(&["line 2: the cell B2 shows the error #N/A"])),
        (data!("x-two-sheets.xlsx"), Read(&[("第一页的问题", "第一页的回答"), ("第二页的问题", "第二页的回答")])),
        (data!("x-hidden-first.xlsx"), Read(&[("可见页的问题", "可见页的回答")])),
        (
            data!("c-extra-comma.csv"),
            Wrong(&["line 2: \"free of charge\" is in column 3 of 3, but the first row names 2"]),
        ),
        (data!("c-unclosed.csv"), Wrong(&["line 2: a double quote begins a text here that never ends"])),
        (data!("c-sep.csv"), Read(&[("怎么退货", "七天内可退")])),
        (data!("c-blank-lines.csv"), Read(&[("怎么退货", "七天内可退")])),
        (data!("c-big5.csv"), Read(&[("怎麼退貨", "七天內可退")])),
        (data!("c-sjis.csv"), Read(&[("返品方法は？", "七日以内に返品できます")])),
    ] {
        check(name, bytes, if name.ends_with("csv") { Kind::Csv } else { Kind::Xlsx }, &is);
    }
}

#[test]
fn csv_is_read_or_its_mistakes_are_named() {
    for (text, is) in [
        ("question,answer\na,\"b, \"\"c\"\"\nd\"\n", Read(&[("a", "b, \"c\"\nd")])),
        ("question,answer\ra,b\rc,d\r", Read(&[("a", "b"), ("c", "d")])),
        ("question;answer\r\na;b, c\r\n", Read(&[("a", "b, c")])),
        ("question\tanswer\na\tb\n", Read(&[("a", "b")])),
        ("sep=;\nquestion;answer\na;b,c\n", Read(&[("a", "b,c")])),
        ("\"sep=|\"\nquestion|answer\na|b\n", Read(&[("a", "b")])),
        ("sep=,,,\nquestion,answer\na,b\n", Read(&[("a", "b")])),
        ("\n \nquestion,answer\n , \n\na,b,,\n", Read(&[("a", "b")])),
        ("question,answer\n5\" pipe,ok\n", Read(&[("5\" pipe", "ok")])),
        ("question,answer\na,\"b\"  \nc,d", Read(&[("a", "b"), ("c", "d")])),
        ("question,answer\na,b\nc,\"d\n", Wrong(&["line 3: a double quote begins"])),
        (
            "question,answer\na,\"b\nc,\"d\"\n",
            Wrong(&["line 3: 'd' follows the end of a text in double quotes that begins in line 2"]),
        ),
        ("question,answer\na,\"b\" c\n", Wrong(&["line 2: 'c' follows the end of a text in double quotes:"])),
        (
            "question,answer\n\na,b,c\nd,e\nf,g,,h\n",
            Wrong(&["line 3: \"c\" is in column 3", "line 5: \"h\" is in column 4"]),
        ),
        ("question;answer\na;b;c\n", Wrong(&["line 2: \"c\" is in column 3"])),
        ("question,answer,\na,b,c\n", Wrong(&["line 2: \"c\" is in column 3 of 3, but the first row names 2"])),
        ("question,answer\na\n", Wrong(&["line 2: the row has 1 of 2 columns"])),
        (
            "question,answer,回复\na,b,c\n",
            Wrong(&["line 1: the columns \"answer\" and \"回复\" are both read as answer"]),
        ),
        ("question,answer,until\na,b,2026-12-31 18:30\n", Wrong(&["line 2: until is \"2026-12-31 18:30\""])),
        ("sep=;\nquestion;answer\n;b\n", Wrong(&["line 3: the question is empty"])),
        ("question,answer\na,\"b\n\n\"\nc,\n", Wrong(&["line 5: the answer is empty"])),
        ("question,answer\na,b\0\n", Wrong(&["line 2: the character U+0000"])),
        ("", Wrong(&["line 1: the column \"question\" is missing"])),
    ] {
        check(text, text.as_bytes(), Kind::Csv, &is);
    }
    let (_, told, errors) = read_file(b"question,answer,owner\na,b,c\n", Kind::Csv, &[]);
    assert_eq!((told.as_slice(), errors), (["line 1: not read: the column \"owner\"".to_owned()].as_slice(), 0));
}

/// A sheet: its name, its state, its rows, what comes behind them.
type Sheet<'a> = (&'a str, &'a str, String, &'a str);

/// A workbook with these number formats (style 1 and up).
fn workbook(sheets: &[Sheet<'_>], formats: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut file = |name: &str, text: &str| {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let (mut list, mut relations) = (String::new(), String::new());
    for (n, (name, state, rows, behind)) in sheets.iter().enumerate() {
        write!(list, r#"<sheet name="{name}" sheetId="{}" state="{state}" r:id="r{n}"/>"#, n + 1).unwrap();
        write!(relations, r#"<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>"#)
            .unwrap();
        let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{behind}</worksheet>"#);
        file(&format!("xl/worksheets/s{n}.xml"), &sheet);
    }
    let escaped = |s: &str| s.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let number = |n: usize| format!(r#"<numFmt numFmtId="{}" formatCode="{}"/>"#, 164 + n, escaped(formats[n]));
    let style = |n: usize| format!(r#"<xf numFmtId="{}"/>"#, 164 + n);
    let all = |f: &dyn Fn(usize) -> String| (0..formats.len()).map(f).collect::<String>();
    file(
        "xl/styles.xml",
        &format!(
            r#"<styleSheet xmlns="{main}"><numFmts>{}</numFmts><cellXfs><xf numFmtId="0"/>{}</cellXfs></styleSheet>"#,
            all(&number),
            all(&style)
        ),
    );
    file(
        "xl/workbook.xml",
        &format!(r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{list}</sheets></workbook>"#),
    );
    file("xl/_rels/workbook.xml.rels", &format!(r#"<Relationships xmlns="{package}">{relations}</Relationships>"#));
    let book = format!(
        r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    file("_rels/.rels", &book);
    file("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>");
    zip.finish().unwrap().into_inner()
}

fn text(at: &str, text: &str) -> String {
    format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

fn row(n: u32, cells: &[String]) -> String {
    format!(r#"<row r="{n}">{}</row>"#, cells.concat())
}

fn head() -> String {
    row(1, &[text("A1", "问题"), text("B1", "答案")])
}

/// A question `q` with a cell as its answer.
fn asked(n: u32, cell: &str) -> String {
    row(n, &[text(&format!("A{n}"), &format!("q{n}")), cell.to_owned()])
}

#[test]
fn cells_are_read_as_they_are_shown() {
    let formats =
        ["h:mm", "yyyy/m/d hh:mm", "[h]:mm", "0.00%", "[$￥-804]#,##0.00", "000000", "[DBNum2]General", "# ?/?"];
    let number = |style: u32, value: &str| format!(r#"<c r="B2" s="{style}"><v>{value}</v></c>"#);
    let cell = |typ: &str, value: &str| format!(r#"<c r="B2" t="{typ}"><v>{value}</v></c>"#);
    for (cell, is) in [
        (number(0, "0.07000000000000001"), Ok("0.07")),
        (number(1, "0.75"), Ok("18:00")),
        (number(1, "0.41666666666666669"), Ok("10:00")),
        (number(2, "46387.770833333336"), Ok("2026/12/31 18:30")),
        (number(3, "1.5"), Ok("36:00")),
        (number(4, "0.07"), Ok("7.00%")),
        (number(5, "1299"), Ok("￥1,299.00")),
        (number(6, "518"), Ok("000518")),
        (cell("b", "1"), Ok("TRUE")),
        (cell("b", "0"), Ok("FALSE")),
        (cell("str", "=A1"), Ok("=A1")),
        (cell("d", "2026-12-31T00:00:00"), Ok("2026-12-31")),
        (cell("e", "#REF!"), Err("line 2: the cell B2 shows the error #REF!")),
        (cell("e", "#DIV/0!"), Err("line 2: the cell B2 shows the error #DIV/0!")),
        (number(7, "12"), Err("line 2: the cell B2 holds 12, but how it is shown can't be told")),
        (
            number(8, "0.5"),
            Err("line 2: the cell B2 holds 0.5, but how it is shown can't be told: a format of fractions"),
        ),
        (number(0, "6222021234567890123"), Err("line 2: the cell B2 holds 6222021234567890000, but")),
        (r#"<c r="B2"><f>A2&amp;"x"</f></c>"#.to_owned(), Err("line 2: the cell B2 has a formula without a value")),
        (text("B2", "a&#xE000;"), Err("line 2: the character U+E000")),
    ] {
        let bytes = workbook(&[("S", "visible", head() + &asked(2, &cell), "")], &formats);
        let (entries, told, errors) = read_file(&bytes, Kind::Xlsx, &[]);
        match is {
            Ok(shown) => assert_eq!((entries[0].answer.as_str(), errors), (shown, 0), "{cell} {told:?}"),
            Err(says) => assert!(errors == 1 && told[0].starts_with(says), "{cell} {told:?}"),
        }
    }
    // a column that is not read may hold anything; one without a name may not
    let more = |heading: &str| {
        let rows = row(1, &[text("A1", "问题"), text("B1", "答案"), text("C1", heading)])
            + &row(2, &[text("A2", "q"), text("B2", "a"), r#"<c r="C2" t="e"><v>#N/A</v></c>"#.into()]);
        read_file(&workbook(&[("S", "visible", rows, "")], &[]), Kind::Xlsx, &[]).1
    };
    assert_eq!(more("负责人"), ["line 1: not read: the column \"负责人\""]);
    assert_eq!(more(" "), ["line 2: \"\" is in column C, which has no name in the first row"]);
}

#[test]
fn a_day_is_taken_from_a_date_whatever_its_format_leaves_out() {
    let rows = |value: &str| {
        row(1, &[text("A1", "question"), text("B1", "answer"), text("C1", "until")])
            + &row(2, &[text("A2", "q"), text("B2", "a"), format!(r#"<c r="C2" s="1"><v>{value}</v></c>"#)])
    };
    let read =
        |value: &str| read_file(&workbook(&[("S", "visible", rows(value), "")], &["m\"月\"d\"日\""]), Kind::Xlsx, &[]);
    assert_eq!(read("46387").0[0].until.as_deref(), Some("2026-12-31"));
    assert_eq!(read("46387.5").1, ["line 2: until is \"12月31日\", not a day such as 2026-01-31"]);
}

#[test]
fn sheets_are_read_skipped_or_named() {
    let sheet = |n: &str, state: &'static str| -> Sheet<'static> {
        let name: &'static str = Box::leak(n.to_owned().into_boxed_str());
        (name, state, head() + &row(2, &[text("A2", n), text("B2", "a")]), "")
    };
    let other = ("说明", "visible", row(1, &[text("A1", "本表由客服部维护")]), "");
    let empty = ("Sheet3", "visible", String::new(), "");
    let bytes = workbook(
        &[
            sheet("甲", "visible"),
            sheet("乙", "hidden"),
            other.clone(),
            sheet("丙", "visible"),
            empty,
            sheet("丁", "veryHidden"),
        ],
        &[],
    );
    let questions = |sheets: &[&str]| {
        let (entries, told, _) = read_file(&bytes, Kind::Xlsx, sheets);
        (entries.into_iter().map(|e| e.question).collect::<Vec<_>>(), told)
    };
    let (found, told) = questions(&[]);
    assert_eq!(found, ["甲", "丙"]);
    assert_eq!(
        told,
        [
            "the sheet \"乙\" is hidden and was not read; --sheet \"乙\" reads it",
            "the sheet \"丁\" is hidden and was not read; --sheet \"丁\" reads it",
            "sheet 说明: not read: its first row does not name question and answer",
        ]
    );
    assert_eq!(questions(&["乙", "丙"]).0, ["乙", "丙"]);
    assert_eq!(
        questions(&["戊"]).1,
        ["there is no sheet \"戊\"; there are \"甲\", \"乙\", \"说明\", \"丙\", \"Sheet3\", \"丁\""]
    );
    assert_eq!(
        questions(&["说明"]).1[0],
        "sheet 说明:1: the column \"question\" is missing; the first row must name question and answer"
    );
    let hidden = workbook(&[sheet("甲", "hidden")], &[]);
    assert!(read_file(&hidden, Kind::Xlsx, &[]).1.iter().any(|t| t.starts_with("all sheets are hidden")));
    // mistakes name the sheet, and where the other entry is
    let twice = workbook(
        &[sheet("甲", "visible"), ("乙", "visible", head() + &row(2, &[text("A2", "甲"), text("B2", "b")]), "")],
        &[],
    );
    assert_eq!(
        read_file(&twice, Kind::Xlsx, &[]).1,
        ["sheet 乙:2: this question has another answer in sheet 甲:2: decide for one"]
    );
    let half = workbook(
        &[sheet("甲", "visible"), ("乙", "visible", row(1, &[text("A1", "问题"), text("B1", "anwser")]), "")],
        &[],
    );
    assert!(read_file(&half, Kind::Xlsx, &[]).1[0].starts_with("sheet 乙:1: the column \"answer\" is missing"));
}

#[test]
fn merged_cells_are_said_in_each_row() {
    let rows = row(1, &[text("A1", "question"), text("B1", "answer"), text("C1", "similar")])
        + &row(2, &[text("A2", "怎么退货"), text("B2", "七天内"), text("C2", "想退货")])
        + &row(3, &[text("A3", "beneath"), text("C3", "退货流程")])
        + &row(4, &[text("A4", "换货呢")]);
    let merged = r#"<mergeCells><mergeCell ref="A2:A3"/><mergeCell ref="B2:B4"/></mergeCells>"#;
    let (entries, told, errors) = read_file(&workbook(&[("S", "visible", rows.clone(), merged)], &[]), Kind::Xlsx, &[]);
    assert_eq!(told, ["line 3: this entry is in line 2, too; taken once, with the similar phrasings of both"]);
    assert_eq!((errors, entries.len()), (0, 2));
    assert_eq!(entries[0].similar, ["想退货", "退货流程"]);
    assert_eq!((entries[1].question.as_str(), entries[1].answer.as_str()), ("换货呢", "七天内"));
    // a title across the columns is no answer
    let title = head() + &row(2, &[text("A2", "售后")]) + &row(3, &[text("A3", "q"), text("B3", "a")]);
    let across = r#"<mergeCells><mergeCell ref="A2:B2"/></mergeCells>"#;
    assert_eq!(
        read_file(&workbook(&[("S", "visible", title, across)], &[]), Kind::Xlsx, &[]).1,
        ["line 2: the answer is empty"]
    );
}

#[test]
fn what_would_be_a_formula_is_exported_as_text_and_read_back() {
    let answers = [
        "=1+1",
        "+86 400",
        "-5 °C",
        "@all",
        "'=1",
        "''+it's",
        "- a\n- b",
        "=HYPERLINK(\"http://x\",\"it's\")",
        "'quoted'",
        "a",
    ];
    let mut book = KnowledgeBase::default();
    for (n, answer) in answers.iter().enumerate() {
        let mut e = Entry {
            question: format!("@q{n}"),
            answer: (*answer).into(),
            similar: vec!["=x|-y".into()],
            ..Entry::default()
        };
        assert_eq!(e.settle(), [""; 0]);
        book.put_all(vec![e]);
    }
    let csv = export::to_csv(&book);
    assert!(csv.contains(",\"'=1+1\",") && csv.contains(",\"'@q0\",") && csv.contains(",'quoted',"), "{csv}");
    // no cell begins as a formula
    assert!(
        !csv.replace('"', "")
            .split([',', '\n'])
            .any(|cell| cell.starts_with(['=', '+', '@', '-']) && cell != "- b" && !cell.starts_with("- b")),
        "{csv}"
    );
    let (entries, told, _) = read_file(csv.as_bytes(), Kind::Csv, &[]);
    let again = KnowledgeBase { entries: entries.into_iter().map(|e| (e.id.clone(), e)).collect() };
    assert_eq!((again, told), (book, vec![]));
    // an apostrophe in somebody else's file is taken for a guard only if it is no quotation mark
    let (entries, _, _) = read_file("问题,答案\na,'+86 400\nb,'+86' is China\nc,'tis\n".as_bytes(), Kind::Csv, &[]);
    assert_eq!(entries.iter().map(|e| e.answer.as_str()).collect::<Vec<_>>(), ["+86 400", "'+86' is China", "'tis"]);
}
