//! Random batches on all stores: file store and Redis must return and contain what the memory store does.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use kefu_proto::{ConvId, Event, Kid, Marks, Side, event_body};
use kefu_redis_link::testing::RedisServer;
use kefu_store::{
    Batch, Commit, Facts, FactsChange, Feed, Op, Outcome, Reply, Store, StoreError, Table, Written,
    memory::MemoryStore, redb::RedbStore,
};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::sync::oneshot;

use crate::support::{
    batch::{conv, envelope, msg, tombstone},
    checkpoint_after,
    disk::Disk,
    redis,
};

const CONVS: u8 = 3;
const TABLES: [Table; 2] = [Table::Site, Table::Status];

fn small_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![]), Just(b"a".to_vec()), Just(b"ab".to_vec()), Just(vec![0xff]), Just(vec![0xff, 0xff])]
}

fn small_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![]), Just(b"1".to_vec()), Just(b"2".to_vec())]
}

fn body(conv: ConvId, n: u8) -> Bytes {
    match n % 8 {
        0 => event_body(conv, &Event::Hidden {}).into(),
        1 => tombstone(conv, n).into(),
        _ => envelope(conv, n).into(),
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    let (visitor, team) = (0..2u8, prop::sample::select(vec!["a", "b"]));
    (visitor, team, 0..3u64, any::<bool>(), any::<bool>(), prop::option::of(0..3u64)).prop_map(
        |(visitor, team, created, listed, open, missed)| Facts {
            visitor: Kid([visitor; 16]),
            team: team.parse().unwrap(),
            created,
            listed,
            open,
            missed,
        },
    )
}

fn change() -> impl Strategy<Value = Box<FactsChange>> {
    (prop::option::of(facts()), facts()).prop_map(|(before, after)| Box::new(FactsChange { before, after }))
}

fn table_step() -> impl Strategy<Value = Op> {
    let table = prop::sample::select(&TABLES[..]);
    prop_oneof![
        1 => (table.clone(), small_key(), prop::option::of(small_value()))
            .prop_map(|(table, key, value)| Op::Expect { table, key, value }),
        3 => (table.clone(), small_key(), small_value()).prop_map(|(table, key, value)| Op::Put { table, key, value }),
        1 => (table, small_key()).prop_map(|(table, key)| Op::Delete { table, key }),
    ]
}

fn step(in_conv: u8) -> impl Strategy<Value = Op> {
    let c = conv(in_conv);
    let side = prop::sample::select(vec![Side::Visitor, Side::Agent]);
    prop_oneof![
        2 => (small_value(), prop::option::of(change())).prop_map(|(v, facts)| Op::Row { value: v.into(), facts }),
        1 => (side, 0..9u64).prop_map(|(side, n)| Op::Marks { side, marks: Marks { delivered: n, read: n } }),
        6 => (0..60u8).prop_map(move |n| Op::Append { id: msg(n), body: body(c, n) }),
        2 => (0..8u64, 0..60u8).prop_map(move |(seq, n)| Op::Redact { seq, body: tombstone(c, n).into() }),
        1 => (0..8u64).prop_map(move |seq| Op::Redact { seq, body: body(c, 0) }),
        1 => (0..4u64, prop::option::of(facts()))
            .prop_map(|(last_seq, facts)| Op::Erase { last_seq, facts: facts.map(Box::new) }),
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    let of_conv = (0..CONVS).prop_flat_map(|c| {
        let named = prop::option::weighted(0.95, Just(conv(c)));
        let rev = prop::option::weighted(0.4, 0..3u32);
        (named, rev, prop::collection::vec(step(c), 0..4)).prop_map(|(conv, rev, ops)| Batch { conv, rev, ops })
    });
    let of_tables = prop::collection::vec(table_step(), 0..4).prop_map(|ops| Batch { ops, ..Batch::default() });
    prop_oneof![4 => of_conv, 1 => of_tables]
}

/// A store's answers to one sequence of batches, without times.
#[derive(Debug, PartialEq)]
struct Said {
    feed: Vec<Outcome>,
    answers: Vec<Result<Written, StoreError>>,
}

fn timeless(frame: &Bytes) -> Bytes {
    [&frame[..8], &[0; 8], &frame[16..]].concat().into()
}

/// The facts and marks of the batches as callers who know the conversation give them: the random ones fit those that were
/// written before.
fn fitting(batches: &[(bool, Batch)], known: &mut BTreeMap<ConvId, Known>, store: &MemoryStore) -> Vec<(bool, Batch)> {
    let mut out = Vec::new();
    for (waits, mut batch) in batches.iter().cloned() {
        let before = batch.conv.and_then(|conv| known.get(&conv).cloned()).unwrap_or_default();
        let mut after = before.clone();
        for op in &mut batch.ops {
            match op {
                Op::Row { facts: Some(change), .. } => {
                    change.before.clone_from(&before.facts);
                    // a conversation never has another visitor
                    change.after.visitor = Kid([batch.conv.unwrap_or(conv(0)).0[0] % 2; 16]);
                    after.facts = Some(change.after.clone());
                }
                Op::Marks { side, marks } => {
                    let known = &mut after.marks[*side as usize];
                    marks.delivered = marks.delivered.max(known.delivered);
                    marks.read = marks.read.max(known.read);
                    *known = *marks;
                }
                Op::Erase { facts, .. } => {
                    *facts = before.facts.clone().map(Box::new);
                    after = Known::default();
                }
                _ => {}
            }
        }
        let try_it = |batch: &Batch| {
            let (tx, mut rx) = oneshot::channel();
            store.try_submit(batch.clone(), Reply::Wait(tx)).unwrap();
            // the store in memory answers at once
            rx.try_recv().unwrap().is_ok()
        };
        let mut written = try_it(&batch);
        if !written && before.facts.is_none() {
            // where several servers write, one whose first facts are refused may leave a trace: they are what another wrote
            for op in &mut batch.ops {
                if let Op::Row { facts, .. } = op {
                    *facts = None;
                }
            }
            after.facts = None;
            written = try_it(&batch);
        }
        if let (true, Some(conv)) = (written, batch.conv) {
            known.insert(conv, after);
        }
        out.push((waits, batch));
    }
    out
}

#[derive(Clone, Default)]
struct Known {
    facts: Option<Facts>,
    marks: [Marks; 2],
}

async fn run(store: &dyn Store, feed: &mut Feed, batches: &[(bool, Batch)]) -> Said {
    let mut waiting = Vec::new();
    for (n, (waits, batch)) in batches.iter().enumerate() {
        let reply = if *waits {
            let (tx, rx) = oneshot::channel();
            waiting.push(rx);
            Reply::Wait(tx)
        } else {
            Reply::Feed(n as u64 + 1)
        };
        store.try_submit(batch.clone(), reply).unwrap();
    }
    // a last one to wait for: everything before it was published by then
    kefu_store::write(store, Batch::default()).await.unwrap();
    for n in 0..CONVS {
        kefu_store::write(store, Batch { conv: Some(conv(n)), ..Batch::default() }).await.unwrap();
    }
    let mut answers = Vec::new();
    for rx in waiting {
        answers.push(rx.await.unwrap().map(|w| Written { at_ms: 0, ..w }));
    }
    let mut told = Vec::new();
    while let Ok(outcomes) = feed.try_recv() {
        assert!(!outcomes.is_empty());
        told.extend(outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Committed(c) => {
                Outcome::Committed(Commit { records: c.records.iter().map(timeless).collect(), ..c })
            }
            Outcome::Duplicate { origin, frame } => Outcome::Duplicate { origin, frame: timeless(&frame) },
            other => other,
        }));
    }
    Said { feed: told, answers }
}

impl Said {
    /// What a store says in which nothing orders different conversations: each for itself.
    fn by_conversation(mut self, batches: &[(bool, Batch)]) -> Self {
        let conv_of = |outcome: &Outcome| match outcome {
            Outcome::Committed(commit) => Some(commit.conv),
            Outcome::Duplicate { origin, .. } | Outcome::Refused { origin, .. } => batches[*origin as usize - 1].1.conv,
            other => panic!("one server alone says {other:?}"),
        };
        self.feed.sort_by_key(conv_of);
        self
    }
}

/// Everything that can be read.
async fn held(store: &dyn Store) -> String {
    let mut all = String::new();
    for table in Table::ALL.iter().filter(|table| !table.is_index()) {
        for prefix in [&b""[..], b"a", b"\xff"] {
            for after in [None, Some(&b"a"[..]), Some(b"\xff")] {
                for descending in [false, true] {
                    let pairs = store.scan(*table, prefix, after, descending, 3).await.unwrap();
                    writeln!(all, "{table:?} {prefix:?} {after:?} {descending} {pairs:?}").unwrap();
                }
            }
        }
    }
    for visitor in 0..2 {
        let mut convs = store.of_visitor(Kid([visitor; 16]), 9).await.unwrap();
        convs.sort_unstable();
        writeln!(all, "of {visitor} {convs:?}").unwrap();
    }
    let mut open = store.open_conversations().await.unwrap();
    open.sort_unstable();
    writeln!(all, "open {open:?}").unwrap();
    let teams = ["a", "b"].map(|team| team.parse().unwrap());
    // a store may also list those of other teams
    let listed = store.listed(&teams, None, 9).await.unwrap();
    let two = store.listed(&teams, listed.first().copied(), 2).await.unwrap();
    let mut old = store.begun_by(1, None, 9).await.unwrap();
    old.sort_unstable();
    writeln!(all, "{listed:?} {two:?} {old:?}").unwrap();
    for team in teams {
        let missed = (store.missed(&team, None, 9).await, store.count_missed(&team, 2).await);
        writeln!(all, "{team} {missed:?}").unwrap();
    }
    for c in 0..CONVS {
        let records = async |after, limit| -> Vec<_> {
            store.records(conv(c), after, limit).await.unwrap().iter().map(|(s, f)| (*s, timeless(f))).collect()
        };
        // their sizes are only estimates
        let head = store.head(conv(c)).await.unwrap();
        let head = head.map(|head| (head.rev, head.last_seq, head.last_at_ms > 0, head.marks, head.value));
        writeln!(all, "{c} {head:?} {:?} {:?}", records(0, 1000).await, records(2, 2).await).unwrap();
    }
    all
}

fn on(disk: &Disk, checkpoint: usize) -> (Arc<RedbStore>, Feed) {
    disk.open_store(checkpoint_after(checkpoint)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_say_and_hold_the_same(
        before in prop::collection::vec((any::<bool>(), batch()), 0..40),
        after in prop::collection::vec((any::<bool>(), batch()), 0..40),
        checkpoint in prop::sample::select(vec![1, 500, 2_000, 10_000, 1 << 20]),
        closes in any::<bool>(),
    ) {
        let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
        rt.block_on(async {
            let (memory, mut memory_feed) = MemoryStore::open();
            let disk = Disk::new();
            let (file, mut file_feed) = on(&disk, checkpoint);
            assert_eq!(run(&*memory, &mut memory_feed, &before).await, run(&*file, &mut file_feed, &before).await);
            assert_eq!(held(&*memory).await, held(&*file).await);
            // opened again it has forgotten nothing, the ids included, closed (everything is in the database) or not
            let disk = if closes {
                file.close().await;
                disk
            } else {
                disk.mended()
            };
            let (file, mut file_feed) = on(&disk, checkpoint);
            assert_eq!(held(&*memory).await, held(&*file).await);
            assert_eq!(run(&*memory, &mut memory_feed, &after).await, run(&*file, &mut file_feed, &after).await);
            assert_eq!(held(&*memory).await, held(&*file).await);
        });
    }
}

#[test]
fn redis_says_and_holds_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start(&[]));
    let cases = std::env::var("KEFU_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let batches = || prop::collection::vec((any::<bool>(), batch()), 0..40);
    let case = AtomicU32::new(0);
    let tried = TestRunner::new(config).run(&(batches(), batches()), |(before, after)| {
        // each case has keys of its own
        let prefix = format!("case-{}:", case.fetch_add(1, Ordering::Relaxed));
        let options = || kefu_store::redis::Options { prefix: prefix.clone(), ..redis::options() };
        runtime.block_on(async {
            let (memory, mut memory_feed) = MemoryStore::open();
            let (trial, _) = MemoryStore::open();
            let mut known = BTreeMap::new();
            for batches in [before, after] {
                let batches = fitting(&batches, &mut known, &trial);
                let (redis, mut redis_feed) = redis::open_with(&server, options()).await.unwrap();
                let expected = run(&*memory, &mut memory_feed, &batches).await.by_conversation(&batches);
                let found = run(&*redis, &mut redis_feed, &batches).await.by_conversation(&batches);
                assert_eq!(expected, found);
                let (expected, found) = (held(&*memory).await, held(&*redis).await);
                let different = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
                assert_eq!(different, None);
                redis.close().await;
            }
        });
        Ok(())
    });
    tried.unwrap();
}
