//! What a build needs in addition to the sources. A release without pages would be a server that shows nothing: better no build
//! than that.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=../../ui/dist");
    let release = std::env::var("PROFILE").is_ok_and(|p| p == "release");
    if release && !Path::new("../../ui/dist/manifest.json").exists() {
        println!("cargo::error=ui/dist is missing: run `make ui` first, or `make build`");
    }
}
