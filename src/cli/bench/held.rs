//! A conversation as a client holds it: what came, what is on its way, and the keys to read it. No sockets.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use crate::{
    crypto::{
        announcement::{self, Expected, NewEpoch},
        codec,
        directory::Directory,
        envelope::{self, EpochKey, MessageHeader},
        hash::{self, BoxKind},
        hpke::KemSecret,
        keyring::Keyring,
        sign::random,
    },
    proto::{ConvId, Event, HeaderView, Kid, Kind, MsgId, Owner, RecordView, TeamId},
};

/// A record as its reader understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which conversation.
    pub conv: ConvId,
    /// Position, from 1.
    pub seq: u64,
    /// The server's clock, ms.
    pub at_ms: u64,
    /// Envelope or event, as received.
    pub body: Bytes,
    /// What it says.
    pub content: Content,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message that verified and opened; the body is JSON.
    Message {
        /// Who.
        sender: Kid,
        /// Which.
        id: MsgId,
        /// `text` of the body.
        text: String,
    },
    /// An announcement that was accepted.
    Announcement {
        /// The epoch it begins.
        epoch: u32,
    },
    /// The server's event.
    Event(Event),
    /// Notes, grants and tombstones: carried, not read.
    Other(Kind),
    /// Something no client may accept, and why.
    Rejected(String),
}

/// What became of a record's place in the sequence.
#[derive(Debug)]
pub(super) enum Taken {
    /// The next one.
    Next(Record),
    /// Held already.
    Old,
    /// Something is missing before it.
    Gap,
}

/// An envelope on its way.
#[derive(Debug)]
struct Outgoing {
    id: MsgId,
    /// Sealed when its turn comes, and again if its epoch ends first; none for announcements.
    text: Option<String>,
    bytes: Option<Bytes>,
}

/// See the module.
#[derive(Debug)]
pub struct Held {
    /// Which.
    pub id: ConvId,
    /// Highest record held.
    pub have: u64,
    /// Newest epoch accepted; none before the first announcement.
    pub epoch: Option<u32>,
    /// Who must act.
    pub owner: Owner,
    /// Records that came a second time.
    pub doubled: u64,
    team: Option<TeamId>,
    visitor: Option<([u8; 32], [u8; 32])>,
    keys: BTreeMap<u32, EpochKey>,
    last_announcement: [u8; 32],
    prev: [u8; 16],
    counters: HashMap<(Kid, u32), u32>,
    inst: u32,
    ctr: u32,
    queue: VecDeque<Outgoing>,
    /// The first of the queue is on its way (or waits for `retry`).
    in_flight: bool,
    /// The newest epoch is over: somebody must announce.
    pub(super) stale: bool,
}

/// Who reads: his keys and what he knows of the company.
pub(super) struct Reader<'a> {
    pub keys: &'a Keyring,
    pub directory: &'a Directory,
    /// Agents: the private keys of their teams. Empty for visitors.
    pub teams: &'a [KemSecret],
}

impl Held {
    pub(super) fn new(id: ConvId) -> Self {
        Self {
            id,
            have: 0,
            epoch: None,
            owner: Owner::Queue,
            doubled: 0,
            team: None,
            visitor: None,
            keys: BTreeMap::new(),
            last_announcement: [0; 32],
            prev: [0; 16],
            counters: HashMap::new(),
            inst: u32::from_be_bytes(random()),
            ctr: 0,
            queue: VecDeque::new(),
            in_flight: false,
            stale: false,
        }
    }

    /// The key of the newest epoch and its number.
    pub fn current(&self) -> Option<(u32, &EpochKey)> {
        let epoch = self.epoch?;
        Some((epoch, self.keys.get(&epoch)?))
    }

    /// Envelopes that wait for their record.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Takes the next record in; the caller resumes if there is a gap.
    pub(super) fn take(&mut self, frame: &Bytes, reader: &Reader<'_>) -> Option<Taken> {
        let view = RecordView::parse(frame)?;
        if view.seq <= self.have {
            self.doubled += 1;
            self.acknowledge(view.body);
            return Some(Taken::Old);
        }
        if view.seq > self.have + 1 {
            return Some(Taken::Gap);
        }
        let content = self.read(view.body, reader);
        self.have = view.seq;
        self.acknowledge(view.body);
        let (conv, seq, at_ms) = (self.id, view.seq, view.at_ms);
        Some(Taken::Next(Record { conv, seq, at_ms, body: frame.slice_ref(view.body), content }))
    }

    fn read(&mut self, body: &[u8], reader: &Reader<'_>) -> Content {
        if body.starts_with(b"K0") {
            return match serde_json::from_slice(&body[20..]) {
                Ok(event) => {
                    self.note(&event);
                    Content::Event(event)
                }
                Err(e) => Content::Rejected(e.to_string()),
            };
        }
        let outcome = match HeaderView::parse(body) {
            Ok((Kind::Message, header)) => self.message(body, &header, reader),
            Ok((Kind::Announcement, header)) => self.announced(body, &header, reader),
            Ok((kind, _)) => Ok(Content::Other(kind)),
            Err(e) => Err(e.to_string()),
        };
        if outcome.is_ok() {
            self.prev = hash::envelope(body);
        }
        outcome.unwrap_or_else(Content::Rejected)
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Open { team, ed, x, .. } => {
                self.team = Some(team.clone());
                self.visitor = codec::from_b64u_exact(ed).ok().zip(codec::from_b64u_exact(x).ok());
            }
            Event::Owner { owner, team, .. } => (self.owner, self.team) = (owner.clone(), Some(team.clone())),
            _ => {}
        }
    }

    /// The public key behind a kid, if its holder may speak here.
    fn sender(&self, kid: Kid, directory: &Directory) -> Result<[u8; 32], String> {
        let visitor = self.visitor.map(|(ed, _)| ed).filter(|ed| hash::kid(ed) == kid);
        let agents = || directory.state().users.values().flat_map(|u| &u.keys).map(|k| k.ed.0);
        visitor.or_else(|| agents().find(|ed| hash::kid(ed) == kid)).ok_or_else(|| format!("{kid} is nobody here"))
    }

    fn message(&mut self, body: &[u8], header: &HeaderView<'_>, reader: &Reader<'_>) -> Result<Content, String> {
        let sender = header.sender();
        let ed = self.sender(sender, reader.directory)?;
        let next = self.counters.entry((sender, header.inst())).or_insert(0);
        if header.ctr() < *next {
            return Err(format!("counter {} was used before", header.ctr()));
        }
        *next = header.ctr() + 1;
        let key = self.keys.get(&header.epoch()).ok_or_else(|| format!("epoch {} is not held", header.epoch()))?;
        let plain = envelope::open(body, key, &ed).map_err(|e| e.to_string())?;
        let json: serde_json::Value = serde_json::from_slice(&plain).map_err(|e| e.to_string())?;
        let text = json["text"].as_str().unwrap_or_default().to_owned();
        Ok(Content::Message { sender, id: header.msg_id(), text })
    }

    fn announced(&mut self, body: &[u8], header: &HeaderView<'_>, reader: &Reader<'_>) -> Result<Content, String> {
        let (ed, x) = self.visitor.ok_or("an announcement before the visitor's keys")?;
        let creator = self.sender(header.sender(), reader.directory)?;
        let view = crate::proto::AnnouncementView::parse(body).map_err(|e| e.to_string())?;
        let certified = creator == ed || reader.directory.certified(&creator, view.dir_seq()).is_some();
        if !certified {
            return Err("the announcement's creator is not certified".into());
        }
        // an agent may have chosen another team; its key must be one of the directory's all the same
        let named = view.boxes().find(|(kind, ..)| *kind == BoxKind::Team as u8).map(|(_, kid, _)| kid);
        let teams = &reader.directory.state().teams;
        let team = teams.values().find(|t| Some(hash::box_kid(BoxKind::Team, &t.pk.0)) == named);
        let expected = Expected {
            conv: self.id,
            epoch: self.epoch.map_or(0, |e| e + 1),
            prev: self.last_announcement,
            creator: &creator,
            directory: reader.directory,
            team: &team.ok_or("the announcement is for no team of the directory")?.pk.0,
            visitor: &x,
            bot: None,
        };
        announcement::verify(body, &expected).map_err(|e| e.to_string())?;
        let key = if hash::kid(&ed) == reader.keys.signing.kid() {
            announcement::open(body, BoxKind::Visitor, &reader.keys.kem)
        } else {
            let named = |key: &&KemSecret| Some(hash::box_kid(BoxKind::Team, &key.public())) == named;
            let mine = reader.teams.iter().find(named).ok_or("no key of the announcement's team is held")?;
            announcement::open(body, BoxKind::Team, mine)
        };
        self.keys.insert(expected.epoch, key.map_err(|e| e.to_string())?);
        (self.epoch, self.last_announcement, self.stale) = (Some(expected.epoch), announcement::hash(body), false);
        Ok(Content::Announcement { epoch: expected.epoch })
    }

    /// Queues a text; returns its message id.
    pub(super) fn write(&mut self, text: &str) -> MsgId {
        let id = MsgId(random());
        self.queue.push_back(Outgoing { id, text: Some(text.to_owned()), bytes: None });
        id
    }

    /// Queues ready bytes as they are.
    pub(super) fn write_raw(&mut self, bytes: Bytes) -> Option<MsgId> {
        let id = HeaderView::parse(&bytes).ok()?.1.msg_id();
        self.queue.push_back(Outgoing { id, text: None, bytes: Some(bytes) });
        Some(id)
    }

    /// Announces the next epoch, sealed to a team's newest key, before anything else that waits.
    pub(super) fn announce(&mut self, team: &TeamId, reader: &Reader<'_>) -> Result<MsgId, String> {
        let (_, visitor) = self.visitor.ok_or("the visitor's keys are not known yet")?;
        let new = NewEpoch {
            conv: self.id,
            epoch: self.epoch.map_or(0, |e| e + 1),
            prev: self.last_announcement,
            dir_seq: reader.directory.seq(),
            dir_head: reader.directory.head(),
            team: reader.directory.team(team).ok_or_else(|| format!("there is no team {team}"))?.pk.0,
            visitor,
            bot: None,
        };
        let (bytes, _) = announcement::create(&new, &reader.keys.signing).map_err(|e| e.to_string())?;
        let id = HeaderView::parse(&bytes).map_err(|e| e.to_string())?.1.msg_id();
        if let Some(first) = self.queue.front_mut().filter(|o| o.text.is_some()) {
            first.bytes = None;
        }
        self.queue.push_front(Outgoing { id, text: None, bytes: Some(bytes.into()) });
        (self.in_flight, self.stale) = (false, false);
        Ok(id)
    }

    /// The team whose queue this conversation is in.
    pub fn team(&self) -> Option<&TeamId> {
        self.team.as_ref()
    }

    /// The envelope to send now, if it is somebody's turn. The same bytes until its record or a refusal comes.
    pub(super) fn next_out(&mut self, keys: &Keyring, now_ms: u64) -> Option<Result<Bytes, String>> {
        if self.in_flight || self.stale {
            return None;
        }
        let (epoch, inst, ctr, prev) = (self.epoch, self.inst, self.ctr, self.prev);
        let first = self.queue.front()?;
        let bytes = match (&first.bytes, &first.text) {
            (Some(bytes), _) => bytes.clone(),
            (None, Some(text)) => {
                let (epoch, key) = epoch.and_then(|e| Some((e, self.keys.get(&e)?)))?;
                let header = MessageHeader {
                    conv: self.id,
                    epoch,
                    sender: keys.signing.kid(),
                    msg_id: first.id,
                    inst,
                    ctr,
                    prev,
                };
                let body = serde_json::json!({ "t": "text", "ts": now_ms, "text": text }).to_string();
                match envelope::seal(&header, key, body.as_bytes(), &keys.signing) {
                    Ok(bytes) => bytes.into(),
                    Err(e) => return Some(Err(e.to_string())),
                }
            }
            (None, None) => return None,
        };
        self.queue.front_mut()?.bytes = Some(bytes.clone());
        self.in_flight = true;
        Some(Ok(bytes))
    }

    /// To be sent again unchanged: after a conflict, a pause, or a new socket.
    pub(super) fn again(&mut self) {
        self.in_flight = false;
    }

    /// The epoch ended before the first envelope got in: it is sealed again when the next epoch is there.
    pub(super) fn unseal(&mut self) {
        self.in_flight = false;
        self.stale = true;
        if let Some(first) = self.queue.front_mut().filter(|o| o.text.is_some()) {
            first.bytes = None;
        }
    }

    /// Refused for good.
    pub(super) fn refused(&mut self, id: MsgId) -> bool {
        let mine = self.queue.front().is_some_and(|o| o.id == id);
        if mine {
            self.queue.pop_front();
            self.in_flight = false;
        }
        mine
    }

    /// Whether this envelope is the one on its way.
    pub(super) fn is_first(&self, id: MsgId) -> bool {
        self.queue.front().is_some_and(|o| o.id == id)
    }

    fn acknowledge(&mut self, body: &[u8]) {
        if self.queue.front().is_some_and(|o| o.bytes.as_deref() == Some(body)) {
            if self.queue.pop_front().is_some_and(|o| o.text.is_some()) {
                self.ctr += 1;
            }
            self.in_flight = false;
        }
    }
}
