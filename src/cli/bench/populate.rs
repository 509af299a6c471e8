//! A store as it is after years: many conversations, most of them closed, written by the real store in the steps in which
//! conversations write.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, ensure};

use super::{
    company,
    process::{Killed, program},
    server,
    stored::{Conversation, Template, envelope_bytes},
};
use crate::{
    app,
    cli::out,
    crypto::directory::Directory,
    store::{Batch, Reply, Store, submit, write},
};

/// Messages in a conversation.
const EACH: u64 = 40;
/// Conversations in progress at the same time.
const AT_ONCE: u64 = 100;
/// Between the beginnings of two conversations, ms.
const INTERVAL_MS: u64 = 60_000;
/// Bytes of text in a message.
const TEXT: usize = 200;

/// `kefu bench fill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data directory of the company
    #[arg(long)]
    data_dir: PathBuf,
    #[command(flatten)]
    content: Content,
    /// Close the store and end, instead of waiting to be killed
    #[arg(long)]
    close: bool,
}

/// What a store is filled with.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Content {
    /// Stored messages, 40 in each conversation
    #[arg(long)]
    pub messages: u64,
    /// Conversations that wait in the queue
    #[arg(long)]
    pub open: u64,
    /// Conversations that the first agent has
    #[arg(long)]
    pub owned: u64,
    /// More messages, all in one of those
    #[arg(long)]
    pub long: u64,
}

impl Content {
    /// Conversations that are not closed.
    fn unclosed(self) -> u64 {
        self.open + self.owned
    }

    /// Number of conversations.
    pub fn conversations(self) -> u64 {
        self.messages.div_ceil(EACH).max(self.unclosed())
    }

    /// Messages of a conversation: at least one, since the server shows none without.
    fn messages_of(self, number: u64) -> u64 {
        if self.messages.div_ceil(EACH) >= self.unclosed() {
            return self.messages.saturating_sub(number * EACH).min(EACH);
        }
        let (all, unclosed) = (self.messages.max(self.unclosed()), self.unclosed());
        all / unclosed + u64::from(number < all % unclosed)
    }

    /// Number of messages.
    pub fn total(self) -> u64 {
        self.messages.max(self.unclosed()) + self.long
    }
}

impl Args {
    /// Fills the store and reports it; then closes it, or keeps it open until it is killed.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = app::runtime()?;
        runtime.block_on(async {
            let (store, directory) = app::store_and_directory(&self.data_dir, &server::config()).await?;
            populate(&*store, &directory, self.content, || envelope_bytes(TEXT)).await?;
            if self.close {
                store.close().await;
            }
            println!("full");
            io::stdout().flush()?;
            match self.close {
                true => Ok(()),
                // an abrupt end is part of the measurement
                false => std::future::pending().await,
            }
        })
    }
}

/// Fills the store of a data directory, in a process of its own. `close`: the store is closed as when a server stops; otherwise
/// the process is killed, and the next start finds what a crash leaves.
pub fn fill(dir: &Path, content: Content, close: bool) -> anyhow::Result<()> {
    eprintln!("storing {} messages in {} conversations", content.total(), content.conversations());
    let mut command = program()?;
    command.args(["bench", "fill", "--data-dir"]).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    let Content { messages, open, owned, long } = content;
    for (name, n) in [("--messages", messages), ("--open", open), ("--owned", owned), ("--long", long)] {
        command.arg(name).arg(n.to_string());
    }
    if close {
        command.arg("--close");
    }
    let mut filling = Killed(command.spawn().context("cannot start the process that fills the store")?);
    let mut line = String::new();
    if let Some(out) = filling.0.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    ensure!(line.trim() == "full", "the store was not filled; see the reason above");
    ensure!(!close || filling.0.wait()?.success(), "the process that fills the store failed");
    Ok(())
}

/// Writes everything. `size` gives the bytes of the next envelope.
pub async fn populate(
    store: &dyn Store,
    directory: &Directory,
    content: Content,
    mut size: impl FnMut() -> usize,
) -> anyhow::Result<()> {
    let all = content.conversations();
    // the newest wait in the queue, those before them are the agent's
    let (unclosed, waiting) = (all - content.unclosed(), all - content.open);
    let (template, agent) = (Template::new(directory)?, company::agent_id(1)?);
    let now = out::now_ms();
    let put = async |batch: Batch| submit(store, batch, Reply::Feed(0)).await;
    for first in (0..all).step_by(AT_ONCE as usize) {
        let some: Vec<Conversation> = (first..all.min(first + AT_ONCE))
            .map(|n| template.conversation(n, now - (all - n) * INTERVAL_MS))
            .collect();
        for c in &some {
            put(c.opening()).await?;
        }
        for n in 0..EACH {
            for c in some.iter().filter(|c| n < content.messages_of(c.number)) {
                put(template.message(c, size())).await?;
            }
        }
        for c in &some {
            match c.number {
                n if n < unclosed => put(c.closing()).await?,
                n if n < waiting => put(c.taking(&agent)).await?,
                _ => {}
            }
            if c.number == unclosed {
                for _ in 0..content.long {
                    put(template.message(c, size())).await?;
                }
            }
        }
    }
    // when this is on disk, all before it is
    write(store, Batch::default()).await.context("the store did not accept the last batch")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_as_many_as_messages_need_or_stay_open() {
        let content = |messages, open, owned| Content { messages, open, owned, long: 0 };
        for (content, conversations) in [
            (content(1_000, 5, 0), 25),
            (content(1_001, 0, 0), 26),
            (content(100, 20, 30), 50),
            (content(107, 20, 30), 50),
            (content(0, 0, 7), 7),
            (content(0, 0, 0), 0),
        ] {
            assert_eq!(content.conversations(), conversations);
            let each: Vec<u64> = (0..conversations).map(|n| content.messages_of(n)).collect();
            assert!(each.iter().all(|n| (1..=EACH).contains(n)), "{content:?}: {each:?}");
            assert_eq!(each.iter().sum::<u64>(), content.total());
        }
        // what a text of 200 bytes has in the generator's messages, too
        assert_eq!(envelope_bytes(TEXT), 80 + 256 + 16 + 64);
    }
}
