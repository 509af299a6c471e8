//! The attacks, by the names of the review that found them, and the run around each.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use kefu::proto::Side;
use tokio::{task::JoinSet, time::sleep};

use super::{
    client::{Socket, Visitor},
    crowd::Crowd,
    server::{Company, Server},
    strangers::{Done, STRANGER, body, fill, get, recall, reopen, script, unread, write},
    target::Target,
};

/// How long the server runs without an attack, before and after it.
const QUIET: Duration = Duration::from_secs(15);
/// Sockets or connections of one address.
const SOCKETS: usize = 64;
const MIB: f64 = 1024.0 * 1024.0;

/// One kind of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Large messages, as fast as they are taken.
    Fill,
    /// Visitors close and open their conversations.
    Reopen,
    /// Recalls of ids that are not there, in a large conversation.
    Recall,
    /// Pages of a large conversation.
    Pages,
    /// The whole directory.
    Directory,
    /// A file for clients that take no encoding.
    Plain,
    /// Unrequested bodies.
    Bodies,
    /// Answers that are never read.
    Unread,
}

impl Attack {
    /// All attacks, in order.
    pub const ALL: [Self; 8] =
        [Self::Fill, Self::Reopen, Self::Recall, Self::Pages, Self::Directory, Self::Plain, Self::Bodies, Self::Unread];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fill => "A5 fill: 20 visitors send 60 kB each, as fast as they are taken",
            Self::Reopen => "A7 reopen: 16 visitors close and reopen",
            Self::Recall => "A8 recall: 64 sockets recall random ids in 500 × 60 kB",
            Self::Pages => "A8 pages: 16 × records?limit=500 of 60 kB",
            Self::Directory => "A8 directory: 64 × directory?after=-1 of 300 people",
            Self::Plain => "A8 plain: 64 × a file without Accept-Encoding",
            Self::Bodies => "A9 bodies: 512 bodies of 256 KiB, all but a byte",
            Self::Unread => "A10 unread: 60 × 40 requests whose answers are not read",
        }
    }

    fn lasts(self) -> Duration {
        match self {
            // until the bursts that the limits allow have ended
            Self::Fill => Duration::from_secs(100),
            Self::Reopen | Self::Unread => Duration::from_mins(1),
            _ => Duration::from_secs(20),
        }
    }

    /// Runs it against a server of its own; a line of the table.
    pub async fn run(self, executable: &Path) -> anyhow::Result<String> {
        let company = Company::found(executable, if self == Self::Directory { 300 } else { 2 })?;
        let victim = match self {
            Self::Recall | Self::Pages => {
                let server = company.serve(true).await?;
                Some(fill(&server.at).await.context("the conversation could not be filled")?)
            }
            _ => None,
        };
        let mut server = company.serve(false).await?;
        let crowd = Crowd::come(&server.at).await?;
        let quiet = Instant::now();
        sleep(QUIET).await;
        let (begin, stored) = (Instant::now(), server.stored());
        let (before, cpu, others) = (server.rss(), server.cpu(), server.at.kernel().0);
        let done = Arc::<Done>::default();
        let mut tasks = JoinSet::new();
        self.begin(&server.at, victim, &done, &mut tasks).await?;
        // the last twenty seconds show the steady state
        let (mut most, mut steady, mut held) = (before, None, (0, 0));
        while begin.elapsed() < self.lasts() {
            sleep(Duration::from_millis(100)).await;
            most = most.max(server.rss());
            let (count, bytes) = server.at.kernel();
            held = (held.0.max(count.saturating_sub(others)), held.1.max(bytes));
            if steady.is_none() && begin.elapsed() + Duration::from_secs(20) >= self.lasts() {
                steady = Some((Instant::now(), done.read()));
            }
        }
        let (end, cpu) = (Instant::now(), (server.cpu() - cpu) / begin.elapsed().as_secs_f64());
        let (count, bytes) = server.at.kernel();
        let last = (count.saturating_sub(others), bytes);
        let came = self.told(&done, steady, &server, stored, held, last);
        drop(tasks);
        sleep(QUIET).await;
        let (calm, busy) = (crowd.served(quiet, begin), crowd.served(begin, end));
        let [before, most, after] = [before, most, server.rss()].map(|bytes| bytes as f64 / MIB);
        let ended = if server.runs() { "" } else { " **The server ended.**" };
        Ok(format!(
            "| {} | {came}{ended} | {before:.0}, {most:.0}, {after:.0} | {:.0} % | {:.1}, {:.1} | {:.1}, {:.1} | {} |",
            self.name(),
            cpu * 100.0,
            calm.p50,
            calm.p99,
            busy.p50,
            busy.p99,
            busy.missing
        ))
    }

    fn told(
        self,
        done: &Done,
        steady: Option<(Instant, (u64, u64, u64))>,
        server: &Server,
        stored: u64,
        held: (usize, u64),
        last: (usize, u64),
    ) -> String {
        let (ok, refused, bytes) = done.read();
        let seconds = self.lasts().as_secs_f64();
        // what there was, and the rate of the last twenty seconds for the rest of the hour
        let (since, (ok_then, _, bytes_then)) = steady.unwrap_or((Instant::now(), (ok, refused, bytes)));
        let rest = (3600.0 - seconds) / since.elapsed().as_secs_f64().max(1.0);
        let hour = |now: u64, then: u64| now as f64 + (now - then) as f64 * rest;
        match self {
            Self::Fill => format!(
                "{ok} messages, {:.0} MiB sealed, {:.0} MiB more on disk; an hour: {:.0} messages, {:.0} MiB",
                bytes as f64 / MIB,
                server.stored().saturating_sub(stored) as f64 / MIB,
                hour(ok, ok_then),
                hour(bytes, bytes_then) / MIB
            ),
            Self::Reopen => {
                format!("{ok} changes, {refused} refused; an hour: {:.0} changes", hour(ok, ok_then))
            }
            Self::Bodies => format!("{} bodies held at most, {} at the end", held.0, last.0),
            Self::Unread => format!(
                "{} connections and {:.1} MiB waiting in the kernel at most, {} and {:.1} at the end",
                held.0,
                held.1 as f64 / MIB,
                last.0,
                last.1 as f64 / MIB
            ),
            _ => format!("{:.0} a second, {refused} refused", ok as f64 / seconds),
        }
    }

    async fn begin(
        self,
        at: &Arc<Target>,
        victim: Option<Visitor>,
        done: &Arc<Done>,
        tasks: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Fill => {
                for _ in 0..20 {
                    tasks.spawn(write(at.clone(), done.clone()));
                }
            }
            Self::Reopen => {
                for _ in 0..16 {
                    tasks.spawn(reopen(at.clone(), done.clone()));
                }
            }
            Self::Recall => {
                let victim = Arc::new(victim.context("nobody's conversation")?);
                for _ in 0..SOCKETS {
                    tasks.spawn(recall(at.clone(), victim.clone(), done.clone()));
                }
            }
            Self::Pages => {
                let victim = victim.context("nobody's conversation")?;
                let socket = Socket::enter(at, STRANGER, &victim.key, Side::Visitor).await?;
                let path = format!("/api/v1/conversations/{}/records?after=0&limit=500", victim.conv);
                let token = format!("Authorization: Bearer {}\r\n", socket.token);
                for _ in 0..16 {
                    tasks.spawn(get(at.clone(), path.clone(), token.clone(), done.clone()));
                }
            }
            Self::Directory => {
                for _ in 0..SOCKETS {
                    tasks.spawn(get(at.clone(), "/api/v1/directory?after=-1".into(), String::new(), done.clone()));
                }
            }
            Self::Plain => {
                let script = script(at).await?;
                for _ in 0..SOCKETS {
                    tasks.spawn(get(at.clone(), script.clone(), String::new(), done.clone()));
                }
            }
            Self::Bodies => {
                for _ in 0..8 * SOCKETS {
                    tasks.spawn(body(at.clone()));
                }
            }
            Self::Unread => {
                for _ in 0..60 {
                    tasks.spawn(unread(at.clone()));
                }
            }
        }
        Ok(())
    }
}
