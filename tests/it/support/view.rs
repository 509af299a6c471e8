//! One conversation as a client sees it: records in order, checked and opened by the rules of receivers (protocol §2).

use std::collections::BTreeMap;

use bytes::Bytes;
use kefu::{
    crypto::{
        announcement::{self, Expected, NewEpoch},
        codec::from_b64u_exact,
        directory::Directory,
        envelope::{self, EpochKey, MessageHeader},
        hash::{self, BoxKind},
        hpke::KemSecret,
        recall,
        sign::{SigningKey, random},
    },
    proto::{
        AnnouncementView, ConvId, ConvState, Event, Generation, Have, HeaderView, Kid, Kind, MsgId, Owner, RecordView,
    },
};

use super::company::Company;

/// An opened message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its record.
    pub seq: u64,
    /// Key of the sender.
    pub kid: Kid,
    /// Its id.
    pub msg: MsgId,
    /// The text; empty once it was recalled.
    pub text: String,
    /// The whole body.
    pub body: serde_json::Value,
}

/// A conversation as a client has it.
pub struct View {
    /// The conversation.
    pub conv: ConvId,
    /// Record `n` is at `n - 1`.
    pub records: Vec<Bytes>,
    /// Messages, in order.
    pub said: Vec<Said>,
    /// The owner.
    pub owner: Owner,
    /// Open or closed.
    pub state: ConvState,
    /// Newest epoch.
    pub epoch: u32,
    /// Hash of its announcement.
    pub ann: [u8; 32],
    /// Keys of the epochs.
    pub keys: BTreeMap<u32, EpochKey>,
    commitments: BTreeMap<u32, [u8; 32]>,
    /// The visitor's keys.
    pub visitor: ([u8; 32], [u8; 32]),
    counters: BTreeMap<(Kid, u32), u32>,
    inst: u32,
    ctr: u32,
    prev: [u8; 16],
    /// Under which opening of the database the last record came.
    pub generation: Option<Generation>,
}

/// What the next record was good for.
#[derive(Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was added.
    New,
    /// It was already known.
    Old,
    /// Records before it are missing: resume.
    Gap,
}

impl View {
    /// An empty view.
    pub fn new(conv: ConvId) -> Self {
        Self {
            conv,
            records: Vec::new(),
            said: Vec::new(),
            owner: Owner::None,
            state: ConvState::Open,
            epoch: 0,
            ann: [0; 32],
            keys: BTreeMap::new(),
            commitments: BTreeMap::new(),
            visitor: ([0; 32], [0; 32]),
            counters: BTreeMap::new(),
            inst: u32::from_be_bytes(random()),
            ctr: 0,
            prev: [0; 16],
            generation: None,
        }
    }

    /// Highest sequence number held.
    pub fn have(&self) -> u64 {
        self.records.len() as u64
    }

    /// What this view has, as in a `resume`.
    pub fn held(&self) -> Have {
        let mark = self.records.last().map(|frame| hash::mark(frame));
        let seq = mark.map(|_| self.have());
        Have { generation: self.generation, seq, mark, ..Have::upto(self.conv, self.have()) }
    }

    /// Takes a record, if it is the next one. Panics on anything a client would raise an alarm about.
    pub fn apply(&mut self, frame: Bytes, company: &Company, visitor: Option<&KemSecret>) -> Applied {
        let record = RecordView::parse(&frame).expect("a record");
        assert_eq!(record.conv(), self.conv, "a record of another conversation");
        if record.seq <= self.have() {
            return Applied::Old;
        }
        if record.seq > self.have() + 1 {
            return Applied::Gap;
        }
        match record.event() {
            Some(event) => self.event(event, company, record.seq),
            None => self.envelope(record.seq, record.body, company, visitor),
        }
        self.records.push(frame);
        Applied::New
    }

    fn event(&mut self, event: Event, company: &Company, seq: u64) {
        match event {
            Event::Open { site, nonce, ed, x, .. } => {
                assert_eq!(seq, 1);
                let keys = (from_b64u_exact(&ed).unwrap(), from_b64u_exact(&x).unwrap());
                let id = hash::conv_id(
                    &from_b64u_exact(&nonce).unwrap(),
                    &company.directory().fp(),
                    &site,
                    &keys.0,
                    &keys.1,
                );
                assert_eq!(id, self.conv, "the keys of the first record are not this conversation's");
                self.visitor = keys;
            }
            Event::Owner { owner, .. } => self.owner = owner,
            Event::Closed { .. } => (self.state, self.owner) = (ConvState::Closed, Owner::None),
            Event::Reopened { .. } => self.state = ConvState::Open,
            Event::Recalled { msg, .. } => self.said.iter_mut().filter(|s| s.msg == msg).for_each(|s| s.text.clear()),
            Event::Rated { .. }
            | Event::Dismissed { .. }
            | Event::Tagged { .. }
            | Event::Priority { .. }
            | Event::Snoozed { .. }
            | Event::Woken { .. }
            | Event::Reason { .. }
            | Event::Blocked { .. }
            | Event::Unblocked { .. }
            | Event::Hidden {} => {}
        }
    }

    fn envelope(&mut self, seq: u64, body: &[u8], company: &Company, visitor: Option<&KemSecret>) {
        let (kind, head) = HeaderView::parse(body).expect("an envelope");
        let ed = self.key_of(head.sender(), company);
        match kind {
            Kind::Announcement => {
                self.announced(body, &ed, company, visitor);
                self.prev = hash::envelope(body);
            }
            Kind::Message => {
                let key = self.keys.get(&head.epoch()).expect("a message of an epoch that was not announced before");
                assert_eq!(head.epoch(), self.epoch, "a message of an epoch that was over");
                let plain = envelope::open(body, key, &ed).expect("a message that opens");
                self.count(&head);
                let json: serde_json::Value = serde_json::from_slice(&plain).unwrap();
                if json["t"] != "form" {
                    let text = json["text"].as_str().unwrap_or_default().to_owned();
                    self.said.push(Said { seq, kid: head.sender(), msg: head.msg_id(), text, body: json });
                }
                self.prev = hash::envelope(body);
            }
            Kind::Note => {
                assert_eq!(head.epoch(), self.epoch, "a note of an epoch that was over");
                envelope::verify(body, &ed).expect("a note's signature");
            }
            Kind::Recall | Kind::NoteRecall => self.recalled(kind, &head, &ed),
            Kind::Tombstone | Kind::NoteTombstone => self.count(&head),
            Kind::Grant => {}
        }
    }

    /// A recall: its sender's, in the newest epoch, of the message with this id.
    fn recalled(&mut self, kind: Kind, head: &HeaderView<'_>, ed: &[u8; 32]) {
        let recall = recall::verify(head.bytes(), ed).expect("a recall's signature");
        assert_eq!(head.epoch(), self.epoch, "a recall of an epoch that was over");
        let of = self.body_of(recall.msg()).expect("a recall of something that is here");
        recall::fits(&recall, &of).expect("a recall of what it names");
        self.count(head);
        self.said.iter_mut().filter(|s| s.msg == recall.msg()).for_each(|s| s.text.clear());
        if kind == Kind::Recall {
            self.prev = hash::envelope(head.bytes());
        }
    }

    /// The envelope with this id, as it is held.
    pub fn body_of(&self, msg: MsgId) -> Option<Vec<u8>> {
        let bodies = self.records.iter().filter_map(|frame| RecordView::parse(frame)).map(|r| r.body);
        let mut found = bodies.filter(|b| HeaderView::parse(b).is_ok_and(|(_, h)| h.msg_id() == msg));
        found.next().map(<[u8]>::to_vec)
    }

    /// Takes a message or a note back, in the run of the counter that it belongs to.
    pub fn recall(&mut self, of: &[u8], key: &SigningKey) -> (MsgId, Vec<u8>) {
        let (kind, head) = HeaderView::parse(of).unwrap();
        let (inst, ctr) = if kind == Kind::Note { (head.inst(), head.ctr() + 1) } else { (self.inst, self.ctr) };
        self.ctr += u32::from(kind == Kind::Message);
        let (conv, epoch, prev, msg_id) = (self.conv, self.epoch, self.prev, MsgId(random()));
        let header = MessageHeader { conv, epoch, sender: key.kid(), msg_id, inst, ctr, prev };
        (msg_id, recall::create(&header, of, key).unwrap())
    }

    fn announced(&mut self, body: &[u8], creator: &[u8; 32], company: &Company, visitor: Option<&KemSecret>) {
        let view = AnnouncementView::parse(body).unwrap();
        let (_, team_kid, _) = view.boxes().find(|(kind, ..)| *kind == BoxKind::Team as u8).unwrap();
        let team = company.team_key(&team_kid).expect("a team key of this company");
        // only the visitor lets a robot in, and only one with a day key that was served
        let bot = view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8);
        let bot = bot.filter(|_| *creator == self.visitor.0).map(|(_, kid, _)| kid);
        let bot = bot.filter(|kid| company.day_key(kid).is_some());
        let next = if self.commitments.is_empty() { 0 } else { self.epoch + 1 };
        let expected = Expected {
            conv: self.conv,
            epoch: next,
            prev: self.ann,
            creator,
            directory: &company.directory(),
            team: &team.public(),
            visitor: &self.visitor.1,
            bot,
        };
        announcement::verify(body, &expected).expect("an announcement by the rules");
        let key = match visitor {
            Some(secret) => announcement::open(body, BoxKind::Visitor, secret),
            None => announcement::open(body, BoxKind::Team, &team),
        };
        self.keys.insert(next, key.expect("my box"));
        self.commitments.insert(next, view.commitment());
        (self.epoch, self.ann) = (next, announcement::hash(body));
    }

    /// The counter of a sender never goes back.
    fn count(&mut self, head: &HeaderView<'_>) {
        let next = self.counters.entry((head.sender(), head.inst())).or_insert(0);
        assert!(head.ctr() >= *next, "counter {} of {} came again", head.ctr(), head.sender());
        *next = head.ctr() + 1;
    }

    fn key_of(&self, kid: Kid, company: &Company) -> [u8; 32] {
        if kid == hash::kid(&self.visitor.0) {
            return self.visitor.0;
        }
        let directory = company.directory();
        if let Some((_, bot)) = directory.bot_by_kid(&kid) {
            return bot.ed.0;
        }
        let users = &directory.state().users;
        let key = users.values().flat_map(|u| &u.keys).find(|k| hash::kid(&k.ed.0) == kid);
        key.expect("a sender whom nobody certified").ed.0
    }

    /// What opened the commitment of an epoch, for grants.
    pub fn commitment(&self, epoch: u32) -> Option<[u8; 32]> {
        self.commitments.get(&epoch).copied()
    }

    /// Seals a text under the newest epoch, with the next counter.
    pub fn seal(&mut self, text: &str, key: &SigningKey) -> (MsgId, Vec<u8>) {
        let msg = MsgId(random());
        (msg, self.seal_as(msg, text, key))
    }

    /// Seals under a given message id: again, after an epoch went stale.
    pub fn seal_as(&mut self, msg_id: MsgId, text: &str, key: &SigningKey) -> Vec<u8> {
        let header = MessageHeader {
            conv: self.conv,
            epoch: self.epoch,
            sender: key.kid(),
            msg_id,
            inst: self.inst,
            ctr: self.ctr,
            prev: self.prev,
        };
        self.ctr += 1;
        let body = serde_json::json!({ "t": "text", "ts": super::company::now_ms(), "text": text });
        envelope::seal(&header, &self.keys[&self.epoch], body.to_string().as_bytes(), key).unwrap()
    }

    /// Seals a visitor's form, which is not a message; in its own counter run, so that messages begin with counter 0.
    pub fn seal_form(&mut self, key: &SigningKey) -> (MsgId, Vec<u8>) {
        let (msg_id, inst) = (MsgId(random()), u32::from_be_bytes(random()));
        let (conv, epoch, prev) = (self.conv, self.epoch, self.prev);
        let header = MessageHeader { conv, epoch, sender: key.kid(), msg_id, inst, ctr: 0, prev };
        let body = serde_json::json!({ "t": "form", "ts": super::company::now_ms(), "fields": {} });
        (msg_id, envelope::seal(&header, &self.keys[&epoch], body.to_string().as_bytes(), key).unwrap())
    }

    /// Seals a note to the team.
    pub fn seal_note(&mut self, text: &str, team: &[u8; 32], key: &SigningKey) -> (MsgId, Vec<u8>) {
        let (msg_id, inst) = (MsgId(random()), u32::from_be_bytes(random()));
        let (conv, epoch, prev) = (self.conv, self.epoch, self.prev);
        let header = MessageHeader { conv, epoch, sender: key.kid(), msg_id, inst, ctr: 0, prev };
        let body = serde_json::json!({ "t": "note", "ts": super::company::now_ms(), "text": text });
        (msg_id, envelope::seal_note(&header, team, body.to_string().as_bytes(), key).unwrap())
    }

    /// Announces the next epoch to a team's newest key.
    pub fn announce(&self, company: &Company, team: &str, key: &SigningKey) -> Vec<u8> {
        self.announce_by(&company.directory(), team, key)
    }

    /// The same by a client with this directory.
    pub fn announce_by(&self, directory: &Directory, team: &str, key: &SigningKey) -> Vec<u8> {
        let new = NewEpoch {
            conv: self.conv,
            epoch: self.epoch + 1,
            prev: self.ann,
            dir_seq: directory.seq(),
            dir_head: directory.head(),
            team: directory.team(&team.parse().unwrap()).unwrap().pk.0,
            visitor: self.visitor.1,
            bot: None,
        };
        announcement::create(&new, key).unwrap().0
    }
}
