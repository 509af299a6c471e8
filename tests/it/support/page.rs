//! The texts that pages of `docs/` tell people to use: tests that run them keep the pages right.

use std::{fs, path::Path};

/// What stands between the fences of the only block of `docs/operations.md` with such a first line.
pub fn block(first_line: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2);
    // the rest of the line of a fence names the language
    let texts = blocks.filter_map(|block| block.split_once('\n').map(|(_, text)| text));
    let found: Vec<&str> = texts.filter(|text| text.starts_with(first_line)).collect();
    let [text] = found[..] else { panic!("{} blocks begin with {first_line:?}", found.len()) };
    format!("{text}\n")
}

/// A text with some of its words exchanged; each of them must be there.
pub fn exchanged(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} is not in:\n{text}");
        text.replace(old, new)
    })
}
