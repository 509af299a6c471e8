//! Reading and writing the book with its vectors.

use crate::{
    cli::{
        context::Context,
        data_dir::{self},
        error::CliError,
        io_error::cannot,
        out,
        training::{LoadedModel, ProgressBar, TrainingFiles, refresh},
    },
    nlu::knowledge::{Cache, Entry, KnowledgeBase, KnowledgeFileError},
    robot::engine::RobotFiles,
};

/// The book of the data directory.
pub fn read(ctx: &Context) -> Result<KnowledgeBase, CliError> {
    data_dir::require_initialised(&ctx.data_dir)?;
    refresh(ctx);
    load(&RobotFiles::of(&ctx.data_dir))
}

/// The book of these files.
pub fn load(files: &RobotFiles) -> Result<KnowledgeBase, CliError> {
    KnowledgeBase::load(&files.knowledge()).map_err(|e| match e {
        KnowledgeFileError::Io(e) => cannot("read", &files.knowledge(), &e),
        e => CliError::failure(format!("{}: {e}", files.knowledge().display())),
    })
}

/// Writes the vectors first, then the book: a server that sees the new book finds them. Without a language model the book
/// alone is written, and vectors are made when there is one.
pub fn save(ctx: &Context, training: &TrainingFiles, book: &KnowledgeBase) -> Result<(), CliError> {
    let files = &training.files;
    if let Ok(loaded) = LoadedModel::open(ctx) {
        let mut cache = Cache::load(&files.vectors(), loaded.fingerprint, loaded.model.width());
        let mut bar = ProgressBar::new(ctx);
        let filled = cache.fill(book, &mut loaded.workers()?, &mut |done, of| bar.at("reading  ", done, of));
        drop(bar);
        if filled.map_err(|e| CliError::failure(e.to_string()))? {
            cache.save(&files.vectors()).map_err(|e| cannot("write", &files.vectors(), &e))?;
        }
    }
    book.save(&files.knowledge()).map_err(|e| match e {
        KnowledgeFileError::Io(e) => cannot("write", &files.knowledge(), &e),
        e => CliError::failure(e.to_string()),
    })?;
    training.publish()
}

/// An entry that is not there, with the nearest that is.
pub fn unknown(id: &str, book: &KnowledgeBase) -> CliError {
    let fail = CliError::failure(format!("there is no entry {id:?}"));
    match out::nearest(id, book.entries.keys().map(String::as_str)) {
        Some(near) => fail.hint(format!("did you mean {near:?}?")),
        None => fail.hint("kefu knowledge list shows them"),
    }
}

/// An entry after its mistakes were looked for.
pub fn settled(mut entry: Entry) -> Result<Entry, CliError> {
    let wrong = entry.settle();
    if wrong.is_empty() { Ok(entry) } else { Err(CliError::failure(wrong.join("; ")).hint("nothing was changed")) }
}
