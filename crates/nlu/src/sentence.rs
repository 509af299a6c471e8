//! A model that makes sentence vectors, whichever way: the 8-bit kernels for the built-in model and the BERTs they can take,
//! Candle in f32 for all others. Everybody else asks here and need not know which.

use std::{path::Path, sync::Arc};

use super::{
    embed::{Embed, EmbedError, Fingerprint},
    encoder::{EncodeError, Encoder},
    layout::{Directory, Layout, Pooling},
    model::{self, Model, ModelError},
    sentence_encoder::SentenceEncoder,
    tokenizer::Tokenizer,
    transformer::{Transformer, TransformerEncoder},
};

/// A model ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SentenceModel {
    kind: Kind,
    files: Arc<[String]>,
}

#[derive(Clone, Debug)]
enum Kind {
    Kernels(Arc<Model>),
    Candle(Arc<Transformer>),
}

/// What is said about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What runs it: `8-bit kernels` or `Candle f32`.
    pub path: &'static str,
    /// Instruction set of the kernels.
    pub kernel: Option<&'static str>,
    /// As `config.json` names it.
    pub architecture: String,
    /// Number of layers.
    pub layers: usize,
    /// Numbers in a vector.
    pub width: usize,
    /// Rows of the word table.
    pub vocabulary: usize,
    /// Longest text in tokens.
    pub max_tokens: usize,
    /// `mean`, `cls` or `max`.
    pub pooling: String,
    /// What is read before every text.
    pub prefix: String,
}

impl From<Arc<Model>> for SentenceModel {
    fn from(model: Arc<Model>) -> Self {
        Self { kind: Kind::Kernels(model), files: Arc::default() }
    }
}

impl SentenceModel {
    /// The model inside the executable; `None` if it was built without.
    ///
    /// # Errors
    /// The embedded files don't fit each other: a fault of the build.
    pub fn embedded() -> Result<Option<Self>, ModelError> {
        Ok(Model::embedded()?.map(|model| Arc::new(model).into()))
    }

    /// The model in a directory as Hugging Face or sentence-transformers lays it out.
    ///
    /// # Errors
    /// What is missing, of another kind, or damaged, by file and field.
    pub fn open(dir: &Path) -> Result<Self, ModelError> {
        Self::open_with(dir, None)
    }

    /// The same; `prefix`, if there is one, is read before every text instead of what the directory says.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(dir: &Path, prefix: Option<&str>) -> Result<Self, ModelError> {
        let directory = Directory::new(dir);
        let layout = Layout::read(&directory, prefix)?;
        let verdict = Verdict::of(&directory, &layout)?;
        if matches!(verdict, Verdict::Takes) {
            let model = Model::open(dir)?.with_prefix(layout.prefix);
            let files = model::FILES.into_iter().chain(Layout::describing()).filter(|name| directory.has(name));
            return Ok(Self { files: files.map(str::to_owned).collect(), ..Arc::new(model).into() });
        }
        let (model, files) = Transformer::read(directory, &layout).map_err(|e| match verdict {
            // an ELECTRA is for the kernels or for nobody
            Verdict::Refuses(Some(why)) if matches!(&e, ModelError::Field { found, .. } if found == "electra") => why,
            _ => e,
        })?;
        Ok(Self { kind: Kind::Candle(Arc::new(model)), files: files.into() })
    }

    /// Its files, as they are called in its directory; none of the embedded one.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Numbers in a sentence vector.
    pub fn width(&self) -> usize {
        match &self.kind {
            Kind::Kernels(model) => model.width(),
            Kind::Candle(model) => model.width(),
        }
    }

    /// Its fingerprint, where it is known without running it; see [`Fingerprint::of`].
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        match &self.kind {
            Kind::Kernels(_) => None,
            Kind::Candle(model) => Some(model.fingerprint()),
        }
    }

    /// An encoder. The kernels use one thread; Candle uses up to `threads`.
    ///
    /// # Errors
    /// No memory or no threads.
    pub fn encoder(&self, threads: usize) -> Result<Box<dyn SentenceEncoder>, EncodeError> {
        Ok(match &self.kind {
            Kind::Kernels(model) => Box::new(Encoder::new(Arc::clone(model))?),
            Kind::Candle(model) => Box::new(TransformerEncoder::new(Arc::clone(model), threads)?),
        })
    }

    /// One encoder for each processor, at most `most`.
    ///
    /// # Errors
    /// No memory or no threads for them.
    pub fn encoders(&self, most: usize) -> Result<Vec<Box<dyn Embed>>, EmbedError> {
        let n = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, most.max(1));
        (0..n).map(|_| Ok(Box::new(self.encoder(1)?) as Box<dyn Embed>)).collect()
    }

    /// What is said about it.
    pub fn describe(&self) -> Description {
        match &self.kind {
            Kind::Kernels(model) => {
                let config = model.config();
                Description {
                    path: "8-bit kernels",
                    kernel: Some(model.kernel()),
                    architecture: config.model_type.clone(),
                    layers: model.layers(),
                    width: model.width(),
                    vocabulary: config.vocabulary,
                    max_tokens: model.max_tokens(),
                    pooling: Pooling::from(config.pooling).to_string(),
                    prefix: model.prefix().to_owned(),
                }
            }
            Kind::Candle(model) => {
                let config = model.config();
                Description {
                    path: "Candle f32",
                    kernel: None,
                    architecture: config.model_type.clone(),
                    layers: config.layers,
                    width: model.width(),
                    vocabulary: config.vocabulary,
                    max_tokens: model.max_tokens(),
                    pooling: model.pooling().to_string(),
                    prefix: model.prefix().to_owned(),
                }
            }
        }
    }
}

/// Threads of an encoder that works alone: half of the processors, for the sockets need some, and not more than four, beyond
/// which a short text gains nothing.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get() / 2).clamp(1, 4)
}

/// What the 8-bit kernels say to a directory.
enum Verdict {
    /// They have everything that it asks for.
    Takes,
    /// They don't; why, where a file of their own says so. Candle's path says it better where both refuse.
    Refuses(Option<ModelError>),
}

impl Verdict {
    fn of(dir: &Directory, layout: &Layout) -> Result<Self, ModelError> {
        let pooling = layout.pooling_file.as_deref().is_none_or(|file| file == "1_Pooling/config.json");
        let whole = dir.has("model.safetensors");
        if !layout.encoder.is_empty() || !layout.dense.is_empty() || layout.lowercase || !pooling || !whole {
            return Ok(Self::Refuses(None));
        }
        let pooling = dir.optional("1_Pooling/config.json")?;
        if let Err(e) = model::Config::read(&dir.required("config.json")?, pooling.as_deref()) {
            return Ok(Self::Refuses(Some(e)));
        }
        Ok(match dir.optional("tokenizer.json")?.map(|json| Tokenizer::from_json(&json)) {
            Some(Err(e)) => Self::Refuses(Some(e.into())),
            None if !dir.has("vocab.txt") => Self::Refuses(None),
            Some(Ok(_)) | None => Self::Takes,
        })
    }
}
