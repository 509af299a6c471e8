//! Knowledge: questions with answers, and finding the one that fits.
//!
//! - [`entry`]: one question with its answer, and what makes it valid.
//! - [`book`]: all entries in their file.
//! - [`import`], [`export`]: from and to CSV, XLSX, Markdown, JSON.
//! - [`index`]: finds entries for a text by its vector and by its words (`words`), then looks at the best closely.
//! - [`facts`]: numbers, names, opposites of a question, and where two questions contradict each other.
//! - [`score`]: how likely an entry is what was asked for.
//! - [`cache`]: vectors of questions, kept between starts.

pub mod book;
pub mod cache;
pub mod entry;
pub mod export;
pub mod facts;
pub mod import;
pub mod index;
pub mod score;
mod weights;
mod words;

pub use book::{KnowledgeBase, KnowledgeFileError};
pub use cache::Cache;
pub use entry::Entry;
pub use facts::Conflict;
pub use index::{Found, Index, KnowledgeQuery};
pub use words::same;
