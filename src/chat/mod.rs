//! One file a use case: open, post, history, receipt, transfer, close; and the fan-out that follows a commit.
