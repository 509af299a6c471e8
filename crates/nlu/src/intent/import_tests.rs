//! What people bring, and what they are told.

use proptest::prelude::*;

use super::*;
use crate::encoding::Encoding;

fn lines(text: &str, toml: bool) -> (Examples, Vec<String>) {
    let (mut examples, mut report) = (Examples::default(), Report::default());
    let kind = if toml { Kind::Toml } else { Kind::Csv };
    read(text.as_bytes(), kind, "", &Reading::default(), &mut examples, &mut report);
    examples.settle(&mut report);
    (examples, report.problems.iter().map(ToString::to_string).collect())
}

const GOOD: &str = "我要退货,return\n怎么退,return\n你好,greeting\n您好,greeting\n";

#[test]
fn csv_as_excel_writes_it_is_read() {
    for text in [
        format!("text,intent\n{GOOD}"),
        format!("\u{feff}text,intent\r\n{}", GOOD.replace('\n', "\r\n")),
        format!("intent;text\n{}", "return;我要退货\nreturn;怎么退\ngreeting;你好\ngreeting;您好\n"),
        format!("id,Text, Intent\n{}", GOOD.lines().flat_map(|l| ["7,", l, "\n"]).collect::<String>()),
        format!("sep=,\n\ntext,intent\n,,\n{GOOD},\n"),
        format!("文本,意图\n{}", GOOD.replace("我要退货", "\"我要退货\"")),
    ] {
        let (examples, problems) = lines(&text, false);
        assert_eq!(examples.list.len(), 4, "{text}: {problems:?}");
        assert_eq!(examples.list[2].text, "怎么退");
    }
}

#[test]
fn every_mistake_has_its_line() {
    for (text, says) in [
        ("text,label_\na,b\n", "line 1: the column \"intent\" is missing"),
        ("a,b\nc,d\n", "line 1: the column \"text\" is missing"),
        (
            "text,intent\nhi,greeting\nhello,greeting\nHI ,bye\nbye,bye\nciao,bye\n",
            "line 4: \"HI\" is bye here and greeting in line 2",
        ),
        ("text,intent\nhi,greeting\nhi,greeting\n", "line 3: \"hi\" is there already in line 2"),
        ("text,intent\nhi,greeting\n,greeting\n", "line 3: the text is empty"),
        ("text,intent\nhi,greeting\nhi there\n", "line 3: the row has 1 of 2 columns"),
        ("text,intent\nhi,\n", "line 2: the intent is empty"),
        ("text,intent\nhello,thanks,greeting\n", "line 2: \"greeting\" is in column 3 of 3, but the first row names 2"),
        (
            "text,intent\nhi,greeting\n\"bye,bye\nciao,bye\n",
            "line 3: a double quote begins a text here that never ends",
        ),
        ("text,intent,text\nhi,a,b\n", "line 1: the columns \"text\" and \"text\" are both read as text"),
        ("text,intent\nh\0i,greeting\n", "line 2: the character U+0000"),
        ("text,intent\nhi,a b\n", "line 2: \"a b\" is no name"),
        ("text,intent\nhi,greeting\nhello,greeting\nbye,goodbye\n", "line 4: goodbye has one example only"),
        ("text,intent\nhi,greeting\nhello,greeting\n", "at least two intents"),
        ("", "line 1: the column"),
    ] {
        let (_, problems) = lines(text, false);
        assert!(problems.iter().any(|p| p.starts_with(says) || p.contains(says)), "{text}: {problems:?}");
    }
    let long = format!("text,intent\n{},a\n", "长".repeat(501));
    assert!(lines(&long, false).1[0].starts_with("line 2: the text has 501 characters"));
}

#[test]
fn the_text_that_the_console_guarded_is_read_as_it_was() {
    // as corrections.ts writes it
    let text =
        "text,intent\r\n\"'=1+1\",\"sum\"\r\n\"''-it's\",\"sum\"\r\n\"'quoted'\",\"quote\"\r\n\"a\nb\",\"quote\"\r\n";
    let (examples, problems) = lines(text, false);
    let mut texts: Vec<_> = examples.list.iter().map(|e| e.text.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["'-it's", "'quoted'", "=1+1", "a\nb"], "{problems:?}");
}

#[test]
fn a_workbook_teaches_too() {
    let (mut examples, mut report) = (Examples::default(), Report::default());
    let bytes = include_bytes!("../../../../tests/data/imports/x-two-sheets.xlsx");
    read(bytes, Kind::Xlsx, "faq.xlsx", &Reading::default(), &mut examples, &mut report);
    assert_eq!(
        report.problems[0].to_string(),
        "faq.xlsx, sheet Sheet:1: the column \"text\" is missing; the first row must name text and intent"
    );
}

#[test]
fn an_intent_in_toml_has_lines_too() {
    let good = "name = \"return\"\nzh = \"退货\"\nzh_examples = [\n  \"我要退货\",\n  \" \",\n]\nen_examples = [\"send back\"]\n";
    let (examples, problems) = lines(good, true);
    assert!(problems.iter().any(|p| p == "line 5: the text is empty"), "{problems:?}");
    assert_eq!((examples.list.len(), examples.intents["return"].zh.as_str()), (2, "退货"));
    assert!(
        lines("name = \"a\"\nzh_example = []\n", true).1[0].starts_with("line 2: this is no intent: unknown field")
    );
    assert!(lines("name = \n", true).1[0].starts_with("line 1: "));
}

#[test]
fn a_directory_is_read_in_order_and_an_empty_one_is_told() {
    let tmp = tempfile::tempdir().unwrap();
    let mut report = Report::default();
    assert!(read_path(tmp.path(), &Reading::default(), &mut report).unwrap().list.is_empty());
    assert_eq!(report.errors(), 1);
    std::fs::write(tmp.path().join("b.csv"), format!("text,intent\n{GOOD}")).unwrap();
    std::fs::write(tmp.path().join("a.toml"), "name = \"return\"\nexamples = [\"我要退货\"]\n").unwrap();
    std::fs::write(tmp.path().join("notes.md"), [0xff]).unwrap();
    let mut report = Report::default();
    let mut examples = read_path(tmp.path(), &Reading::default(), &mut report).unwrap();
    examples.settle(&mut report);
    assert_eq!(report.errors(), 0);
    assert!(
        report
            .problems
            .iter()
            .any(|p| p.to_string() == "b.csv:2: \"我要退货\" is there already in a.toml:2; taken once"),
        "{report:?}"
    );
    assert_eq!(examples.list.len(), 4);
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..3_usize, named in 0..9_usize) {
        let how = Reading { encoding: Encoding::NAMED[named], sheets: Vec::new() };
        let (mut examples, mut report) = (Examples::default(), Report::default());
        let kind = [Kind::Csv, Kind::Toml, Kind::Xlsx][kind];
        read(&bytes, kind, "f", &how, &mut examples, &mut report);
        examples.settle(&mut report);
    }

    #[test]
    fn nearly_right_files_do_not_either(text in "(text|intent|,|\"|\n|\r\n|\t|;|退货|hi|name = |\\[|\\]){0,40}", toml: bool) {
        lines(&text, toml);
        lines(&format!("text,intent\n{text}"), toml);
    }
}
