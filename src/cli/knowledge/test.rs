//! `kefu knowledge test`: which entries a text finds.

use serde_json::json;

use super::store::load;
use crate::{
    cli::{
        context::Context,
        data_dir,
        error::CliError,
        out::{self, Table},
        training::{LoadedModel, percent, refresh},
    },
    nlu::knowledge::{Cache, Index, KnowledgeQuery},
    robot::engine::RobotFiles,
    robot::policy::{Policy, is_zh},
};

/// Show which entries a text finds
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What a visitor might write
    text: String,
    /// Id of a site
    #[arg(long, default_value = "", hide_default_value = true)]
    site: String,
    /// Number of entries to show
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=50))]
    top: u8,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        refresh(ctx);
        let files = RobotFiles::of(&ctx.data_dir);
        let config = ctx.load_config()?;
        let policy = Policy::new(&config.robot).map_err(|e| CliError::failure(e.to_string()))?;
        let loaded = LoadedModel::open(ctx)?;
        let book = load(&files)?;
        let mut cache = Cache::load(&files.vectors(), loaded.fingerprint, loaded.model.width());
        let filled = cache.fill(&book, &mut loaded.workers()?, &mut |_, _| ());
        filled.map_err(|e| CliError::failure(e.to_string()))?;
        let index = Index::new(book, &cache);
        let vector = loaded.vector(&self.text)?;
        let day = policy.day(out::now_ms());
        let lang = if is_zh(&self.text) { "zh" } else { "en" };
        let wanted = KnowledgeQuery { text: &self.text, vector: &vector, site: &self.site, day: &day, lang };
        let found = index.find(&wanted, self.top.into());
        if ctx.json {
            let list = found.iter().map(|f| {
                json!({"entry": f.entry.id, "question": f.entry.question, "phrase": f.phrase, "score": f.score,
                    "cosine": f.cosine, "words": f.cover, "answer": f.entry.answer,
                    "against": f.conflicts.first().map(|c| json!({"entry": c.entry, "asked": c.asked}))})
            });
            out::print_json(&json!({"needs": policy.rules(&self.site).knowledge, "found": list.collect::<Vec<_>>()}));
            return Ok(());
        }
        let mut table = Table::new(
            &["match", "entry", "by this phrasing", "meaning", "words"],
            "Nothing matches: there are no entries for this site today.",
        );
        for f in &found {
            let figures = [percent(f.cosine.max(0.0)), percent(f.cover)];
            table.row([percent(f.score), f.entry.id.clone(), f.phrase.to_owned()].into_iter().chain(figures));
        }
        table.print();
        if let Some(best) = found.first() {
            let needs = policy.rules(&self.site).knowledge;
            let contradicts = best.conflicts.first();
            let does = match contradicts {
                None if best.score >= needs => "answers with the first",
                _ => "does not answer with these alone",
            };
            out::line(format!("\nThe robot {does} (needs {}).", percent(needs)));
            if let Some(c) = contradicts {
                out::line(out::printable(&format!("The entry says {:?}, the question {:?}.", c.entry, c.asked)));
            }
        }
        Ok(())
    }
}
