//! Reading a conversation: first from the store, sealed, which waits; then opened, which computes: which questions are open,
//! and the keys to open them.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Robot, sessions::RobotSession};
use crate::{
    chat::{Chat, Row, Snapshot},
    crypto::{
        announcement,
        envelope::{self, EpochKey},
        hash::{self, BoxKind},
        sign::SigningKey,
    },
    proto::{AnnouncementView, ConvId, HeaderView, Kid, Kind, MsgId, RecordView},
    robot::{keys::RobotKeys, policy::speaks_zh},
    store::StoreError,
};

/// Records read in one step.
const STEP: usize = 100;
/// Maximum number of open questions that are read as one.
const QUESTIONS: usize = 10;
/// Maximum number of characters of them together.
const CHARS: usize = 4000;

/// A conversation as it is stored.
pub(super) struct Sealed {
    row: Row,
    /// What the robot remembers of it, if that is of its epoch.
    known: Option<RobotSession>,
    found: Scan,
}

/// A conversation with what is to be done in it.
pub(super) struct Reading {
    /// The newest epoch's key and how far the robot is.
    pub session: RobotSession,
    /// As it was when this was read.
    pub row: Row,
    /// What the visitor wrote since the last answer; empty if it can wait.
    pub text: Zeroizing<String>,
    /// Number of the last of these messages; 0: there is none.
    pub last_question: u64,
    /// Something among it is no text.
    pub unsupported: bool,
    /// The last of these messages.
    pub re: Option<MsgId>,
    /// Record up to which this was read.
    pub upto: u64,
    /// Hash of the last message, announcement or recall.
    pub prev: [u8; 16],
}

/// Why a conversation can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The private part of its day key is gone, or was never here.
    #[error("the key it was sealed to no longer exists")]
    Key,
    /// A message is not what it claims to be.
    #[error("a message cannot be decrypted: {0}")]
    Message(String),
    /// The row is damaged.
    #[error(transparent)]
    Row(#[from] StoreError),
}

/// The part of a body that the robot looks at.
#[derive(Deserialize)]
struct Body {
    t: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    re: Option<MsgId>,
    #[serde(default)]
    fields: Option<HashMap<String, serde_json::Value>>,
    #[serde(default)]
    lang: Option<String>,
}

impl Body {
    /// Whether the conversation is Chinese after this message.
    fn speaks_zh(&self, before: Option<bool>) -> Option<bool> {
        match (self.t.as_str(), &self.text, &self.lang) {
            ("text", Some(text), _) => Some(speaks_zh(text, before)),
            ("form", _, Some(lang)) if before.is_none() => Some(lang.to_ascii_lowercase().starts_with("zh")),
            _ => before,
        }
    }
}

/// What was found, oldest first.
#[derive(Default)]
struct Scan {
    announcements: HashMap<u32, Bytes>,
    questions: Vec<(u64, Bytes)>,
    mine: Option<(u64, Bytes)>,
    prev: [u8; 16],
    upto: u64,
}

impl Robot {
    /// Reads what is new.
    pub(super) async fn read(&self, conv: ConvId, now: Snapshot, me: Kid) -> Result<Sealed, StoreError> {
        let Snapshot { row, last, visitor } = now;
        let known = self.handle.sessions.get(conv).filter(|t| t.epoch == row.epoch);
        let (done, prev) = known.as_ref().map_or((0, [0; 16]), |t| (t.done, t.prev));
        let mut found = self.scan(conv, done, last, visitor, me).await?;
        if found.prev == [0; 16] {
            found.prev = prev;
        }
        let old_epoch = |(_, body): &(u64, Bytes)| epoch_of(body) != row.epoch;
        if known.is_some() && found.questions.iter().any(old_epoch) {
            found = self.scan(conv, 0, last, visitor, me).await?;
        }
        Ok(Sealed { row, known, found })
    }

    async fn scan(&self, conv: ConvId, after: u64, last: u64, visitor: Kid, me: Kid) -> Result<Scan, StoreError> {
        let mut found = Scan { upto: after, ..Scan::default() };
        while found.upto < last {
            let step = self.chat.records(conv, found.upto, STEP).await?;
            let Some((end, _)) = step.last() else { break };
            found.upto = *end;
            for (seq, frame) in step {
                found.add(seq, &frame, visitor, me);
            }
        }
        Ok(found)
    }
}

/// The day key that the newest epoch of a conversation is sealed to; none if it is sealed to none.
pub(super) async fn day_key_of(chat: &Chat, conv: ConvId) -> Result<Option<[u8; 16]>, StoreError> {
    let (mut after, mut newest) = (0, None);
    loop {
        let step = chat.records(conv, after, STEP).await?;
        let Some((end, _)) = step.last() else { return Ok(newest) };
        after = *end;
        for (_, frame) in &step {
            let body = RecordView::parse(frame).map(|record| record.body);
            if let Some(view) = body.and_then(|body| AnnouncementView::parse(body).ok()) {
                newest = view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8).map(|(_, kid, _)| kid);
            }
        }
    }
}

impl Scan {
    fn add(&mut self, seq: u64, frame: &Bytes, visitor: Kid, me: Kid) {
        let Some(body) = RecordView::parse(frame).map(|r| frame.slice_ref(r.body)) else { return };
        let Ok((kind, head)) = HeaderView::parse(&body) else { return };
        let sender = head.sender();
        match kind {
            Kind::Announcement => {
                self.prev = hash::envelope(&body);
                self.announcements.insert(head.epoch(), body);
            }
            Kind::Recall => self.prev = hash::envelope(&body),
            Kind::Message => {
                self.prev = hash::envelope(&body);
                if sender == visitor {
                    self.questions.push((seq, body));
                    // of many only the last are read; twice as many are kept to find the one answered last
                    if self.questions.len() > 2 * QUESTIONS {
                        self.questions.drain(..QUESTIONS);
                    }
                } else if sender == me {
                    self.mine = Some((seq, body));
                }
            }
            _ => {}
        }
    }
}

impl Sealed {
    /// Opens it.
    pub(super) fn open(self, robot_keys: &RobotKeys, me: &SigningKey) -> Result<Reading, ReadError> {
        let Self { row, known, found } = self;
        let mut keys = EpochKeys { robot_keys, announcements: &found.announcements, open: HashMap::new() };
        let fresh = known.is_none();
        let session = match known {
            Some(session) => {
                keys.open.insert(session.epoch, (session.key.clone(), session.day));
                session
            }
            None => {
                let (key, day) = keys.of(row.epoch)?;
                let done = found
                    .mine
                    .as_ref()
                    .map_or(0, |(seq, body)| answered(&mut keys, body, &found.questions, me).unwrap_or(*seq));
                RobotSession::new(row.epoch, key, day, done)
            }
        };
        let ed = row.visitor_ed()?;
        let mut reading = Reading {
            text: Zeroizing::default(),
            last_question: 0,
            unsupported: false,
            re: None,
            upto: found.upto.max(session.done),
            prev: found.prev,
            session,
            row,
        };
        reading.session.prev = reading.prev;
        if fresh {
            // handled messages still show the visitor's language; messages that can't be decrypted any more show nothing
            for (_, body) in found.questions.iter().filter(|(seq, _)| *seq <= reading.session.done) {
                let plain = keys.of(epoch_of(body)).ok().and_then(|(key, _)| envelope::open(body, &key, &ed).ok());
                let body = plain.and_then(|plain| serde_json::from_slice::<Body>(&plain).ok());
                reading.session.zh = body.map_or(reading.session.zh, |body| body.speaks_zh(reading.session.zh));
            }
        }
        let open: Vec<_> = found.questions.iter().filter(|(seq, _)| *seq > reading.session.done).collect();
        reading.last_question = open.last().map_or(0, |(seq, _)| *seq);
        for (_, body) in &open[open.len().saturating_sub(QUESTIONS)..] {
            let (key, _) = keys.of(epoch_of(body))?;
            let plain = envelope::open(body, &key, &ed).map_err(|e| ReadError::Message(e.to_string()))?;
            reading.take(body, &plain);
        }
        Ok(reading)
    }
}

impl Reading {
    fn take(&mut self, body: &Bytes, plain: &[u8]) {
        if let Ok((_, head)) = HeaderView::parse(body) {
            self.re = Some(head.msg_id());
        }
        let parsed = serde_json::from_slice::<Body>(plain);
        if let Ok(body) = &parsed {
            self.session.zh = body.speaks_zh(self.session.zh);
        }
        let text = match parsed {
            Ok(Body { t, text: Some(text), .. }) if t == "text" => text,
            // a form identifies the visitor; only one field of it is a question
            Ok(Body { t, fields: Some(mut fields), .. }) if t == "form" => match fields.remove("question") {
                Some(serde_json::Value::String(text)) => {
                    self.session.zh = Some(speaks_zh(&text, self.session.zh));
                    text
                }
                _ => return,
            },
            Ok(Body { t, .. }) if t == "form" || t == "ctl" => return,
            _ => {
                self.unsupported = true;
                return;
            }
        };
        let text = Zeroizing::new(text);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let left = CHARS.saturating_sub(self.text.chars().count());
        self.text.extend(text.trim().chars().take(left));
    }
}

/// Keys of epochs, opened when they are needed.
struct EpochKeys<'a> {
    robot_keys: &'a RobotKeys,
    announcements: &'a HashMap<u32, Bytes>,
    open: HashMap<u32, (EpochKey, [u8; 16])>,
}

impl EpochKeys<'_> {
    fn of(&mut self, epoch: u32) -> Result<(EpochKey, [u8; 16]), ReadError> {
        if let Some(key) = self.open.get(&epoch) {
            return Ok(key.clone());
        }
        let body = self.announcements.get(&epoch).ok_or(ReadError::Key)?;
        let view = AnnouncementView::parse(body).map_err(|_| ReadError::Key)?;
        let (_, kid, _) = view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8).ok_or(ReadError::Key)?;
        let day = self.robot_keys.day(&kid).ok_or(ReadError::Key)?;
        let key = announcement::open(body, BoxKind::Bot, &day.secret).map_err(|_| ReadError::Key)?;
        self.open.insert(epoch, (key.clone(), kid));
        Ok((key, kid))
    }
}

/// The record that the robot's last message answers.
fn answered(keys: &mut EpochKeys<'_>, mine: &Bytes, questions: &[(u64, Bytes)], me: &SigningKey) -> Option<u64> {
    let (key, _) = keys.of(epoch_of(mine)).ok()?;
    let plain = envelope::open(mine, &key, &me.public()).ok()?;
    let re = serde_json::from_slice::<Body>(&plain).ok()?.re?;
    questions.iter().find(|(_, body)| HeaderView::parse(body).is_ok_and(|(_, h)| h.msg_id() == re)).map(|(seq, _)| *seq)
}

fn epoch_of(body: &[u8]) -> u32 {
    HeaderView::parse(body).map_or(0, |(_, h)| h.epoch())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(body: &str, before: Option<bool>) -> Option<bool> {
        serde_json::from_str::<Body>(body).unwrap().speaks_zh(before)
    }

    #[test]
    fn before_the_first_words_the_form_tells_the_language() {
        for (lang, zh) in [("zh-CN", true), ("ZH", true), ("en-GB", false), ("fr", false)] {
            let form = format!(r#"{{"t":"form","lang":"{lang}","fields":{{}}}}"#);
            assert_eq!(speaks(&form, None), Some(zh), "{lang}");
            // an order number shows no language
            assert_eq!(speaks(r#"{"t":"text","text":"SF1234567890"}"#, Some(zh)), Some(zh), "{lang}");
        }
        assert_eq!(speaks(r#"{"t":"form","fields":{}}"#, None), None);
        assert_eq!(
            speaks(r#"{"t":"form","lang":"en","fields":{}}"#, Some(true)),
            Some(true),
            "what was written counts"
        );
        assert_eq!(speaks(r#"{"t":"text","text":"怎么退货"}"#, Some(false)), Some(true));
    }
}
