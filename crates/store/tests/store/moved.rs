//! A company that is copied from a file to Redis, and back: the same to the last byte; and what is refused.

use std::{path::Path, sync::Arc};

use kefu_proto::{ConvId, Kid, Marks, Side};
use kefu_redis_link::{Link, cmd, testing::Cluster, testing::RedisServer};
use kefu_store::{
    Batch, Facts, FactsChange, Op, Store, StoreError, Table,
    archive::{Entry, Header, Reader, Writer},
    redb::{Loader, RedbStore},
    redis::{Found, Importer, Options, RawDatabase, RedisStore},
    rules::{Lookup, Rules, StoredConversation},
    write,
};

use crate::support::{
    batch::{post, tombstone},
    options,
    redis::{open, open_with, say},
};

fn header() -> Header {
    Header { schema: 4, created_ms: 0, kefu: "0.2.0".into() }
}

/// A row of these tests: visitor, team, time, and whether it is listed, open, missed.
fn row(facts: &Facts) -> Vec<u8> {
    let Facts { visitor, team, created, listed, open, missed } = facts;
    format!("{} {team} {created} {listed} {open} {}", visitor.0[0], missed.unwrap_or_default()).into_bytes()
}

/// What it says.
fn facts_of(row: &[u8]) -> Option<Facts> {
    let words: Vec<&str> = std::str::from_utf8(row).ok()?.split(' ').collect();
    let [visitor, team, created, listed, open, missed, ..] = words[..] else { return None };
    Some(Facts {
        visitor: Kid([visitor.parse().ok()?; 16]),
        team: team.parse().ok()?,
        created: created.parse().ok()?,
        listed: listed.parse().ok()?,
        open: open.parse().ok()?,
        missed: Some(missed.parse().ok()?).filter(|at| *at > 0),
    })
}

fn conv(n: u8) -> ConvId {
    let mut conv = ConvId([n; 16]);
    // several lanes, and bytes that mean something in a pattern
    conv.0[0] = n.wrapping_mul(67);
    conv.0[1..4].copy_from_slice(b"*}[");
    conv
}

fn facts(n: u8) -> Facts {
    let team = if n.is_multiple_of(3) { "svc" } else { "vip" }.parse().unwrap();
    let (listed, open) = (!n.is_multiple_of(5), n.is_multiple_of(2));
    let missed = (listed && !open).then_some(1_000 + u64::from(n));
    Facts { visitor: Kid([n / 2; 16]), team, created: 50_000 - u64::from(n), listed, open, missed }
}

/// Conversations of every kind, one of them long, and tables of the company.
async fn fill(store: &dyn Store, convs: u8) {
    for n in 0..convs {
        let (conv, facts) = (conv(n), facts(n));
        let first = Op::Row {
            value: row(&Facts { open: true, ..facts.clone() }).into(),
            facts: Some(Box::new(FactsChange { before: None, after: Facts { open: true, ..facts.clone() } })),
        };
        let mut batch = post(conv, 1);
        batch.rev = Some(0);
        batch.ops.push(first);
        write(store, batch).await.unwrap();
        for message in 2..=3 + n % 4 {
            write(store, post(conv, message)).await.unwrap();
        }
        let change = FactsChange { before: Some(Facts { open: true, ..facts.clone() }), after: facts.clone() };
        let second = Op::Row { value: row(&facts).into(), facts: Some(Box::new(change)) };
        write(store, Batch { conv: Some(conv), rev: Some(1), ops: vec![second] }).await.unwrap();
        if n.is_multiple_of(4) {
            let redact = Op::Redact { seq: 1, body: tombstone(conv, 1).into() };
            write(store, Batch { conv: Some(conv), rev: None, ops: vec![redact] }).await.unwrap();
        }
        for side in [Side::Visitor, Side::Agent].into_iter().take(usize::from(n % 3)) {
            let op = Op::Marks { side, marks: Marks { delivered: 3, read: 2 } };
            write(store, Batch { conv: Some(conv), rev: None, ops: vec![op] }).await.unwrap();
        }
    }
    for n in 0..1_500 {
        write(store, say(conv(0), n)).await.unwrap();
    }
    // records without a row
    write(store, post(conv(200), 1)).await.unwrap();
    for (table, key, value) in
        [(Table::Site, "s1", "{}"), (Table::Directory, "\0\0\0\x01", "first"), (Table::Status, "li", "\"online\"")]
    {
        let put = Op::Put { table, key: key.into(), value: value.into() };
        write(store, Batch { ops: vec![put], ..Batch::default() }).await.unwrap();
    }
}

async fn dump_file(store: &RedbStore) -> Vec<u8> {
    let snapshot = store.snapshot().await.unwrap();
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    let dumped = snapshot.dump(|entry| add(&mut writer, &entry));
    dumped.unwrap();
    writer.finish().unwrap().0
}

fn add(writer: &mut Writer<Vec<u8>>, entry: &Entry<'_>) -> std::io::Result<()> {
    match entry {
        Entry::Table(name) => writer.table(name),
        Entry::Row(key, value) => writer.row(key, value),
        Entry::File(_) | Entry::Data(_) => unreachable!(),
    }
}

async fn dump_redis(store: &RedisStore) -> Result<Vec<u8>, StoreError> {
    let mut writer = Writer::new(Vec::new(), &header()).unwrap();
    let mut export = store.export(&facts_of, tempfile::tempfile().unwrap()).await?;
    while let Some(entries) = export.next().await? {
        entries.iter().for_each(|exported| add(&mut writer, &exported.entry()).unwrap());
    }
    Ok(writer.finish().unwrap().0)
}

async fn import(bytes: &[u8], link: Link, options: Options) -> Result<RawDatabase, StoreError> {
    let mut importer = Importer::begin(link, options, &header(), &facts_of).await?;
    let mut reader = Reader::new(bytes).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        importer.entry(&entry).await?;
    }
    importer.finish(None).await
}

async fn link(server: &RedisServer) -> Link {
    Link::connect(&server.url(), server.options()).await.unwrap()
}

async fn filled_file(path: &Path) -> Vec<u8> {
    let (store, _feed) = RedbStore::open(path, options()).unwrap();
    fill(&*store, 40).await;
    let bytes = dump_file(&store).await;
    store.close().await;
    bytes
}

/// That what a store finds again is the same in both.
async fn same_answers(one: &dyn Store, other: &dyn Store) {
    let teams = ["svc", "vip"].map(|team| team.parse().unwrap());
    let both = [one, other];
    let mut found = Vec::new();
    for store in both {
        let mut open = store.open_conversations().await.unwrap();
        open.sort_unstable();
        let mut missed = Vec::new();
        for team in &teams {
            missed.push(store.missed(team, None, 1_000).await.unwrap());
        }
        let mut of = Vec::new();
        for n in 0..20 {
            of.push(store.of_visitor(Kid([n; 16]), 100).await.unwrap());
        }
        let listed = store.listed(&teams, None, 1_000).await.unwrap();
        let heads = store.heads((0..40).map(conv).collect()).await.unwrap();
        let heads: Vec<_> =
            heads.into_iter().map(|head| head.map(|h| (h.rev, h.last_seq, h.last_at_ms, h.marks, h.value))).collect();
        found.push((open, missed, of, listed, heads, store.records(conv(0), 0, 9_999).await.unwrap()));
    }
    assert!(found[0] == found[1]);
}

#[tokio::test]
async fn a_company_goes_to_redis_and_back_to_the_last_byte() {
    let (dir, server) = (tempfile::tempdir().unwrap(), RedisServer::start(&[]).await);
    let path = dir.path().join("kefu.redb");
    let bytes = filled_file(&path).await;
    import(&bytes, link(&server).await, Options::default()).await.unwrap();
    let (redis, _feed) = open_with(&server, Options::default()).await.unwrap();
    assert!(dump_redis(&redis).await.unwrap() == bytes);
    let (file, _file_feed) = RedbStore::open(&path, options()).unwrap();
    same_answers(&*file, &*redis).await;
    // it goes on where it was
    assert_eq!(write(&*redis, post(conv(4), 3)).await, Err(StoreError::Duplicate { seq: 3 }));
    assert_eq!(write(&*redis, post(conv(4), 100)).await.unwrap().seqs, [4]);
    let before = redis.records(conv(4), 0, 9).await.unwrap();
    assert!(before.windows(2).all(|two| two[0].1[8..16] <= two[1].1[8..16]));
    let bytes = dump_redis(&redis).await.unwrap();
    let (back, mut reader) = (dir.path().join("back.redb"), Reader::new(&bytes[..]).unwrap());
    let mut loader = Loader::create(&back, &header()).unwrap();
    while let Some(entry) = reader.next_entry().unwrap() {
        loader.entry(&entry).unwrap();
    }
    loader.finish().unwrap();
    let (back, _back_feed) = RedbStore::open(&back, options()).unwrap();
    assert!(dump_file(&back).await == bytes);
    same_answers(&*back, &*redis).await;
}

#[tokio::test]
async fn a_cluster_takes_it_as_well() {
    let (dir, cluster) = (tempfile::tempdir().unwrap(), Cluster::start(3, 0).await);
    let bytes = filled_file(&dir.path().join("kefu.redb")).await;
    let connect = async || Link::connect(&cluster.url(), kefu_redis_link::Options::default()).await.unwrap();
    import(&bytes, connect().await, Options::default()).await.unwrap();
    let (redis, _feed) = RedisStore::open(connect().await, Options::default()).await.unwrap();
    assert!(dump_redis(&redis).await.unwrap() == bytes);
}

#[tokio::test]
async fn nothing_is_written_where_something_is() {
    let (dir, server) = (tempfile::tempdir().unwrap(), RedisServer::start(&[]).await);
    let bytes = filled_file(&dir.path().join("kefu.redb")).await;
    let (redis, _feed) = open(&server).await.unwrap();
    let said = import(&bytes, link(&server).await, Options::default()).await.err().unwrap().to_string();
    assert!(said.contains("it holds a company already"), "{said}");
    let other = Options { prefix: "other[*]:".into(), ..Options::default() };
    server.query::<()>(cmd("SET").arg("other[*]:{x}y").arg(1)).await;
    let keys: u64 = server.query(&cmd("DBSIZE")).await;
    let said = import(&bytes, link(&server).await, other.clone()).await.err().unwrap().to_string();
    assert!(said.contains("it is not empty"), "{said}");
    let later = Header { schema: 5, ..header() };
    let free = Options { prefix: "free:".into(), ..Options::default() };
    let refused = Importer::begin(link(&server).await, free.clone(), &later, &facts_of).await.err();
    assert_eq!(refused, Some(StoreError::TooNew { found: 5, known: 4 }));
    assert_eq!(server.query::<u64>(&cmd("DBSIZE")).await, keys);
    redis.close().await;

    // one that is not finished is no company, and is known by its mark
    let mut importer = Importer::begin(link(&server).await, free.clone(), &header(), &facts_of).await.unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    for _ in 0..500 {
        importer.entry(&reader.next_entry().unwrap().unwrap()).await.unwrap();
    }
    drop(importer);
    for create in [true, false] {
        let said = open_with(&server, Options { create, ..free.clone() }).await.err().unwrap().to_string();
        assert!(said.contains("was not finished"), "{said}");
    }
    let raw = RawDatabase::connect(link(&server).await, "free:").await.unwrap();
    assert_eq!(raw.look().await.unwrap(), Found::Unfinished);
    raw.clear().await.unwrap();
    assert_eq!((raw.look().await.unwrap(), server.query::<u64>(&cmd("DBSIZE")).await), (Found::Empty, keys));
    import(&bytes, link(&server).await, free).await.unwrap();
    assert!(matches!(raw.look().await.unwrap(), Found::Company(there) if there.first.as_deref() == Some(b"first")));
}

#[tokio::test]
async fn what_was_moved_away_is_written_by_nobody() {
    let server = RedisServer::start(&[]).await;
    let (redis, _feed) = open(&server).await.unwrap();
    write(&*redis, say(conv(1), 1)).await.unwrap();
    let raw = RawDatabase::connect(link(&server).await, "kefu:").await.unwrap();
    raw.mark_moved("redb:").await.unwrap();
    // also not by one that was there before
    let waiting = Arc::clone(&redis);
    let late = tokio::spawn(async move { write(&*waiting, say(conv(1), 2)).await });
    let said = open(&server).await.err().unwrap().to_string();
    assert!(said.contains("this company was moved to redb:"), "{said}");
    let key = [&b"kefu:{"[..], kefu_redis_link::lanes::tag(lane(conv(1))).as_bytes(), b"}l:", &conv(1).0].concat();
    assert_eq!(server.query::<u64>(cmd("LLEN").arg(&key)).await, 1);
    raw.unmark_moved().await.unwrap();
    let written = late.await.unwrap();
    assert!(written.is_ok() || matches!(written, Err(StoreError::Unwritable | StoreError::Server(_))), "{written:?}");
    let (again, _feed) = open(&server).await.unwrap();
    write(&*again, say(conv(1), 3)).await.unwrap();
}

fn lane(conv: ConvId) -> u16 {
    (u16::from(conv.0[0]) << 2) | u16::from(conv.0[1] >> 6)
}

/// No rules but those of the store.
struct NoRules;

impl Rules for NoRules {
    fn conversation(&self, lookup: &dyn Lookup, conv: &StoredConversation<'_>) -> Result<Option<String>, StoreError> {
        let facts = facts_of(conv.row).unwrap();
        let open = lookup.get(Table::OpenConv, &conv.id.0)?.is_some();
        Ok((open != (facts.listed && facts.open)).then(|| "open_conv is wrong".to_owned()))
    }

    fn row(&self, lookup: &dyn Lookup, table: Table, key: &[u8], _: &[u8]) -> Result<Option<String>, StoreError> {
        let missing = table == Table::VisitorConv && lookup.row(ConvId::from_slice(&key[16..]).unwrap())?.is_none();
        Ok(missing.then(|| "it has no row".to_owned()))
    }
}

#[tokio::test]
async fn a_check_finds_what_is_wrong() {
    let server = RedisServer::start(&[]).await;
    let (redis, _feed) = open(&server).await.unwrap();
    fill(&*redis, 8).await;
    let check = async || {
        let mut faults = Vec::new();
        let totals = redis.verify(&facts_of, &NoRules, &mut |fault| faults.push(fault.what)).await.unwrap();
        (totals, faults)
    };
    let (totals, faults) = check().await;
    assert_eq!((totals.conversations, faults), (9, vec!["the conversation has records but no row".to_owned()]));
    assert_eq!(totals.records, totals.ids);
    let name = |kind: &str, n: u8| {
        [&b"kefu:{"[..], kefu_redis_link::lanes::tag(lane(conv(n))).as_bytes(), b"}", kind.as_bytes(), &conv(n).0]
            .concat()
    };
    server.query::<u64>(cmd("HDEL").arg(name("i:", 1)).arg(&[1u8; 16])).await;
    server.query::<u64>(cmd("HINCRBY").arg(name("c:", 2)).arg("b").arg(1)).await;
    server.query::<u64>(cmd("RPUSH").arg(name("l:", 3)).arg("short")).await;
    server.query::<u64>(cmd("SREM").arg(&name("open", 4)[..name("open", 4).len() - 16]).arg(&conv(4).0)).await;
    server.query::<u64>(cmd("SREM").arg([&b"kefu:{V"[..], &[3; 16], b"}"].concat()).arg(&conv(6).0)).await;
    // entries that no row explains: of nobody, of another team, of another time
    let key = |kind: &str, n: u8| name(kind, n)[..name(kind, n).len() - 16].to_vec();
    server.query::<u64>(cmd("SADD").arg(key("open", 5)).arg([&conv(5).0[..15], &[99]].concat())).await;
    let [team, wrong] = [0_u64, 1].map(|late| [&(50_000 - 1 + late).to_be_bytes()[..], &conv(1).0].concat());
    server.query::<u64>(cmd("ZADD").arg(key("T:other", 1)).arg(0).arg(team)).await;
    server.query::<u64>(cmd("ZADD").arg(key("time", 1)).arg(0).arg(wrong)).await;
    let (_, faults) = check().await;
    let strange: Vec<_> = faults.iter().filter(|fault| fault.contains("has it, and no row says so")).collect();
    assert_eq!(strange.len(), 3, "{faults:?}");
    for what in [
        "missing in the ids",
        "its size is",
        "too short to be one",
        "open_conv is wrong",
        "the index of its visitor does not have it",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(what)), "{what}: {faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_while_servers_write_has_each_conversation_as_it_was_once() {
    const SELDOM: u64 = 64;
    let server = RedisServer::start(&[]).await;
    let (redis, _feed) = open(&server).await.unwrap();
    fill(&*redis, 6).await;
    let (writing, enough) = (Arc::clone(&redis), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stop = Arc::clone(&enough);
    let writer = tokio::spawn(async move {
        // each row says how many records there are with it
        let (mut n, mut known) = (0_u64, Facts { created: 0, ..facts(2) });
        let mut before: Option<Facts> = None;
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            n += 1;
            // where it is found changes more seldom
            let after = Facts { created: n / SELDOM, ..known.clone() };
            let change = FactsChange { before: before.take(), after: after.clone() };
            let mut batch = say(ConvId([9; 16]), n);
            batch.rev = Some(n as u32 - 1);
            let value = [&row(&after)[..], format!(" {n}").as_bytes()].concat();
            batch.ops.push(Op::Row { value: value.into(), facts: Some(Box::new(change)) });
            write(&*writing, batch).await.unwrap();
            write(&*writing, say(conv(0), 5_000 + n)).await.unwrap();
            before = Some(after.clone());
            known = after;
        }
        n
    });
    for _ in 0..5 {
        let bytes = dump_redis(&redis).await.unwrap();
        let (mut reader, mut table) = (Reader::new(&bytes[..]).unwrap(), String::new());
        let (mut records, mut said, mut listed) = (0, 0, Vec::new());
        while let Some(entry) = reader.next_entry().unwrap() {
            match (entry, table.as_str()) {
                (Entry::Table(name), _) => table = name.to_owned(),
                (Entry::Row(key, _), "records") if key[..16] == [9; 16] => records += 1,
                (Entry::Row(key, value), "rows") if key == [9; 16] => {
                    said = std::str::from_utf8(&value[4..]).unwrap().rsplit(' ').next().unwrap().parse().unwrap();
                }
                (Entry::Row(key, _), "conv_by_time") if key[8..] == [9; 16] => {
                    listed.push(u64::from_be_bytes(key[..8].try_into().unwrap()));
                }
                _ => {}
            }
        }
        let expected: Vec<u64> = if said > 0 { vec![said / SELDOM] } else { vec![] };
        assert_eq!((records, listed), (said, expected));
    }
    enough.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(writer.await.unwrap() > 5);
}

#[tokio::test]
async fn two_copies_at_once_do_not_mix() {
    let server = RedisServer::start(&[]).await;
    let link = async || Link::connect(&server.url(), server.options()).await.unwrap();
    let mut first = Importer::begin(link().await, Options::default(), &header(), &facts_of).await.unwrap();
    first.entry(&Entry::Table("meta")).await.unwrap();

    let raw = RawDatabase::connect(link().await, "kefu:").await.unwrap();
    assert_eq!(raw.look().await.unwrap(), Found::Unfinished);
    let second = Importer::begin(link().await, Options::default(), &header(), &facts_of).await.err().unwrap();
    for refused in [raw.clear().await.unwrap_err(), second] {
        assert!(
            refused.to_string().contains("another kefu is copying a company to this Redis at this moment"),
            "{refused}"
        );
    }
    // what is there is still the first one's
    let mark: Vec<u8> = server.query(cmd("GET").arg("kefu:{o}import")).await;
    assert_eq!(mark.len(), 16);

    // it was interrupted: the next one begins anew
    drop(first);
    raw.clear().await.unwrap();
    assert_eq!(raw.look().await.unwrap(), Found::Empty);
    drop(Importer::begin(link().await, Options::default(), &header(), &facts_of).await.unwrap());
}
