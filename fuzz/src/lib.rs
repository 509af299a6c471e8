//! What reads bytes of strangers, as functions of bytes: they may refuse, but never panic, hang or take memory without end.
//!
//! [`TARGETS`] lists them with their seeds: known good and known bad inputs of the tests. Three ways to run them:
//! `cargo test -p kefu-fuzz` replays the seeds and `corpus/` (part of `make test`), `make fuzz` changes seeds at random for a
//! minute each on any compiler, and a coverage-guided fuzzer can call the same functions.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "seeds are files of this repository")]

pub mod mutate;

use std::{fs, path::Path, sync::LazyLock};

use data_encoding::HEXLOWER;
use kefu_crypto::{
    announcement::{self, Expected},
    directory::{Directory, Entry},
    grant,
    hash::BoxKind,
    recall,
    testing::{company, ed, log, x},
};
use kefu_nlu::{
    Tokenizer,
    intent::IntentClassifier,
    knowledge::import::{self, Kind},
    table::Reading,
    text_file::Report,
};
use kefu_proto::{
    AnnouncementView, ClientFrame, DocumentView, HeaderView, RecallView, RecordView, conversation_of, tombstone,
};
use kefu_store::{
    archive::{Header, Reader, Writer},
    redb::DumpCheck,
};
use serde_json::Value;

/// A parser, by its name, with what to begin from.
pub struct Target {
    /// Name of its folder in `corpus/`.
    pub name: &'static str,
    /// Reads the bytes; must return.
    pub run: fn(&[u8]),
    /// Inputs of the tests.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 7] = [
    Target { name: "envelope", run: envelope, seeds: envelopes },
    Target { name: "client_frame", run: client_frame, seeds: client_frames },
    Target { name: "directory", run: directory, seeds: directories },
    Target { name: "announcement", run: announcement, seeds: envelopes },
    Target { name: "table", run: table, seeds: tables },
    Target { name: "model_file", run: model_file, seeds: model_files },
    Target { name: "backup", run: backup, seeds: backups },
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Headers of all kinds of envelopes, and records around them.
pub fn envelope(bytes: &[u8]) {
    let _ = HeaderView::parse(bytes).map(|(_, header)| (header.conv(), header.msg_id(), header.ctr()));
    if let Ok(view) = AnnouncementView::parse(bytes) {
        let _ = (view.boxes().count(), view.signed(), view.dir_seq(), view.has_bot());
    }
    if let Ok(view) = DocumentView::parse(bytes) {
        let _ = (view.id(), view.rev(), view.header(), view.signed(), view.scope.to_string());
    }
    let _ = RecallView::parse(bytes).map(|view| (view.hash(), view.takes_back()));
    let _ = (conversation_of(bytes), tombstone(bytes));
    let _ = RecordView::parse(bytes).map(|record| (record.conv(), record.event()));
}

fn vectors() -> Value {
    serde_json::from_slice(&fs::read(root().join("tests/data/vectors.json")).unwrap()).unwrap()
}

/// Every hex string below `bytes` in the vectors.
fn envelopes() -> Vec<Vec<u8>> {
    fn walk(value: &Value, found: &mut Vec<Vec<u8>>) {
        match value {
            Value::Array(list) => list.iter().for_each(|v| walk(v, found)),
            Value::Object(map) => map.iter().for_each(|(name, v)| match v.as_str().filter(|_| name == "bytes") {
                Some(hex) => found.extend(HEXLOWER.decode(hex.as_bytes())),
                None => walk(v, found),
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&vectors(), &mut found);
    let documents = fs::read(root().join("tests/data/document.json")).unwrap();
    let documents: Value = serde_json::from_slice(&documents).unwrap();
    found.extend(
        ["sealed", "public"].map(|name| HEXLOWER.decode(documents[name].as_str().unwrap().as_bytes()).unwrap()),
    );
    found
}

/// Text frames.
pub fn client_frame(bytes: &[u8]) {
    if let Ok(frame) = serde_json::from_slice::<ClientFrame>(bytes) {
        // what was read can be written and read again
        let again = serde_json::to_vec(&frame).unwrap();
        assert_eq!(serde_json::from_slice::<ClientFrame>(&again).unwrap(), frame);
    }
}

fn client_frames() -> Vec<Vec<u8>> {
    let conv = "42bf1a7a7e6f5932225fd2aba01adc30";
    [
        r#"{"t":"hello","v":1,"ed":"AAAA","sig":"AAAA","rev":2}"#.to_owned(),
        r#"{"t":"ping"}"#.to_owned(),
        format!(r#"{{"t":"resume","convs":[{{"id":"{conv}","have":3,"seq":3,"mark":"0011223344556677","gen":"0"}}]}}"#),
        format!(r#"{{"t":"open","req":1,"id":"{conv}","nonce":"AAAA","ann":"AAAA"}}"#),
        format!(r#"{{"t":"accept","req":2,"conv":"{conv}"}}"#),
        format!(r#"{{"t":"typing","conv":"{conv}"}}"#),
        r#"{"t":"status","req":3,"state":"online"}"#.to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// A log of the key directory, as a list in JSON.
pub fn directory(bytes: &[u8]) {
    let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(bytes) else { return };
    for entry in &entries {
        let _ = (entry.read(), entry.at(), entry.hash());
    }
    let _ = Directory::replay(company().fp(), &entries, None);
}

fn directories() -> Vec<Vec<u8>> {
    let whole = log().0;
    let vectors = vectors();
    let bad = vectors["directory"]["bad"].as_array().unwrap();
    let bad = bad.iter().map(|case| serde_json::to_vec(&[&case["entry"]]).unwrap());
    std::iter::once(serde_json::to_vec(&whole).unwrap()).chain(bad).collect()
}

/// What begins an epoch, hands keys on, or takes a message back, in a company that the bytes know nothing of.
pub fn announcement(bytes: &[u8]) {
    let Some(conv) = conversation_of(bytes) else { return };
    let creator = ed("visitor").public();
    static DIRECTORY: LazyLock<Directory> = LazyLock::new(|| log().replay());
    let (team, visitor) = (x("svc 1").public(), x("visitor").public());
    let expected = Expected {
        conv,
        epoch: 0,
        prev: [0; 32],
        creator: &creator,
        directory: &DIRECTORY,
        team: &team,
        visitor: &visitor,
        bot: None,
    };
    let _ = announcement::verify(bytes, &expected);
    let _ = announcement::open(bytes, BoxKind::Visitor, &x("visitor"));
    let _ = grant::verify(bytes, conv, &creator);
    let _ = recall::verify(bytes, &creator).map(|view| recall::fits(&view, bytes));
}

/// Knowledge that a company imports: the first byte selects the type of file.
pub fn table(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let kind = [Kind::Xlsx, Kind::Csv, Kind::Markdown, Kind::Json][usize::from(*kind) % 4];
    let _ = import::read(rest, kind, &Reading::default(), &mut Report::default());
}

fn tables() -> Vec<Vec<u8>> {
    let mut found = vec![b"\x02# How long?\n\nTwo days.\n".to_vec(), br#".[{"question":"q","answer":"a"}]"#.to_vec()];
    found[1][0] = 3;
    for file in fs::read_dir(root().join("tests/data/imports")).unwrap().map(|e| e.unwrap().path()) {
        let kind = u8::from(file.extension().is_some_and(|e| e == "csv"));
        found.push([vec![kind], fs::read(&file).unwrap()].concat());
    }
    found
}

/// A tokenizer of a company's own language model, and a classifier of intents from a data directory.
pub fn model_file(bytes: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_json(bytes) {
        let _ = tokenizer.encode("Where is my order? 我要退货 1,299.00", 64);
    }
    let _ = Tokenizer::from_vocab(bytes, true).map(|tokenizer| tokenizer.encode("订单 order", 16));
    let _ = IntentClassifier::from_bytes(bytes);
}

fn model_files() -> Vec<Vec<u8>> {
    let tokenizer: Value =
        serde_json::from_slice(&fs::read(root().join("models/default/tokenizer.json")).unwrap()).unwrap();
    // a few words are enough, and a thousand times quicker to change
    let mut small = tokenizer.clone();
    if let Some(vocab) = small["model"]["vocab"].as_object_mut() {
        let keep: Vec<String> =
            vocab.iter().filter(|(_, id)| id.as_u64() < Some(200)).map(|(w, _)| w.clone()).collect();
        vocab.retain(|word, _| keep.contains(word));
    }
    let vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n订\n单\norder\n##s\n";
    vec![serde_json::to_vec(&small).unwrap(), vocab.as_bytes().to_vec()]
}

/// A backup, as it is checked before a restore.
pub fn backup(bytes: &[u8]) {
    let Ok(mut reader) = Reader::new(bytes) else { return };
    let Ok(mut check) = DumpCheck::new(reader.header()) else { return };
    while let Ok(Some(entry)) = reader.next_entry() {
        if check.entry(&entry).is_err() {
            return;
        }
    }
    let _ = check.finish();
}

fn backups() -> Vec<Vec<u8>> {
    let header = Header { schema: 4, created_ms: 1, kefu: "0.2.0".into() };
    let begin = || Writer::new(Vec::new(), &header).unwrap();
    let mut whole = begin();
    whole.table("records").unwrap();
    for seq in 1..=2 {
        whole.row(&[&[7; 16][..], &[0; 7], &[seq]].concat(), &[0; 8]).unwrap();
    }
    whole.table("meta").unwrap();
    whole.row(b"schema", &[0, 0, 0, 4]).unwrap();
    whole.file("tls/server.pem").unwrap();
    whole.data(b"certificate").unwrap();
    vec![whole.finish().unwrap().0, begin().finish().unwrap().0]
}
