//! The robot's understanding: language model, intents and knowledge joined, under the policy's rules.
//!
//! `<data>/knowledge/head.bin` holds the intents (without it: those that kefu ships), `knowledge.json` the knowledge,
//! `knowledge.vec` its vectors, `model/` another language model than the embedded one, if it is there. What a command replaces is
//! read again. Conversations are not known here: a text comes in, a decision goes out.

mod files;
mod intents;
mod lazy;
mod site_knowledge;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, RwLock};

use super::policy::{
    self, Contradiction, Decision, IntentScore, KnowledgeMatch, Policy, Recognition, RecognitionError, Title, TurnInput,
};
use crate::nlu::{
    EncoderService, SentenceModel,
    embed::{Embed, EmbedError, Fingerprint},
    intent::{IntentClassifier, classifier::Prediction, refusal},
    knowledge::{Cache, Index, KnowledgeBase, KnowledgeQuery},
    sentence::threads,
};

pub use files::{EngineError, RobotFiles, model};
pub use intents::intents;
pub use lazy::LazyEngine;
pub use site_knowledge::SiteKnowledgeCache;

/// What decides. Called on threads of its own, may compute for milliseconds.
pub trait DecisionEngine: Send + Sync + 'static {
    /// There is a site with a robot: what takes long before the first decision can be done now. May block.
    fn warm_up(&self) {}
    /// What to do about this. A panic hands over.
    fn decide(&self, input: &TurnInput<'_>) -> Decision;
}

/// Maximum number of intents and entries in a recognition.
const MOST_RESULTS: usize = 5;
/// Minimum probability with which an act that is refused is one of an intent.
const REFUSED_LEAST: f32 = 0.3;

/// How a text gets its vector.
type Encode = Box<dyn Fn(&str) -> Result<Vec<f32>, RecognitionError> + Send + Sync>;

/// Everything the robot knows, ready to decide. Share it by `Arc`.
pub struct RobotEngine {
    files: RobotFiles,
    model: SentenceModel,
    fingerprint: Fingerprint,
    encode: Encode,
    rules: Policy,
    loaded: RwLock<Arc<LoadedKnowledge>>,
    stamps: Mutex<Stamps>,
}

/// The encoder that is there already, for the model's fingerprint: another one would take megabytes.
struct SharedEncoder<'a>(&'a SentenceModel, &'a Encode);

impl Embed for SharedEncoder<'_> {
    fn width(&self) -> usize {
        self.0.width()
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        (self.1)(text).map_err(|trouble| match trouble {
            RecognitionError::Failed(why) => EmbedError(why),
            RecognitionError::Busy => EmbedError(trouble.to_string()),
        })
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.0.fingerprint()
    }
}

/// Keeps the thread of [`RobotEngine::watch`] alive.
#[derive(Debug)]
pub struct Watch {
    _end: mpsc::Sender<()>,
}

/// What is swapped as a whole.
struct LoadedKnowledge {
    classifier: Option<IntentClassifier>,
    index: Index,
    policy: Policy,
}

/// Time and size of the two files: who replaces one changes them.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl RobotEngine {
    /// For a server: vectors come from its encoder_service, and [`RecognitionError::Busy`] if that has too much to do.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn of_server(files: RobotFiles, encoder_service: EncoderService, rules: Policy) -> Result<Self, EngineError> {
        let model = encoder_service.model().clone();
        let encode = move |text: &str| {
            let answer = encoder_service.ask(text.to_owned()).map_err(|e| match e {
                crate::nlu::service::Refused::Busy => RecognitionError::Busy,
                e @ crate::nlu::service::Refused::Stopped => RecognitionError::Failed(e.to_string()),
            })?;
            answer.blocking_recv().map_err(|_| RecognitionError::Failed("the language model has stopped".into()))
        };
        Self::open(files, model, Box::new(encode), rules)
    }

    /// For one command: vectors are made in place.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn of_command(files: RobotFiles, rules: Policy) -> Result<Self, EngineError> {
        let model = model(&files)?;
        let encoder = Mutex::new(model.encoder(threads()).map_err(|e| EngineError::Model(e.to_string()))?);
        let encode = move |text: &str| {
            let mut encoder = encoder.lock();
            encoder.embed(text).map_err(|e| RecognitionError::Failed(e.to_string()))
        };
        Self::open(files, model, Box::new(encode), rules)
    }

    /// The same with other knowledge than that of the files.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn with_book(files: RobotFiles, rules: Policy, book: KnowledgeBase) -> Result<Self, EngineError> {
        let this = Self::of_command(files, rules)?;
        let mut cache = Cache::new(this.fingerprint, this.model.width());
        let unable = |e: EmbedError| EngineError::Model(e.to_string());
        cache.fill(&book, &mut this.model.encoders(16).map_err(unable)?, &mut |_, _| ()).map_err(unable)?;
        let old = this.loaded();
        let loaded = LoadedKnowledge {
            classifier: old.classifier.clone(),
            index: Index::new(book, &cache),
            policy: old.policy.clone(),
        };
        *this.loaded.write() = Arc::new(loaded);
        Ok(this)
    }

    fn open(files: RobotFiles, model: SentenceModel, encode: Encode, rules: Policy) -> Result<Self, EngineError> {
        let fingerprint =
            Fingerprint::of(&mut SharedEncoder(&model, &encode)).map_err(|e| EngineError::Model(e.to_string()))?;
        let stamps = stamps(&files);
        let loaded = load(&files, &model, fingerprint, &rules)?;
        let (loaded, stamps) = (RwLock::new(Arc::new(loaded)), Mutex::new(stamps));
        Ok(Self { files, model, fingerprint, encode, rules, loaded, stamps })
    }

    /// Reads files that were replaced since the last read. If that fails, the old ones stay in use, and the failure is logged once.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn refresh(&self) -> Result<bool, EngineError> {
        let now = stamps(&self.files);
        {
            let mut stamps = self.stamps.lock();
            if *stamps == now {
                return Ok(false);
            }
            *stamps = now;
        }
        let loaded = load(&self.files, &self.model, self.fingerprint, &self.rules)?;
        *self.loaded.write() = Arc::new(loaded);
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
                    Ok(true) => tracing::info!("the robot has loaded its replaced intents or knowledge"),
                    Ok(false) => {}
                    Err(e) => tracing::warn!("{e}; the robot keeps using what it had loaded"),
                }
            }
        };
        std::thread::Builder::new().name("robot-files".into()).spawn(run)?;
        Ok(Watch { _end: watch })
    }

    /// What to do about a input. A model that failed hands over.
    pub fn decide(&self, input: &TurnInput<'_>) -> Decision {
        match self.recognise(input) {
            Ok(recognition) => self.decide_on(input, &recognition),
            Err(RecognitionError::Busy) => Decision::hand_over(policy::HandOverWhy::Busy, policy::Why::Busy),
            Err(RecognitionError::Failed(detail)) => {
                Decision::hand_over(policy::HandOverWhy::Error, policy::Why::Broken { detail })
            }
        }
    }

    /// What to do about a message that was recognised.
    pub fn decide_on(&self, input: &TurnInput<'_>, recognition: &Recognition) -> Decision {
        policy::decide(&self.loaded().policy, input, recognition)
    }

    /// What a message means at its moment.
    ///
    /// # Errors
    /// See [`RecognitionError`].
    pub fn recognise(&self, input: &TurnInput<'_>) -> Result<Recognition, RecognitionError> {
        let loaded = self.loaded();
        let vector = (self.encode)(input.text)?;
        let (mut intents, mut out_of_scope) = (Vec::new(), 1.0);
        if let Some(classifier) = &loaded.classifier {
            let mut prediction = classifier.predict(&vector);
            self.leave_refused(classifier, input.text, &mut prediction)?;
            out_of_scope = prediction.out_of_scope;
            let best = prediction.intents.iter().take(MOST_RESULTS);
            intents.extend(best.map(|(n, p)| IntentScore { name: classifier.intents[*n].0.clone(), p: *p }));
        }
        let lang = if input.is_zh() { "zh" } else { "en" };
        let day = loaded.policy.day(input.now_ms);
        let wanted = KnowledgeQuery { text: input.text, vector: &vector, site: input.site, day: &day, lang };
        let hits = loaded.index.find(&wanted, MOST_RESULTS).into_iter().map(|found| KnowledgeMatch {
            entry: found.entry.id.clone(),
            question: found.entry.question.clone(),
            answer: found.entry.answer.clone(),
            score: found.score,
            against: found.conflicts.into_iter().next().map(|c| Contradiction { entry: c.entry, asked: c.asked }),
        });
        Ok(Recognition { intents, out_of_scope, hits: hits.collect() })
    }

    /// Removes the intent that the text negates: 我不想退款 does not ask for a refund, however similar it is. What the
    /// rest of the text asks for stays. The language model runs again only where an intent is negated.
    fn leave_refused(
        &self,
        classifier: &IntentClassifier,
        text: &str,
        prediction: &mut Prediction,
    ) -> Result<(), RecognitionError> {
        let Some(refused) = refusal::refused(text) else { return Ok(()) };
        let Some((intent, p)) = classifier.predict(&(self.encode)(&refused.act)?).intents.first().copied() else {
            return Ok(());
        };
        if p < REFUSED_LEAST {
            return Ok(());
        }
        let rest = match refused.rest.is_empty() {
            true => 0.0,
            false => classifier
                .predict(&(self.encode)(&refused.rest)?)
                .intents
                .iter()
                .find(|(n, _)| *n == intent)
                .map_or(0.0, |(_, p)| *p),
        };
        for (_, p) in prediction.intents.iter_mut().filter(|(n, p)| *n == intent && *p > rest) {
            prediction.out_of_scope = (prediction.out_of_scope + *p - rest).min(1.0);
            *p = rest;
        }
        prediction.intents.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(())
    }

    /// Names of the intents it can prediction; `None` without a classifier.
    pub fn intents(&self) -> Option<BTreeSet<String>> {
        Some(self.loaded().classifier.as_ref()?.intents.iter().map(|(name, _)| name.clone()).collect())
    }

    fn loaded(&self) -> Arc<LoadedKnowledge> {
        Arc::clone(&self.loaded.read())
    }
}

fn load(
    files: &RobotFiles,
    model: &SentenceModel,
    fingerprint: Fingerprint,
    rules: &Policy,
) -> Result<LoadedKnowledge, EngineError> {
    let classifier = intents(files, model, fingerprint)?;
    let titles: BTreeMap<String, Title> = classifier
        .iter()
        .flat_map(|h| &h.intents)
        .map(|(name, intent)| (name.clone(), Title { zh: intent.zh.clone(), en: intent.en.clone() }))
        .collect();
    let book =
        KnowledgeBase::load(&files.knowledge()).map_err(|e| EngineError::File(files.knowledge(), e.to_string()))?;
    let mut cache = Cache::load(&files.vectors(), fingerprint, model.width());
    // the command that wrote the book wrote the vectors, too: there is something to do only after a change of the model
    if !cache.covers(&book) {
        let unable = |e: EmbedError| EngineError::Model(e.to_string());
        let mut workers = model.encoders(1).map_err(unable)?;
        cache.fill(&book, &mut workers, &mut |_, _| ()).map_err(unable)?;
    }
    Ok(LoadedKnowledge { classifier, index: Index::new(book, &cache), policy: rules.clone().with_titles(titles) })
}

fn stamps(files: &RobotFiles) -> Stamps {
    [files.intents(), files.knowledge()].map(|path| stamp(&path))
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}
