//! The wall: one frame of it. Pure: what is known goes in, cells come out.

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::Line,
    widgets::{Cell, Padding, Paragraph, Row, Sparkline, Table},
};

use super::{
    big,
    parts::{LONG_WAIT, boxed, wait_text},
    shape::Stats,
    tables,
    text::{grouped, micros, missed_of, newest},
};
use crate::{
    cli::out,
    proto::{AgentState, StorageState},
};

/// What a frame shows.
#[derive(Debug, Default)]
pub struct Scene {
    /// The newest numbers.
    pub stats: Stats,
    /// Messages in each interval, newest last.
    pub history: Vec<u64>,
    /// Since when the server does not answer, ms.
    pub silent_ms: Option<u64>,
    /// Time of day, as shown.
    pub clock: String,
    /// Time of day, ms since 1970.
    pub now_ms: u64,
}

/// The directory is to be refreshed when it has less left, ms.
const WEEK_MS: u64 = 7 * 86_400_000;

/// Draws everything that fits; small terminals get the most important part.
pub fn draw(frame: &mut Frame<'_>, scene: &Scene) {
    let area = frame.area();
    let [head, numbers, middle, lower, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(5),
        Constraint::Length(if area.height >= 26 { 7 } else { 0 }),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(area);
    header(frame, head, scene);
    big_numbers(frame, numbers, &scene.stats);
    if middle.height > 0 {
        let [left, right] = Layout::horizontal([Constraint::Min(20), Constraint::Length(36)]).areas(middle);
        messages(frame, left, scene);
        latency(frame, right, &scene.stats);
    }
    let queue_width = if area.width >= 80 { 36 } else { 0 };
    let [left, right] = Layout::horizontal([Constraint::Min(20), Constraint::Length(queue_width)]).areas(lower);
    tables::agents(frame, left, &scene.stats.desk());
    if right.width > 0 {
        tables::queues(frame, right, &scene.stats.desk());
    }
    footer(frame, foot, scene);
}

fn header(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let s = &scene.stats;
    let left = Line::from(vec![" kefu ".bold().reversed(), format!("  {}", out::printable(&s.name)).bold()]);
    let up = out::duration(s.uptime_seconds * 1_000);
    let many = s.servers.as_ref().map(|servers| servers.servers.iter().filter(|member| member.answered).count());
    let place = many.filter(|many| *many > 1).map_or_else(|| s.listen.clone(), |many| format!("{many} servers"));
    let right = Line::from(format!("{place}   {}   up {up}   {} ", s.version, scene.clock)).alignment(Alignment::Right);
    frame.render_widget(Paragraph::new(left), area);
    frame.render_widget(Paragraph::new(right.dark_gray()), area);
}

fn big_numbers(frame: &mut Frame<'_>, area: Rect, s: &Stats) {
    let desk = s.desk();
    let late = desk.longest_wait_ms > LONG_WAIT;
    let online = desk.agents.iter().filter(|a| a.state == AgentState::Online).count();
    let wait_color = if late {
        Color::Red
    } else if desk.waiting > 0 {
        Color::Yellow
    } else {
        Color::Green
    };
    let no_agents = if online == 0 { Color::Red } else { Color::Green };
    let tiles = [
        (s.metrics.connections.visitors.to_string(), "visitors", Color::Cyan),
        (online.to_string(), "online", no_agents),
        (s.open().to_string(), "open", Color::Reset),
        (desk.waiting.to_string(), "waiting", wait_color),
        (wait_text(desk.longest_wait_ms), "wait", wait_color),
    ];
    let areas = Layout::horizontal([Constraint::Ratio(1, 5); 5]).spacing(1).split(area);
    for ((number, label, color), area) in tiles.into_iter().zip(areas.iter()) {
        let inner = boxed(label).inner(*area);
        frame.render_widget(boxed(label), *area);
        let digits = big::lines(&number);
        let fits = digits[0].chars().count() <= usize::from(inner.width);
        let style = Style::new().fg(color).add_modifier(Modifier::BOLD);
        let lines: Vec<Line<'_>> = if fits {
            digits.into_iter().map(|l| Line::styled(l, style)).collect()
        } else {
            vec![Line::raw(""), Line::styled(number, style)]
        };
        frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center), inner);
    }
}

fn messages(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let m = &scene.stats.metrics.messages;
    let peak = scene.history.iter().max().copied().unwrap_or(0);
    let title = format!(
        "messages {:.1}/s · peak {} · total {}",
        m.per_second.ten_seconds,
        grouped(peak),
        grouped(m.envelopes_in)
    );
    let block = boxed(title);
    let columns = usize::from(block.inner(area).width);
    let newest = scene.history.len().saturating_sub(columns);
    // the newest is at the right edge, even while the line is short
    let mut data = vec![0; columns.saturating_sub(scene.history.len())];
    data.extend_from_slice(&scene.history[newest..]);
    frame.render_widget(Sparkline::default().block(block).data(&data).style(Style::new().fg(Color::Cyan)), area);
}

fn latency(frame: &mut Frame<'_>, area: Rect, s: &Stats) {
    let row = |name: &'static str, p50: String, p99: String| {
        Row::new([
            Cell::new(name),
            Cell::new(Line::from(p50).alignment(Alignment::Right)),
            Cell::new(Line::from(p99).alignment(Alignment::Right)),
        ])
    };
    let (commit, delivery) = (newest(&s.metrics.commit_latency), newest(&s.metrics.delivery_latency));
    let rows = [
        row("commit", micros(commit.p50), micros(commit.p99)),
        row("delivery", micros(delivery.p50), micros(delivery.p99)),
        row("memory", String::new(), out::bytes(s.metrics.process.rss_bytes)),
        row("storage", String::new(), out::bytes(s.storage_bytes)),
    ];
    let table = Table::new(rows, [Constraint::Length(10), Constraint::Fill(1), Constraint::Fill(1)])
        .header(row("", "p50".into(), "p99".into()).style(Style::new().dark_gray()))
        .block(boxed("latency").padding(Padding::horizontal(1)));
    frame.render_widget(table, area);
}

fn footer(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let line = match scene.silent_ms {
        Some(ms) => {
            Line::from(format!(" no answer from the server for {} ", out::duration(ms))).white().on_red().bold()
        }
        None if !scene.stats.storage.state.is_ok() => Line::from(match scene.stats.storage.state {
            StorageState::Full => " the disk is full: nothing is stored; free some space ",
            _ => " the disk is almost full: visitors' messages are refused; free some space ",
        })
        .white()
        .on_red()
        .bold(),
        None => match silent(scene).or_else(|| no_desk(scene)).or_else(|| stale(scene)).or_else(|| missed(scene)) {
            Some(text) => Line::from(text).yellow(),
            None => Line::from(" q quit").dark_gray(),
        },
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// Servers whose numbers are missing.
fn silent(scene: &Scene) -> Option<String> {
    let silent = scene.stats.silent();
    (!silent.is_empty()).then(|| format!(" not in the numbers, since there is no answer: {}", silent.join(", ")))
}

/// Nobody says what is waiting.
fn no_desk(scene: &Scene) -> Option<String> {
    let none = scene.stats.running && scene.stats.desk.is_none();
    none.then(|| " queues and agents are not known: the server that has the desk does not answer".into())
}

/// Warns when visitors will soon refuse the directory.
fn stale(scene: &Scene) -> Option<String> {
    let until = scene.stats.directory.fresh_until;
    let soon = until > 0 && until < scene.now_ms + WEEK_MS;
    let when = out::relative(until, scene.now_ms);
    soon.then(|| format!(" visitors stop accepting the directory {when}: kefu directory refresh"))
}

/// Conversations that nobody answered in time.
fn missed(scene: &Scene) -> Option<String> {
    missed_of(&scene.stats).map(|teams| format!(" missed, to be answered or dismissed in the console: {teams}"))
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;

    fn scene() -> Scene {
        let stats = serde_json::json!({
            "version": "0.1.0", "name": "银行 Bank", "running": true, "listen": "0.0.0.0:8443", "uptime_seconds": 7_200,
            "storage_bytes": 3_435_973_837u64,
            "desk": {
                "agents": [
                    {"user": "li", "name": "李娜", "state": "online", "load": 3, "capacity": 5, "teams": ["svc"]},
                    {"user": "wang", "name": "Wang", "state": "busy", "load": 5, "capacity": 5, "teams": ["svc", "sales"]}],
                "teams": [{"team": "svc", "online": 1, "waiting": 3, "longest_wait_ms": 95_000}],
                "waiting": 3, "owned": 84, "longest_wait_ms": 95_000},
            "metrics": {
                "connections": {"visitors": 1204, "agents": 2},
                "messages": {"envelopes_in": 1_234_567, "per_second": {"ten_seconds": 312.4}},
                "commit_latency": {"minute": {"count": 9, "sum": 0, "p50": 2_100, "p99": 9_400, "p999": 0, "max": 0}}},
        });
        let stats = serde_json::from_value(stats).unwrap();
        Scene {
            stats,
            history: (0..200).map(|i| i % 17).collect(),
            silent_ms: None,
            clock: "12:00:00".into(),
            now_ms: 0,
        }
    }

    fn drawn(scene: &Scene, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|f| draw(f, scene)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_wide_wall_shows_agents_queue_and_latency() {
        let text = drawn(&scene(), 110, 32);
        for word in ["银行", "李", "svc, sales", "3/5", "1:35", "2.1 ms", "3.2 GiB", "messages 312.4/s", "q quit"] {
            assert!(text.contains(word), "{word} is missing in\n{text}");
        }
    }

    #[test]
    fn every_size_draws_without_panic() {
        for width in [1, 2, 10, 40, 79, 80, 200] {
            for height in [1, 2, 8, 12, 25, 26, 60] {
                drawn(&scene(), width, height);
                drawn(&Scene::default(), width, height);
            }
        }
    }

    #[test]
    fn a_directory_that_grows_stale_is_named() {
        let mut scene = scene();
        scene.stats.directory.fresh_until = 3 * 86_400_000;
        assert!(drawn(&scene, 100, 30).contains("stop accepting the directory in 3 days"));
        scene.stats.directory.fresh_until = 8 * 86_400_000;
        assert!(drawn(&scene, 100, 30).contains("q quit"));
    }

    #[test]
    fn what_was_missed_is_named() {
        let mut scene = scene();
        scene.stats.missed = serde_json::from_value(serde_json::json!([{"team": "svc", "count": 12}])).unwrap();
        assert!(drawn(&scene, 100, 30).contains("dismissed in the console: svc 12"));
    }

    #[test]
    fn several_servers_are_counted_and_those_that_are_silent_are_named() {
        let mut scene = scene();
        let member =
            |listen: &str, answered| serde_json::json!({"listen": listen, "alive": true, "answered": answered});
        let mut both = [member("10.0.0.11:8443", true), member("10.0.0.12:8443", true)];
        scene.stats.servers = serde_json::from_value(serde_json::json!({ "servers": both })).unwrap();
        let text = drawn(&scene, 100, 30);
        assert!(text.contains("2 servers") && text.contains("q quit"), "{text}");
        both[1]["answered"] = false.into();
        scene.stats.servers = serde_json::from_value(serde_json::json!({ "servers": both })).unwrap();
        assert!(drawn(&scene, 100, 30).contains("since there is no answer: 10.0.0.12:8443"));
    }

    #[test]
    fn a_full_disk_is_on_the_wall() {
        let mut scene = scene();
        for (state, words) in [(StorageState::Low, "almost full"), (StorageState::Full, "nothing is stored")] {
            scene.stats.storage.state = state;
            assert!(drawn(&scene, 100, 30).contains(words));
        }
    }

    #[test]
    fn a_silent_server_is_said_to_be_silent() {
        let text = drawn(&Scene { silent_ms: Some(12_000), ..scene() }, 100, 30);
        assert!(text.contains("no answer from the server for 12 s"));
    }
}
