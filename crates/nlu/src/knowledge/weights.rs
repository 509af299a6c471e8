//! Made by `cargo run --example fit_questions`: what each feature of `score.rs` counts.

/// In the order of the features.
pub(super) const WEIGHTS: &[f32] = &[
    1.815,  // one
    1.046,  // cosine
    -6.313, // words
    -1.615, // words_back
    -1.880, // covered
    0.010,  // covers
    -1.827, // frame
    0.174,  // unknown
    -4.089, // frame_other
    5.947,  // same
    -2.223, // all_said
    1.602,  // numbers_both
    -0.851, // numbers_asked
    -0.878, // numbers_entry
    1.075,  // names_both
    1.461,  // names_asked
    0.082,  // names_entry
    0.062,  // members_both
    -0.681, // members_asked
    -0.211, // members_entry
    -0.220, // kind_both
    -0.154, // kind_differs
    -5.155, // conflicts
    -0.365, // narrows
    -0.458, // denials
    1.547,  // added
    2.155,  // first
    5.406,  // cosine_margin
    3.839,  // covered_margin
    0.549,  // cosine above 0.2
    -0.291, // cosine above 0.4
    0.264,  // cosine above 0.6
    3.276,  // cosine above 0.8
    -3.873, // words above 0.2
    1.781,  // words above 0.4
    1.986,  // words above 0.6
    1.024,  // words above 0.8
    -3.085, // words_back above 0.2
    2.033,  // words_back above 0.4
    4.446,  // words_back above 0.6
    5.860,  // words_back above 0.8
    -1.499, // covered above 0.2
    1.212,  // covered above 0.4
    0.372,  // covered above 0.6
    1.784,  // covered above 0.8
    -0.942, // covers above 0.2
    0.928,  // covers above 0.4
    1.966,  // covers above 0.6
    1.711,  // covers above 0.8
    -2.039, // frame above 0.2
    1.251,  // frame above 0.4
    0.665,  // frame above 0.6
    1.210,  // frame above 0.8
    -0.214, // unknown above 0.2
    -1.786, // unknown above 0.4
    -1.105, // unknown above 0.6
    -1.621, // unknown above 0.8
];
