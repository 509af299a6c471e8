//! One typed configuration; all errors reported at once.
