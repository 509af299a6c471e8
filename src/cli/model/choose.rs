//! `kefu model use`: another language model than the embedded one, or the embedded one again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        data_dir::cannot,
        fail::Fail,
        teach::{Desk, Mind},
    },
    files::{create_new, is_link, make_directory, sync_parent},
    nlu::Model,
};

/// The files of a model, as Hugging Face lays them out. Others in the directory are not for us.
const FILES: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "vocab.txt",
    "tokenizer_config.json",
    "model.safetensors",
    "1_Pooling/config.json",
];

/// Use the BERT model of a directory (config.json, tokenizer.json or vocab.txt, model.safetensors)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Intents are trained for one model: train them again afterwards. A running server uses the model from its next start."
)]
pub struct Args {
    /// Directory of the model
    #[arg(required_unless_present = "embedded")]
    dir: Option<PathBuf>,
    /// Use the model built into the executable again
    #[arg(long, conflicts_with = "dir")]
    embedded: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let desk = Desk::open(ctx)?;
        let place = desk.files.model();
        match &self.dir {
            Some(dir) => {
                let model = Model::open(dir)
                    .map_err(|e| Fail::failure(format!("cannot use a model from {}: {e}", dir.display())))?;
                drop(model);
                take(dir, &place).map_err(|e| cannot("copy the model to", &place, &e))?;
            }
            None => remove(&place).map_err(|e| cannot("remove", &place, &e))?,
        }
        let intents = Mind::open(ctx).and_then(|mind| mind.head(ctx)).is_ok();
        let mut words = "The robot uses this model from the next start of the server.".to_owned();
        if !intents {
            words.push_str("\nIt knows no intents yet: kefu intent train FILE.csv");
        }
        ctx.say(json!({"model": self.dir, "intents": intents}), words);
        Ok(())
    }
}

/// Copies to a temporary name and renames, so that a full disk or a kill leaves the previous model.
fn take(from: &Path, to: &Path) -> io::Result<()> {
    let (new, old) = (to.with_extension("new"), to.with_extension("old"));
    for stray in [&new, &old] {
        remove(stray)?;
    }
    // both must be new: something that another user puts there meanwhile must not be written to
    for dir in [&new, &new.join("1_Pooling")] {
        if !make_directory(dir)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
    }
    for name in FILES {
        let source = from.join(name);
        if source.is_file() {
            let target = new.join(name);
            let mut copy = create_new(&target, 0o600)?;
            io::copy(&mut fs::File::open(&source)?, &mut copy)?;
            copy.sync_all()?;
            sync_parent(&target)?;
        }
    }
    if fs::symlink_metadata(to).is_ok() {
        fs::rename(to, &old)?;
    }
    fs::rename(&new, to)?;
    sync_parent(to)?;
    remove(&old)
}

/// Removes a directory with its content, or a link in its place.
fn remove(path: &Path) -> io::Result<()> {
    let gone = if is_link(path) { fs::remove_file(path) } else { fs::remove_dir_all(path) };
    match gone {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
