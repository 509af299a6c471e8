//! A store as it is after years: many conversations, most of them closed, written by the real store in the steps in which
//! conversations write. The envelopes have the size of real ones and random bytes in them: only clients look inside.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use bytes::Bytes;

use super::server;
use crate::{
    app,
    chat::Row,
    cli::out,
    client::Opening,
    crypto::{
        codec::{b64u, from_b64u},
        directory::Directory,
        hash,
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{
        ClientFrame, ConvId, ConvState, Event, HeaderView, MESSAGE_HEADER, MsgId, Owner, OwnerWhy, SIGNATURE_LEN,
        SiteId, TeamId, event_body,
    },
    store::{Batch, Op, Reply, Store, Table, submit, write},
};

/// Messages in a conversation.
const EACH: u64 = 40;
/// Conversations in progress at the same time.
const AT_ONCE: u64 = 100;
/// Between the beginnings of two conversations, ms.
const INTERVAL_MS: u64 = 60_000;
/// A text of 200 bytes, padded and sealed.
const SEALED: usize = 256 + 16;

/// `kefu bench fill`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Data directory of the company
    #[arg(long)]
    data_dir: PathBuf,
    #[command(flatten)]
    amount: Amount,
}

/// Amount of stored messages.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Amount {
    /// Stored messages, 40 in each conversation
    #[arg(long, default_value_t = 1_000_000)]
    pub messages: u64,
    /// Conversations that are still open
    #[arg(long, default_value_t = 500)]
    pub open: u64,
}

impl Amount {
    /// Number of conversations.
    pub fn conversations(self) -> u64 {
        self.messages.div_ceil(EACH)
    }
}

impl Args {
    /// Fills the store and reports it; then keeps it open until it is killed.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = app::runtime()?;
        runtime.block_on(async {
            let (store, directory) = app::store_and_directory(&self.data_dir, &server::config())?;
            populate(&*store, &directory, self.amount).await?;
            println!("full");
            io::stdout().flush()?;
            // an abrupt end is part of the measurement
            std::future::pending::<anyhow::Result<()>>().await
        })
    }
}

async fn populate(store: &dyn Store, directory: &Directory, amount: Amount) -> anyhow::Result<()> {
    let all = amount.conversations();
    let template = Template::new(directory)?;
    let now = out::now_ms();
    for first in (0..all).step_by(AT_ONCE as usize) {
        let some: Vec<Conversation> = (first..all.min(first + AT_ONCE))
            .map(|n| template.conversation(n, now - (all - n) * INTERVAL_MS))
            .collect();
        for c in &some {
            submit(store, c.opening(), Reply::Feed(0)).await?;
        }
        for n in 0..EACH {
            for c in some.iter().filter(|c| c.number * EACH + n < amount.messages) {
                submit(store, c.message(), Reply::Feed(0)).await?;
            }
        }
        for c in some.iter().filter(|c| c.number + amount.open < all) {
            submit(store, c.closing(), Reply::Feed(0)).await?;
        }
    }
    // when this is on disk, all before it is
    write(store, Batch::default()).await.context("the store did not accept the last batch")?;
    Ok(())
}

/// What all conversations have in common.
struct Template {
    site: SiteId,
    team: TeamId,
    key_epoch: u32,
    announcement: Vec<u8>,
}

impl Template {
    fn new(directory: &Directory) -> anyhow::Result<Self> {
        let (site, team) = directory.state().sites.iter().next().context("the company has no site")?;
        let (site, team) = (site.clone(), team.team.clone());
        let opening = Opening::new(directory, &site, &SigningKey::generate(), KemSecret::generate().public())?;
        let ClientFrame::Open { ann, .. } = opening.frame(0) else { bail!("an opening is no opening") };
        let key_epoch = directory.team(&team).map_or(1, |t| t.epoch);
        Ok(Self { site, team, key_epoch, announcement: from_b64u(&ann)? })
    }

    fn conversation(&self, number: u64, created: u64) -> Conversation {
        let (id, ed) = (ConvId(random()), random::<32>());
        let mut announcement = self.announcement.clone();
        announcement[4..20].copy_from_slice(&id.0);
        // its first bytes are the id under which it is remembered
        let signature = announcement.len() - SIGNATURE_LEN;
        announcement[signature..].copy_from_slice(&random::<SIGNATURE_LEN>());
        let row = Row {
            site: self.site.clone(),
            team: self.team.clone(),
            owner: Owner::Queue,
            state: ConvState::Open,
            ed: b64u(&ed),
            x: b64u(&random::<32>()),
            created,
            arrived: created,
            last_agent: None,
            epoch: 0,
            ann: data_encoding::HEXLOWER.encode(&hash::announcement(&announcement)),
            key_team: self.team.clone(),
            key_epoch: self.key_epoch,
            bot: false,
            dir_seq: 0,
            mover: None,
            missed: None,
            empty: None,
        };
        Conversation { number, id, visitor: hash::kid(&ed).0, row, announcement: announcement.into() }
    }
}

/// One conversation and the batches it is written in.
struct Conversation {
    number: u64,
    id: ConvId,
    visitor: [u8; 16],
    row: Row,
    announcement: Bytes,
}

impl Conversation {
    fn batch(&self, ops: Vec<Op>) -> Batch {
        Batch { conv: Some(self.id), rev: None, ops }
    }

    fn event(&self, event: &Event) -> Op {
        Op::Append { id: MsgId(random()), body: event_body(self.id, event).into() }
    }

    fn opening(&self) -> Batch {
        let (row, nothing) = (&self.row, Vec::new);
        let (site, team, ed, x) = (row.site.clone(), row.team.clone(), row.ed.clone(), row.x.clone());
        let open = Event::Open { site, team, nonce: b64u(&random::<16>()), ed, x };
        let owner = Event::Owner { owner: Owner::Queue, team: row.team.clone(), why: OwnerWhy::Open, by: None };
        let id = HeaderView::parse(&self.announcement).map_or(MsgId(random()), |(_, head)| head.msg_id());
        let by_time = [&row.created.to_be_bytes()[..], &self.id.0].concat();
        self.batch(vec![
            Op::Row { value: row.encode() },
            self.event(&open),
            Op::Append { id, body: self.announcement.clone() },
            self.event(&owner),
            Op::Put { table: Table::VisitorConv, key: [self.visitor, self.id.0].concat(), value: nothing() },
            Op::Put { table: Table::OpenConv, key: self.id.0.to_vec(), value: nothing() },
            Op::Put { table: Table::ConvByTime, key: by_time, value: nothing() },
        ])
    }

    fn message(&self) -> Batch {
        let mut body = random::<{ MESSAGE_HEADER + SEALED + SIGNATURE_LEN }>().to_vec();
        body[..4].copy_from_slice(b"K1\x01\x01");
        body[4..20].copy_from_slice(&self.id.0);
        let id = MsgId(body[40..56].try_into().unwrap_or_default());
        self.batch(vec![Op::Append { id, body: body.into() }])
    }

    fn closing(&self) -> Batch {
        let row = Row { state: ConvState::Closed, owner: Owner::None, ..self.row.clone() };
        self.batch(vec![
            Op::Row { value: row.encode() },
            self.event(&Event::Closed { by: "visitor".into() }),
            Op::Delete { table: Table::OpenConv, key: self.id.0.to_vec() },
        ])
    }
}
