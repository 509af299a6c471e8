//! What hours can't be.

/// Why hours are refused; a sentence for the person who wrote them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// No such time zone.
    #[error("there is no time zone {0:?}; zones are named like Asia/Shanghai or Europe/Berlin")]
    Zone(String),
    /// A span is not written as one.
    #[error("{0:?} is no time of day; write 09:00-18:00, or several with commas between them")]
    Span(String),
    /// A span ends before it begins.
    #[error("{0} ends before it begins; for a night write 22:00-24:00 and 00:00-06:00 on the next day")]
    Backwards(String),
    /// Spans of a day in the wrong order.
    #[error("{0} begins before the one before it ends")]
    Overlap(String),
    /// A week is not written as one.
    #[error("{0:?} is no part of a week; write mon-fri 09:00-18:00, with semicolons between parts")]
    Week(String),
    /// Two parts of a week name the same day.
    #[error("{0} is named twice")]
    Twice(&'static str),
    /// More days than fit.
    #[error("more than 400 single days; those that are over are removed when you set the hours again")]
    TooManyDays,
}
