//! The wall's loop: ask, draw, wait for a key or the next second. The terminal is given back however it ends.

use std::time::{Duration, Instant};

use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};

use super::{
    draw::{Scene, draw},
    shape::Stats,
};
use crate::{
    cli::{
        admin_client::AdminClient, context::Context, data_dir, error::CliError, out,
        verified_directory::VerifiedDirectory,
    },
    files::socket,
};

/// Maximum number of intervals that are remembered.
const HISTORY: usize = 1_000;

/// Runs until `q`.
pub fn run(ctx: &Context, interval: Duration, path: String) -> Result<(), CliError> {
    let admin = AdminClient::open(ctx)?;
    let name = VerifiedDirectory::load(ctx, &admin)?.org().to_owned();
    let mut wall =
        Wall { name, path, scene: Scene::default(), admin: Some(admin), answered: Instant::now(), total: None };
    wall.ask(ctx)?;
    let mut terminal =
        ratatui::try_init().map_err(|e| CliError::failure(format!("cannot draw on this terminal: {e}")))?;
    let ended = wall.show(ctx, &mut terminal, interval);
    ratatui::restore();
    ended
}

struct Wall {
    name: String,
    /// What is asked for.
    path: String,
    scene: Scene,
    admin: Option<AdminClient>,
    answered: Instant,
    total: Option<u64>,
}

impl Wall {
    fn show(&mut self, ctx: &Context, terminal: &mut DefaultTerminal, interval: Duration) -> Result<(), CliError> {
        let mut next = Instant::now() + interval;
        loop {
            self.scene.now_ms = out::now_ms();
            self.scene.clock = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
            terminal.draw(|frame| draw(frame, &self.scene))?;
            while event::poll(next.saturating_duration_since(Instant::now()))? {
                match event::read()? {
                    Event::Key(key) if key.kind != KeyEventKind::Release => match (key.code, key.modifiers) {
                        (KeyCode::Char('q' | 'Q') | KeyCode::Esc, _) => return Ok(()),
                        (KeyCode::Char('c' | 'd'), KeyModifiers::CONTROL) => return Ok(()),
                        _ => {}
                    },
                    Event::Resize(..) => break,
                    _ => {}
                }
            }
            if Instant::now() >= next {
                next = Instant::now() + interval;
                let answer = self.ask(ctx);
                self.scene.silent_ms = answer.err().map(|_| {
                    // the connection is tried again each time: the server may be restarting
                    self.admin = None;
                    u64::try_from(self.answered.elapsed().as_millis()).unwrap_or(u64::MAX)
                });
            }
        }
    }

    fn ask(&mut self, ctx: &Context) -> Result<(), CliError> {
        // never in process: the wall must not keep a starting server from its database
        if self.admin.is_none() && socket::connect(&ctx.file(data_dir::ADMIN_SOCKET)).is_ok() {
            self.admin = Some(AdminClient::open(ctx)?);
        }
        let admin = self.admin.as_ref().ok_or_else(|| CliError::failure("no server is running"))?;
        let stats: Stats = serde_json::from_value(admin.call("GET", &self.path, None)?)?;
        self.answered = Instant::now();
        let total = stats.metrics.messages.envelopes_in;
        let before = self.total.replace(total);
        // a smaller total means that the server was restarted
        self.scene.history.push(total.saturating_sub(before.unwrap_or(total)));
        if self.scene.history.len() > HISTORY {
            self.scene.history.remove(0);
        }
        self.scene.stats = Stats { name: self.name.clone(), ..stats };
        Ok(())
    }
}
