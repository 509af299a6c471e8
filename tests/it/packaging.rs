//! What is built for servers is the same whichever way it is built.

use std::{collections::BTreeSet, fs, path::Path};

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn cross_builds_what_packaging_builds() {
    let script = read("packaging/build.sh");
    let line = script.lines().find_map(|line| line.strip_prefix("targets=\"")).unwrap();
    let targets: BTreeSet<&str> = line.trim_end_matches('"').split(' ').collect();
    let cross: toml::Table = read("cross.toml").parse().unwrap();
    let sections = cross["target"].as_table().unwrap();
    assert_eq!(sections.keys().map(String::as_str).collect::<BTreeSet<_>>(), targets);
    for (target, section) in sections {
        let image = section["image"].as_str().unwrap();
        assert!(image.contains(&format!("/{target}:")), "{target}: {image}");
    }
    // the only one of the three that rustc does not link statically by itself
    let loongarch = sections["loongarch64-unknown-linux-musl"]["env"]["passthrough"].as_array().unwrap();
    assert!(loongarch.iter().any(|v| v.as_str().unwrap().ends_with("RUSTFLAGS=-Ctarget-feature=+crt-static")));
}
