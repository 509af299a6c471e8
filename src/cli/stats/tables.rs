//! The tables of the wall: agents with their load, queues with their waits.

use std::cmp::Reverse;

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Cell, Padding, Paragraph, Row, Table},
};

use super::{
    parts::{LONG_WAIT, boxed, wait_text},
    shape::{Agent, Desk, Queue},
    text::{state, teams},
};
use crate::{cli::out, proto::AgentState};

/// Agents: those who answer first, then by load.
pub fn agents(frame: &mut Frame<'_>, area: Rect, desk: &Desk) {
    let mut list: Vec<&Agent> = desk.agents.iter().collect();
    let rank = |a: &Agent| match a.state {
        AgentState::Online => 0,
        AgentState::Busy => 1,
        AgentState::Offline => 2,
    };
    list.sort_by(|a, b| rank(a).cmp(&rank(b)).then(b.load.cmp(&a.load)).then(a.user.cmp(&b.user)));
    let block = boxed("agents").padding(Padding::horizontal(1));
    let room = usize::from(block.inner(area).height.saturating_sub(1));
    let hidden = list.len().saturating_sub(room);
    let block = if hidden > 0 { block.title_bottom(format!(" {hidden} more ")) } else { block };
    if list.is_empty() {
        let text = Paragraph::new("\nnobody is signed in".dark_gray()).alignment(Alignment::Center);
        return frame.render_widget(text.block(block), area);
    }
    let rows = list.into_iter().take(room).map(|a| {
        let color = match a.state {
            AgentState::Online => Color::Green,
            AgentState::Busy => Color::Yellow,
            AgentState::Offline => Color::DarkGray,
        };
        Row::new([
            Cell::new(out::printable(&a.name)),
            Cell::new(Line::from(vec![Span::styled("● ", Style::new().fg(color)), Span::raw(state(a.state))])),
            Cell::new(load_bar(a)),
            Cell::new(teams(&a.teams)),
        ])
    });
    let widths = [Constraint::Fill(3), Constraint::Length(9), Constraint::Length(16), Constraint::Fill(3)];
    let header = Row::new(["name", "state", "load", "teams"]).style(Style::new().dark_gray());
    frame.render_widget(Table::new(rows, widths).header(header).block(block), area);
}

/// `■■■□□ 3/5`; eight squares at most.
fn load_bar(a: &Agent) -> Line<'static> {
    let squares = a.capacity.clamp(1, 8);
    let filled = if a.capacity == 0 { 0 } else { (a.load * squares).div_ceil(a.capacity).min(squares) };
    let color = if a.load >= a.capacity { Color::Red } else { Color::Cyan };
    Line::from(vec![
        Span::styled("■".repeat(filled as usize), Style::new().fg(color)),
        Span::styled("□".repeat((squares - filled) as usize), Style::new().dark_gray()),
        Span::raw(format!(" {}/{}", a.load, a.capacity)),
    ])
}

/// Queues: the longest wait first.
pub fn queues(frame: &mut Frame<'_>, area: Rect, desk: &Desk) {
    let block = boxed("queues").padding(Padding::horizontal(1));
    let mut list: Vec<&Queue> = desk.teams.iter().collect();
    if list.is_empty() {
        let text = Paragraph::new("\nthere are no teams".dark_gray()).alignment(Alignment::Center);
        return frame.render_widget(text.block(block), area);
    }
    list.sort_by_key(|q| Reverse(q.longest_wait_ms));
    let rows = list.into_iter().map(|q| {
        let color = if q.longest_wait_ms > LONG_WAIT { Color::Red } else { Color::Yellow };
        let longest = if q.waiting == 0 { "-".into() } else { wait_text(q.longest_wait_ms) };
        Row::new([
            Cell::new(q.team.to_string()),
            Cell::new(Line::from(q.online.to_string()).alignment(Alignment::Right)),
            Cell::new(Line::from(q.waiting.to_string()).alignment(Alignment::Right)),
            Cell::new(Line::from(longest).alignment(Alignment::Right).fg(color)),
        ])
    });
    let header = Row::new([
        Line::from("team"),
        Line::from("online").alignment(Alignment::Right),
        Line::from("waiting").alignment(Alignment::Right),
        Line::from("longest").alignment(Alignment::Right),
    ]);
    let table =
        Table::new(rows, [Constraint::Fill(1), Constraint::Length(6), Constraint::Length(7), Constraint::Length(9)])
            .header(header.style(Style::new().dark_gray()))
            .block(block);
    frame.render_widget(table, area);
}
