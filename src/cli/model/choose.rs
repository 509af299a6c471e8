//! `kefu model use`: another language model than the embedded one, or the embedded one again.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        io_error::cannot,
        training::{LoadedModel, TrainingFiles},
    },
    files::{create_new, is_link, make_directory, sync_parent},
    nlu::{ModelError, SentenceModel, layout::Layout},
};

/// Use the sentence encoder of a directory, as sentence-transformers or Hugging Face lay it out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It can be a BERT, DistilBERT, RoBERTa or XLM-RoBERTa: config.json, tokenizer.json, model.safetensors. Intents are \
        trained for one model: train them again afterwards. A running server uses the model from its next start."
)]
pub struct Args {
    /// Directory of the model
    #[arg(required_unless_present = "embedded")]
    dir: Option<PathBuf>,
    /// Put this before every text, such as "query: " for an E5 [default: what config_sentence_transformers.json says]
    #[arg(long, value_name = "TEXT", conflicts_with = "embedded")]
    prefix: Option<String>,
    /// Use the model built into the executable again
    #[arg(long, conflicts_with = "dir")]
    embedded: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let place = training.files.model();
        let mut prefix = String::new();
        match &self.dir {
            Some(dir) => {
                let own = self.prefix.as_deref();
                let model = SentenceModel::open_with(dir, own).map_err(|e| unusable(dir, &e))?;
                let files = model.files().to_vec();
                prefix = model.describe().prefix;
                // opened again below, from its new place
                drop(model);
                take(dir, &place, &files, own).map_err(|e| cannot("copy the model to", &place, &e))?;
            }
            None => remove(&place).map_err(|e| cannot("remove", &place, &e))?,
        }
        let intents = LoadedModel::open(ctx).and_then(|loaded| loaded.classifier(ctx)).is_ok();
        let reads = if prefix.is_empty() { String::new() } else { format!(" It puts {prefix:?} before every text.") };
        let mut words = format!("The robot uses this model from the next start of the server.{reads}");
        if !intents {
            words.push_str(
                "\nIt knows no intents yet, for those that kefu ships are of another model: kefu intent train FILE.csv",
            );
        }
        ctx.say(json!({"model": self.dir, "intents": intents, "prefix": prefix}), words);
        Ok(())
    }
}

fn unusable(dir: &Path, e: &ModelError) -> CliError {
    CliError::failure(format!("cannot use a model from {}: {e}", dir.display()))
}

/// Copies the `files` to a temporary name and renames, so that a full disk or a kill leaves the previous model.
fn take(from: &Path, to: &Path, files: &[String], prefix: Option<&str>) -> io::Result<()> {
    let (new, old) = (to.with_extension("new"), to.with_extension("old"));
    for stray in [&new, &old] {
        remove(stray)?;
    }
    // all must be new: something that another user puts there meanwhile must not be written to
    let folders: BTreeSet<&Path> = files.iter().flat_map(|name| Path::new(name).ancestors().skip(1)).collect();
    for folder in folders {
        if !make_directory(&new.join(folder))? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
    }
    let own = prefix.map(Layout::prompts_file);
    let copied = files.iter().filter(|name| own.as_ref().is_none_or(|(prompts, _)| name != prompts));
    for name in copied {
        let mut source = fs::File::open(from.join(name))?;
        write_new(&new.join(name), |copy| io::copy(&mut source, copy).map(|_| ()))?;
    }
    if let Some((name, text)) = own {
        write_new(&new.join(name), |file| file.write_all(text.as_bytes()))?;
    }
    if fs::symlink_metadata(to).is_ok() {
        fs::rename(to, &old)?;
    }
    fs::rename(&new, to)?;
    sync_parent(to)?;
    remove(&old)
}

fn write_new(path: &Path, fill: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    let mut file = create_new(path, 0o600)?;
    fill(&mut file)?;
    file.sync_all()?;
    sync_parent(path)
}

/// Removes a directory with its content, or a link in its place.
fn remove(path: &Path) -> io::Result<()> {
    let gone = if is_link(path) { fs::remove_file(path) } else { fs::remove_dir_all(path) };
    match gone {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
