//! The tensors of an encoder: `model.safetensors`, or the files of `model.safetensors.index.json`.
//!
//! A tensor is read from its place in the file straight into f32 memory, a piece at a time. So a model needs its own size and
//! not twice that, and a file that is truncated while it is read is an error; under a memory map it would end the process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    os::unix::fs::FileExt as _,
};

use candle_core::{Device, Tensor};
use half::{bf16, f16};
use safetensors::{Dtype, tensor::Metadata};
use serde::Deserialize;

use crate::{layout::Directory, model::ModelError};

/// As the safetensors library has it.
const MAX_HEADER: u64 = 100_000_000;
/// Files of one model.
const MAX_SHARDS: usize = 256;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
/// Of each piece so many bytes go into the model's hash: no two trainings leave all of them alike, and hashing gigabytes would
/// take longer than reading them.
const HASHED: usize = 4 << 10;

/// The open files of an encoder's weights, and where in them each tensor is.
#[derive(Debug)]
pub struct Weights<'a> {
    dir: &'a Directory,
    files: Vec<(String, File)>,
    places: BTreeMap<String, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    file: usize,
    at: u64,
    bytes: usize,
    dtype: Dtype,
    shape: Vec<usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl<'a> Weights<'a> {
    /// Opens the files in `folder` of `dir` and reads their headers.
    ///
    /// # Errors
    /// There are none that can be read, or one isn't whole.
    pub fn open(dir: &'a Directory, folder: &str) -> Result<Self, ModelError> {
        let single = format!("{folder}model.safetensors");
        let index = format!("{folder}model.safetensors.index.json");
        let names = if dir.has(&single) {
            vec![single]
        } else if let Some(found) = dir.json::<Index>(&index)? {
            let names: BTreeSet<String> = found.weight_map.into_values().collect();
            if names.len() > MAX_SHARDS || names.iter().any(|n| n.contains(['/', '\\']) || !n.ends_with(".safetensors"))
            {
                let why = format!("its weight_map names other than {MAX_SHARDS} .safetensors files beside it");
                return Err(ModelError::Broken { file: index, why });
            }
            names.into_iter().map(|name| format!("{folder}{name}")).collect()
        } else if let Some(pickle) = ["pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5"]
            .iter()
            .find(|n| dir.has(&format!("{folder}{n}")))
        {
            let why = "kefu reads safetensors only (a pickle can run programs). Save the model again with safetensors: \
                       SentenceTransformer(DIR).save(NEW) or AutoModel.from_pretrained(DIR).save_pretrained(NEW), in Python";
            return Err(ModelError::Broken { file: format!("{folder}{pickle}"), why: why.into() });
        } else {
            vec![single]
        };
        let mut this = Self { dir, files: Vec::new(), places: BTreeMap::new() };
        for name in names {
            this.add(name)?;
        }
        Ok(this)
    }

    fn add(&mut self, name: String) -> Result<(), ModelError> {
        let file = self.dir.open(&name)?;
        let broken = |why: &dyn std::fmt::Display| ModelError::Broken { file: name.clone(), why: why.to_string() };
        let io = |e: std::io::Error| broken(&e);
        let size = file.metadata().map_err(io)?.len();
        let mut length = [0; 8];
        file.read_exact_at(&mut length, 0).map_err(io)?;
        let header = u64::from_le_bytes(length);
        if header > MAX_HEADER || header > size.saturating_sub(8) {
            return Err(broken(&"it is cut off or no safetensors file"));
        }
        let mut json = vec![0; header as usize];
        file.read_exact_at(&mut json, 8).map_err(io)?;
        let found: Metadata = serde_json::from_slice(&json).map_err(|e| broken(&e))?;
        if found.data_len() as u64 != size - 8 - header {
            return Err(broken(&"it is cut off, or longer than its tensors"));
        }
        self.dir.note(&json);
        for (tensor, info) in found.tensors() {
            let (from, to) = info.data_offsets;
            let at = 8 + header + from as u64;
            let place =
                Place { file: self.files.len(), at, bytes: to - from, dtype: info.dtype, shape: info.shape.clone() };
            self.places.insert(tensor, place);
        }
        self.files.push((name, file));
        Ok(())
    }

    /// Whether there is such a tensor.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The first of the files, for what is said about all.
    pub fn file(&self) -> &str {
        self.files.first().map_or("model.safetensors", |(name, _)| name)
    }

    /// A tensor as f32.
    ///
    /// # Errors
    /// There is none, it has another shape, isn't made of floats, holds NaN or infinity, or can't be read.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let Some(place) = self.places.get(name) else {
            return Err(ModelError::Broken { file: self.file().into(), why: format!("it has no {name}") });
        };
        let (file_name, file) = &self.files[place.file];
        let broken = |why: String| ModelError::Broken { file: file_name.clone(), why };
        if place.shape != shape {
            return Err(broken(format!("{name} is {:?}, config.json makes it {shape:?}", place.shape)));
        }
        let width = match place.dtype {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
            other => return Err(broken(format!("{name} is {other:?}; F32, F16 and BF16 can be read"))),
        };
        self.dir.note(name.as_bytes());
        let mut values = Vec::with_capacity(place.bytes / width);
        let mut piece = vec![0; PIECE.min(place.bytes)];
        for from in (0..place.bytes).step_by(PIECE) {
            let part = &mut piece[..PIECE.min(place.bytes - from)];
            file.read_exact_at(part, place.at + from as u64).map_err(|e| broken(format!("{name}: {e}")))?;
            self.dir.note(&part[..HASHED.min(part.len())]);
            widen(part, place.dtype, &mut values);
        }
        if !values.iter().all(|v| v.is_finite()) {
            return Err(broken(format!("{name} contains a number that is not finite")));
        }
        Tensor::from_vec(values, shape, &Device::Cpu).map_err(|e| broken(format!("{name}: {e}")))
    }
}

fn widen(bytes: &[u8], dtype: Dtype, values: &mut Vec<f32>) {
    let pairs = || bytes.as_chunks::<2>().0.iter();
    match dtype {
        Dtype::F16 => values.extend(pairs().map(|b| f16::from_le_bytes(*b).to_f32())),
        Dtype::BF16 => values.extend(pairs().map(|b| bf16::from_le_bytes(*b).to_f32())),
        _ => values.extend(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b))),
    }
}
