//! Writing a dump into an empty database: numbers, times, ids, revisions, marks and indexes stay what they were, the generations
//! of the lanes are new. Until everything is there the database bears a mark, and no server opens it.

use std::collections::BTreeMap;

use kefu_proto::{ConvId, Kid, TeamId};
use kefu_redis_link::{Cmd, Link, Pipeline, cmd, lanes::LANES};

use super::{
    Options, batch,
    event::AT,
    keys::{COMPANY, lane_of},
    raw::{Found, RawDatabase, copied_already, server},
    scripts::SCRIPTS,
    value::{bytes, number},
    whole::widest,
};
use crate::{
    Facts, FactsOf, Place, StoreError, Table,
    archive::{Entry, Header},
    check::{SCHEMA_KEY, SCHEMA_VERSION, remembered_id},
    index,
    redb::{CHANGED, DumpCheck, Dumped, record_of},
};

/// What is written at once: commands, and bytes.
const COMMANDS: usize = 2_000;
const BYTES: usize = 4 * 1024 * 1024;
/// Records of one command.
const RECORDS: usize = 256;
/// For so long replicas may take, ms.
const REPLICAS: u64 = 60_000;

/// A company that is being written.
pub struct Importer<'a> {
    database: RawDatabase,
    options: Options,
    facts_of: &'a FactsOf,
    id: [u8; 16],
    /// None: what changed is written over what is there.
    check: Option<DumpCheck>,
    table: Option<Dumped>,
    /// Conversations that are to be removed before anything else is written; none: the list is not open.
    changed: Option<Vec<ConvId>>,
    conv: Option<Log>,
    /// Commands for each shard, and the bytes of all.
    waiting: BTreeMap<usize, Vec<Cmd>>,
    commands: usize,
    bytes: usize,
    /// Places by time that need the team in the row.
    listed: Vec<Place>,
}

/// The log of a conversation.
struct Log {
    conv: ConvId,
    records: Vec<Vec<u8>>,
    /// Number of the first of them.
    first: u64,
    /// Bytes of all.
    size: u64,
}

impl<'a> Importer<'a> {
    /// Begins. `facts_of` reads rows of conversations.
    ///
    /// # Errors
    /// The database is not empty, can't be reached, or the dump has another schema version.
    pub async fn begin(
        link: Link,
        options: Options,
        header: &Header,
        facts_of: &'a FactsOf,
    ) -> Result<Self, StoreError> {
        let check = DumpCheck::new(header)?;
        if header.schema != SCHEMA_VERSION {
            return Err(StoreError::Server(format!(
                "it has schema version {}, and only version {SCHEMA_VERSION} is written to Redis: restore it with \
                 storage.url = \"redb:\", start the server once, and move it with kefu move",
                header.schema
            )));
        }
        let database = RawDatabase::connect(link, &options.prefix).await?;
        match database.look().await? {
            Found::Empty => {}
            found => {
                let (mark, mut question) = (database.keys.importing(), cmd("GET"));
                question.arg(&mark);
                let whose = database.of(&mark)?.send(&question).await.map_err(server)?;
                return Err(match database.is_copied_by_another(bytes(&whose)).await {
                    true => copied_already(),
                    false => taken(&found, &options.prefix),
                });
            }
        }
        let (id, mark, mut set) = (database.id, database.keys.importing(), cmd("SET"));
        set.arg(&mark).arg(&id).arg("NX");
        let reply = database.of(&mark)?.send(&set).await.map_err(server)?;
        if matches!(reply, kefu_redis_link::Value::Nil) {
            // somebody was faster
            return Err(copied_already());
        }
        let (waiting, listed) = (BTreeMap::new(), Vec::new());
        let (table, conv, commands, bytes) = (None, None, 0, 0);
        let (check, changed) = (Some(check), None);
        Ok(Self { database, options, facts_of, id, check, table, changed, conv, waiting, commands, bytes, listed })
    }

    /// Begins to write what changed ([`super::RedisStore::export_changes`]) over a copy that was finished and has not arrived.
    pub fn patch(database: RawDatabase, options: Options, facts_of: &'a FactsOf) -> Self {
        let (id, waiting, listed) = (database.id, BTreeMap::new(), Vec::new());
        let (check, table, changed, conv, commands, bytes) = (None, None, None, None, 0, 0);
        Self { database, options, facts_of, id, check, table, changed, conv, waiting, commands, bytes, listed }
    }

    /// Adds the next entry. Files are ignored.
    ///
    /// # Errors
    /// The entry does not belong there, or Redis did not take what was before it.
    pub async fn entry(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        if let Some(check) = &mut self.check {
            check.entry(entry)?;
        }
        match *entry {
            Entry::Table(name) => {
                self.flush().await?;
                if let Some(convs) = self.changed.take() {
                    self.erase(&convs).await?;
                }
                self.table = Dumped::named(name);
                if self.check.is_none() {
                    self.replace(name)?;
                }
            }
            Entry::Row(key, value) => match self.table {
                None if self.changed.is_some() => {
                    let conv = ConvId::from_slice(key);
                    let conv = conv.ok_or(StoreError::Invalid("the key of a conversation has a wrong length"))?;
                    self.changed.get_or_insert_default().push(conv);
                }
                Some(Dumped::Records) => self.record(key, value)?,
                Some(Dumped::Rows) => self.row(key, value)?,
                Some(Dumped::Small(table)) => self.small(table, key, value)?,
                None => {}
            },
            Entry::File(_) | Entry::Data(_) => {}
        }
        if self.commands >= COMMANDS || self.bytes >= BYTES {
            self.write().await?;
        }
        Ok(())
    }

    /// Makes it a company. `from`: where it comes from, if it is served only after [`RawDatabase::mark_arrived`].
    ///
    /// # Errors
    /// Something is missing, or Redis did not take it.
    pub async fn finish(mut self, from: Option<&str>) -> Result<RawDatabase, StoreError> {
        self.flush().await?;
        if let Some(check) = &self.check {
            check.finish()?;
        }
        for lane in 0..LANES {
            let key = self.database.keys.lane(lane);
            let mut enter = SCRIPTS.enter().call(&[&key]);
            enter.arg(&self.database.of(&key)?.server().run_id).arg(&self.id).arg(1);
            self.push(&key, enter, 64)?;
        }
        self.write().await?;
        self.replicated().await?;
        let keys = &self.database.keys;
        let company = keys.lane(COMPANY);
        let connection = self.database.of(&company)?;
        if let Some(from) = from {
            let mut mark = cmd("HSET");
            mark.arg(&company).arg("from").arg(from);
            connection.send(&mark).await.map_err(server)?;
        }
        let names = [company.clone(), keys.values(Table::Meta), keys.keys(Table::Meta), keys.importing()];
        let mut create = SCRIPTS.create().call(&names);
        create.arg(&connection.server().run_id).arg(SCHEMA_KEY).arg(&SCHEMA_VERSION.to_be_bytes());
        connection.send(&create).await.map_err(server)?;
        self.replicated().await?;
        Ok(self.database)
    }

    /// Ends what changed. It is as safe as a commit when this returns.
    ///
    /// # Errors
    /// Redis did not take it.
    pub async fn finish_patch(mut self) -> Result<RawDatabase, StoreError> {
        self.flush().await?;
        self.replicated().await?;
        Ok(self.database)
    }

    /// What follows replaces what a table of the company has.
    fn replace(&mut self, name: &str) -> Result<(), StoreError> {
        match self.table {
            None if name == CHANGED => self.changed = Some(Vec::new()),
            Some(Dumped::Small(table)) if !table.is_index() => {
                for name in [self.database.keys.values(table), self.database.keys.keys(table)] {
                    let mut delete = cmd("DEL");
                    delete.arg(&name);
                    self.push(&name, delete, 64)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes all of these conversations: what they are now follows.
    async fn erase(&mut self, convs: &[ConvId]) -> Result<(), StoreError> {
        for convs in convs.chunks(COMMANDS) {
            let mut by_shard: BTreeMap<usize, Vec<ConvId>> = BTreeMap::new();
            for conv in convs {
                let shard = self.database.shard_of(&self.database.keys.conversation(*conv))?;
                by_shard.entry(shard).or_default().push(*conv);
            }
            for (shard, convs) in by_shard {
                let question = |conv: &ConvId| {
                    let mut question = cmd("HGET");
                    question.arg(self.database.keys.conversation(*conv)).arg("r");
                    question
                };
                let questions = convs.iter().map(question).collect::<Pipeline>();
                let rows = self.database.connections[shard].pipeline(&questions).await.map_err(server)?;
                for (conv, row) in convs.into_iter().zip(rows) {
                    let facts = bytes(&row.map_err(server)?).and_then(self.facts_of);
                    self.forget(conv, facts.as_ref())?;
                }
            }
            self.send().await?;
        }
        Ok(())
    }

    /// Removes a conversation and, by what its row says, its places in the indexes.
    fn forget(&mut self, conv: ConvId, facts: Option<&Facts>) -> Result<(), StoreError> {
        let keys = self.database.keys.clone();
        for name in [keys.records(conv), keys.ids(conv), keys.conversation(conv)] {
            let mut delete = cmd("DEL");
            delete.arg(&name);
            self.push(&name, delete, 64)?;
        }
        let Some(facts) = facts else { return Ok(()) };
        for place in widest(facts) {
            let (name, member) = place.at(&keys, conv);
            let mut remove = cmd(if place == batch::Place::Open { "SREM" } else { "ZREM" });
            remove.arg(&name).arg(member);
            self.push(&name, remove, 64)?;
        }
        let (name, mut remove) = (keys.of_visitor(facts.visitor), cmd("SREM"));
        remove.arg(&name).arg(&conv.0);
        self.push(&name, remove, 64)
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let (conv, seq) = record_of(key).ok_or(StoreError::Invalid("a record's key has a wrong length"))?;
        if self.conv.as_ref().is_none_or(|log| log.conv != conv) {
            self.end_log()?;
            self.conv = Some(Log { conv, records: Vec::new(), first: seq, size: 0 });
        }
        let Some(log) = &mut self.conv else { return Ok(()) };
        log.size += value.len() as u64;
        log.records.push(value.to_vec());
        if log.records.len() >= RECORDS { self.append() } else { Ok(()) }
    }

    /// Writes the records that were collected.
    fn append(&mut self) -> Result<(), StoreError> {
        let Some(log) = &mut self.conv else { return Ok(()) };
        let (conv, records, first) = (log.conv, std::mem::take(&mut log.records), log.first);
        log.first += records.len() as u64;
        let (records_key, ids_key) = (self.database.keys.records(conv), self.database.keys.ids(conv));
        let (mut push, mut name, mut names) = (cmd("RPUSH"), cmd("HSET"), 0);
        push.arg(&records_key);
        name.arg(&ids_key);
        let mut size = 0;
        for (seq, record) in (first..).zip(&records) {
            size += record.len();
            push.arg(record);
            if let Some(id) = record.get(AT..).and_then(remembered_id) {
                name.arg(&id.0).arg(seq);
                names += 1;
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.push(&records_key, push, size)?;
        if names > 0 { self.push(&ids_key, name, 32 * names) } else { Ok(()) }
    }

    fn end_log(&mut self) -> Result<(), StoreError> {
        self.append()?;
        let Some(log) = self.conv.take() else { return Ok(()) };
        let (key, mut set) = (self.database.keys.conversation(log.conv), cmd("HSET"));
        set.arg(&key).arg("b").arg(log.size);
        self.push(&key, set, 64)
    }

    fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let (Some(conv), Some((rev, row))) = (ConvId::from_slice(key), value.split_first_chunk()) else {
            return Err(StoreError::Invalid("a row has a wrong length"));
        };
        let (key, mut set) = (self.database.keys.conversation(conv), cmd("HSET"));
        set.arg(&key).arg("v").arg(u32::from_be_bytes(*rev)).arg("r").arg(row);
        self.push(&key, set, row.len() + 64)
    }

    fn small(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let wrong =
            || StoreError::Corrupt(format!("a key of its table {} has a wrong form", Dumped::Small(table).name()));
        let keys = &self.database.keys;
        let (name, mut command) = match table {
            Table::Receipt => {
                let (side, conv) = key.split_last().ok_or_else(wrong)?;
                let conv = ConvId::from_slice(conv).filter(|_| *side <= 1).ok_or_else(wrong)?;
                let marks = index::decode_marks(value);
                let numbers = [marks.delivered.to_be_bytes(), marks.read.to_be_bytes()].concat();
                let (name, mut command) = (keys.conversation(conv), cmd("HSET"));
                command.arg(&name).arg(format!("m{side}")).arg(numbers);
                (name, command)
            }
            Table::VisitorConv => {
                let (visitor, conv) = key.split_first_chunk::<16>().ok_or_else(wrong)?;
                let (name, mut command) = (keys.of_visitor(Kid(*visitor)), cmd("SADD"));
                command.arg(&name).arg(conv);
                (name, command)
            }
            Table::OpenConv => {
                let conv = ConvId::from_slice(key).ok_or_else(wrong)?;
                let (name, mut command) = (keys.open(lane_of(conv)), cmd("SADD"));
                command.arg(&name).arg(key);
                (name, command)
            }
            Table::ConvByTime => {
                let place = Place::at_end_of(key).filter(|_| key.len() == 24).ok_or_else(wrong)?;
                self.listed.push(place);
                let (name, mut command) = (keys.by_time(lane_of(place.conv)), cmd("ZADD"));
                command.arg(&name).arg(0).arg(key);
                (name, command)
            }
            Table::Missed => {
                let place = Place::at_end_of(key).ok_or_else(wrong)?;
                let team = key[..key.len() - 24].strip_suffix(&[0]).and_then(|team| std::str::from_utf8(team).ok());
                let team: TeamId = team.and_then(|team| team.parse().ok()).ok_or_else(wrong)?;
                let (name, mut command) = (keys.missed(lane_of(place.conv), &team), cmd("ZADD"));
                command.arg(&name).arg(0).arg(&place.key());
                (name, command)
            }
            _ => {
                let (name, mut add) = (keys.keys(table), cmd("ZADD"));
                add.arg(&name).arg(0).arg(key);
                self.push(&name, add, key.len())?;
                let mut command = cmd("HSET");
                let name = self.database.keys.values(table);
                command.arg(&name).arg(key).arg(value);
                (name, command)
            }
        };
        let command = std::mem::take(&mut command);
        self.push(&name, command, key.len() + value.len() + 64)
    }

    fn push(&mut self, key: &[u8], command: Cmd, bytes: usize) -> Result<(), StoreError> {
        let shard = self.database.shard_of(key)?;
        self.waiting.entry(shard).or_default().push(command);
        (self.commands, self.bytes) = (self.commands + 1, self.bytes + bytes);
        Ok(())
    }

    /// Writes all that is left of a table.
    async fn flush(&mut self) -> Result<(), StoreError> {
        self.end_log()?;
        self.write().await
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        self.send().await?;
        if self.listed.is_empty() {
            return Ok(());
        }
        // rows were written before: what team has it stands there
        let places = std::mem::take(&mut self.listed);
        let mut by_shard: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
        for place in places {
            by_shard
                .entry(self.database.shard_of(&self.database.keys.conversation(place.conv))?)
                .or_default()
                .push(place);
        }
        for (shard, places) in by_shard {
            let question = |place: &Place| {
                let mut question = cmd("HGET");
                question.arg(self.database.keys.conversation(place.conv)).arg("r");
                question
            };
            let questions = places.iter().map(question).collect::<Pipeline>();
            let rows = self.database.connections[shard].pipeline(&questions).await.map_err(server)?;
            for (place, row) in places.into_iter().zip(rows) {
                let Some(facts) = bytes(&row.map_err(server)?).and_then(self.facts_of) else { continue };
                let (name, mut add) = (self.database.keys.of_team(lane_of(place.conv), &facts.team), cmd("ZADD"));
                add.arg(&name).arg(0).arg(&place.key());
                self.push(&name, add, 64)?;
            }
        }
        self.send().await
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        (self.commands, self.bytes) = (0, 0);
        for (shard, commands) in std::mem::take(&mut self.waiting) {
            let connection = &self.database.connections[shard];
            let pipeline = commands.into_iter().collect::<Pipeline>();
            for reply in connection.pipeline(&pipeline).await.map_err(server)? {
                reply.map_err(server)?;
            }
        }
        Ok(())
    }

    /// Waits until as many replicas have everything as a commit needs.
    async fn replicated(&self) -> Result<(), StoreError> {
        let replicas = self.options.ack_replicas;
        if replicas == 0 {
            return Ok(());
        }
        for connection in &self.database.connections {
            let mut wait = cmd("WAIT");
            wait.arg(replicas).arg(REPLICAS);
            let have = number(&connection.send(&wait).await.map_err(server)?);
            if have < u64::from(replicas) {
                return Err(StoreError::Server(format!(
                    "{have} replicas of {} have everything after a minute, storage.ack_replicas is {replicas}",
                    connection.server().address
                )));
            }
        }
        Ok(())
    }
}

/// Why nothing is written there.
fn taken(found: &Found, prefix: &str) -> StoreError {
    let what = match found {
        Found::Company(_) => "it holds a company already",
        Found::Unfinished => "it holds a copy of a company that was not finished",
        _ => "it is not empty",
    };
    StoreError::Server(format!(
        "{what} under storage.prefix {prefix:?}, and nothing was written. Name an empty one, or choose another storage.prefix"
    ))
}
