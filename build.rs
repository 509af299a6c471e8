//! What a build needs beside the sources. A release without pages would be a server that shows nothing: better no build
//! than that. The language model is embedded if its files are there and the feature `model` is on.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    let release = std::env::var("PROFILE").is_ok_and(|p| p == "release");
    if release && !Path::new("ui/dist/manifest.json").exists() {
        println!("cargo::error=ui/dist is missing: run `make ui` first, or `make build`");
    }
    println!("cargo::rerun-if-changed=models/default");
    println!("cargo::rustc-check-cfg=cfg(model_embedded)");
    if std::env::var_os("CARGO_FEATURE_MODEL").is_some() && Path::new("models/default/model.safetensors").exists() {
        println!("cargo::rustc-cfg=model_embedded");
    }
    println!("cargo::rustc-check-cfg=cfg(head_embedded)");
    if std::env::var_os("CARGO_FEATURE_MODEL").is_some() && Path::new("models/default/head.bin").exists() {
        println!("cargo::rustc-cfg=head_embedded");
    }
}
