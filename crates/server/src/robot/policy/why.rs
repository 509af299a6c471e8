//! Why the robot did what it did: a code with its values. Pages word it in their own language; here it is worded in English.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::config::Do;

/// A reason. Shares are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Why {
    /// The message contains a word that always hands over to a person.
    Word {
        /// The word.
        word: String,
    },
    /// People answer at this hour.
    Hours,
    /// The visitor asks for a person.
    Person {
        /// The intent.
        intent: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        p: f32,
        /// Minimum probability to act on.
        #[serde(serialize_with = "share")]
        needs: f32,
    },
    /// The rule of an intent.
    Rule {
        /// The intent.
        intent: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        p: f32,
        /// Minimum probability to act on.
        #[serde(serialize_with = "share")]
        needs: f32,
        /// What the rule is.
        #[serde(rename = "do")]
        action: Do,
    },
    /// An entry of the knowledge fits.
    Knowledge {
        /// Its question.
        question: String,
        /// How well it matches, 0 to 1.
        #[serde(serialize_with = "share")]
        p: f32,
        /// Minimum fit to answer with.
        #[serde(serialize_with = "share")]
        needs: f32,
    },
    /// Entries of the knowledge nearly fit.
    Nearly {
        /// Number of entries.
        n: usize,
    },
    /// The best matching entry contradicts the question.
    Against {
        /// Its question.
        question: String,
        /// The part of the entry that contradicts the question.
        entry: String,
        /// The part of the question that contradicts the entry.
        asked: String,
    },
    /// It is an order number, a model or another code, and no question.
    Code,
    /// Two intents are too near to choose.
    Close {
        /// The most likely intent.
        intent: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        p: f32,
        /// The second most likely intent.
        other: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        q: f32,
    },
    /// The intent is clear, but nothing answers it.
    Unanswered {
        /// The intent.
        intent: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        p: f32,
    },
    /// The likeliest intent is not likely enough.
    Low {
        /// The intent.
        intent: String,
        /// Its probability.
        #[serde(serialize_with = "share")]
        p: f32,
        /// Minimum probability to act on.
        #[serde(serialize_with = "share")]
        needs: f32,
        /// Probability that it has none of the intents.
        #[serde(serialize_with = "share")]
        outside: f32,
    },
    /// Nothing was recognised.
    Nothing,
    /// Several turns had no answer.
    Failed {
        /// How many before this one.
        n: u32,
        /// Why this one had none.
        because: Box<Why>,
    },
    /// It would hand over, but nobody is available: the visitor is asked first.
    NobodyThere {
        /// Why a person would be brought.
        because: Box<Why>,
    },
    /// The visitor was asked, and leaves it to people all the same.
    ChosePeople,
    /// The visitor was asked, and continues with the robot.
    ChoseRobot,
    /// More questions than the model can answer.
    Busy,
    /// The language model doesn't work.
    Broken {
        /// In its own words.
        detail: String,
    },
    /// There is no language model.
    NoModel,
    /// The robot can't continue, for a reason in the log.
    Stopped,
    /// The message is more than text.
    #[serde(rename = "strange")]
    Unsupported,
}

/// Three digits: more would be noise in the JSON.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn share<S: Serializer>(p: &f32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((f64::from(*p) * 1000.0).round() / 1000.0)
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |p: &f32| format!("{:.0} %", p * 100.0);
        match self {
            Self::Word { word } => write!(f, "the message contains {word:?}, which always hands over to a person"),
            Self::Hours => f.write_str("people answer at this hour"),
            Self::Person { intent, p, needs } => {
                write!(f, "{intent} has {} (needs {}): people always get a person", percent(p), percent(needs))
            }
            Self::Rule { intent, p, needs, action } => {
                let rule = match action {
                    Do::Handover => "to hand over".to_owned(),
                    other => format!("{other:?}").to_lowercase(),
                };
                write!(f, "{intent} has {} (needs {}): its rule is {rule}", percent(p), percent(needs))
            }
            Self::Knowledge { question, p, needs } => {
                write!(f, "{question:?} of the knowledge matches with {} (needs {})", percent(p), percent(needs))
            }
            Self::Nearly { n } => write!(f, "{n} knowledge entries may be meant, none for certain"),
            Self::Against { question, entry, asked } => {
                write!(f, "{question:?} matches best, but the entry says {entry:?}, the question {asked:?}")
            }
            Self::Code => f.write_str("this is a number or a name, not a question; it does not count as a failed turn"),
            Self::Close { intent, p, other, q } => {
                write!(f, "{intent} ({}) and {other} ({}) are too close", percent(p), percent(q))
            }
            Self::Unanswered { intent, p } => write!(f, "{intent} has {}, but no knowledge answers it", percent(p)),
            Self::Low { intent, p, needs, outside } => write!(
                f,
                "{intent} has only {} (needs {}), none of the intents {}",
                percent(p),
                percent(needs),
                percent(outside)
            ),
            Self::Nothing => f.write_str("nothing was recognised"),
            Self::Failed { n, because } => write!(f, "{because}; {n} turns before had no answer either"),
            Self::NobodyThere { because } => write!(f, "{because}; nobody is available, so the visitor is asked first"),
            Self::ChosePeople => f.write_str("the visitor leaves it to people, although nobody is available now"),
            Self::ChoseRobot => f.write_str("the visitor continues with the robot"),
            Self::Busy => f.write_str("the language model is overloaded; people take over"),
            Self::Broken { detail } => write!(f, "the language model failed: {detail}"),
            Self::NoModel => f.write_str("there is no language model"),
            Self::Stopped => f.write_str("the robot cannot continue"),
            Self::Unsupported => f.write_str("this is not only text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_code_with_values_and_english_words() {
        let low = Why::Low { intent: "refund".into(), p: 0.123_456, needs: 0.5, outside: 0.7 };
        let why = Why::Failed { n: 2, because: Box::new(low) };
        let json = serde_json::json!({
            "code": "failed", "n": 2,
            "because": { "code": "low", "intent": "refund", "p": 0.123, "needs": 0.5, "outside": 0.7 }
        });
        assert_eq!(serde_json::to_value(&why).unwrap(), json);
        let words = "refund has only 12 % (needs 50 %), none of the intents 70 %; 2 turns before had no answer either";
        assert_eq!(why.to_string(), words);
        let rule = Why::Rule { intent: "spam".into(), p: 0.9, needs: 0.5, action: Do::Silent };
        assert_eq!(rule.to_string(), "spam has 90 % (needs 50 %): its rule is silent");
        assert_eq!(serde_json::to_value(&rule).unwrap()["do"], "silent");
    }
}
