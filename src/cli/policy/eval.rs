//! `kefu policy eval`: does the robot answer the question that was asked? Scored on questions whose entry is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        io_error::cannot,
        out::{self, Table},
        training::{report_problems, unable},
    },
    nlu::{
        encoding::{Encoding, decode},
        knowledge::{Entry, KnowledgeBase},
        table::{Column, Values, of_text},
        text_file::Report,
    },
    robot::engine::{RobotEngine, RobotFiles},
    robot::policy::{Action, Dialogue, TurnInput},
};

/// Score the robot on questions whose entry is known, and on others that only look similar
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV files, each one company's knowledge: the columns entry, question, answer; paraphrase1, paraphrase2 (questions that it
    /// answers); near1, near2 (questions that nothing answers)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Show every question that was not handled correctly
    #[arg(long)]
    wrong: bool,
}

/// What became of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Own,
    Other,
    AskedRight,
    Asked,
    Left,
}

/// One question of a file.
struct Case {
    near: bool,
    text: String,
    entry: String,
}

/// How often each outcome was.
#[derive(Default)]
struct Counts {
    of: BTreeMap<Outcome, usize>,
}

impl Counts {
    fn all(&self) -> usize {
        self.of.values().sum()
    }

    fn of(&self, outcomes: &[Outcome]) -> usize {
        outcomes.iter().filter_map(|o| self.of.get(o)).sum()
    }

    fn share(&self, outcomes: &[Outcome]) -> f32 {
        self.of(outcomes) as f32 / self.all().max(1) as f32
    }
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let policy = super::load(ctx)?;
        let mut rows = Vec::new();
        let mut wrong = Vec::new();
        for file in &self.files {
            let (book, cases) = read(file, ctx)?;
            let questions: BTreeMap<String, String> =
                book.entries.values().map(|e| (e.question.clone(), e.id.clone())).collect();
            let engine =
                RobotEngine::with_book(RobotFiles::of(&ctx.data_dir), policy.clone(), book).map_err(|e| unable(&e))?;
            let (mut same, mut near) = (Counts::default(), Counts::default());
            for case in &cases {
                let input = TurnInput {
                    text: &case.text,
                    site: "",
                    now_ms: out::now_ms(),
                    zh: None,
                    dialogue: Dialogue::default(),
                };
                let decision = engine.decide(&input);
                let right = |id: Option<&String>| !case.near && id == Some(&case.entry);
                let outcome = match &decision.action {
                    Action::Answer { .. } if decision.entry.is_some() => {
                        if right(decision.entry.as_ref()) {
                            Outcome::Own
                        } else {
                            Outcome::Other
                        }
                    }
                    Action::Ask { buttons, .. } | Action::Answer { buttons, .. } => {
                        let offered: Vec<&String> = buttons.iter().filter_map(|b| questions.get(&b.send)).collect();
                        if offered.is_empty() {
                            Outcome::Left
                        } else if offered.iter().any(|id| right(Some(*id))) {
                            Outcome::AskedRight
                        } else {
                            Outcome::Asked
                        }
                    }
                    _ => Outcome::Left,
                };
                let counts = if case.near { &mut near } else { &mut same };
                *counts.of.entry(outcome).or_default() += 1;
                if outcome == Outcome::Other || !case.near && outcome != Outcome::Own {
                    wrong.push((
                        case.text.clone(),
                        case.entry.clone(),
                        format!("{outcome:?}"),
                        decision.why.to_string(),
                    ));
                }
            }
            rows.push((file.display().to_string(), same, near));
        }
        self.tell(ctx, &rows, &wrong);
        Ok(())
    }

    fn tell(&self, ctx: &Context, rows: &[(String, Counts, Counts)], wrong: &[(String, String, String, String)]) {
        use Outcome::{Asked, AskedRight, Left, Other, Own};
        if ctx.json {
            let list = rows.iter().map(|(file, same, near)| {
                json!({
                    "file": file,
                    "paraphrases": {"all": same.all(), "own": same.of(&[Own]), "other": same.of(&[Other]),
                        "asked_right": same.of(&[AskedRight]), "asked": same.of(&[Asked]), "left": same.of(&[Left])},
                    "near_misses": {"all": near.all(), "answered": near.of(&[Own, Other]),
                        "asked": near.of(&[AskedRight, Asked]), "left": near.of(&[Left])},
                })
            });
            out::print_json(&json!({"files": list.collect::<Vec<_>>()}));
            return;
        }
        let cell = |counts: &Counts, of: &[Outcome]| format!("{} ({:.1} %)", counts.of(of), 100.0 * counts.share(of));
        let mut table = Table::new(
            &["paraphrases", "", "own entry", "another", "asked, right offered", "asked", "not answered"],
            "",
        );
        for (file, same, _) in rows {
            let cells = [&[Own][..], &[Other], &[AskedRight], &[Asked], &[Left]].map(|of| cell(same, of));
            table.row([file.clone(), same.all().to_string()].into_iter().chain(cells));
        }
        table.print();
        out::line("");
        let mut table = Table::new(&["near misses", "", "answered", "asked", "not answered"], "");
        for (file, _, near) in rows {
            let cells = [&[Own, Other][..], &[AskedRight, Asked], &[Left]].map(|of| cell(near, of));
            table.row([file.clone(), near.all().to_string()].into_iter().chain(cells));
        }
        table.print();
        if self.wrong {
            out::line("");
            let mut table = Table::new(&["question", "of", "became", "why"], "Everything was handled correctly.");
            wrong.iter().for_each(|(text, entry, outcome, why)| {
                table.row([text.clone(), entry.clone(), outcome.clone(), why.clone()]);
            });
            table.print();
        }
    }
}

/// A column of the file.
const fn column(names: &'static [&'static str], required: bool) -> Column {
    Column { names, required, day: false }
}

const COLUMNS: [Column; 7] = [
    column(&["entry"], true),
    column(&["question"], true),
    column(&["answer"], true),
    column(&["paraphrase1"], false),
    column(&["paraphrase2"], false),
    column(&["near1"], false),
    column(&["near2"], false),
];

fn read(path: &Path, ctx: &Context) -> Result<(KnowledgeBase, Vec<Case>), CliError> {
    let bytes = std::fs::read(path).map_err(|e| cannot("read", path, &e))?;
    let mut report = Report::default();
    let text = decode(&bytes, Encoding::Utf8, "", &mut report).unwrap_or_default();
    let (mut book, mut cases) = (KnowledgeBase::default(), Vec::new());
    for Values { cells, .. } in of_text(&text, "", &COLUMNS, &[], &mut report) {
        let [id, question, answer, asked @ ..] = cells.as_slice() else { continue };
        for (text, near) in asked.iter().zip([false, false, true, true]).filter(|(text, _)| !text.is_empty()) {
            cases.push(Case { near, text: text.clone(), entry: id.clone() });
        }
        let (question, answer) = (question.clone(), answer.clone());
        book.entries.insert(id.clone(), Entry { id: id.clone(), question, answer, ..Entry::default() });
    }
    report_problems(&report, path, ctx.json)?;
    Ok((book, cases))
}
