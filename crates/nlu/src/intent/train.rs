//! Learning a head from examples: vectors, folds, the classifier, its calibration. The same examples in any order give the
//! same head, bit for bit.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
};

use super::{
    calibrate::{Rejection, Signs, temperature},
    classifier::{IntentClassifier, Look, nearest},
    eval::{Report as Scores, Seen},
    examples::{Example, Examples, OUT_OF_SCOPE},
    logistic::{Linear, Problem, fit},
};
use crate::{
    embed::{Embed, EmbedError, Fingerprint, embed_all},
    text_file::Report,
    vectors::{Rows, top},
};

/// Parts of the examples, each held out once to calibrate on.
const FOLDS: usize = 4;
/// Groups of intents, each left out once to stand for texts out of scope if there are no examples of them.
const GROUPS: usize = 3;
/// Least intents for that.
const LEAST_FOR_GROUPS: usize = 6;
/// Inverse strength of the regularisation, as scikit-learn's `C`.
const C: f32 = 30.0;
/// Most iterations of the classifier.
const ITERATIONS: usize = 120;
/// Most examples of an intent whose vectors stay in the head, to compare texts with. Of the head that kefu ships, four times
/// as many made nothing better.
pub(super) const ANCHORS: usize = 12;
/// As [`ANCHORS`], of the texts out of scope: they have not one subject but many.
const ANCHORS_OUTSIDE: usize = 128;
/// Examples of a class that are considered for it, and that it is measured on.
const CANDIDATES: usize = 512;
/// Least probability for the measured coverage, as the default of the policy.
pub const THRESHOLD: f32 = 0.5;

/// Why there is no head.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The examples can't be learned from.
    #[error("the examples can't be learned from: {0} problems")]
    Examples(usize, Report),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// How far a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Examples through the language model.
    Embedding {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
    /// Classifiers fitted.
    Fitting {
        /// So many.
        done: usize,
        /// Of so many.
        total: usize,
    },
}

/// One classifier to fit: what is held out, and whether that stands for texts out of scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    All,
    Fold(usize),
    Group(usize),
}

struct Set {
    width: usize,
    rows: Vec<f32>,
    anchors: Vec<u32>,
    codes: Rows,
    labels: Vec<u32>,
    folds: Vec<usize>,
    intents: usize,
    classes: usize,
}

/// Trains a head. `workers` make the vectors, and there are as many threads as workers.
///
/// # Errors
/// Examples that can't be learned from, or a failing model.
pub fn train(
    mut examples: Examples,
    workers: &mut [Box<dyn Embed>],
    progress: &mut dyn FnMut(Progress),
) -> Result<IntentClassifier, TrainError> {
    let mut report = Report::default();
    examples.settle(&mut report);
    if report.errors() > 0 {
        return Err(TrainError::Examples(report.errors(), report));
    }
    let number: BTreeMap<&str, u32> =
        examples.intents.keys().filter(|name| *name != OUT_OF_SCOPE).map(String::as_str).zip(0..).collect();
    let class = |e: &Example| number.get(e.intent.as_str()).copied().unwrap_or(number.len() as u32);
    // class by class, as a head keeps them
    examples.list.sort_by_key(class);
    let labels: Vec<u32> = examples.list.iter().map(class).collect();
    let first = workers.first_mut().ok_or_else(|| EmbedError("no worker".into()))?;
    let fingerprint = Fingerprint::of(first.as_mut())?;
    let texts: Vec<&str> = examples.list.iter().map(|e| e.text.as_str()).collect();
    let total = texts.len();
    let rows = embed_all(workers, &texts, &mut |done| progress(Progress::Embedding { done, total }))?;
    let intents: Vec<_> = examples.intents.iter().filter(|(name, _)| *name != OUT_OF_SCOPE).collect();
    let intents: Vec<_> = intents.into_iter().map(|(name, intent)| (name.clone(), intent.clone())).collect();
    let set = Set::new(labels, intents.len(), rows);

    let mut tasks = vec![Task::All];
    tasks.extend((0..FOLDS).map(Task::Fold));
    if set.classes == set.intents && set.intents >= LEAST_FOR_GROUPS {
        tasks.extend((0..GROUPS).map(Task::Group));
    }
    let mut results = run(&set, &tasks, workers.len(), progress);
    // in the order of the tasks, the first is the one that stays
    let mut linear = results.remove(0).0;
    linear.round_to_half();
    let looks: Vec<_> = results
        .into_iter()
        .zip(&tasks[1..])
        .flat_map(|((_, looks), task)| {
            let outside = matches!(task, Task::Group(_));
            looks.into_iter().map(move |(n, look)| (n, look, outside))
        })
        .collect();
    let (temperature, rejection, seen) = calibrate(&set, &looks, &intents);
    let summary = Scores::new(&seen, THRESHOLD).summary();
    let examples = examples.list.iter().zip(&set.labels).map(|(e, label)| (&e.text, *label)).collect();
    Ok(IntentClassifier {
        fingerprint,
        intents,
        summary,
        linear,
        temperature,
        rejection,
        examples,
        anchors: set.anchors,
        rows: set.codes,
    })
}

impl Set {
    fn new(labels: Vec<u32>, intents: usize, rows: Vec<f32>) -> Self {
        let width = rows.len() / labels.len().max(1);
        let anchors = anchors(&labels, intents, &rows, width);
        let mut codes = Rows::new(width);
        codes.reserve(anchors.len());
        anchors.iter().for_each(|n| codes.push(&rows[*n as usize * width..][..width]));
        // the examples are sorted: every FOLDS-th of an intent, beginning elsewhere for each
        let mut met: BTreeMap<u32, usize> = BTreeMap::new();
        let folds = labels.iter().map(|label| {
            let n = met.entry(*label).or_insert(*label as usize);
            *n += 1;
            *n % FOLDS
        });
        let folds = folds.collect();
        let classes = intents + usize::from(labels.contains(&(intents as u32)));
        Self { width, rows, anchors, codes, labels, folds, intents, classes }
    }

    fn row(&self, n: usize) -> &[f32] {
        &self.rows[n * self.width..(n + 1) * self.width]
    }

    fn holds_out(&self, task: Task, n: usize) -> bool {
        match task {
            Task::All => false,
            Task::Fold(fold) => self.folds[n] == fold,
            Task::Group(group) => self.labels[n] as usize % GROUPS == group,
        }
    }

    /// Fits on what is not held out; looks at what is.
    fn work(&self, task: Task) -> (Linear, Vec<(usize, Look)>) {
        let (held, kept): (Vec<usize>, Vec<usize>) = (0..self.labels.len()).partition(|n| self.holds_out(task, *n));
        let rows: Vec<f32> = kept.iter().flat_map(|n| self.row(*n)).copied().collect();
        let labels: Vec<u32> = kept.iter().map(|n| self.labels[*n]).collect();
        let (width, classes) = (self.width, self.classes);
        let decay = 1.0 / (C * kept.len().max(1) as f32);
        let problem =
            Problem { rows: &rows, width, labels: &labels, weights: None, classes, decay, iterations: ITERATIONS };
        let linear = fit(&problem, &mut || ());
        let looks = held.into_iter().map(|n| {
            let cosines = self.codes.cosines(self.row(n)).into_iter();
            let cosines = cosines.zip(self.anchors.iter().map(|n| *n as usize));
            let cosines = cosines.filter(|(_, k)| !self.holds_out(task, *k));
            let near = nearest(cosines.map(|(cosine, k)| (cosine, self.labels[k])), self.intents);
            (n, Look::new(&linear, self.intents, self.row(n), near))
        });
        let looks = looks.collect();
        (linear, looks)
    }
}

/// The examples of each class that stay for comparison, by number.
fn anchors(labels: &[u32], intents: usize, rows: &[f32], width: usize) -> Vec<u32> {
    let mut classes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    labels.iter().zip(0..).for_each(|(label, n)| classes.entry(*label).or_default().push(n));
    let mut kept: Vec<u32> = Vec::new();
    for (class, mut all) in classes {
        let most = if (class as usize) < intents { ANCHORS } else { ANCHORS_OUTSIDE };
        if all.len() > CANDIDATES {
            // evenly from the sorted ones
            all = (0..CANDIDATES).map(|n| all[n * all.len() / CANDIDATES]).collect();
        }
        let chosen = cover(all.iter().map(|n| &rows[*n as usize * width..][..width]), width, most);
        kept.extend(chosen.into_iter().map(|n| all[n]));
    }
    kept.sort_unstable();
    kept
}

/// So many of `vectors` that all have one of them near: each brings the sum of the cosines with the nearest chosen one
/// the furthest up (greedy facility location). All, if they are no more.
pub(super) fn cover<'a>(
    vectors: impl ExactSizeIterator<Item = &'a [f32]> + Clone,
    width: usize,
    most: usize,
) -> Vec<usize> {
    let count = vectors.len();
    if count <= most {
        return (0..count).collect();
    }
    let mut rows = Rows::new(width);
    vectors.clone().for_each(|v| rows.push(v));
    let cosines: Vec<Vec<f32>> = vectors.map(|v| rows.cosines(v)).collect();
    let mut near = vec![-1f32; count];
    let mut chosen = Vec::with_capacity(most);
    for _ in 0..most {
        let gain = |of: &Vec<f32>| of.iter().zip(&near).map(|(c, near)| (c - near).max(0.0)).sum::<f32>();
        let gains: Vec<f32> = cosines.iter().map(gain).collect();
        let Some((best, gained)) = top(gains.into_iter(), 1).pop() else { break };
        if gained <= 0.0 {
            break; // every vector is as near to a chosen one as to itself
        }
        chosen.push(best);
        near.iter_mut().zip(&cosines[best]).for_each(|(near, c)| *near = near.max(*c));
    }
    chosen
}

/// All tasks on `threads` threads, each taking the next when it is done with one; results in the order of the tasks.
fn run(
    set: &Set,
    tasks: &[Task],
    threads: usize,
    progress: &mut dyn FnMut(Progress),
) -> Vec<(Linear, Vec<(usize, Look)>)> {
    let total = tasks.len();
    let mut results: Vec<_> = tasks.iter().map(|_| None).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (done, finished) = mpsc::channel();
        for _ in 0..threads.clamp(1, total) {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                while let Some((n, task)) = Some(next.fetch_add(1, Relaxed)).and_then(|n| Some((n, tasks.get(n)?))) {
                    // nobody listening any more: the other end has panicked, and with it the scope
                    let _ = done.send((n, set.work(*task)));
                }
            });
        }
        drop(done);
        for (count, (n, result)) in finished.iter().enumerate() {
            results[n] = Some(result);
            progress(Progress::Fitting { done: count + 1, total });
        }
    });
    results.into_iter().flatten().collect()
}

/// Temperature and rejection from looks at held-out examples, and what they would have guessed.
fn calibrate<T>(set: &Set, looks: &[(usize, Look, bool)], intents: &[(String, T)]) -> (f32, Rejection, Vec<Seen>) {
    let inside = |n: usize, out: bool| !out && (set.labels[n] as usize) < set.intents;
    let (logits, labels): (Vec<_>, Vec<_>) = looks
        .iter()
        .filter(|(n, _, out)| inside(*n, *out))
        .map(|(n, look, _)| (look.logits.clone(), set.labels[*n]))
        .unzip();
    let temperature = temperature(&logits, &labels);
    let signs = |want: bool| -> Vec<Signs> {
        looks
            .iter()
            .filter(|(n, _, out)| inside(*n, *out) == want)
            .map(|(_, l, _)| l.calibrated(temperature).1)
            .collect()
    };
    let rejection = Rejection::learn(&signs(true), &signs(false));
    let seen = looks.iter().map(|(n, look, out)| {
        let guess = look.predict(temperature, &rejection);
        let truth = if inside(*n, *out) { intents[set.labels[*n] as usize].0.clone() } else { OUT_OF_SCOPE.to_owned() };
        let (best, p) = guess.intents.first().copied().unwrap_or_default();
        Seen { truth, guess: intents[best].0.clone(), p }
    });
    let seen = seen.collect();
    (temperature, rejection, seen)
}
