//! What the wall and its tables both draw with.

use ratatui::{
    style::{Color, Style},
    text::Span,
    widgets::{Block, BorderType},
};

/// Waits longer than this are red, ms.
pub const LONG_WAIT: u64 = 60_000;

/// A frame with a title.
pub fn boxed(title: impl Into<String>) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().dark_gray())
        .title(Span::styled(format!(" {} ", title.into()), Style::new().bold().fg(Color::Reset)))
}

/// `0:07`, `12:30`, `3:05:00`.
pub fn wait_text(ms: u64) -> String {
    let s = ms / 1_000;
    match s / 3_600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}
