//! Embeds the language model, compressed, if its files are there and the feature `model` is on.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};

/// Where the default model lies.
const MODEL: &str = "../../models/default";

fn main() {
    println!("cargo::rerun-if-changed={MODEL}");
    println!("cargo::rustc-check-cfg=cfg(model_embedded)");
    println!("cargo::rustc-check-cfg=cfg(head_embedded)");
    if std::env::var_os("CARGO_FEATURE_MODEL").is_some() {
        let model = [
            ("config.json", "config.json"),
            ("1_Pooling/config.json", "pooling.json"),
            ("tokenizer.json", "tokenizer.json"),
            ("model.safetensors", "model.safetensors"),
        ];
        if model.iter().all(|(file, name)| pack(file, name)) {
            println!("cargo::rustc-cfg=model_embedded");
        }
        if pack("head.bin", "head.bin") {
            println!("cargo::rustc-cfg=head_embedded");
        }
    }
}

/// Compresses a file of `models/default` to where the sources include it from. False if it isn't there.
#[expect(clippy::expect_used, reason = "a build that cannot write its output ends")]
fn pack(file: &str, name: &str) -> bool {
    let Ok(bytes) = fs::read(Path::new(MODEL).join(file)) else { return false };
    let out = Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets it")).join("model");
    fs::create_dir_all(&out).expect("cargo made the folder above");
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(&bytes)
        .and_then(|()| gz.finish())
        .and_then(|gz| fs::write(out.join(format!("{name}.gz")), gz))
        .expect(name);
    true
}
