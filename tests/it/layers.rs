//! The modules of the server (`crates/server/src`) and of the command line (`src`) form layers: each imports only the modules
//! and the libraries of `crates/` that its row names. A new edge
//! is a decision, not an accident, so it fails here first; so does a row that names more than is used. Cargo enforces
//! the same between the libraries.
//!
//! Files are read as tokens, not as lines: groups over several lines, paths in the middle of code and in macros count alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Left may use right. `cli` reaches `org` and `crypto` because acts that need a company key are signed where the key is, on the
/// command line, never in the server; `chat` and `store` because `kefu bench start` fills a store with what conversations write.
const LAYERS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "app",
            "data_dir",
            "nlu",
            "robot",
            "loadgen",
            "client",
            "chat",
            "store",
            "org",
            "crypto",
            "tls",
            "files",
            "config",
            "telemetry",
            "clock",
            "proto",
        ],
    ),
    (
        "app",
        &[
            "data_dir",
            "http",
            "chat",
            "documents",
            "org",
            "bus",
            "hub",
            "robot",
            "desk",
            "store",
            "blobs",
            "notices",
            "crypto",
            "tls",
            "files",
            "proto",
            "config",
            "telemetry",
            "clock",
        ],
    ),
    (
        "http",
        &[
            "chat",
            "documents",
            "blobs",
            "robot",
            "org",
            "hub",
            "crypto",
            "tls",
            "files",
            "proto",
            "config",
            "net",
            "telemetry",
        ],
    ),
    ("robot", &["chat", "org", "nlu", "store", "crypto", "files", "clock", "proto", "config"]),
    ("chat", &["org", "store", "blobs", "bus", "hub", "desk", "crypto", "proto", "net", "telemetry"]),
    ("documents", &["org", "store", "bus", "hub", "crypto", "proto"]),
    ("org", &["store", "crypto", "clock", "proto", "net"]),
    ("bus", &["hub", "crypto", "clock", "proto"]),
    ("hub", &["proto"]),
    ("tls", &["files", "clock"]),
    ("data_dir", &[]),
];

/// Parts of a module that may use less than the whole of it.
const PARTS: &[(&str, &[&str])] = &[
    ("robot/participant", &["chat", "store", "crypto", "proto"]),
    ("robot/engine", &["chat", "nlu", "files", "proto"]),
    ("robot/keys", &["org", "crypto", "files", "clock", "proto"]),
    ("robot/policy", &["config"]),
];

/// The libraries, under their names in `lib.rs`.
const LIBRARIES: [&str; 15] = [
    "blobs",
    "nlu",
    "notices",
    "loadgen",
    "client",
    "clock",
    "config",
    "crypto",
    "desk",
    "files",
    "net",
    "telemetry",
    "proto",
    "redis_link",
    "store",
];

/// One use of another module: where, and which.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    module: String,
}

/// The modules that a file at `depth` (0 for `lib.rs`, 1 for `chat/mod.rs`, 2 for `chat/post.rs`) names by a path from the root:
/// `crate::x`, `$crate::x`, `super::super::x` if that is the root, and each branch of a group.
fn imports(source: &str, depth: usize) -> Vec<Import> {
    let tokens: TokenStream = source.parse().expect("Rust");
    let mut found = Vec::new();
    walk(&tokens.into_iter().collect::<Vec<_>>(), depth, &mut found);
    found
}

fn walk(tokens: &[TokenTree], depth: usize, found: &mut Vec<Import>) {
    let mut at = 0;
    while at < tokens.len() {
        let inside_module = at >= 2 && is_ident(&tokens[at - 2], "mod");
        match &tokens[at] {
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                walk(&inner, depth + usize::from(inside_module), found);
            }
            token if is_ident(token, "crate") && follows_path(tokens, at + 1) => {
                branches(&tokens[at + 3..], found);
            }
            token if is_ident(token, "super") && !preceded_by_path(tokens, at) => {
                let mut supers = 1;
                while follows_path(tokens, at + 1) && tokens.get(at + 3).is_some_and(|t| is_ident(t, "super")) {
                    supers += 1;
                    at += 3;
                }
                if supers == depth && follows_path(tokens, at + 1) {
                    branches(&tokens[at + 3..], found);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// The first names after `crate::`.
fn branches(after: &[TokenTree], found: &mut Vec<Import>) {
    match after.first() {
        Some(TokenTree::Ident(name)) => {
            found.push(Import { line: name.span().start().line, module: name.to_string() });
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.split(is_comma).for_each(|branch| branches(branch, found));
        }
        _ => {}
    }
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if *ident == name)
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

fn follows_path(tokens: &[TokenTree], at: usize) -> bool {
    is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
}

fn preceded_by_path(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && is_colon(tokens.get(at - 1)) && is_colon(tokens.get(at - 2))
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            rust_files(&entry, out);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            out.push(entry);
        }
    }
}

/// `chat/post.rs` is the module chat, `app.rs` is app, and `lib.rs` is lib.
fn module_and_depth(relative: &Path) -> (String, usize) {
    let parts: Vec<String> =
        relative.with_extension("").components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    let depth =
        if matches!(parts.last().unwrap().as_str(), "mod" | "lib" | "main") { parts.len() - 1 } else { parts.len() };
    (parts[0].clone(), depth)
}

#[test]
fn modules_import_what_their_row_names_and_nothing_else() {
    let layers: BTreeMap<&str, BTreeSet<&str>> =
        LAYERS.iter().map(|(module, row)| (*module, row.iter().copied().collect())).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for src in ["src", "crates/server/src"] {
        let before = files.len();
        rust_files(&root.join(src), &mut files);
        assert!(files.len() > before, "{src} has no sources");
    }
    let (mut wrong, mut used, mut all) = (Vec::new(), BTreeSet::new(), 0);
    for file in files {
        let shown = file.strip_prefix(root).unwrap();
        let relative = shown.strip_prefix("crates/server/src").or_else(|_| shown.strip_prefix("src")).unwrap();
        let (module, depth) = module_and_depth(relative);
        let source = fs::read_to_string(&file).unwrap();
        // the executable's root knows the library by its name
        let source = if module == "main" { source.replace("kefu::", "crate::") } else { source };
        let imports = imports(&source, depth).into_iter().filter(|import| import.module != module);
        let known = |name: &str| layers.contains_key(name) || LIBRARIES.contains(&name);
        for Import { line, module: other } in imports.filter(|import| known(&import.module)) {
            all += 1;
            let part = PARTS.iter().find(|(part, _)| relative.starts_with(part));
            if let Some((part, _)) = part.filter(|(_, row)| !row.contains(&other.as_str())) {
                wrong.push(format!("{}:{line}: {part} may not import {other}", shown.display()));
            }
            if let Some((part, _)) = part {
                used.insert(((*part).to_owned(), other.clone()));
            }
            if layers.get(module.as_str()).is_some_and(|row| row.contains(other.as_str())) {
                used.insert((module.clone(), other));
            } else {
                wrong.push(format!("{}:{line}: {module} may not import {other}", shown.display()));
            }
        }
        if !layers.contains_key(module.as_str()) && module != "lib" {
            wrong.push(format!("{}: {module} has no row", shown.display()));
        }
    }
    for (module, row) in LAYERS.iter().chain(PARTS) {
        let unused = row.iter().filter(|other| !used.contains(&((*module).to_owned(), (**other).to_owned())));
        wrong.extend(unused.map(|other| format!("the row of {module} names {other}, which it does not import")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{all} imports between modules");
}

fn named(source: &str, depth: usize) -> Vec<String> {
    imports(source, depth).into_iter().map(|import| import.module).collect()
}

#[test]
fn imports_are_seen_wherever_they_stand() {
    for (source, depth, expected) in [
        ("use crate::{\n    store,\n    hub::{Hub, Outbox},\n};", 1, vec!["store", "hub"]),
        ("pub(crate) use crate::org::Org as O;", 1, vec!["org"]),
        ("fn f() { let x = crate::org::find(); m!(crate::chat::Chat) }", 1, vec!["org", "chat"]),
        ("macro_rules! m { () => { $crate::proto::Id } }", 1, vec!["proto"]),
        ("use super::super::hub::Hub;", 2, vec!["hub"]),
        ("use super::{cell::Cell, post};", 2, vec![]),
        ("mod tests { use super::super::super::{desk, net::{self}}; }", 2, vec!["desk", "net"]),
        ("// crate::org\nconst X: &str = \"crate::org\";", 1, vec![]),
    ] {
        assert_eq!(named(source, depth), expected, "{source}");
    }
    let found = imports("use crate::{\n    store,\n    hub,\n};", 1);
    assert_eq!(found[1], Import { line: 3, module: "hub".into() });
}
