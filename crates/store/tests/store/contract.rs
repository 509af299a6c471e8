//! What a store promises, checked on all: the one in memory, the one in Redis, and the one on a disk, with checkpoints hardly ever
//! and with one after each group.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use kefu_proto::{ConvId, Event, Kid, Marks, MsgId, RecordView, Side, event_body};
use kefu_redis_link::{
    Link,
    testing::{Cluster, RedisServer},
};
use kefu_store::{
    Batch, Facts, FactsChange, Feed, Op, Outcome, Place, Reply, Store, StoreError, Table, Written, find,
    memory::MemoryStore,
    redb::{Options, RedbStore},
    redis::RedisStore,
    submit, write,
};

use crate::support::{
    batch::{conv, envelope, msg, post, tombstone},
    redis::{open, options},
};

/// A store under test, with what must outlive it.
struct Tested {
    store: Arc<dyn Store>,
    feed: Feed,
    _dir: Option<tempfile::TempDir>,
    _server: Option<RedisServer>,
}

fn in_memory() -> Tested {
    let (store, feed) = MemoryStore::open();
    Tested { store, feed, _dir: None, _server: None }
}

fn in_a_file() -> Tested {
    in_a_file_with(Options::default())
}

fn in_a_file_with(options: Options) -> Tested {
    let dir = tempfile::tempdir().unwrap();
    let (store, feed) = RedbStore::open(&dir.path().join("kefu.redb"), options).unwrap();
    Tested { store, feed, _dir: Some(dir), _server: None }
}

/// One Cluster for all; each test has keys of its own.
async fn on_a_cluster(cluster: &Cluster, name: &str) -> Tested {
    let link = Link::connect(&cluster.url(), cluster.options()).await.unwrap();
    let options = kefu_store::redis::Options { prefix: format!("{name}:"), ..options() };
    let (store, feed) = RedisStore::open(link, options).await.unwrap();
    Tested { store, feed, _dir: None, _server: None }
}

async fn in_redis() -> Tested {
    let server = RedisServer::start(&[]).await;
    let (store, feed) = open(&server).await.unwrap();
    Tested { store, feed, _dir: None, _server: Some(server) }
}

/// Runs a test of the contract on all of them.
macro_rules! contract {
    ($($(#[$doc:meta])* async fn $name:ident($t:ident) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                $(#[$doc])*
                #[allow(unused_mut, reason = "not every test listens to the feed")]
                pub(super) async fn holds(mut $t: Tested) $body

                #[tokio::test]
                async fn in_memory() { holds(super::in_memory()).await }

                #[tokio::test]
                async fn in_redis() { holds(super::in_redis().await).await }

                #[tokio::test]
                async fn in_a_file() { holds(super::in_a_file()).await }

                #[tokio::test]
                async fn on_a_disk_with_a_checkpoint_after_each_group() {
                    holds(super::in_a_file_with(Options { checkpoint_bytes: 1, ..Options::default() })).await
                }
            }
        )*

        #[tokio::test]
        async fn all_of_it_on_a_cluster() {
            let cluster = Cluster::start(3, 0).await;
            $(
                println!("{}", stringify!($name));
                $name::holds(on_a_cluster(&cluster, stringify!($name)).await).await;
            )*
        }
    };
}

impl Tested {
    async fn write(&self, batch: Batch) -> Result<Written, StoreError> {
        write(&*self.store, batch).await
    }

    /// Submits for connection `origin` and waits for the next outcome in the feed.
    async fn say(&mut self, origin: u64, batch: Batch) -> Outcome {
        submit(&*self.store, batch, Reply::Feed(origin)).await.unwrap();
        let mut outcomes = self.feed.recv().await.unwrap();
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }

    async fn bodies(&self, conv: ConvId) -> Vec<(u64, Vec<u8>)> {
        let records = self.store.records(conv, 0, usize::MAX).await.unwrap();
        records.iter().map(|(seq, frame)| (*seq, RecordView::parse(frame).unwrap().body.to_vec())).collect()
    }
}

fn put(table: Table, key: &[u8], value: &[u8]) -> Op {
    Op::Put { table, key: key.to_vec(), value: value.to_vec() }
}

fn expect(table: Table, key: &[u8], value: Option<&[u8]>) -> Op {
    Op::Expect { table, key: key.to_vec(), value: value.map(<[u8]>::to_vec) }
}

fn plain(ops: Vec<Op>) -> Batch {
    Batch { conv: None, rev: None, ops }
}

fn row(conv: ConvId, rev: Option<u32>, value: &'static str) -> Batch {
    Batch { conv: Some(conv), rev, ops: vec![Op::Row { value: Bytes::from_static(value.as_bytes()), facts: None }] }
}

fn facts(team: &str, created: u64) -> Facts {
    let (visitor, team) = (Kid([7; 16]), team.parse().unwrap());
    Facts { visitor, team, created, listed: true, open: true, missed: None }
}

/// The first row of a conversation.
fn listed(conv: ConvId, n: u8, after: Facts) -> Batch {
    change(conv, 0, n, None, after)
}

fn change(conv: ConvId, rev: u32, n: u8, before: Option<Facts>, after: Facts) -> Batch {
    let facts = Some(Box::new(FactsChange { before, after }));
    Batch { conv: Some(conv), rev: Some(rev), ops: vec![Op::Row { value: vec![n].into(), facts }] }
}

fn marks(conv: ConvId, side: Side, read: u64) -> Batch {
    let marks = Marks { delivered: read, read };
    Batch { conv: Some(conv), rev: None, ops: vec![Op::Marks { side, marks }] }
}

fn commit(outcome: Outcome) -> kefu_store::Commit {
    match outcome {
        Outcome::Committed(commit) => commit,
        other => panic!("not committed: {other:?}"),
    }
}

contract! {
    async fn an_erased_conversation_is_as_if_it_had_never_been(t) {
        let (gone, kept) = (conv(1), conv(2));
        for n in 1..=5u8 {
            t.write(post(gone, n)).await.unwrap();
            t.write(post(kept, n)).await.unwrap();
        }
        let row = |rev| Batch { conv: Some(gone), rev: Some(rev), ops: vec![Op::Row { value: "r".into(), facts: None }] };
        t.write(row(0)).await.unwrap();
        let erase = |rev, last_seq| Batch { conv: Some(gone), rev: Some(rev), ops: vec![Op::Erase { last_seq, facts: None }] };
        assert_eq!(t.write(erase(7, 5)).await, Err(StoreError::Conflict));
        assert_eq!(t.write(erase(1, 4)).await, Err(StoreError::Conflict));
        let also = Batch { ops: vec![Op::Erase { last_seq: 5, facts: None }, Op::Row { value: "r".into(), facts: None }], ..erase(1, 5) };
        assert!(matches!(t.write(also).await, Err(StoreError::Invalid(_))));
        assert_eq!(t.write(erase(1, 5)).await.unwrap().rev, 0);
        assert_eq!((t.store.head(gone).await, t.store.records(gone, 0, 9).await), (Ok(None), Ok(vec![])));
        assert_eq!(t.store.records(kept, 0, 9).await.unwrap().len(), 5);
        // its ids are forgotten, too: whoever makes it again begins at one
        assert_eq!(find(&*t.store, gone, msg(3)).await, Ok(None));
        assert_eq!(t.write(post(gone, 3)).await.unwrap().seqs, [1]);
        assert_eq!(t.write(row(0)).await.unwrap().rev, 1);
        assert_eq!(t.store.head(gone).await.unwrap().map(|row| (row.rev, row.last_seq)), Some((1, 1)));
    }

    async fn sequence_numbers_begin_at_one_without_gaps_in_each_conversation(t) {
        let (a, b) = (conv(1), conv(2));
        for n in 1..=5u8 {
            let c = commit(t.say(7, post(a, n)).await);
            assert_eq!((c.origin, c.conv, c.records.len()), (7, a, 1));
            let record = RecordView::parse(&c.records[0]).unwrap();
            assert_eq!((record.seq, record.body), (u64::from(n), &envelope(a, n)[..]));
        }
        let three = Batch { conv: Some(b), rev: None, ops: (1..=3).flat_map(|n| post(b, n).ops).collect() };
        assert_eq!(t.write(three).await.unwrap().seqs, [1, 2, 3]);
        assert_eq!(t.bodies(a).await.len(), 5);
        assert_eq!(t.bodies(b).await, (1..=3).map(|n| (u64::from(n), envelope(b, n))).collect::<Vec<_>>());
        assert_eq!(t.store.head(a).await.unwrap(), None, "no row was written");
    }

    async fn the_feed_and_the_log_say_the_same_bytes_and_time_never_runs_backwards(t) {
        let c = conv(1);
        let mut frames = Vec::new();
        for n in 1..=20 {
            frames.extend(commit(t.say(1, post(c, n)).await).records);
        }
        let stored: Vec<Bytes> = t.store.records(c, 0, 100).await.unwrap().into_iter().map(|(_, frame)| frame).collect();
        assert_eq!(frames, stored);
        let times: Vec<u64> = frames.iter().map(|f| RecordView::parse(f).unwrap().at_ms).collect();
        assert!(times.is_sorted() && times[0] > 1_600_000_000_000);
    }

    async fn pages_of_records_begin_after_the_given_number(t) {
        let c = conv(1);
        for n in 1..=10 { t.write(post(c, n)).await.unwrap(); }
        let page = async |after, limit| {
            t.store.records(c, after, limit).await.unwrap().iter().map(|(seq, _)| *seq).collect::<Vec<_>>()
        };
        assert_eq!(page(0, 3).await, [1, 2, 3]);
        assert_eq!(page(3, 100).await, [4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(page(9, 0).await, [0u64; 0]);
        assert_eq!(page(10, 5).await, [0u64; 0]);
        assert_eq!(page(u64::MAX, 5).await, [0u64; 0]);
        assert!(t.store.records(conv(2), 0, 5).await.unwrap().is_empty());
    }

    async fn pages_of_records_end_with_the_one_that_fills_them(t) {
        let c = conv(1);
        for n in 1..=10 { t.write(post(c, n)).await.unwrap(); }
        let one = t.store.records(c, 0, 1).await.unwrap()[0].1.len();
        let page = async |after, bytes| t.store.page(c, after, 100, bytes).await.unwrap().iter().map(|(seq, _)| *seq).collect::<Vec<_>>();
        assert_eq!(page(0, 0).await, [0u64; 0]);
        assert_eq!(page(0, 1).await, [1]);
        assert_eq!(page(0, one).await, [1]);
        assert_eq!(page(3, one + 1).await, [4, 5]);
        assert_eq!(page(3, 100 * one).await, [4, 5, 6, 7, 8, 9, 10]);
        t.write(row(c, None, "x")).await.unwrap();
        let bytes = t.store.head(c).await.unwrap().unwrap().bytes;
        assert!(bytes >= 10 * (one as u64 - 16), "{bytes}");
    }

    async fn the_same_message_again_gives_its_first_record_and_writes_nothing(t) {
        let c = conv(1);
        let first = commit(t.say(1, post(c, 1)).await).records.remove(0);
        t.write(post(c, 2)).await.unwrap();
        t.feed.recv().await.unwrap();
        // whatever else the batch wants: a duplicate is a duplicate
        let mut again = post(c, 1);
        again.rev = Some(99);
        again.ops.insert(0, Op::Row { value: "side effect".into(), facts: None });
        assert_eq!(t.say(5, again.clone()).await, Outcome::Duplicate { origin: 5, frame: first });
        assert_eq!(t.write(again).await, Err(StoreError::Duplicate { seq: 1 }));
        assert_eq!(t.store.head(c).await.unwrap(), None);
        assert_eq!(t.bodies(c).await.len(), 2);
        // the same id elsewhere is another message
        assert_eq!(t.write(post(conv(2), 1)).await.unwrap().seqs, [1]);
    }

    async fn events_have_no_memory_for_their_ids(t) {
        let c = conv(1);
        let body = Bytes::from(event_body(c, &Event::Hidden {}));
        let batch = Batch { conv: Some(c), rev: None, ops: vec![Op::Append { id: msg(1), body }] };
        assert_eq!(t.write(batch.clone()).await.unwrap().seqs, [1]);
        assert_eq!(t.write(batch).await.unwrap().seqs, [2]);
    }

    async fn impossible_batches_are_refused(t) {
        let c = conv(1);
        let append = |n: u8| Op::Append { id: msg(n), body: envelope(c, n).into() };
        let in_c = |ops| Batch { conv: Some(c), rev: None, ops };
        t.write(post(c, 9)).await.unwrap();
        for batch in [
            plain(vec![append(1)]),
            in_c(vec![append(1), put(Table::Meta, b"k", b"v")]),
            in_c(vec![expect(Table::Meta, b"k", None)]),
            plain(vec![put(Table::OpenConv, &c.0, b"")]),
            plain(vec![Op::Marks { side: Side::Agent, marks: Marks::default() }]),
            Batch { rev: None, ..listed(c, 1, facts("a", 1)) },
            plain(vec![Op::Row { value: Bytes::new(), facts: None }]),
            plain(vec![Op::Redact { seq: 1, body: Bytes::new() }]),
            Batch { conv: None, rev: Some(0), ops: vec![] },
            in_c(vec![append(1), append(1)]),
            in_c(vec![Op::Append { id: msg(1), body: envelope(c, 2).into() }]),
            in_c(vec![append(1), Op::Redact { seq: 3, body: tombstone(c, 1).into() }]),
            in_c(vec![append(1), Op::Redact { seq: 0, body: tombstone(c, 1).into() }]),
            in_c(vec![append(1), Op::Redact { seq: 1, body: tombstone(c, 8).into() }]),
        ] {
            let result = t.write(batch.clone()).await;
            assert!(matches!(result, Err(StoreError::Invalid(_))), "{batch:?} gave {result:?}");
        }
        assert_eq!(t.bodies(c).await, [(1, envelope(c, 9))]);
    }

    async fn what_is_expected_must_be_so(t) {
        let set = |old: Option<&[u8]>, new: &[u8]| {
            plain(vec![expect(Table::Directory, b"k", old), put(Table::Directory, b"k", new)])
        };
        assert_eq!(t.write(set(Some(b"a"), b"b")).await, Err(StoreError::Conflict));
        t.write(set(None, b"a")).await.unwrap();
        assert_eq!(t.write(set(None, b"b")).await, Err(StoreError::Conflict));
        t.write(set(Some(b"a"), b"")).await.unwrap();
        assert_eq!(t.write(set(None, b"c")).await, Err(StoreError::Conflict), "empty is not absent");
        assert_eq!(t.store.get(Table::Directory, b"k").await.unwrap(), Some(vec![]));
        assert_eq!(t.store.get(Table::Account, b"k").await.unwrap(), None, "tables are apart");
        // steps of a batch see the ones before them
        let chain = vec![
            Op::Delete { table: Table::Directory, key: b"k".to_vec() },
            expect(Table::Directory, b"k", None),
            put(Table::Directory, b"k", b"1"),
            put(Table::Directory, b"k", b"2"),
            expect(Table::Directory, b"k", Some(b"2")),
        ];
        t.write(plain(chain)).await.unwrap();
        assert_eq!(t.store.get(Table::Directory, b"k").await.unwrap(), Some(b"2".to_vec()));
    }

    async fn a_refused_batch_leaves_no_trace_and_disturbs_no_neighbour(t) {
        let c = conv(1);
        // all are submitted before the first is waited for, so the file's writer sees them together
        let (mut bad, id) = (post(c, 2), msg(2));
        bad.rev = Some(5);
        bad.ops.push(Op::Row { value: "lost".into(), facts: None });
        for (origin, batch) in [(1, post(c, 1)), (2, bad), (3, post(c, 3))] {
            submit(&*t.store, batch, Reply::Feed(origin)).await.unwrap();
        }
        let late = vec![put(Table::Meta, b"trace", b"x"), expect(Table::Meta, b"no", Some(b"such"))];
        assert_eq!(t.write(plain(late)).await, Err(StoreError::Conflict));
        let mut all = Vec::new();
        while all.len() < 3 { all.extend(t.feed.recv().await.unwrap()); }
        assert_eq!(commit(all[0].clone()).origin, 1);
        assert_eq!(all[1], Outcome::Refused { origin: 2, conv: Some(c), id: Some(id), error: StoreError::Conflict });
        let third = commit(all[2].clone());
        assert_eq!((third.origin, third.rev, RecordView::parse(&third.records[0]).unwrap().seq), (3, 0, 2));
        assert_eq!(t.bodies(c).await, [(1, envelope(c, 1)), (2, envelope(c, 3))]);
        assert_eq!(t.store.get(Table::Meta, b"trace").await.unwrap(), None);
        assert_eq!(t.store.head(c).await.unwrap(), None);
    }

    async fn rows_have_revisions_and_writers_may_insist_on_one(t) {
        let c = conv(1);
        assert_eq!(t.write(row(c, Some(1), "early")).await, Err(StoreError::Conflict));
        assert_eq!(t.write(row(c, Some(0), "one")).await.unwrap().rev, 1);
        assert_eq!(t.write(row(c, Some(0), "again")).await, Err(StoreError::Conflict));
        assert_eq!(t.write(row(c, None, "two")).await.unwrap().rev, 2);
        let mut both = post(c, 1);
        both.rev = Some(2);
        both.ops.extend(row(c, None, "three").ops);
        let written = t.write(both).await.unwrap();
        assert_eq!((written.rev, written.seqs), (3, vec![1]));
        let at = t.store.head(c).await.unwrap().unwrap();
        assert_eq!((at.rev, at.last_seq, &at.value[..]), (3, 1, &b"three"[..]));
        assert_eq!(t.write(post(c, 2)).await.unwrap().rev, 3, "a message alone leaves the revision");
        assert_eq!(t.store.head(c).await.unwrap().unwrap().last_seq, 2);
        assert_eq!(t.store.head(conv(2)).await.unwrap(), None);
    }

    async fn the_feed_tells_what_changed_in_a_conversation(t) {
        let c = conv(1);
        let mut first = post(c, 1);
        first.ops.push(Op::Row { value: "r".into(), facts: None });
        let told = commit(t.say(3, first).await);
        assert_eq!((told.rev, told.row.as_deref(), told.records.len()), (1, Some(&b"r"[..]), 1));
        // a caller that waits is not named, but the commit is published
        t.write(post(c, 2)).await.unwrap();
        let told = commit(t.feed.recv().await.unwrap().remove(0));
        assert_eq!((told.origin, told.rev, told.row), (0, 1, None));
        // marks are told by those who moved them
        t.write(marks(c, Side::Agent, 2)).await.unwrap();
        let told = commit(t.say(4, post(c, 3)).await);
        assert_eq!((told.origin, told.conv, told.records.len()), (4, c, 1));
    }

    async fn batches_without_a_conversation_stay_off_the_feed_unless_refused(t) {
        submit(&*t.store, plain(vec![put(Table::Meta, b"a", b"1")]), Reply::Feed(1)).await.unwrap();
        t.write(plain(vec![put(Table::Meta, b"b", b"2")])).await.unwrap();
        assert_eq!(t.write(plain(vec![expect(Table::Meta, b"a", None)])).await, Err(StoreError::Conflict));
        let told = t.say(9, plain(vec![expect(Table::Meta, b"a", None)])).await;
        assert_eq!(told, Outcome::Refused { origin: 9, conv: None, id: None, error: StoreError::Conflict });
        assert_eq!(t.store.get(Table::Meta, b"a").await.unwrap(), Some(b"1".to_vec()));
    }

    /// Its sender knows nothing of the events that the server put before it.
    async fn a_refusal_names_the_envelope_wherever_it_stands(t) {
        let c = conv(1);
        let event = event_body(c, &Event::Reopened { by: "visitor".into() });
        let mut late = Batch { rev: Some(7), ..post(c, 2) };
        late.ops.insert(0, Op::Append { id: msg(9), body: event.into() });
        let told = t.say(5, late).await;
        assert_eq!(told, Outcome::Refused { origin: 5, conv: Some(c), id: Some(msg(2)), error: StoreError::Conflict });
    }

    async fn a_redacted_record_keeps_number_time_and_id(t) {
        let c = conv(1);
        let first = commit(t.say(1, post(c, 1)).await).records.remove(0);
        t.say(1, post(c, 2)).await;
        let recall = Batch { conv: Some(c), rev: None, ops: vec![Op::Redact { seq: 1, body: tombstone(c, 1).into() }] };
        let told = commit(t.say(1, recall).await);
        assert_eq!((told.redacted, told.records.len()), (vec![1], 0));
        assert_eq!(t.bodies(c).await, [(1, tombstone(c, 1)), (2, envelope(c, 2))]);
        let frame = t.store.records(c, 0, 1).await.unwrap().remove(0).1;
        assert_eq!(frame[..16], first[..16]);
        // a late resend gets the tombstone, not a second life
        assert_eq!(t.say(2, post(c, 1)).await, Outcome::Duplicate { origin: 2, frame });
        // an event of the same batch may be redacted as well
        let event = Bytes::from(event_body(c, &Event::Hidden {}));
        let ops = vec![Op::Append { id: msg(0), body: event.clone() }, Op::Redact { seq: 3, body: event }];
        t.write(Batch { conv: Some(c), rev: None, ops }).await.unwrap();
        assert_eq!(t.bodies(c).await.len(), 3);
    }

    async fn scans_go_both_ways_within_a_prefix(t) {
        let keys: [&[u8]; 9] = [b"", b"a", b"a\0", b"ab", b"abc", b"a\xff", b"a\xff\xff", b"b", b"\xff\xff"];
        t.write(plain(keys.iter().map(|k| put(Table::Site, k, b"v")).collect())).await.unwrap();
        t.write(plain(vec![put(Table::Status, b"ab", b"other")])).await.unwrap();
        let scan = async |prefix: &'static [u8], after: Option<&'static [u8]>, down, limit| -> Vec<Vec<u8>> {
            t.store.scan(Table::Site, prefix, after, down, limit).await.unwrap().into_iter().map(|p| p.0).collect()
        };
        let all: Vec<Vec<u8>> = keys.iter().map(|k| k.to_vec()).collect();
        let reversed = |keys: &[Vec<u8>]| keys.iter().rev().cloned().collect::<Vec<_>>();
        assert_eq!(scan(b"", None, false, 99).await, all);
        assert_eq!(scan(b"", None, true, 99).await, reversed(&all));
        assert_eq!(scan(b"a", None, false, 99).await, all[1..7]);
        assert_eq!(scan(b"a", None, true, 99).await, reversed(&all[1..7]));
        assert_eq!(scan(b"a\xff", None, false, 99).await, all[5..7]);
        assert_eq!(scan(b"\xff", None, true, 99).await, all[8..]);
        assert_eq!(scan(b"a", Some(b"ab"), false, 2).await, all[4..6]);
        assert_eq!(scan(b"a", Some(b"ab"), true, 99).await, reversed(&all[1..3]));
        assert_eq!(scan(b"a", Some(b"aa"), true, 1).await, all[2..3]);
        assert_eq!(scan(b"b", Some(b"a"), false, 99).await, all[7..8], "after may lie before the prefix");
        assert_eq!(scan(b"a", Some(b"b"), true, 99).await, reversed(&all[1..7]), "… or behind it");
        assert_eq!(scan(b"a", Some(b"z"), false, 99).await, all[..0]);
        assert_eq!(scan(b"b", Some(b"a"), true, 99).await, all[..0]);
        assert_eq!(scan(b"nothing", None, true, 99).await, all[..0]);
        assert_eq!(scan(b"", None, false, 0).await, all[..0]);
    }

    async fn a_head_says_where_a_conversation_ends_and_how_far_both_sides_are(t) {
        let c = conv(1);
        t.write(listed(c, 1, facts("a", 1))).await.unwrap();
        let head = t.store.head(c).await.unwrap().unwrap();
        assert_eq!((head.last_seq, head.last_at_ms, head.marks), (0, 0, [Marks::default(); 2]));
        let at = t.write(post(c, 1)).await.unwrap().at_ms;
        t.write(marks(c, Side::Visitor, 1)).await.unwrap();
        let at = t.write(post(c, 2)).await.unwrap().at_ms.max(at);
        t.write(marks(c, Side::Agent, 2)).await.unwrap();
        let head = t.store.head(c).await.unwrap().unwrap();
        assert_eq!((head.rev, head.last_seq, head.last_at_ms), (1, 2, at));
        assert_eq!(head.marks.map(|side| side.read), [1, 2]);
        assert_eq!(head.value, vec![1]);
    }

    async fn conversations_are_found_by_their_facts(t) {
        let place = |n: u8, at_ms| Place { at_ms, conv: conv(n) };
        let a = "a".parse().unwrap();
        for (n, created) in [(1, 10), (2, 30), (3, 20)] {
            t.write(listed(conv(n), n, facts("a", created))).await.unwrap();
        }
        let empty = Facts { listed: false, ..facts("a", 40) };
        t.write(listed(conv(4), 4, empty.clone())).await.unwrap();
        let sorted = |mut ids: Vec<ConvId>| { ids.sort_unstable(); ids };
        assert_eq!(sorted(t.store.open_conversations().await.unwrap()), [1, 2, 3].map(conv));
        assert_eq!(sorted(t.store.of_visitor(Kid([7; 16]), 9).await.unwrap()), [1, 2, 3, 4].map(conv));
        assert_eq!(t.store.of_visitor(Kid([8; 16]), 9).await.unwrap(), []);
        let teams = [a];
        assert_eq!(t.store.listed(&teams, None, 2).await.unwrap(), [place(2, 30), place(3, 20)]);
        assert_eq!(t.store.listed(&teams, Some(place(3, 20)), 2).await.unwrap(), [place(1, 10)]);
        let mut old = t.store.begun_by(20, None, 9).await.unwrap();
        old.sort_unstable();
        assert_eq!(old, [place(1, 10), place(3, 20)]);
        // the empty one begins with its first message, two are missed, one of them by another team
        t.write(change(conv(4), 1, 4, Some(empty), facts("a", 50))).await.unwrap();
        let missed = |n: u8, team, created, at| {
            let after = Facts { open: false, missed: Some(at), ..facts(team, created) };
            change(conv(n), 1, n, Some(facts("a", created)), after)
        };
        t.write(missed(1, "a", 10, 60)).await.unwrap();
        t.write(missed(2, "b", 30, 70)).await.unwrap();
        assert_eq!(sorted(t.store.open_conversations().await.unwrap()), [3, 4].map(conv));
        assert_eq!(t.store.missed(&teams[0], None, 9).await.unwrap(), [place(1, 60)]);
        assert_eq!(t.store.missed(&teams[0], Some(place(1, 60)), 9).await.unwrap(), []);
        assert_eq!(t.store.count_missed(&teams[0], 9).await.unwrap(), (1, Some(60)));
        assert_eq!(t.store.count_missed(&"b".parse().unwrap(), 9).await.unwrap(), (1, Some(70)));
        assert_eq!(t.store.count_missed(&"c".parse().unwrap(), 9).await.unwrap(), (0, None));
        // erased with its marks and places
        t.write(marks(conv(1), Side::Visitor, 1)).await.unwrap();
        let last = Facts { open: false, missed: Some(60), ..facts("a", 10) };
        let erase = Op::Erase { last_seq: 0, facts: Some(Box::new(last)) };
        t.write(Batch { conv: Some(conv(1)), rev: Some(2), ops: vec![erase] }).await.unwrap();
        assert_eq!(t.store.missed(&teams[0], None, 9).await.unwrap(), []);
        assert_eq!(sorted(t.store.of_visitor(Kid([7; 16]), 9).await.unwrap()), [2, 3, 4].map(conv));
        t.write(listed(conv(1), 1, facts("a", 80))).await.unwrap();
        assert_eq!(t.store.head(conv(1)).await.unwrap().unwrap().marks, [Marks::default(); 2]);
    }

    async fn many_writers_get_every_number_exactly_once(t) {
        const WRITERS: u8 = 64;
        const EACH: u8 = 25;
        const CONVS: u8 = 4;
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = Arc::clone(&t.store);
            tasks.spawn(async move {
                let c = conv(writer % CONVS);
                let mut seqs = Vec::new();
                for n in 0..EACH {
                    let id = MsgId([&[writer, n][..], &[7; 14]].concat().try_into().unwrap());
                    let body = crate::support::batch::envelope_with(c, id);
                    let batch = Batch { conv: Some(c), rev: None, ops: vec![Op::Append { id, body: body.into() }] };
                    seqs.extend(write(&*store, batch).await.unwrap().seqs);
                }
                assert!(seqs.is_sorted());
                (c, seqs)
            });
        }
        let mut given: BTreeMap<ConvId, Vec<u64>> = BTreeMap::new();
        while let Some(done) = tasks.join_next().await {
            let (c, seqs) = done.unwrap();
            given.entry(c).or_default().extend(seqs);
        }
        let dense: Vec<u64> = (1..=u64::from(WRITERS / CONVS) * u64::from(EACH)).collect();
        for (c, mut seqs) in given {
            seqs.sort_unstable();
            assert_eq!(seqs, dense);
            assert_eq!(t.store.records(c, 0, usize::MAX).await.unwrap().iter().map(|r| r.0).collect::<Vec<_>>(), dense);
        }
        // the feed had each conversation in order, and everything before the last writer was answered
        let mut told: BTreeMap<ConvId, Vec<u64>> = BTreeMap::new();
        while let Ok(outcomes) = t.feed.try_recv() {
            for c in outcomes.into_iter().map(commit) {
                let seqs = c.records.iter().map(|r| RecordView::parse(r).unwrap().seq);
                told.entry(c.conv).or_default().extend(seqs);
            }
        }
        assert!(told.len() == usize::from(CONVS) && told.values().all(|seqs| *seqs == dense));
    }

    async fn an_envelope_is_found_by_its_id_and_looking_writes_nothing(t) {
        let (c, other) = (conv(1), conv(2));
        t.write(post(c, 1)).await.unwrap();
        t.write(post(c, 2)).await.unwrap();
        let redact = Op::Redact { seq: 1, body: tombstone(c, 1).into() };
        t.write(Batch { conv: Some(c), rev: None, ops: vec![redact] }).await.unwrap();
        for (c, n, seq) in [(c, 1, Some(1)), (c, 2, Some(2)), (c, 3, None), (other, 1, None)] {
            assert_eq!(find(&*t.store, c, msg(n)).await, Ok(seq), "{n}");
        }
        assert_eq!(t.store.records(c, 0, 10).await.unwrap().len(), 2);
        assert_eq!((t.store.head(other).await, t.store.records(other, 0, 10).await), (Ok(None), Ok(vec![])));
        t.write(post(c, 3)).await.unwrap();
        assert_eq!(find(&*t.store, c, msg(3)).await, Ok(Some(3)));
        t.store.close().await;
        assert_eq!(find(&*t.store, c, msg(1)).await, Err(StoreError::Closed));
    }

    async fn a_closed_store_takes_nothing_and_ends_the_feed(t) {
        let c = conv(1);
        for n in 1..=100 { submit(&*t.store, post(c, n), Reply::Feed(1)).await.unwrap(); }
        t.store.close().await;
        assert_eq!(t.write(post(c, 101)).await, Err(StoreError::Closed));
        t.store.wait_for_capacity().await;
        t.store.close().await;
        let mut told = 0;
        while let Some(outcomes) = t.feed.recv().await { told += outcomes.len(); }
        assert_eq!(told, 100, "what waited was written first");
    }
}
