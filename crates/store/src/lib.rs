//! The stored data: conversations as logs of records, and small tables.
//!
//! A [`Batch`] is atomic and touches at most one conversation. It is acknowledged only after it is on disk, and only
//! then is it published, in order, through the feed of [`Outcome`]s. Sequence numbers are assigned here and nowhere
//! else. The store knows nothing about connections, keys or rules: callers state what must still be true
//! ([`Op::Expect`], [`Batch::rev`]) and the store refuses the batch if it isn't.

#![forbid(unsafe_code)]

pub mod archive;
mod check;
mod digest;
mod ephemeral;
mod index;
pub mod memory;
mod observer;
pub mod redb;
#[cfg(feature = "redis")]
pub mod redis;
pub mod rules;
pub mod space;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{mpsc, oneshot};

pub use check::SCHEMA_VERSION;
pub use digest::{Digests, Sum};
pub use ephemeral::{Ephemeral, Take};
pub use index::{Facts, FactsChange, FactsOf, Place};
use kefu_proto::{ConvId, Generation, Kid, Marks, MsgId, Side, StorageState, TeamId};
pub use observer::{GroupCommit, Observer};

/// The small tables. Keys and values are bytes; their meaning is documented here. Their order is stored in the log: new ones
/// come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// `schema`, `org` … → one value each. The store's own schema version lives here too.
    Meta,
    /// u32 seq, big-endian → directory entry, JSON.
    Directory,
    /// user id → account (OPAQUE record, sealed keyring), JSON.
    Account,
    /// recipient ‖ 0x00 ‖ team ‖ 0x00 ‖ u32 epoch → sealed team key, JSON.
    TeamBox,
    /// invite's public key → certificate, JSON.
    Invite,
    /// site id → settings that need no signature (form, greeting), JSON.
    Site,
    /// widget version, or name of a panel → the file as it was served.
    Widget,
    /// conversation ‖ u8 side → receipt marks, JSON.
    Receipt,
    /// visitor kid ‖ conversation → nothing.
    VisitorConv,
    /// conversation → nothing; those that are open and not empty.
    OpenConv,
    /// u64 time of creation, big-endian ‖ conversation → nothing; all that were not empty, for lists.
    ConvByTime,
    /// team ‖ 0x00 ‖ u64 time, big-endian ‖ conversation → nothing; missed conversations, since then.
    Missed,
    /// user id → the state an agent last chose: `online`, `busy` or `offline`, JSON.
    Status,
    /// What a company keeps beside conversations: documents, the order of their changes, and how many there are.
    Document,
    /// `tag`, `reason`, `target` or `block` ‖ 0x00 ‖ id of the tag, of the reason, of the team, of the visitor's key → what it is,
    /// JSON.
    Desk,
    /// Conversations of one person, and who else may read one: `c` ‖ conversation → tag of its person; `p` ‖ tag ‖ conversation →
    /// nothing; `r` ‖ conversation ‖ visitor kid → nothing; `k` ‖ visitor kid ‖ conversation → the grant that they have; `t` ‖ id → what waits for
    /// another device, JSON; `n` ‖ visitor kid → the id of theirs.
    Person,
}

impl Table {
    /// Every table.
    pub const ALL: &[Self] = &[
        Self::Meta,
        Self::Directory,
        Self::Account,
        Self::TeamBox,
        Self::Invite,
        Self::Site,
        Self::Widget,
        Self::Receipt,
        Self::VisitorConv,
        Self::OpenConv,
        Self::ConvByTime,
        Self::Missed,
        Self::Status,
        Self::Document,
        Self::Desk,
        Self::Person,
    ];
}

/// One step of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// The value must be exactly this (none: absent), else the batch is refused.
    Expect {
        /// Table of the row.
        table: Table,
        /// Key of the row.
        key: Vec<u8>,
        /// Expected value; none: the row must not exist.
        value: Option<Vec<u8>>,
    },
    /// Insert or replace.
    Put {
        /// Table of the row.
        table: Table,
        /// Key of the row.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
    },
    /// Remove, if it is there.
    Delete {
        /// Table of the row.
        table: Table,
        /// Key of the row.
        key: Vec<u8>,
    },
    /// Insert or replace the row of the batch's conversation and raise its revision by one.
    Row {
        /// The row; the store doesn't look inside.
        value: Bytes,
        /// By which the store keeps its indexes; none: they don't change. One row of a batch may have it.
        facts: Option<Box<FactsChange>>,
    },
    /// How far a side of the batch's conversation is. Numbers never go down; where several servers write, the larger counts.
    Marks {
        /// Which side.
        side: Side,
        /// How far.
        marks: Marks,
    },
    /// Append a record to the batch's conversation.
    Append {
        /// Idempotency key. If the conversation holds it already, the whole batch is a duplicate and writes nothing,
        /// whatever else it expects. Envelopes are remembered forever, under the id in their header, which `id` must
        /// equal; events are not remembered.
        id: MsgId,
        /// Envelope or event.
        body: Bytes,
    },
    /// Replace the body of an existing record of the batch's conversation (a recall).
    Redact {
        /// Sequence number of the record to replace.
        seq: u64,
        /// The tombstone. It has the message id of what it replaces, so that a late resend is still recognised.
        body: Bytes,
    },
    /// Remove the batch's conversation with its row, its records, its marks, its places in the indexes and the memory of its
    /// ids. No other step of the batch is about the conversation.
    Erase {
        /// Its highest sequence number must be this, else the batch is refused: someone wrote meanwhile.
        last_seq: u64,
        /// As its row has them, for the indexes; none: it is in none.
        facts: Option<Box<Facts>>,
    },
}

/// Steps that happen together or not at all: about one conversation, or about small tables that are no indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The one conversation that `Row`, `Append`, `Redact`, `Marks` and `Erase` mean.
    pub conv: Option<ConvId>,
    /// The conversation's revision must be this (0: it must not exist yet), else the batch is refused. None: don't care.
    pub rev: Option<u32>,
    /// Steps, applied in this order.
    pub ops: Vec<Op>,
}

/// Who gets to know what became of a batch. Commits reach the feed in any case.
#[derive(Debug)]
pub enum Reply {
    /// Refusals and duplicates come through the feed too, marked with this number (a connection).
    Feed(u64),
    /// The caller waits.
    Wait(oneshot::Sender<Result<Written, StoreError>>),
}

/// A batch was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Sequence numbers of its appends, in order.
    pub seqs: Vec<u64>,
    /// Time of the commit, ms.
    pub at_ms: u64,
    /// The conversation's revision afterwards (0 without a conversation).
    pub rev: u32,
}

/// Outcomes in the feed, in the order of commits; within a conversation in the order of sequence numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The batch is on disk.
    Committed(Commit),
    /// This message id was there already: its record, for the sender alone.
    Duplicate {
        /// From [`Reply::Feed`].
        origin: u64,
        /// The record as the socket sends it.
        frame: Bytes,
    },
    /// Nothing was written.
    Refused {
        /// From [`Reply::Feed`].
        origin: u64,
        /// The conversation.
        conv: Option<ConvId>,
        /// Idempotency key of the batch's first envelope (of its first event, if it has none).
        id: Option<MsgId>,
        /// The error.
        error: StoreError,
    },
    /// Another server changed the row of a conversation, whether that is followed here or not.
    Changed {
        /// The conversation.
        conv: ConvId,
        /// The revision of the row; 0: the conversation was erased.
        rev: u32,
        /// The row.
        row: Bytes,
    },
    /// The end of a conversation that is followed here is lost: what the feed said of it is no longer true.
    Rewound {
        /// The conversation.
        conv: ConvId,
    },
    /// Some [`Outcome::Changed`] may have been missed: which conversations are open must be read again.
    Unsure,
}

/// A batch on disk that touched a conversation. (Batches without one, and those of marks alone, don't reach the feed.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Whose batch it was, if [`Reply::Feed`] named one; else 0. Also 0 in a shared store that read it to fill a gap.
    pub origin: u64,
    /// The conversation.
    pub conv: ConvId,
    /// The conversation's revision after the batch; 0: it was erased, or has no row.
    pub rev: u32,
    /// The new row, if it changed.
    pub row: Option<Bytes>,
    /// New records, encoded once in the form of the socket: `seq ‖ at ‖ body`.
    pub records: Vec<Bytes>,
    /// Sequence numbers whose bodies were replaced.
    pub redacted: Vec<u64>,
}

/// Why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Something expected was no longer so; read again.
    #[error("someone else changed it first")]
    Conflict,
    /// The idempotency key is known (only for callers that wait; the feed has [`Outcome::Duplicate`]).
    #[error("already stored as record {seq}")]
    Duplicate {
        /// Sequence number of the stored record.
        seq: u64,
    },
    /// The queue is full; see [`Store::wait_for_capacity`].
    #[error("the store is busy")]
    Busy,
    /// The disk refused. The batch was neither acknowledged nor published; whether it was kept is known when the file is
    /// open again.
    #[error("the disk failed: {0}")]
    Io(String),
    /// The disk is full, or fails for the moment. Nothing was written; the same batch may be tried again.
    #[error("nothing can be stored at the moment: the disk is full or failing")]
    Unwritable,
    /// The file is being opened again after an error of the disk, or Redis can't be reached; try again.
    #[error("the database can't be reached at the moment")]
    Reopening,
    /// The batch makes no sense; a mistake of the caller.
    #[error("invalid batch: {0}")]
    Invalid(&'static str),
    /// The store is shut down, or stopped after an earlier disk error.
    #[error("the store is closed")]
    Closed,
    /// The file is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The server of the database can't be reached, or must not be used: a sentence.
    #[error("{0}")]
    Server(String),
    /// Another process holds the file.
    #[error("the database is in use by another process")]
    InUse,
    /// Written by a newer kefu.
    #[error(
        "the database has schema version {found}, this kefu knows up to {known}: install the newer kefu again or restore a backup"
    )]
    TooNew {
        /// The number found.
        found: u32,
        /// The newest version that this build knows.
        known: u32,
    },
}

/// A read record: its number and its frame (`seq ‖ at ‖ body`).
pub type StoredRecord = (u64, Bytes);

/// Key and value of a small table.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A conversation's row with what the store itself knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Raised by one with every [`Op::Row`]; the first is 1.
    pub rev: u32,
    /// Highest sequence number.
    pub last_seq: u64,
    /// Time of that record, ms; 0: there are no records.
    pub last_at_ms: u64,
    /// Bytes of its records: about, what was written lately may be counted twice.
    pub bytes: u64,
    /// How far the visitor and the agents are, by [`Side`].
    pub marks: [Marks; 2],
    /// Content of the row.
    pub value: Bytes,
}

/// What a read will answer.
pub type Reading<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// The store. Reads never wait for writes. They may touch a disk or a network, and delay no other task of the runtime that
/// they are awaited on.
pub trait Store: Send + Sync + 'static {
    /// Hands a batch to the writer, or gives it back when the queue is full.
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)>;

    /// Waits until the queue has space again (or the store closed).
    fn wait_for_capacity(&self) -> BoxFuture<'_, ()>;

    /// The value under a key.
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Reading<'a, Option<Vec<u8>>>;

    /// Up to `limit` pairs whose keys begin with `prefix`, in ascending order, after `after` (exclusive); or, with
    /// `descending`, in descending order, before `after`.
    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        descending: bool,
        limit: usize,
    ) -> Reading<'a, Vec<Pair>>;

    /// A conversation's row, and where its records end; none if it has no row.
    fn head(&self, conv: ConvId) -> Reading<'_, Option<Head>>;

    /// From now on every commit of this conversation reaches the feed, whichever server makes it. Its head as of then, or later.
    fn follow(&self, conv: ConvId) -> Reading<'_, Option<Head>> {
        self.head(conv)
    }

    /// Ends [`Store::follow`].
    fn unfollow(&self, conv: ConvId) {
        let _ = conv;
    }

    /// Whether other servers write here, too. Then a conversation that isn't followed may change unnoticed.
    fn is_shared(&self) -> bool {
        false
    }

    /// What these servers count and remember together for a while; none: there are no others.
    fn ephemeral(&self) -> Option<&dyn Ephemeral> {
        None
    }

    /// The heads of some conversations, in this order.
    fn heads(&self, convs: Vec<ConvId>) -> Reading<'_, Vec<Option<Head>>> {
        async move {
            let mut heads = Vec::with_capacity(convs.len());
            for conv in convs {
                heads.push(self.head(conv).await?);
            }
            Ok(heads)
        }
        .boxed()
    }

    /// Up to `limit` records after `after`, in order; no more are read once they have `bytes` bytes.
    fn page(&self, conv: ConvId, after: u64, limit: usize, bytes: usize) -> Reading<'_, Vec<StoredRecord>>;

    /// Up to `limit` records after `after`, in order, whatever their size: for few.
    fn records(&self, conv: ConvId, after: u64, limit: usize) -> Reading<'_, Vec<StoredRecord>> {
        self.page(conv, after, limit, usize::MAX)
    }

    /// Conversations that are open and listed.
    fn open_conversations(&self) -> Reading<'_, Vec<ConvId>> {
        let all = self.scan(Table::OpenConv, &[], None, false, usize::MAX);
        async move { Ok(all.await?.iter().filter_map(|(key, _)| ConvId::from_slice(key)).collect()) }.boxed()
    }

    /// Up to `limit` conversations of a visitor.
    fn of_visitor(&self, visitor: Kid, limit: usize) -> Reading<'_, Vec<ConvId>> {
        async move {
            let rows = self.scan(Table::VisitorConv, &visitor.0, None, false, limit).await?;
            Ok(rows.iter().filter_map(|(key, _)| ConvId::from_slice(key.get(16..)?)).collect())
        }
        .boxed()
    }

    /// Up to `limit` listed conversations that began before a place, the newest first: all that are of these teams, and perhaps
    /// others.
    fn listed<'a>(&'a self, teams: &'a [TeamId], before: Option<Place>, limit: usize) -> Reading<'a, Vec<Place>> {
        let _ = teams;
        async move {
            let before = before.map(Place::key);
            let before = before.as_ref().map(|key| &key[..]);
            let rows = self.scan(Table::ConvByTime, &[], before, true, limit).await?;
            Ok(rows.iter().filter_map(|(key, _)| Place::at_end_of(key)).collect())
        }
        .boxed()
    }

    /// Up to `limit` listed conversations that began at a time or before it, in an order of the store's own; those that follow
    /// `after` there.
    fn begun_by(&self, at_ms: u64, after: Option<Place>, limit: usize) -> Reading<'_, Vec<Place>> {
        async move {
            let after = after.map(Place::key);
            let rows = self.scan(Table::ConvByTime, &[], after.as_ref().map(|key| &key[..]), false, limit).await?;
            let places = rows.iter().filter_map(|(key, _)| Place::at_end_of(key));
            Ok(places.take_while(|place| place.at_ms <= at_ms).collect())
        }
        .boxed()
    }

    /// Up to `limit` missed conversations of a team before a place, the newest first.
    fn missed<'a>(&'a self, team: &'a TeamId, before: Option<Place>, limit: usize) -> Reading<'a, Vec<Place>> {
        async move {
            let prefix = index::team_prefix(team);
            let before = before.map(|place| [&prefix[..], &place.key()].concat());
            let rows = self.scan(Table::Missed, &prefix, before.as_deref(), true, limit).await?;
            Ok(rows.iter().filter_map(|(key, _)| Place::at_end_of(key)).collect())
        }
        .boxed()
    }

    /// How many missed conversations a team has, counted up to `limit`, and since when its oldest is one, ms.
    fn count_missed<'a>(&'a self, team: &'a TeamId, limit: usize) -> Reading<'a, (usize, Option<u64>)> {
        async move {
            let rows = self.scan(Table::Missed, &index::team_prefix(team), None, false, limit).await?;
            let oldest = rows.first().and_then(|(key, _)| Place::at_end_of(key));
            Ok((rows.len(), oldest.map(|place| place.at_ms)))
        }
        .boxed()
    }

    /// Drawn when this store was opened for writing; no other opening has it, not even that of a copy.
    fn generation(&self) -> Generation;

    /// Bytes on disk.
    fn size_bytes(&self) -> u64;

    /// What can still be written. In [`StorageState::Full`] every batch is refused with [`StoreError::Unwritable`]; what
    /// [`StorageState::Low`] means is the callers' business.
    fn space(&self) -> StorageState {
        StorageState::Ok
    }

    /// Stops taking batches, writes what waits, and returns when the last is on disk.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The receiving end of the feed; one vector per commit to disk. It ends when the store closed, or stopped at damaged data
/// or a bug: if nobody called [`Store::close`], the process should exit and be started again.
///
/// When the disk fails while batches are written, nothing is reported about them until the file is open again; then it is known
/// whether it holds them, and they come as committed, or as refused with [`StoreError::Unwritable`] so that their senders
/// send them again, unchanged.
pub type Feed = mpsc::UnboundedReceiver<Vec<Outcome>>;

/// Submits, waits for space in the queue if needed, and waits for the disk.
pub async fn write(store: &dyn Store, batch: Batch) -> Result<Written, StoreError> {
    let (tx, rx) = oneshot::channel();
    submit(store, batch, Reply::Wait(tx)).await?;
    rx.await.unwrap_or(Err(StoreError::Closed))
}

/// Where a conversation holds the envelope with this id, committed or about to be. Asked of the writer, who remembers all
/// ids: a read would have to search the log.
pub async fn find(store: &dyn Store, conv: ConvId, id: MsgId) -> Result<Option<u64>, StoreError> {
    // a known id is a duplicate whatever else a batch expects, and no conversation is of this revision
    let probe = Op::Append { id, body: check::bearing(conv, id).into() };
    match write(store, Batch { conv: Some(conv), rev: Some(u32::MAX), ops: vec![probe] }).await {
        Err(StoreError::Duplicate { seq }) => Ok(Some(seq)),
        Err(StoreError::Conflict) => Ok(None),
        Err(e) => Err(e),
        // nothing ever has that many rows
        Ok(_) => Err(StoreError::Invalid("a search wrote something")),
    }
}

/// A generation that there never was.
fn draw() -> Generation {
    Generation(random())
}

/// Random bytes. Ends the process only if the system has no randomness at all.
#[expect(clippy::expect_used, reason = "without randomness there is no secret, and the process must end")]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives no random numbers");
    bytes
}

/// Submits and waits for space in the queue if needed: the back-pressure of a socket.
pub async fn submit(store: &dyn Store, mut batch: Batch, mut reply: Reply) -> Result<(), StoreError> {
    loop {
        match store.try_submit(batch, reply) {
            Ok(()) => return Ok(()),
            Err((StoreError::Busy, b, r)) => (batch, reply) = (b, r),
            Err((e, ..)) => return Err(e),
        }
        store.wait_for_capacity().await;
    }
}
