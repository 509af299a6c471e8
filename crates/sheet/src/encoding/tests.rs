//! Bytes and what is read of them, or what is said.

use super::*;

const CHINESE: &str = "问题,答案\n怎么退货,七天内可以退货，运费由我们承担。\n多久发货,付款以后两天内发货\n";
const TRADITIONAL: &str = "問題,答案\n怎麼退貨,七天內可以退貨，運費由我們承擔。\n多久發貨,付款以後兩天內發貨\n";
const JAPANESE: &str = "question,answer\n返品方法は,七日以内であれば返品できます。\n送料はいくらですか,五百円です\n";
const KOREAN: &str =
    "question,answer\n반품은 어떻게 하나요,칠일 이내에 반품할 수 있습니다\n배송비는 얼마인가요,삼천원입니다\n";

fn read(bytes: &[u8], encoding: Encoding) -> (Option<String>, Vec<String>) {
    let mut report = Report::default();
    let text = decode(bytes, encoding, "", &mut report);
    (text, report.problems.iter().map(ToString::to_string).collect())
}

fn bytes(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        other => other.codec().encode(text).0.into_owned(),
    }
}

#[test]
fn what_is_beyond_doubt_is_read() {
    use Encoding::*;
    for (text, encoding) in [
        (CHINESE, Utf8),
        (CHINESE, Utf16Le),
        (CHINESE, Utf16Be),
        ("question,answer\nHow?,So\n", Utf16Le),
        (CHINESE, Gbk),
        ("问题,答案\n𠮷野家怎么走,出门以后往右走两百米就到了\n", Gb18030),
        (TRADITIONAL, Big5),
        (JAPANESE, ShiftJis),
        (KOREAN, EucKr),
    ] {
        let bytes = bytes(text, encoding);
        let (found, told) = read(&bytes, Auto);
        assert_eq!(found.as_deref(), Some(text), "{encoding:?} {told:?}");
        // only Unicode is taken without a word
        assert_eq!(told.is_empty(), matches!(encoding, Utf8 | Utf16Le | Utf16Be), "{told:?}");
        assert!(told.iter().all(|t| t.contains(&format!("was read as {}: ", encoding.name()))), "{told:?}");
        let (found, _) = read(&bytes, encoding);
        assert_eq!(found.as_deref(), Some(text), "{encoding:?} by name");
    }
    assert_eq!(read("\u{feff}退货".as_bytes(), Auto).0.as_deref(), Some("退货"));
    assert_eq!(read(&[0xff, 0xfe, 0x00, 0x90], Auto).0.as_deref(), Some("退"));
}

/// What customers write, five lines a file: never read as anything else, and seldom asked about.
#[test]
fn what_customers_write_is_read_in_gbk() {
    let (mut files, mut asked) = (0, Vec::new());
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/intents")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let intent: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let lines: Vec<&str> =
            intent["zh_examples"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
        for five in lines.chunks(5) {
            let text = format!("text,intent\n{}\n", five.join(",x\n"));
            let bytes = bytes(&text, Encoding::Gb18030);
            files += 1;
            match read(&bytes, Encoding::Auto).0 {
                Some(found) => assert_eq!(found, text),
                None => asked.push(text.clone()),
            }
            assert!(read(&bytes, Encoding::Gb18030).0.is_some(), "{text}");
        }
    }
    assert!(files > 400 && 20 * asked.len() < files, "{} of {files}: {asked:?}", asked.len());
}

#[test]
fn what_is_doubtful_is_asked_with_what_each_would_read() {
    for (text, encoding, line) in [
        ("question,answer\nRückgabe,Innerhalb von 7 Tagen für Sie kostenlos\n", Encoding::Windows1252, 2),
        ("question,answer\nq,Où\nLivraison,Deux jours ouvrés\n", Encoding::Windows1252, 3),
        ("question,answer\nyes,退货\n", Encoding::Gbk, 2),
    ] {
        let bytes = bytes(text, encoding);
        let (found, told) = read(&bytes, Encoding::Auto);
        let sample = text.lines().find(|l| !l.is_ascii()).unwrap().chars().take(6).collect::<String>();
        assert_eq!(found, None, "{told:?}");
        assert!(told[0].contains(&format!("--encoding {} reads \"{sample}", encoding.name())), "{told:?}");
        assert!(told[0].starts_with(&format!("line {}: ", if line == 3 { 2 } else { line })), "{told:?}");
        assert_eq!(read(&bytes, encoding).0.as_deref(), Some(text));
    }
    // Polish and Russian in the code pages of Windows: nothing that --encoding knows
    for (text, codec) in [
        ("Dostawa: zażółć gęślą jaźń łódź\n", encoding_rs::WINDOWS_1250),
        ("Доставка бесплатно, оплата картой\n", encoding_rs::WINDOWS_1251),
    ] {
        let (found, told) = read(&codec.encode(text).0, Encoding::Auto);
        assert_eq!(found, None, "{told:?}");
    }
}

#[test]
fn nonsense_is_never_read_by_name_either() {
    use Encoding::*;
    for (text, is, named) in [
        (TRADITIONAL, Big5, Gbk),
        (JAPANESE, ShiftJis, Gbk),
        (KOREAN, EucKr, Gbk),
        (CHINESE, Gbk, Big5),
        (CHINESE, Gbk, ShiftJis),
        (CHINESE, Gbk, EucKr),
        (CHINESE, Gbk, Windows1252),
        (CHINESE, Gbk, Utf8),
        (KOREAN, EucKr, Windows1252),
        ("Rückgabe\n", Windows1252, Gbk),
        ("Wo ist die Rückgabe?\nÖffnungszeiten für Läden\n", Windows1252, Big5),
    ] {
        let (found, told) = read(&bytes(text, is), named);
        assert_eq!((found, !told.is_empty()), (None, true), "{is:?} as {named:?}");
    }
    // a rare character is accepted in the encoding that was asked for
    assert_eq!(read(&bytes("喆\n", Gbk), Gbk).0.as_deref(), Some("喆\n"));
}

#[test]
fn characters_that_nobody_writes_are_refused_with_their_line() {
    for (text, line, says) in [
        ("a\nb\0\n", 2, "U+0000"),
        ("a\n\u{1b}[31m\n", 2, "U+001B"),
        ("a\n\nb\u{fffd}\n", 3, "U+FFFD"),
        ("\u{e5d2}\n", 1, "U+E5D2"),
        ("a\n锟斤拷锟斤拷\n", 2, "wrong encoding"),
        ("a\né€€è´§\n", 2, "was \"退货\""),
        ("RÃ¼ckgabe\n", 1, "was \"Rückgabe\""),
    ] {
        let (found, told) = read(text.as_bytes(), Encoding::Auto);
        assert_eq!(found, None, "{text:?}");
        assert!(told[0].starts_with(&format!("line {line}: ")) && told[0].contains(says), "{told:?}");
    }
    let (found, told) = read(b"PK\x03\x04rest", Encoding::Auto);
    assert!(found.is_none() && told[0].starts_with("the file is no text but a workbook"), "{told:?}");
    for text in ["Café à Paris, Rückgabe « ja »\n", "联通\n", "👩‍👩‍👧 \u{200b}\n"] {
        assert_eq!(read(text.as_bytes(), Encoding::Auto).0.as_deref(), Some(text));
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), n in 0..9_usize) {
        for encoding in [Encoding::Auto, Encoding::NAMED[n]] {
            if let (Some(text), _) = read(&bytes, encoding) {
                proptest::prop_assert!(foreign_in(&text).is_none());
            }
        }
    }
}
