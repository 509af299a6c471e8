//! From texts to vectors, for those who learn from many: the trait, the model's fingerprint, several threads at once.

use std::{
    fmt,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::encoder::{EncodeError, Encoder};

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
#[error("the language model failed: {0}")]
pub struct EmbedError(pub String);

impl From<EncodeError> for EmbedError {
    fn from(e: EncodeError) -> Self {
        Self(e.to_string())
    }
}

/// Makes sentence vectors of length 1.
pub trait Embed: Send {
    /// Numbers in a vector.
    fn width(&self) -> usize;

    /// The vector of one text.
    ///
    /// # Errors
    /// The model failed.
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError>;

    /// The model's fingerprint, where it is known without running it.
    fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }
}

impl Embed for Encoder {
    fn width(&self) -> usize {
        self.model().width()
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let tokens = self.model().tokens(text);
        Ok(self.encode(&tokens)?.to_vec())
    }
}

/// Which model made a vector. What was learned from one model means nothing to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Of the model behind `embed`: the one that it knows, else a hash of what it makes of a few sentences. The 8-bit encoder
    /// gives equal bits on every processor, so this depends on tokenizer, weights, pooling and prefix alone.
    ///
    /// # Errors
    /// The model failed.
    pub fn of(embed: &mut dyn Embed) -> Result<Self, EmbedError> {
        if let Some(known) = embed.fingerprint() {
            return Ok(known);
        }
        const PROBES: [&str; 3] = ["我要退货", "Where is my order 20231?", "轉人工，謝謝！"];
        let mut hash = Sha256::new();
        for probe in PROBES {
            for x in embed.embed(probe)? {
                hash.update(x.to_bits().to_le_bytes());
            }
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Ok(Self(short))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Fingerprint> for String {
    fn from(f: Fingerprint) -> Self {
        f.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = || format!("{text:?} is no fingerprint of a model");
        if text.len() != 32 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = [0; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// The vectors of all `texts`, one after the other, made by all `workers` at once. `progress` hears how many are done.
///
/// # Errors
/// The model failed on one of them, or there is no worker.
pub fn embed_all(
    workers: &mut [Box<dyn Embed>],
    texts: &[&str],
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<f32>, EmbedError> {
    let width = workers.first().ok_or_else(|| EmbedError("no worker".into()))?.width();
    let mut vectors = vec![0f32; texts.len() * width];
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (done, results) = mpsc::channel();
        for worker in workers.iter_mut() {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some((n, text)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, *texts.get(n)?)))
                {
                    let result = worker.embed(text);
                    let failed = result.is_err();
                    if done.send((n, result)).is_err() || failed {
                        break;
                    }
                }
            });
        }
        drop(done);
        for (count, (n, result)) in results.iter().enumerate() {
            vectors[n * width..(n + 1) * width].copy_from_slice(&result?);
            progress(count + 1);
        }
        Ok(())
    })
    .map(|()| vectors)
}

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing {
    use super::*;

    /// A bag of characters and pairs of them: near enough to a sentence vector for tests.
    pub struct Bag(pub usize);

    impl Embed for Bag {
        fn width(&self) -> usize {
            self.0
        }

        fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
            let mut vector = vec![0f32; self.0];
            let chars: Vec<char> = text.to_lowercase().chars().collect();
            for gram in chars.windows(2).chain(chars.windows(1)) {
                let hash = Sha256::digest(gram.iter().collect::<String>());
                let at = usize::from(u16::from_le_bytes([hash[0], hash[1]])) % self.0;
                vector[at] += if hash[2] & 1 == 0 { 1.0 } else { -1.0 };
            }
            vector[0] += 0.1;
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            vector.iter_mut().for_each(|x| *x /= length);
            Ok(vector)
        }
    }

    /// `n` of them.
    pub fn bags(n: usize) -> Vec<Box<dyn Embed>> {
        (0..n).map(|_| Box::new(Bag(64)) as Box<dyn Embed>).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::*, *};

    #[test]
    fn many_threads_give_what_one_gives_in_the_same_order() {
        let texts: Vec<String> = (0..50).map(|n| format!("text {n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut seen = 0;
        let many = embed_all(&mut bags(3), &texts, &mut |n| seen = n).unwrap();
        assert_eq!(many, embed_all(&mut bags(1), &texts, &mut |_| ()).unwrap());
        assert_eq!(seen, 50);
        assert!(embed_all(&mut [], &texts, &mut |_| ()).is_err());
    }

    #[test]
    fn fingerprints_tell_models_apart_and_are_read_back() {
        let (a, b) = (Fingerprint::of(&mut Bag(64)).unwrap(), Fingerprint::of(&mut Bag(32)).unwrap());
        assert_ne!(a, b);
        assert_eq!(Fingerprint::try_from(a.to_string()), Ok(a));
        assert!(Fingerprint::try_from("x".to_owned()).is_err() && Fingerprint::try_from("ü".repeat(16)).is_err());
    }
}
