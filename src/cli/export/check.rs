//! Does again, without a server, what the console did: the directory under its fingerprint, who signed what at which place, and
//! whether the words in the file are those that were sealed.
//!
//! It reads the log from its first record and keeps what a reader keeps (docs/protocol.md §2). Counters and `prev` are not
//! judged: they tell a reader of a live log what is missing, and here all records must be there, without a gap.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::file::{Export, Line, Message, Status};
use crate::{
    crypto::{
        announcement::{self, Expected},
        codec,
        directory::Directory,
        envelope::{self, EpochKey},
        grant, hash, recall,
    },
    proto::{AnnouncementView, ConvId, Event, HeaderView, Kid, Kind, MsgId, OrgFp, RecordView, TeamId},
};

/// Faults that are named; the rest is counted.
const NAMED: usize = 50;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages whose signature, key and words are right.
    pub messages: usize,
    /// Notes whose signature is right. Their words are sealed to a team's key, which is in no file.
    pub notes: usize,
    /// Messages whose signature is right and whose key is not in the file.
    pub locked: usize,
    /// Messages that their senders took back.
    pub taken_back: usize,
    /// What is wrong.
    pub faults: Vec<String>,
    /// How many more are wrong.
    pub more: usize,
}

impl Report {
    fn fault(&mut self, seq: u64, what: impl std::fmt::Display) {
        if self.faults.len() < NAMED {
            self.faults.push(format!("record {seq}: {what}"));
        } else {
            self.more += 1;
        }
    }
}

/// Who may be the sender of what.
struct Visitor {
    kid: Kid,
    ed: [u8; 32],
    x: [u8; 32],
}

struct Epoch {
    number: u32,
    hash: [u8; 32],
    team: TeamId,
    dir_seq: u32,
    bot: bool,
    maker: Kid,
}

/// A record that holds a message or a note.
struct Sealed {
    sender: Kid,
    at: u64,
    note: bool,
    /// The words, where the file has the key.
    words: Option<Value>,
}

struct Check<'a> {
    dir: &'a Directory,
    conv: ConvId,
    keys: BTreeMap<u32, EpochKey>,
    visitor: Option<Visitor>,
    epoch: Option<Epoch>,
    good: BTreeMap<u64, (MsgId, Sealed)>,
    /// Record and bytes of each id.
    ids: HashMap<MsgId, (u64, &'a [u8])>,
    taken_back: BTreeSet<u64>,
    gone: BTreeSet<u64>,
    report: Report,
}

/// Checks a file. None of a directory: it does not verify under this fingerprint.
pub fn check(export: &Export, dir: &Directory) -> Report {
    let keys = export.keys.iter().map(|key| (key.epoch, EpochKey::from_bytes(&key.key.0))).collect();
    let mut check = Check {
        dir,
        conv: export.conv,
        keys,
        visitor: None,
        epoch: None,
        good: BTreeMap::new(),
        ids: HashMap::new(),
        taken_back: BTreeSet::new(),
        gone: BTreeSet::new(),
        report: Report::default(),
    };
    for (n, frame) in export.records.iter().enumerate() {
        let seq = n as u64 + 1;
        if let Err(what) = check.record(seq, &frame.0) {
            check.report.fault(seq, what);
        }
    }
    if export.records.is_empty() {
        check.report.faults.push("there are no records in it".to_owned());
    }
    check.lines(export);
    check.report
}

/// The directory of a file, under a fingerprint.
pub fn directory(export: &Export, fp: OrgFp) -> Result<Directory, String> {
    Directory::replay(fp, &export.directory, None).map_err(|e| e.to_string())
}

impl<'a> Check<'a> {
    fn record(&mut self, seq: u64, frame: &'a [u8]) -> Result<(), String> {
        let record = RecordView::parse(frame).ok_or("it is too short")?;
        if record.seq != seq {
            return Err(format!("record {} is in its place: something is missing or was moved", record.seq));
        }
        if record.conv() != self.conv {
            return Err("it is of another conversation".to_owned());
        }
        if let Some(event) = record.event() {
            return self.event(seq, event);
        }
        let (kind, head) = HeaderView::parse(record.body).map_err(|e| e.to_string())?;
        match kind {
            Kind::Announcement => self.announcement(record.body, head),
            Kind::Grant => {
                let ed = self.ed_of(head.sender()).ok_or("the directory does not know who signed it")?;
                grant::verify(record.body, self.conv, &ed).map_err(|e| e.to_string())
            }
            Kind::Message | Kind::Note => self.sealed(&record, kind, head),
            Kind::Recall | Kind::NoteRecall => self.recall(record.body, head),
            Kind::Tombstone | Kind::NoteTombstone => {
                self.ids.insert(head.msg_id(), (seq, record.body));
                self.gone.insert(seq);
                Ok(())
            }
        }
    }

    fn event(&mut self, seq: u64, event: Event) -> Result<(), String> {
        let Event::Open { site, nonce, ed, x, .. } = event else { return Ok(()) };
        let key = |text: &str| codec::from_b64u_exact::<32>(text).map_err(|e| e.to_string());
        let (ed, x) = (key(&ed)?, key(&x)?);
        let nonce = codec::from_b64u_exact::<16>(&nonce).map_err(|e| e.to_string())?;
        crate::crypto::sign::check_public(&ed).map_err(|e| e.to_string())?;
        if seq != 1 || hash::conv_id(&nonce, &self.dir.fp(), &site, &ed, &x) != self.conv {
            return Err("the visitor's keys are not those of this conversation".to_owned());
        }
        self.visitor = Some(Visitor { kid: hash::kid(&ed), ed, x });
        Ok(())
    }

    fn visitor(&self) -> Result<&Visitor, String> {
        self.visitor.as_ref().ok_or_else(|| "it comes before the visitor's keys".to_owned())
    }

    /// The key with this hash, of whoever has or had it.
    fn ed_of(&self, kid: Kid) -> Option<[u8; 32]> {
        let visitor = self.visitor.as_ref().filter(|v| v.kid == kid).map(|v| v.ed);
        visitor.or_else(|| self.dir.key(&kid).map(|(_, key)| key.ed.0))
    }

    fn announcement(&mut self, body: &[u8], head: HeaderView<'_>) -> Result<(), String> {
        let visitor = self.visitor()?;
        let maker = head.sender();
        let ed = self.ed_of(maker).ok_or("the directory does not know who made this epoch")?;
        let ann = AnnouncementView::parse(body).map_err(|e| e.to_string())?;
        let boxed = |kind: u8| ann.boxes().find(|(k, ..)| *k == kind).map(|(_, kid, _)| kid);
        let team = boxed(1).and_then(|kid| self.dir.team_key(&kid));
        let (team, key) = team.ok_or("its key is sealed to no team of the directory")?;
        let before = self.epoch.as_ref();
        let want = Expected {
            conv: self.conv,
            epoch: before.map_or(0, |e| e.number + 1),
            prev: before.map_or([0; 32], |e| e.hash),
            creator: &ed,
            directory: self.dir,
            team: &key.pk.0,
            visitor: &visitor.x,
            bot: boxed(3),
        };
        announcement::verify(body, &want).map_err(|e| e.to_string())?;
        let seq = ann.dir_seq();
        let may = match before {
            _ if maker == visitor.kid => true,
            None => false,
            Some(e) if self.dir.revision_at(seq) >= 2 => {
                self.dir.kid_in_team_at(&maker, &e.team, seq) || maker == e.maker
            }
            Some(_) => self.dir.certified(&ed, seq).is_some(),
        };
        if !may {
            return Err("who made this epoch had no right to".to_owned());
        }
        if ann.has_bot() && (maker != visitor.kid || before.is_some_and(|e| !e.bot)) {
            return Err("a robot was let in by somebody else than the visitor, or again".to_owned());
        }
        if let Some(ek) = self.keys.get(&want.epoch)
            && ek.commitment(&self.conv, want.epoch) != ann.commitment()
        {
            return Err("the key in the file is not the one of this epoch".to_owned());
        }
        let (number, hash, team, bot) = (want.epoch, announcement::hash(body), team.clone(), ann.has_bot());
        self.epoch = Some(Epoch { number, hash, team, dir_seq: seq, bot, maker });
        Ok(())
    }

    /// The key of who wrote this, if they might at this place.
    fn writer(&self, kid: Kid, note: bool) -> Result<[u8; 32], String> {
        let visitor = self.visitor()?;
        let epoch = self.epoch.as_ref().ok_or("it comes before the first epoch")?;
        if kid == visitor.kid {
            return if note { Err("a visitor writes no notes".to_owned()) } else { Ok(visitor.ed) };
        }
        if let Some((_, bot)) = self.dir.bot_by_kid(&kid).filter(|_| epoch.bot && !note) {
            return Ok(bot.ed.0);
        }
        let (_, key) = self.dir.key(&kid).ok_or("the directory does not know who signed it")?;
        if self.dir.certified(&key.ed.0, epoch.dir_seq).is_none() {
            return Err("the key of who signed it had ended".to_owned());
        }
        let strict = self.dir.revision_at(epoch.dir_seq) >= 2;
        // a note may be by somebody who came later; they are in the team at some time since
        if strict && !note && !self.dir.kid_in_team_at(&kid, &epoch.team, epoch.dir_seq) {
            return Err("who signed it was not in the team of this epoch".to_owned());
        }
        Ok(key.ed.0)
    }

    fn sealed(&mut self, record: &RecordView<'a>, kind: Kind, head: HeaderView<'_>) -> Result<(), String> {
        let (seq, body) = (record.seq, record.body);
        let note = kind == Kind::Note;
        let number = self.epoch.as_ref().map(|e| e.number);
        if !note && number != Some(head.epoch()) {
            return Err("it is of another epoch than the one at its place".to_owned());
        }
        let ed = self.writer(head.sender(), note)?;
        if self.epoch.as_ref().is_some_and(|e| e.bot) && !note && self.dir.key(&head.sender()).is_some() {
            return Err("an agent wrote while the robot could read".to_owned());
        }
        let words = match self.keys.get(&head.epoch()).filter(|_| !note) {
            Some(ek) => {
                let opened = envelope::open(body, ek, &ed).map_err(|e| e.to_string())?;
                Some(serde_json::from_slice(&opened).map_err(|e| format!("what was sealed is no message: {e}"))?)
            }
            None => {
                envelope::verify(body, &ed).map_err(|e| e.to_string())?;
                None
            }
        };
        if self.ids.insert(head.msg_id(), (seq, body)).is_some() {
            return Err("its message id was there before".to_owned());
        }
        self.good.insert(seq, (head.msg_id(), Sealed { sender: head.sender(), at: record.at_ms, note, words }));
        Ok(())
    }

    fn recall(&mut self, body: &[u8], head: HeaderView<'_>) -> Result<(), String> {
        let ed = self.ed_of(head.sender()).ok_or("the directory does not know who signed it")?;
        let view = recall::verify(body, &ed).map_err(|e| e.to_string())?;
        // what it takes back may never have been in this log
        let Some((seq, target)) = self.ids.get(&view.msg()) else { return Ok(()) };
        recall::fits(&view, target).map_err(|e| e.to_string())?;
        self.taken_back.insert(*seq);
        Ok(())
    }

    /// Whether the file says what the records say.
    fn lines(&mut self, export: &Export) {
        let mut said = BTreeSet::new();
        for line in &export.lines {
            let (message, note) = match line {
                Line::Message(message) => (message, false),
                Line::Note(message) => (message, true),
                Line::Event {} => continue,
            };
            if !said.insert(message.seq) {
                self.report.fault(message.seq, "it is in the file twice");
            } else if let Err(what) = self.line(message, note) {
                self.report.fault(message.seq, what);
            }
        }
        let silent = |seq: &u64, note: bool| !said.contains(seq) && (!note || export.notes);
        let missing: Vec<u64> =
            self.good.iter().filter(|(seq, (_, sealed))| silent(seq, sealed.note)).map(|(seq, _)| *seq).collect();
        for seq in missing {
            self.report.fault(seq, "this message is not among the lines of the file");
        }
        for seq in self.gone.difference(&self.taken_back).copied().collect::<Vec<_>>() {
            self.report.fault(seq, "the server removed it, and its sender did not");
        }
    }

    fn line(&mut self, line: &Message, note: bool) -> Result<(), String> {
        let taken_back = self.taken_back.contains(&line.seq);
        if taken_back || self.gone.contains(&line.seq) {
            let said = if taken_back { Status::TakenBack } else { Status::Removed };
            if line.body.is_some() || line.status != said {
                return Err("the file shows something else than that it was taken away".to_owned());
            }
            self.report.taken_back += usize::from(taken_back);
            return Ok(());
        }
        let Some((msg, sealed)) = self.good.get(&line.seq) else {
            // the record's own fault is reported; of a recall there is a line only if something is missing before it
            return if line.body.is_some() { Err("no record has these words".to_owned()) } else { Ok(()) };
        };
        let shown = (line.msg, line.from.kid, line.at, note);
        if shown != (Some(*msg), Some(sealed.sender), sealed.at, sealed.note) {
            return Err("the file shows another message than the record has".to_owned());
        }
        if let (Some(of), Some(words)) = (line.replaces, &sealed.words)
            && words["edit"]["msg"] != of.to_string()
        {
            return Err("the file puts it in the place of another message than its writer did".to_owned());
        }
        let user = self.dir.key(&sealed.sender).map(|(user, _)| user);
        if user != line.from.user.as_ref() {
            return Err("the file shows another writer than the one who signed it".to_owned());
        }
        if let Some(user) = user
            && self.dir.user(user).map(|u| u.name) != line.from.name
        {
            return Err("the file gives its writer another name than the directory".to_owned());
        }
        match (&sealed.words, &line.body) {
            _ if note => self.report.notes += 1,
            (Some(sealed), Some(shown)) if same_words(sealed, shown) => self.report.messages += 1,
            (Some(_), None) if line.status == Status::Newer => self.report.messages += 1,
            (Some(_), _) => return Err("the words in the file are not those that were sealed".to_owned()),
            (None, None) => self.report.locked += 1,
            (None, Some(_)) => return Err("there is no key in the file that proves its words".to_owned()),
        }
        Ok(())
    }
}

/// Whether a body says the same as the one that was sealed. A console leaves out what it does not know.
fn same_words(sealed: &Value, shown: &Value) -> bool {
    let same = |names: &[&str]| {
        names.iter().all(|name| {
            let empty = |v: &Value| v.is_null() || v == "";
            sealed[*name] == shown[*name] || (empty(&sealed[*name]) && empty(&shown[*name]))
        })
    };
    let texts = |body: &Value| -> BTreeMap<String, Value> {
        let fields = body["fields"].as_object().cloned().unwrap_or_default();
        fields.into_iter().filter(|(_, value)| value.is_string()).collect()
    };
    same(&["t"])
        && match sealed["t"].as_str() {
            Some("text" | "note") => same(&["text"]),
            Some("form") => texts(sealed) == texts(shown),
            Some("file") => same(&["sha", "key", "text"]),
            Some("ctl") => same(&["why"]),
            _ => false,
        }
}
