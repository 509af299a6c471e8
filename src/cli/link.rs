//! The join to the composition root: what the command line wants of `app`, and nothing else of it.
