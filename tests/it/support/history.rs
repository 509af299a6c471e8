//! What clients did and saw, held against what is stored in the end. A run of faults is good if its history keeps all [`Rule`]s.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use kefu::proto::{ConvId, Event, Generation, HeaderView, Kid, Kind, MsgId, Owner, RecordView, UserId};

/// What may never be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// What was acknowledged is stored, where the acknowledgement said.
    Acknowledged,
    /// What was refused is not stored.
    Refused,
    /// What is stored was sent, by this sender to this conversation, byte for byte.
    Sent,
    /// Each id is there once.
    Once,
    /// Sequence numbers are 1, 2, 3 and so on.
    Gapless,
    /// Two readers, and the log, have the same bytes under a sequence number, within a generation.
    Same,
    /// Messages of one sender are in the order in which they were sent.
    Ordered,
    /// An agent speaks only where they are the owner, of whom there is one at a time.
    Owned,
}

/// A rule that was broken, and by what.
#[derive(Debug)]
pub struct Fault {
    pub rule: Rule,
    pub what: String,
}

/// How the sending of a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged as this record.
    Ok(u64),
    /// Refused.
    Fail,
    /// The client never heard.
    Unknown,
}

/// A message that a client sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub by: Kid,
    pub conv: ConvId,
    pub id: MsgId,
    pub envelope: Bytes,
    pub outcome: Outcome,
}

/// A record that a client was shown.
#[derive(Debug, Clone)]
pub struct Read {
    pub by: Kid,
    pub conv: ConvId,
    pub generation: Generation,
    pub seq: u64,
    pub frame: Bytes,
}

/// A record of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    pub seq: u64,
    pub frame: Bytes,
    pub what: What,
}

/// What a record says, as far as a rule asks.
#[derive(Debug, Clone)]
pub enum What {
    Message {
        id: MsgId,
        by: Kid,
        envelope: Bytes,
    },
    /// The conversation has another owner.
    Owner(Owner),
    Other,
}

impl Entry {
    /// Reads a frame of the log.
    pub fn parse(frame: &Bytes) -> Self {
        let record = RecordView::parse(frame).expect("a record");
        let what = match (record.event(), HeaderView::parse(record.body)) {
            (Some(Event::Owner { owner, .. }), _) => What::Owner(owner),
            (Some(Event::Closed { .. }), _) => What::Owner(Owner::None),
            (None, Ok((Kind::Message, head))) => {
                What::Message { id: head.msg_id(), by: head.sender(), envelope: frame.slice_ref(record.body) }
            }
            _ => What::Other,
        };
        Self { seq: record.seq, frame: frame.clone(), what }
    }
}

/// A run.
#[derive(Debug)]
pub struct History {
    /// Keys of the agents.
    pub agents: BTreeMap<Kid, UserId>,
    /// By all clients; what one client sent is in order.
    pub sent: Vec<Sent>,
    pub read: Vec<Read>,
    /// What is stored at the end, in the order of the log, and under which generation.
    pub logs: BTreeMap<ConvId, Vec<Entry>>,
    pub generation: Generation,
}

impl History {
    /// Without anything in it.
    pub fn of(agents: impl IntoIterator<Item = (Kid, UserId)>) -> Self {
        let (sent, read, logs) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { agents: agents.into_iter().collect(), sent, read, logs, generation: Generation([0; 8]) }
    }

    /// How many messages ended so.
    pub fn count(&self, outcome: impl Fn(Outcome) -> bool) -> usize {
        self.sent.iter().filter(|sent| outcome(sent.outcome)).count()
    }

    /// Looks at all rules; the first that is broken.
    pub fn check(&self) -> Result<(), Fault> {
        self.logs.iter().try_for_each(|(conv, log)| gapless(*conv, log))?;
        let places = self.places()?;
        self.outcomes(&places)?;
        self.ordered(&places)?;
        self.same()?;
        self.logs.iter().try_for_each(|(conv, log)| self.owned(*conv, log))
    }

    /// Where each message is, if it was sent and is there once.
    fn places(&self) -> Result<HashMap<MsgId, u64>, Fault> {
        let mut sent = HashMap::new();
        for message in &self.sent {
            hold(sent.insert(message.id, message).is_none(), Rule::Once, || {
                format!("{} was sent as two messages", message.id)
            })?;
        }
        let mut places = HashMap::new();
        for (conv, log) in &self.logs {
            for entry in log {
                let What::Message { id, by, envelope } = &entry.what else { continue };
                let known = sent.get(id).is_some_and(|s| (s.conv, s.by, &s.envelope) == (*conv, *by, envelope));
                hold(known, Rule::Sent, || format!("{conv} {}: nobody sent {id} like this", entry.seq))?;
                let before = places.insert(*id, entry.seq);
                hold(before.is_none(), Rule::Once, || format!("{conv}: {id} is {before:?} and {}", entry.seq))?;
            }
        }
        Ok(places)
    }

    fn outcomes(&self, places: &HashMap<MsgId, u64>) -> Result<(), Fault> {
        self.sent.iter().try_for_each(|Sent { conv, id, outcome, .. }| {
            let place = places.get(id).copied();
            let told = || format!("{conv}: {id} ended with {outcome:?} and is stored as {place:?}");
            match outcome {
                Outcome::Ok(seq) => hold(place == Some(*seq), Rule::Acknowledged, told),
                Outcome::Fail => hold(place.is_none(), Rule::Refused, told),
                Outcome::Unknown => Ok(()),
            }
        })
    }

    fn ordered(&self, places: &HashMap<MsgId, u64>) -> Result<(), Fault> {
        let mut last: HashMap<(Kid, ConvId), u64> = HashMap::new();
        for Sent { by, conv, id, .. } in &self.sent {
            let Some(place) = places.get(id) else { continue };
            let before = last.insert((*by, *conv), *place).unwrap_or_default();
            hold(before < *place, Rule::Ordered, || {
                format!("{conv}: {id} is {place}, what was sent before it {before}")
            })?;
        }
        Ok(())
    }

    fn same(&self) -> Result<(), Fault> {
        let mut shown: HashMap<(Generation, ConvId, u64), &Bytes> = HashMap::new();
        for (conv, log) in &self.logs {
            shown.extend(log.iter().map(|entry| ((self.generation, *conv, entry.seq), &entry.frame)));
        }
        // in the last generation, what is not in the log was shown to somebody and is gone
        let logged: HashSet<_> = shown.keys().copied().collect();
        for Read { by, conv, generation, seq, frame } in &self.read {
            let key = (*generation, *conv, *seq);
            let there = *generation != self.generation || logged.contains(&key);
            hold(there, Rule::Same, || format!("{conv}: {by} was shown {seq}, which the log does not have"))?;
            let first = *shown.entry(key).or_insert(frame);
            hold(first == frame, Rule::Same, || format!("{conv}: {by} was shown another {seq} than others"))?;
        }
        Ok(())
    }

    fn owned(&self, conv: ConvId, log: &[Entry]) -> Result<(), Fault> {
        let mut owner = &Owner::None;
        for entry in log {
            match &entry.what {
                What::Owner(next) => owner = next,
                What::Message { by, .. } if self.agents.contains_key(by) => {
                    let user = &self.agents[by];
                    let own = matches!(owner, Owner::Agent(agent) if agent == user);
                    hold(own, Rule::Owned, || format!("{conv} {}: {user} speaks, the owner is {owner:?}", entry.seq))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn gapless(conv: ConvId, log: &[Entry]) -> Result<(), Fault> {
    (1..).zip(log).try_for_each(|(place, entry)| {
        hold(entry.seq == place, Rule::Gapless, || format!("{conv}: {} stands at place {place}", entry.seq))
    })
}

fn hold(kept: bool, rule: Rule, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if kept { Ok(()) } else { Err(Fault { rule, what: what() }) }
}

/// A history is good, and after one change is not.
mod tests {
    use super::*;

    const CONV: ConvId = ConvId([1; 16]);
    const VISITOR: Kid = Kid([2; 16]);
    const LI: Kid = Kid([3; 16]);
    const WU: Kid = Kid([4; 16]);

    fn agent(user: &str) -> Owner {
        Owner::Agent(user.parse().unwrap())
    }

    fn frame(what: &What) -> Bytes {
        format!("{what:?}").into()
    }

    /// The visitor asks twice, li answers, wu gets the conversation and answers, too.
    fn good() -> History {
        let mut history = History::of([(LI, "li".parse().unwrap()), (WU, "wu".parse().unwrap())]);
        let mut log = Vec::new();
        let mut add = |what: What| log.push(Entry { seq: log.len() as u64 + 1, frame: frame(&what), what });
        let message = |n: u8, by: Kid| What::Message { id: MsgId([n; 16]), by, envelope: vec![n].into() };
        add(What::Other);
        add(message(1, VISITOR));
        add(What::Owner(agent("li")));
        add(message(2, LI));
        add(message(3, VISITOR));
        add(What::Owner(agent("wu")));
        add(message(4, WU));
        for entry in &log {
            for by in [VISITOR, LI] {
                let (generation, seq, frame) = (history.generation, entry.seq, entry.frame.clone());
                history.read.push(Read { by, conv: CONV, generation, seq, frame });
            }
            if let What::Message { id, by, envelope } = &entry.what {
                let (id, by, envelope, outcome) = (*id, *by, envelope.clone(), Outcome::Ok(entry.seq));
                history.sent.push(Sent { by, conv: CONV, id, envelope, outcome });
            }
        }
        history.logs.insert(CONV, log);
        history
    }

    fn broken(change: impl FnOnce(&mut History)) -> Rule {
        let mut history = good();
        change(&mut history);
        history.check().expect_err("a wrong history").rule
    }

    fn log(history: &mut History) -> &mut Vec<Entry> {
        history.logs.get_mut(&CONV).unwrap()
    }

    /// Gives all entries the numbers of their places, so that only one rule is broken.
    fn number(history: &mut History) {
        history.read.clear();
        let mut places = HashMap::new();
        for (seq, entry) in (1..).zip(log(history)) {
            entry.seq = seq;
            if let What::Message { id, .. } = entry.what {
                places.insert(id, seq);
            }
        }
        for sent in &mut history.sent {
            sent.outcome = places.get(&sent.id).map_or(sent.outcome, |seq| Outcome::Ok(*seq));
        }
    }

    #[test]
    fn a_good_history_is_accepted() {
        good().check().unwrap();
        // nobody knows whether they were stored: both may be
        for stored in [true, false] {
            let mut history = good();
            history.sent[3].outcome = Outcome::Unknown;
            if !stored {
                log(&mut history).pop();
                history.read.retain(|read| read.seq < 7);
            }
            history.check().unwrap();
        }
        // before the log went back it had something else there
        let mut history = good();
        let (before, read) = (Generation([1; 8]), history.read[4].clone());
        history.read.push(Read { generation: before, frame: "x".into(), ..read.clone() });
        history.read.push(Read { generation: before, seq: 99, ..read });
        history.check().unwrap();
    }

    #[test]
    fn a_history_that_breaks_a_rule_is_refused() {
        let lost = |h: &mut History| {
            log(h).remove(6);
            h.read.clear();
        };
        assert_eq!(broken(lost), Rule::Acknowledged);
        assert_eq!(broken(|h| h.sent[0].outcome = Outcome::Ok(3)), Rule::Acknowledged);
        assert_eq!(broken(|h| h.sent[0].outcome = Outcome::Fail), Rule::Refused);
        assert_eq!(broken(|h| drop(h.sent.remove(0))), Rule::Sent);
        assert_eq!(broken(|h| h.sent[0].envelope = "x".into()), Rule::Sent);
        assert_eq!(broken(|h| h.sent[0].by = LI), Rule::Sent);
        assert_eq!(broken(|h| h.sent.push(h.sent[0].clone())), Rule::Once);
        let twice = |h: &mut History| {
            let again = log(h)[1].clone();
            log(h).push(again);
            number(h);
        };
        assert_eq!(broken(twice), Rule::Once);
        assert_eq!(broken(|h| log(h)[6].seq = 8), Rule::Gapless);
        assert_eq!(broken(|h| drop(log(h).remove(0))), Rule::Gapless);
        assert_eq!(broken(|h| h.read[0].frame = "x".into()), Rule::Same);
        assert_eq!(broken(|h| h.read[0].seq = 99), Rule::Same);
        let two_readers = |h: &mut History| {
            (h.read[0].generation, h.read[1].generation) = (Generation([1; 8]), Generation([1; 8]));
            h.read[1].frame = "x".into();
        };
        assert_eq!(broken(two_readers), Rule::Same);
        let exchanged = |h: &mut History| {
            log(h).swap(1, 4);
            number(h);
        };
        assert_eq!(broken(exchanged), Rule::Ordered);
        let too_early = |h: &mut History| {
            log(h).swap(2, 3);
            number(h);
        };
        assert_eq!(broken(too_early), Rule::Owned);
        let anothers = |h: &mut History| {
            log(h)[5].what = What::Owner(Owner::None);
        };
        assert_eq!(broken(anothers), Rule::Owned);
    }
}
