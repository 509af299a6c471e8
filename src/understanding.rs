//! Part of the roof: puts model, intents, knowledge and policy together, from files that commands replace while a server runs.
//!
//! `<data>/knowledge/head.bin` holds the intents (without it: those that kefu ships), `knowledge.json` the knowledge,
//! `knowledge.vec` its vectors, `model/` another language model than the embedded one, if it is there.

mod head;
mod mind;
mod shelves;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, SystemTime},
};

use crate::{
    bot::{self, Against, Brain, Decision, Dialogue, Guess, Hit, Message, Policy, Thought, Title, Trouble},
    nlu::{
        Recogniser, SentenceModel,
        embed::{Embed, EmbedError, Fingerprint, encoders},
        intent::{Head, head::Prediction, refusal},
        knowledge::{Book, Cache, Index, Wanted},
        sentence::threads,
    },
};
use parking_lot::{Mutex, RwLock};

pub use head::head;
pub use mind::ServerMind;
pub use shelves::Shelves;

/// Intents and entries in a thought.
const MOST: usize = 5;
/// Least probability with which an act that is refused is one of an intent.
const REFUSED: f32 = 0.3;

/// Where the robot's knowledge lies.
#[derive(Debug, Clone)]
pub struct Files {
    /// `<data>/knowledge`. Unlike the robot's keys it belongs into a backup.
    pub dir: PathBuf,
}

impl Files {
    /// Of a data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self { dir: data_dir.join("knowledge") }
    }

    /// The intents.
    pub fn head(&self) -> PathBuf {
        self.dir.join("head.bin")
    }

    /// The knowledge.
    pub fn book(&self) -> PathBuf {
        self.dir.join("knowledge.json")
    }

    /// Its vectors.
    pub fn vectors(&self) -> PathBuf {
        self.dir.join("knowledge.vec")
    }

    /// The language model, if it is not the embedded one.
    pub fn model(&self) -> PathBuf {
        self.dir.join("model")
    }
}

/// Why the robot can't understand anything.
#[derive(Debug, thiserror::Error)]
pub enum Unable {
    /// There is no language model.
    #[error("this kefu was built without its language model, and there is none in {0}")]
    NoModel(PathBuf),
    /// The model can't be used.
    #[error("the language model can't be used: {0}")]
    Model(String),
    /// A file can't be used.
    #[error("{0}: {1}")]
    File(PathBuf, String),
}

/// The language model in use: the one of the data directory, else the embedded one.
///
/// # Errors
/// See [`Unable`].
pub fn model(files: &Files) -> Result<SentenceModel, Unable> {
    let own = files.model();
    let found = if own.is_dir() { SentenceModel::open(&own).map(Some) } else { SentenceModel::embedded() };
    let found = found.map_err(|e| Unable::Model(e.to_string()))?;
    found.ok_or(Unable::NoModel(own))
}

/// How a text gets its vector.
type Encode = Box<dyn Fn(&str) -> Result<Vec<f32>, Trouble> + Send + Sync>;

/// Everything the robot knows, ready to decide. Share it by `Arc`.
pub struct Understanding {
    files: Files,
    model: SentenceModel,
    fingerprint: Fingerprint,
    encode: Encode,
    rules: Policy,
    learned: RwLock<Arc<Learned>>,
    seen: Mutex<Seen>,
}

/// The encoder that is there already, for the model's fingerprint: another one would take megabytes.
struct Through<'a>(&'a SentenceModel, &'a Encode);

impl Embed for Through<'_> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        (self.1)(text).map_err(|trouble| match trouble {
            Trouble::Failed(why) => EmbedError(why),
            Trouble::Busy => EmbedError(trouble.to_string()),
        })
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.0.fingerprint()
    }
}

/// Keeps the thread of [`Understanding::watch`] alive.
#[derive(Debug)]
pub struct Watch {
    _end: mpsc::Sender<()>,
}

/// What is swapped as a whole.
struct Learned {
    head: Option<Head>,
    index: Index,
    policy: Policy,
}

/// Time and size of the two files: who replaces one changes them.
type Seen = [Option<(SystemTime, u64)>; 2];

impl Understanding {
    /// For a server: vectors come from its recogniser, and [`Trouble::Busy`] if that has too much to do.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn of_server(files: Files, recogniser: Recogniser, rules: Policy) -> Result<Self, Unable> {
        let model = recogniser.model().clone();
        let encode = move |text: &str| {
            let answer = recogniser.ask(text.to_owned()).map_err(|e| match e {
                crate::nlu::service::Refused::Busy => Trouble::Busy,
                e @ crate::nlu::service::Refused::Stopped => Trouble::Failed(e.to_string()),
            })?;
            answer.blocking_recv().map_err(|_| Trouble::Failed("the language model has stopped".into()))
        };
        Self::open(files, model, Box::new(encode), rules)
    }

    /// For one command: vectors are made in place.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn of_command(files: Files, rules: Policy) -> Result<Self, Unable> {
        let model = model(&files)?;
        let encoder = Mutex::new(model.encoder(threads()).map_err(|e| Unable::Model(e.to_string()))?);
        let encode = move |text: &str| {
            let mut encoder = encoder.lock();
            encoder.embed(text).map_err(|e| Trouble::Failed(e.to_string()))
        };
        Self::open(files, model, Box::new(encode), rules)
    }

    /// The same with other knowledge than that of the files.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn with_book(files: Files, rules: Policy, book: Book) -> Result<Self, Unable> {
        let this = Self::of_command(files, rules)?;
        let mut cache = Cache::new(this.fingerprint, this.model.width());
        let unable = |e: EmbedError| Unable::Model(e.to_string());
        cache.fill(&book, &mut encoders(&this.model, 16).map_err(unable)?, &mut |_, _| ()).map_err(unable)?;
        let old = this.learned();
        let learned = Learned { head: old.head.clone(), index: Index::new(book, &cache), policy: old.policy.clone() };
        *this.learned.write() = Arc::new(learned);
        Ok(this)
    }

    fn open(files: Files, model: SentenceModel, encode: Encode, rules: Policy) -> Result<Self, Unable> {
        let fingerprint = Fingerprint::of(&mut Through(&model, &encode)).map_err(|e| Unable::Model(e.to_string()))?;
        let seen = stamps(&files);
        let learned = learn(&files, &model, fingerprint, &rules)?;
        let (learned, seen) = (RwLock::new(Arc::new(learned)), Mutex::new(seen));
        Ok(Self { files, model, fingerprint, encode, rules, learned, seen })
    }

    /// Reads again what was replaced since it was read last. If that fails, the old stays, and the failure is told once.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn refresh(&self) -> Result<bool, Unable> {
        let now = stamps(&self.files);
        {
            let mut seen = self.seen.lock();
            if *seen == now {
                return Ok(false);
            }
            *seen = now;
        }
        let learned = learn(&self.files, &self.model, self.fingerprint, &self.rules)?;
        *self.learned.write() = Arc::new(learned);
        Ok(true)
    }

    /// Refreshes from a thread of its own until the watch is dropped.
    ///
    /// # Errors
    /// No thread.
    pub fn watch(this: &Arc<Self>, every: Duration) -> std::io::Result<Watch> {
        let (watch, dropped) = mpsc::channel();
        let this = Arc::clone(this);
        let run = move || {
            while dropped.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                match this.refresh() {
                    Ok(true) => tracing::info!("the robot has learned: its intents or its knowledge were replaced"),
                    Ok(false) => {}
                    Err(e) => tracing::warn!("{e}; the robot goes on with what it knew"),
                }
            }
        };
        std::thread::Builder::new().name("robot-files".into()).spawn(run)?;
        Ok(Watch { _end: watch })
    }

    /// What to do about a message. Trouble with the model hands over.
    pub fn decide(&self, message: &Message<'_>, dialogue: Dialogue) -> Decision {
        match self.recognise_at(message) {
            Ok(thought) => self.decide_on(message, &thought, dialogue),
            Err(trouble) => {
                let (why, reason) = match trouble {
                    Trouble::Busy => (bot::HandOverWhy::Busy, bot::Why::Busy),
                    Trouble::Failed(detail) => (bot::HandOverWhy::Error, bot::Why::Broken { detail }),
                };
                let action = bot::Action::HandOver { why, text: None };
                Decision { action, why: reason, intent: None, p: 0.0, entry: None }
            }
        }
    }

    /// What to do about a message that was recognised.
    pub fn decide_on(&self, message: &Message<'_>, thought: &Thought, dialogue: Dialogue) -> Decision {
        bot::decide(&self.learned().policy, message, thought, dialogue)
    }

    /// What a message means at its moment.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub fn recognise_at(&self, message: &Message<'_>) -> Result<Thought, Trouble> {
        let learned = self.learned();
        let vector = (self.encode)(message.text)?;
        let (mut intents, mut out_of_scope) = (Vec::new(), 1.0);
        if let Some(head) = &learned.head {
            let mut guess = head.predict(&vector);
            self.leave_refused(head, message.text, &mut guess)?;
            out_of_scope = guess.out_of_scope;
            let best = guess.intents.iter().take(MOST);
            intents.extend(best.map(|(n, p)| Guess { name: head.intents[*n].0.clone(), p: *p }));
        }
        let lang = if message.is_zh() { "zh" } else { "en" };
        let day = learned.policy.day(message.now_ms);
        let wanted = Wanted { text: message.text, vector: &vector, site: message.site, day: &day, lang };
        let hits = learned.index.find(&wanted, MOST).into_iter().map(|found| Hit {
            entry: found.entry.id.clone(),
            question: found.entry.question.clone(),
            answer: found.entry.answer.clone(),
            score: found.score,
            against: found.conflicts.into_iter().next().map(|c| Against { entry: c.entry, asked: c.asked }),
        });
        Ok(Thought { intents, out_of_scope, hits: hits.collect() })
    }

    /// Takes back the intent that the text says no to: 我不想退款 is no wish for a refund, however much it sounds like one. What the
    /// rest of the text wants stays. The language model runs again only where a wish is refused.
    fn leave_refused(&self, head: &Head, text: &str, guess: &mut Prediction) -> Result<(), Trouble> {
        let Some(refused) = refusal::refused(text) else { return Ok(()) };
        let Some((intent, p)) = head.predict(&(self.encode)(&refused.act)?).intents.first().copied() else {
            return Ok(());
        };
        if p < REFUSED {
            return Ok(());
        }
        let rest = match refused.rest.is_empty() {
            true => 0.0,
            false => head
                .predict(&(self.encode)(&refused.rest)?)
                .intents
                .iter()
                .find(|(n, _)| *n == intent)
                .map_or(0.0, |(_, p)| *p),
        };
        for (_, p) in guess.intents.iter_mut().filter(|(n, p)| *n == intent && *p > rest) {
            guess.out_of_scope = (guess.out_of_scope + *p - rest).min(1.0);
            *p = rest;
        }
        guess.intents.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(())
    }

    /// Names of the intents it can guess; `None` without a head.
    pub fn intents(&self) -> Option<BTreeSet<String>> {
        Some(self.learned().head.as_ref()?.intents.iter().map(|(name, _)| name.clone()).collect())
    }

    fn learned(&self) -> Arc<Learned> {
        Arc::clone(&self.learned.read())
    }
}

impl Brain for Understanding {
    fn recognise(&self, text: &str, site: &str) -> Result<Thought, Trouble> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.recognise_at(&Message { text, site, now_ms, zh: None })
    }
}

fn learn(files: &Files, model: &SentenceModel, fingerprint: Fingerprint, rules: &Policy) -> Result<Learned, Unable> {
    let head = head(files, model, fingerprint)?;
    let titles: BTreeMap<String, Title> = head
        .iter()
        .flat_map(|h| &h.intents)
        .map(|(name, intent)| (name.clone(), Title { zh: intent.zh.clone(), en: intent.en.clone() }))
        .collect();
    let book = Book::load(&files.book()).map_err(|e| Unable::File(files.book(), e.to_string()))?;
    let mut cache = Cache::load(&files.vectors(), fingerprint, model.width());
    // the command that wrote the book wrote the vectors, too: there is something to do only after a change of the model
    if !cache.covers(&book) {
        let unable = |e: EmbedError| Unable::Model(e.to_string());
        let mut workers = encoders(model, 1).map_err(unable)?;
        cache.fill(&book, &mut workers, &mut |_, _| ()).map_err(unable)?;
    }
    Ok(Learned { head, index: Index::new(book, &cache), policy: rules.clone().with_titles(titles) })
}

fn stamps(files: &Files) -> Seen {
    [files.head(), files.book()].map(|path| stamp(&path))
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}
