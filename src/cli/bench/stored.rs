//! Conversations as the server stores them, made without clients. The envelopes have the size of real ones and random bytes in
//! them: only clients look inside.

use anyhow::{Context as _, bail};
use bytes::Bytes;

use crate::{
    chat::Row,
    client::Opening,
    crypto::{
        codec::{b64u, from_b64u},
        directory::Directory,
        envelope::pad,
        hash,
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{
        ClientFrame, ConvId, ConvState, Event, HeaderView, Kid, MESSAGE_HEADER, MsgId, Owner, OwnerWhy, Priority,
        SIGNATURE_LEN, SiteId, TeamId, UserId, event_body,
    },
    store::{Batch, FactsChange, Op},
};

/// A tag of AES-GCM.
const TAG: usize = 16;
/// Bytes that messages are cut from.
const NOISE: usize = 256 << 10;

/// Bytes of the envelope of a text.
pub fn envelope_bytes(text: usize) -> usize {
    let body = format!(r#"{{"t":"text","ts":1790000000000,"text":"{}"}}"#, "x".repeat(text));
    MESSAGE_HEADER + pad(body.as_bytes()).len() + TAG + SIGNATURE_LEN
}

/// What all conversations have in common.
pub struct Template {
    site: SiteId,
    team: TeamId,
    key_epoch: u32,
    announcement: Vec<u8>,
    noise: Vec<u8>,
}

impl Template {
    /// For the company's first site.
    pub fn new(directory: &Directory) -> anyhow::Result<Self> {
        let (site, team) = directory.state().sites.iter().next().context("the company has no site")?;
        let (site, team) = (site.clone(), team.team.clone());
        let opening = Opening::new(directory, &site, &SigningKey::generate(), KemSecret::generate().public())?;
        let ClientFrame::Open { ann, .. } = opening.frame(0) else { bail!("an opening is no opening") };
        let key_epoch = directory.team(&team).map_or(1, |t| t.epoch);
        let noise = std::iter::repeat_with(random::<64>).flatten().take(NOISE).collect();
        Ok(Self { site, team, key_epoch, announcement: from_b64u(&ann)?, noise })
    }

    /// The site of the conversations.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// A new conversation that began at this time, ms.
    pub fn conversation(&self, number: u64, created: u64) -> Conversation {
        let id = ConvId(random());
        let mut announcement = self.announcement.clone();
        announcement[4..20].copy_from_slice(&id.0);
        // its first bytes are the id under which it is remembered
        let signature = announcement.len() - SIGNATURE_LEN;
        announcement[signature..].copy_from_slice(&random::<SIGNATURE_LEN>());
        self.opened(number, created, id, (random(), random()), random(), announcement, 0)
    }

    /// The same of what a visitor with these keys (`ed` and `x`) made.
    #[expect(clippy::too_many_arguments, reason = "the fields of an opening, each used once")]
    pub fn opened(
        &self,
        number: u64,
        created: u64,
        id: ConvId,
        (ed, x): ([u8; 32], [u8; 32]),
        nonce: [u8; 16],
        announcement: Vec<u8>,
        dir_seq: u32,
    ) -> Conversation {
        let row = Row {
            site: self.site.clone(),
            team: self.team.clone(),
            owner: Owner::Queue,
            state: ConvState::Open,
            ed: b64u(&ed),
            x: b64u(&x),
            created,
            arrived: created,
            last_agent: None,
            epoch: 0,
            ann: data_encoding::HEXLOWER.encode(&hash::announcement(&announcement)),
            key_team: self.team.clone(),
            key_epoch: self.key_epoch,
            bot: false,
            day: None,
            dir_seq,
            mover: None,
            missed: None,
            rating: None,
            tags: Vec::new(),
            priority: Priority::Normal,
            snoozed: None,
            reason: None,
            empty: None,
        };
        Conversation { number, id, nonce, visitor: hash::kid(&ed), row, announcement: announcement.into() }
    }

    /// A message of a conversation whose envelope has so many bytes.
    pub fn message(&self, conversation: &Conversation, bytes: usize) -> Batch {
        let bytes = bytes.clamp(MESSAGE_HEADER, NOISE / 2);
        let from = u32::from_be_bytes(random()) as usize % (NOISE - bytes);
        let (mut body, id) = (self.noise[from..from + bytes].to_vec(), random::<16>());
        body[..4].copy_from_slice(b"K1\x01\x01");
        body[4..20].copy_from_slice(&conversation.id.0);
        body[40..56].copy_from_slice(&id);
        conversation.batch(vec![Op::Append { id: MsgId(id), body: body.into() }])
    }
}

/// One conversation and the batches it is written in.
pub struct Conversation {
    /// Which one it is, from 0.
    pub number: u64,
    id: ConvId,
    nonce: [u8; 16],
    visitor: Kid,
    row: Row,
    announcement: Bytes,
}

impl Conversation {
    /// Its id.
    pub fn id(&self) -> ConvId {
        self.id
    }

    /// A change of it.
    pub fn batch(&self, ops: Vec<Op>) -> Batch {
        Batch { conv: Some(self.id), rev: None, ops }
    }

    fn event(&self, event: &Event) -> Op {
        Op::Append { id: MsgId(random()), body: event_body(self.id, event).into() }
    }

    /// It begins and waits in the queue.
    pub fn opening(&self) -> Batch {
        let row = &self.row;
        let (site, team, ed, x) = (row.site.clone(), row.team.clone(), row.ed.clone(), row.x.clone());
        let open = Event::Open { site, team, nonce: b64u(&self.nonce), ed, x };
        let owner = Event::Owner { owner: Owner::Queue, team: row.team.clone(), why: OwnerWhy::Open, by: None };
        let id = HeaderView::parse(&self.announcement).map_or(MsgId(random()), |(_, head)| head.msg_id());
        let opening = vec![
            self.row_op(None, row),
            self.event(&open),
            Op::Append { id, body: self.announcement.clone() },
            self.event(&owner),
        ];
        Batch { rev: Some(0), ..self.batch(opening) }
    }

    fn row_op(&self, before: Option<&Row>, after: &Row) -> Op {
        let (before, after_facts) = (before.map(|row| row.facts(self.visitor)), after.facts(self.visitor));
        let changed = before.as_ref() != Some(&after_facts);
        let facts = changed.then(|| Box::new(FactsChange { before, after: after_facts }));
        Op::Row { value: after.encode(), facts }
    }

    /// An agent takes it.
    pub fn taking(&self, user: &UserId) -> Batch {
        let owner = Owner::Agent(user.clone());
        let row = Row { owner: owner.clone(), last_agent: Some(user.clone()), ..self.row.clone() };
        let (team, by) = (self.row.team.clone(), Some(user.to_string()));
        let taken = Event::Owner { owner, team, why: OwnerWhy::Take, by };
        self.batch(vec![self.row_op(Some(&self.row), &row), self.event(&taken)])
    }

    /// Its visitor closes it.
    pub fn closing(&self) -> Batch {
        let row = Row { state: ConvState::Closed, owner: Owner::None, ..self.row.clone() };
        let closing = vec![self.row_op(Some(&self.row), &row), self.event(&Event::Closed { by: "visitor".into() })];
        // nobody takes what a measurement closes
        Batch { rev: Some(1), ..self.batch(closing) }
    }
}
