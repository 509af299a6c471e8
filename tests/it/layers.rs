//! The house has rooms, and a room imports only what its row names. A new edge is a decision, not an accident.

use std::{collections::BTreeMap, fs, path::Path};

/// Left may use right. `bus` joins with the first second node. `cli` reaches `org` and `crypto` because acts that need a
/// company key are signed where the key is, on the command line, never in the server; `chat` and `store` because the load
/// generator fills a store with what conversations write.
const HOUSE: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "app",
            "understanding",
            "ai",
            "bot",
            "client",
            "chat",
            "store",
            "org",
            "crypto",
            "tls",
            "files",
            "config",
            "obs",
            "proto",
        ],
    ),
    ("client", &["crypto", "proto"]),
    ("http", &["chat", "org", "hub", "crypto", "tls", "files", "proto", "config", "net", "obs"]),
    ("chat", &["org", "store", "hub", "desk", "bot", "crypto", "proto", "net", "obs"]),
    ("org", &["store", "crypto", "files", "proto", "net", "obs"]),
    ("hub", &["proto", "obs"]),
    ("desk", &["proto"]),
    ("store", &["files", "proto", "obs"]),
    ("crypto", &["proto"]),
    ("understanding", &["ai", "bot", "chat", "files", "proto"]),
    ("ai", &["files"]),
    ("bot", &["config"]),
    ("tls", &["files"]),
    ("files", &[]),
    ("config", &["net"]),
    ("net", &[]),
    ("proto", &[]),
    ("obs", &[]),
];

fn rust_files(dir: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            rust_files(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// Rooms named after `crate::` in a source line that is code.
fn rooms_named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or("");
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .flat_map(|(at, _)| {
            let rest = &code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => group.split(',').map(|s| word(s.trim())).collect(),
                None => vec![word(rest)],
            }
        })
        .filter(|w| !w.is_empty())
        .collect()
}

fn word(s: &str) -> String {
    s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn rooms_import_only_what_their_row_names() {
    let house: BTreeMap<_, _> = HOUSE.iter().copied().collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut broken = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let mut parts = relative.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
        let (room, inner) = (parts.next().unwrap(), parts.next());
        if inner.is_none() {
            continue; // lib.rs, main.rs, app.rs: the roof and the composition root
        }
        let allowed = house.get(room.as_str()).unwrap_or_else(|| panic!("{room} is not in the house plan"));
        for (n, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for other in rooms_named(line) {
                if other != room && !allowed.contains(&other.as_str()) {
                    broken.push(format!("src/{}:{}: {room} may not import {other}", relative.display(), n + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_groups_paths_and_comments() {
    assert_eq!(rooms_named("use crate::{store, hub::Hub};"), ["store", "hub"]);
    assert_eq!(rooms_named("let x = crate::org::find();"), ["org"]);
    assert!(rooms_named("// crate::org").is_empty());
}
