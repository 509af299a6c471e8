//! Tables and texts that people bring, read without losing anything silently. Knows nothing of what the rows mean.

#![forbid(unsafe_code)]

pub mod encoding;
pub mod table;
pub mod text_file;
