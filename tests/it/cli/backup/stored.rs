//! `kefu verify` finds each planted fault, and none where there is none.

use std::{fs, path::Path};

use kefu::proto::{AgentState, ClientFrame, ConvId};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde_json::Value;

use super::{json, kefu};
use crate::{
    access::documents::put,
    support::{document::Draft, peer::Peer, server::Server},
};

const RECORDS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("record_blocks");
const IDS: TableDefinition<'static, &[u8; 24], &[u8]> = TableDefinition::new("id_blocks");
const SIZES: TableDefinition<'static, &[u8; 16], u64> = TableDefinition::new("sizes");
const ROWS: TableDefinition<'static, &[u8; 16], (u32, &[u8])> = TableDefinition::new("rows");

fn small(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// A company with an open, a closed, a reopened, a transferred and an empty conversation; the first of them.
async fn company() -> (std::sync::Arc<crate::support::company::Company>, ConvId) {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let mut agent = Peer::agent(&server, "li").await;
    let first = visitor.open().await;
    agent.accept(first).await;
    agent.follow(first).await;
    visitor.say(first, "question").await;
    let answer = agent.say(first, "answer").await;
    visitor.record(first, answer).await;
    visitor.ask(|req| ClientFrame::Close { req, conv: first, reason: None }).await.unwrap();
    visitor.record(first, answer + 1).await;
    visitor.ask(|req| ClientFrame::Reopen { req, conv: first }).await.unwrap();
    visitor.record(first, answer + 3).await;
    let mut second = Peer::visitor(&server).await;
    let closed = second.open().await;
    second.say(closed, "bye").await;
    second.ask(|req| ClientFrame::Close { req, conv: closed, reason: None }).await.unwrap();
    let mut third = Peer::visitor(&server).await;
    third.open_empty().await;
    agent.status(AgentState::Offline).await;
    assert_eq!(put(&server, &agent, &Draft::reply("team:svc"), 0).await.status, 200);
    (server.stopped().await, first)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    super::super::private_dir(to);
    for name in ["kefu.redb", "opaque.setup"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

/// What verify finds after a change of the database: table, and what is wrong.
fn found(from: &Path, change: impl FnOnce(&WriteTransaction)) -> Vec<(String, String)> {
    let tmp = tempfile::tempdir().unwrap();
    let data = tmp.path().join("data");
    copy(from, &data);
    let db = Database::open(data.join("kefu.redb")).unwrap();
    let txn = db.begin_write().unwrap();
    change(&txn);
    txn.commit().unwrap();
    drop(db);
    let out = kefu(&data, &["verify", "--json"]);
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let faults = value["faults"].as_array().unwrap_or_else(|| panic!("{value}"));
    let faults: Vec<_> = faults.iter().map(|f| (text(&f["table"]), text(&f["what"]))).collect();
    assert_eq!(out.status.code(), Some(i32::from(!faults.is_empty())), "{value}");
    faults
}

/// Exactly these faults were found.
fn expect(what: &str, found: Vec<(String, String)>, faults: &[(&str, &str)]) {
    assert_eq!(found.len(), faults.len(), "{what}: {found:?}");
    for (table, text) in faults {
        assert!(found.iter().any(|(t, w)| t == table && w.contains(text)), "{what}: {found:?}");
    }
}

/// Key of a block of a conversation.
fn at(conv: ConvId, seq: u64) -> [u8; 24] {
    [&conv.0[..], &seq.to_be_bytes()].concat().try_into().unwrap()
}

/// The one block of a conversation, which is short, and its key.
fn block(
    txn: &WriteTransaction,
    table: TableDefinition<'static, &[u8; 24], &[u8]>,
    conv: ConvId,
) -> ([u8; 24], Vec<u8>) {
    let table = txn.open_table(table).unwrap();
    let mut blocks = table.range::<&[u8; 24]>(&at(conv, 0)..=&at(conv, u64::MAX)).unwrap().map(Result::unwrap);
    let (key, block) = blocks.next().unwrap();
    assert!(blocks.next().is_none(), "a weak test");
    (*key.value(), block.value().to_vec())
}

/// Changes the frames of a conversation's records.
fn alter_records(txn: &WriteTransaction, conv: ConvId, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let (key, block) = block(txn, RECORDS, conv);
    let (mut frames, mut rest) = (Vec::new(), &block[..]);
    while let Some((len, after)) = rest.split_first_chunk() {
        let (frame, after) = after.split_at(u32::from_le_bytes(*len) as usize);
        frames.push(frame.to_vec());
        rest = after;
    }
    change(&mut frames);
    let block: Vec<u8> =
        frames.iter().flat_map(|frame| [&(frame.len() as u32).to_le_bytes()[..], frame].concat()).collect();
    txn.open_table(RECORDS).unwrap().insert(&key, &block[..]).unwrap();
}

/// Changes a conversation's list of ids: 16 bytes, then the number.
fn alter_ids(txn: &WriteTransaction, conv: ConvId, change: impl FnOnce(&mut Vec<u8>)) {
    let (key, mut ids) = block(txn, IDS, conv);
    change(&mut ids);
    txn.open_table(IDS).unwrap().insert(&key, &ids[..]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_planted_fault_is_found_and_nothing_else() {
    let (company, conv) = company().await;
    let data = company.path();
    assert_eq!(found(data, |_| ()), []);
    let db = Database::open(data.join("kefu.redb")).unwrap();
    let row = db.begin_read().unwrap().open_table(ROWS).unwrap().get(&conv.0).unwrap().unwrap().value().1.to_vec();
    drop(db);

    expect(
        "an id is missing",
        found(data, |txn| alter_ids(txn, conv, |ids| drop(ids.drain(..24)))),
        &[("records", "missing in the list of ids")],
    );
    expect(
        "an id too many",
        found(data, |txn| alter_ids(txn, conv, |ids| ids.extend([[9; 16].as_slice(), &99u64.to_le_bytes()].concat()))),
        &[("ids", "names record 99, which does not exist")],
    );
    expect(
        "an id that no record has",
        found(data, |txn| alter_ids(txn, conv, |ids| ids.extend([[9; 16].as_slice(), &1u64.to_le_bytes()].concat()))),
        &[("ids", "names record 1, which is another message")],
    );
    expect(
        "an id of another record",
        found(data, |txn| alter_ids(txn, conv, |ids| ids[16] = 1)),
        &[("ids", "this message is record 1, but it is")],
    );
    let half = found(data, |txn| alter_ids(txn, conv, |ids| ids.push(1)));
    assert!(half[0].1.contains("a block of message ids is not valid"), "{half:?}");
    expect(
        "ids without records",
        found(data, |txn| drop(txn.open_table(IDS).unwrap().insert(&[9; 24], &[9; 24][..]).unwrap())),
        &[("ids", "no records")],
    );
    expect(
        "an event is missing",
        found(data, |txn| alter_records(txn, conv, |frames| drop(frames.remove(0)))),
        &[("records", "number 2 follows number 0"), ("sizes", "but its records have")],
    );
    expect(
        "the last record is missing",
        found(data, |txn| alter_records(txn, conv, |frames| drop(frames.pop()))),
        &[("records", "the block ends with"), ("sizes", "but its records have")],
    );
    expect(
        "a wrong size",
        found(data, |txn| drop(txn.open_table(SIZES).unwrap().insert(&conv.0, 7).unwrap())),
        &[("sizes", "its size is 7")],
    );
    expect(
        "a size without records",
        found(data, |txn| drop(txn.open_table(SIZES).unwrap().insert(&[9; 16], 7).unwrap())),
        &[("sizes", "no records")],
    );
    expect(
        "a row without records",
        found(data, |txn| drop(txn.open_table(ROWS).unwrap().insert(&[9; 16], (1, &row[..])).unwrap())),
        &[("rows", "no records")],
    );
    expect(
        "a row that is not valid",
        found(data, |txn| drop(txn.open_table(ROWS).unwrap().insert(&conv.0, (1, &b"{}"[..])).unwrap())),
        &[("rows", "the row is not valid")],
    );
    expect(
        "a row that the events do not agree with",
        found(data, |txn| {
            let closed = String::from_utf8(row.clone()).unwrap().replace(r#""state":"open""#, r#""state":"closed""#);
            drop(txn.open_table(ROWS).unwrap().insert(&conv.0, (1, closed.as_bytes())).unwrap());
        }),
        &[("rows", "the row says closed, the conversation's events say open")],
    );
    expect(
        "an event that does not parse",
        found(data, |txn| {
            alter_records(txn, conv, |frames| {
                let end = frames[0].len() - 1;
                frames[0][end] = b'x';
            });
        }),
        &[("records", "neither a valid envelope nor a valid event")],
    );
    expect(
        "a record of another conversation",
        found(data, |txn| alter_records(txn, conv, |frames| frames[0][20] ^= 1)),
        &[("records", "names another conversation")],
    );
    json(data, &["verify"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_tables_that_say_something_else_than_conversations_are_found() {
    let (company, conv) = company().await;
    let data = company.path();
    expect(
        "an open conversation that is not listed",
        found(data, |txn| drop(txn.open_table(small("open_conv")).unwrap().remove(&conv.0[..]).unwrap())),
        &[("rows", "open_conv does not list it")],
    );
    for table in ["open_conv", "receipt", "conv_by_time", "visitor_conv", "missed"] {
        let before: &[u8] = match table {
            "conv_by_time" => &[1; 8],
            "visitor_conv" => &[1; 16],
            "missed" => b"svc\0\0\0\0\0\0\0\0\x01",
            _ => b"",
        };
        let after: &[u8] = if table == "receipt" { &[0] } else { &[] };
        let key = [before, &[9; 16], after].concat();
        expect(
            table,
            found(data, |txn| drop(txn.open_table(small(table)).unwrap().insert(&key[..], &b""[..]).unwrap())),
            &[(table, "which does not exist")],
        );
    }
    expect(
        "a missed conversation that was not missed",
        found(data, |txn| {
            let key = [&b"svc\0\0\0\0\0\0\0\0\x01"[..], &conv.0].concat();
            drop(txn.open_table(small("missed")).unwrap().insert(&key[..], &b""[..]).unwrap());
        }),
        &[("missed", "was not missed by this team")],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_do_not_fit_together_are_found() {
    let (company, _) = company().await;
    let data = company.path();
    let rows = |prefix: u8| {
        let db = Database::open(data.join("kefu.redb")).unwrap();
        let table = db.begin_read().unwrap().open_table(small("document")).unwrap();
        let rows = table.iter().unwrap().map(|row| {
            let (key, value) = row.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        });
        rows.filter(|(key, _)| key[0] == prefix).collect::<Vec<_>>()
    };
    let (document, change) = (rows(b'd').remove(0), rows(b's').remove(0));
    let insert = |key: Vec<u8>, value: Vec<u8>| {
        found(data, |txn| drop(txn.open_table(small("document")).unwrap().insert(&key[..], &value[..]).unwrap()))
    };
    let without = |key: &[u8]| found(data, |txn| drop(txn.open_table(small("document")).unwrap().remove(key).unwrap()));
    expect("an unlisted document", without(&change.0), &[("document", "its change 1 is not listed")]);
    expect("a change of nothing", without(&document.0), &[("document", "which has not this change")]);
    let mut altered = document.1.clone();
    altered[16] = b'X';
    expect("no document", insert(document.0.clone(), altered), &[("document", "the document is not valid")]);
    let foreign = [b"d", &[9; 16][..]].concat();
    expect("another id", insert(foreign, document.1), &[("document", "another id than its key")]);
    expect("no count", insert(b"c".to_vec(), b"[]".to_vec()), &[("document", "the count is not valid")]);
    expect("no key", insert(b"x".to_vec(), vec![]), &[("document", "the key has a wrong form")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_found() {
    let (company, _) = company().await;
    let tmp = tempfile::tempdir().unwrap();
    let data = tmp.path().join("data");
    copy(company.path(), &data);
    let path = data.join("kefu.redb");
    // in the ciphertext of a message, which only its readers can open
    let db = Database::open(&path).unwrap();
    let records = db.begin_read().unwrap().open_table(RECORDS).unwrap();
    let message = records.iter().unwrap().find_map(|block| {
        let block = block.unwrap().1.value().to_vec();
        let at = block.windows(4).position(|part| part == b"K1\x01\x01")?;
        Some(block[at..].to_vec())
    });
    let message = message.unwrap();
    drop((records, db));
    let mut bytes = fs::read(&path).unwrap();
    let text = &message[80..120];
    let places: Vec<_> = (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] ^= 1;
    }
    fs::write(&path, &bytes).unwrap();
    let out = kefu(&data, &["verify", "--json"]);
    let value: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((out.status.code(), &value["structure"]), (Some(1), &"faulty".into()), "{value}");
    assert_eq!(value["faults"].as_array().unwrap().len(), 1, "{value}");
}
