//! The examples of a head in as little memory as they take: a server keeps tens of thousands of them, to say which is near
//! and to learn again when the model changes.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
    ser::SerializeSeq as _,
};

/// Texts, each with its class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taught {
    /// One behind the other.
    texts: String,
    /// Where each ends.
    ends: Vec<usize>,
    classes: Vec<u32>,
}

impl Taught {
    /// Without room for more: it stays as it is.
    fn fitted(mut self) -> Self {
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.classes.shrink_to_fit();
        self
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The class of one.
    ///
    /// # Panics
    /// If there are not as many; so does [`Self::text`].
    pub fn class(&self, n: usize) -> u32 {
        self.classes[n]
    }

    /// The text of one.
    pub fn text(&self, n: usize) -> &str {
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start..self.ends[n]]
    }

    /// All in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        (0..self.len()).map(|n| (self.text(n), self.class(n)))
    }
}

impl<S: AsRef<str>> Extend<(S, u32)> for Taught {
    fn extend<I: IntoIterator<Item = (S, u32)>>(&mut self, all: I) {
        for (text, class) in all {
            self.texts.push_str(text.as_ref());
            self.ends.push(self.texts.len());
            self.classes.push(class);
        }
    }
}

impl<S: AsRef<str>> FromIterator<(S, u32)> for Taught {
    fn from_iter<I: IntoIterator<Item = (S, u32)>>(all: I) -> Self {
        let mut taught = Self::default();
        taught.extend(all);
        taught.fitted()
    }
}

/// A string that is borrowed unless it has escapes.
#[derive(Serialize, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// What a file has a list of: a class with its texts, or, until version 2, one text with its class.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Run<'a> {
    Class(u32, #[serde(borrow)] Vec<Text<'a>>),
    One(#[serde(borrow)] Text<'a>, u32),
}

impl Serialize for Taught {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all: Vec<(&str, u32)> = self.iter().collect();
        let mut list = to.serialize_seq(None)?;
        for run in all.chunk_by(|a, b| a.1 == b.1) {
            list.serialize_element(&Run::Class(run[0].1, run.iter().map(|(text, _)| Text((*text).into())).collect()))?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Taught {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Runs;
        impl<'de> Visitor<'de> for Runs {
            type Value = Taught;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of examples")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Taught, A::Error> {
                let mut taught = Taught::default();
                while let Some(run) = list.next_element()? {
                    match run {
                        Run::Class(class, texts) => taught.extend(texts.into_iter().map(|text| (text.0, class))),
                        Run::One(text, class) => taught.extend([(text.0, class)]),
                    }
                }
                Ok(taught.fitted())
            }
        }
        from.deserialize_seq(Runs)
    }
}
