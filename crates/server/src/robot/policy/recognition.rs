//! What was understood of one text.

/// Why nothing was understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecognitionError {
    /// More questions than can be answered.
    #[error("the language model is overloaded; people take over")]
    Busy,
    /// The model failed.
    #[error("the language model failed: {0}")]
    Failed(String),
}

/// One intent a text may have.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentScore {
    /// Its name, such as `refund_progress`.
    pub name: String,
    /// Calibrated probability, 0 to 1: of a hundred guesses with 0.8, about eighty are right.
    pub p: f32,
}

/// One entry of the knowledge that may answer.
#[derive(Debug, Clone, PartialEq)]
pub struct KnowledgeMatch {
    /// Id of the entry.
    pub entry: String,
    /// Its question.
    pub question: String,
    /// Its answer, Markdown.
    pub answer: String,
    /// The probability that it is what was asked for, 0 to 1; 1: in its very words.
    pub score: f32,
    /// What contradicts the question, if something does. It is then never answered outright.
    pub against: Option<Contradiction>,
}

/// Two that contradict each other, as they are written: 5 kg and 50 kg.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Contradiction {
    /// The words of the entry.
    pub entry: String,
    /// The words of the question.
    pub asked: String,
}

/// What the engine recognised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recognition {
    /// Intents, the likeliest first. May be empty.
    pub intents: Vec<IntentScore>,
    /// Probability that the text has none of the intents.
    pub out_of_scope: f32,
    /// Knowledge, the best first. May be empty. Only entries that hold now and on this site.
    pub hits: Vec<KnowledgeMatch>,
}
