//! Known answers, frozen in `tests/data/vectors.json` and shared with the TypeScript counterpart.
//! `KEFU_WRITE_VECTORS=1 cargo test vectors` writes what is computed again and adds what is missing;
//! `KEFU_WRITE_VECTORS=all` also seals again what was sealed with randomness.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use super::{attacks, confirmation, robots, *};
use crate::{
    announcement::{self, Expected, NewEpoch},
    directory::{Bundle, Snapshot, State},
    envelope::{self, EpochKey, MessageHeader},
    grant,
    hash::BoxKind,
    hpke,
    keyring::{Keyring, TeamBox},
    opaque,
    sign::{self, Label},
};
use kefu_proto::{ConvId, MsgId, tombstone};

const ABOUT: &str = "Known answers for the kefu protocol, version 1. Binary is hex here; inside protocol JSON (entries, \
    snapshots, certificates, states) it is as the protocol says. `keys`: Ed25519 seeds and X25519 secrets by name with their \
    public keys. `hash`, `names`, `sign`, `message`, `tombstone`, `padding`, `keyring`, `invite`, `ksf`, `directory` are \
    deterministic: compute and compare. `hpke`, `note`, `announcement`, `grant`, `team_box` were sealed with randomness: open \
    and compare. `bad_keys`: must be refused as Ed25519 keys. `directory.log` gives `state` and `heads`; each of \
    `directory.bad` must be refused at time `now` after the first `after` entries of the log and then `before` (which are \
    good); `why` is the Rust error, for people. `bundles`: verify with `fp` at `now`, giving `state`; `bad_bundles` refuse. \
    `confirmation`: see `_about` in it. `robot`: a log with a robot, entries that must not follow it, day keys to accept at `now` for `site` or to refuse; \
    `robot_announcement`: one whose bot box is for that day key (`creator`, `team`, `visitor` name `keys`).";

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

fn unhex(v: &Value) -> Vec<u8> {
    HEXLOWER.decode(v.as_str().expect("hex text").as_bytes()).expect("hex")
}

fn unhex_n<const N: usize>(v: &Value) -> [u8; N] {
    unhex(v).try_into().expect("length")
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/vectors.json")
}

fn conv() -> ConvId {
    let nonce = *seed("nonce").first_chunk().unwrap();
    hash::conv_id(&nonce, &company().fp(), &"shop".parse().unwrap(), &ed("visitor").public(), &x("visitor").public())
}

fn ek(epoch: u32) -> EpochKey {
    EpochKey::from_bytes(&seed(&format!("ek {epoch}")))
}

fn header(sender: &SigningKey, ctr: u32) -> MessageHeader {
    let msg_id = MsgId(*seed(&format!("msg {ctr}")).first_chunk().unwrap());
    let prev = *seed("prev").first_chunk().unwrap();
    MessageHeader { conv: conv(), epoch: 3, sender: sender.kid(), msg_id, inst: 0x0102_0304, ctr, prev }
}

fn header_json(h: &MessageHeader) -> Value {
    json!({"conv": h.conv, "epoch": h.epoch, "sender": h.sender, "msg_id": h.msg_id, "inst": h.inst, "ctr": h.ctr, "prev": hex(h.prev)})
}

fn keys() -> Value {
    let names = [
        "root", "recovery", "zhao", "li", "li again", "wu", "mallory", "visitor", "svc 1", "svc 2", "opaque", "bot",
        "chen", "boss", "zhou",
    ];
    let one = |n: &&str| {
        let v = json!({"ed_seed": hex(ed(n).seed()), "ed": hex(ed(n).public()), "x_sk": hex(x(n).bytes()), "x": hex(x(n).public())});
        (n.to_string(), v)
    };
    Value::Object(names.iter().map(one).collect())
}

fn names() -> Value {
    let (ed_pk, x_pk) = (ed("visitor").public(), x("visitor").public());
    let nonce = seed("nonce");
    let entry = &log().0[0];
    json!({
        "org": {"root": hex(company().root.public()), "fp": company().fp(), "text": hash::org_fp_text(&company().fp())},
        "kid": {"ed": hex(ed_pk), "kid": hash::kid(&ed_pk)},
        "box_kid": Vec::from([1, 2, 3].map(|k: usize| {
            let kind = [BoxKind::Team, BoxKind::Visitor, BoxKind::Bot][k - 1];
            json!({"kind": k, "x": hex(x_pk), "kid": hex(hash::box_kid(kind, &x_pk))})
        })),
        "conv": {"nonce": hex(&nonce[..16]), "org": company().fp(), "site": "shop", "ed": hex(ed_pk), "x": hex(x_pk), "conv": conv()},
        "commitment": {"conv": conv(), "epoch": 3, "ek": hex(ek(3).bytes()), "commitment": hex(ek(3).commitment(&conv(), 3))},
        "ann_hash": {"bytes": hex(seed("a")), "hash": hex(hash::announcement(&seed("a")))},
        "envelope_hash": {"bytes": hex(seed("e")), "hash": hex(hash::envelope(&seed("e")))},
        "entry_hash": {"entry": entry, "hash": hex(entry.hash())},
        "opaque_server": {"org": company().fp(), "id": opaque::server_id(&company().fp())},
    })
}

fn messages() -> Value {
    let visitor = ed("visitor");
    let bodies = [
        r#"{"t":"text","ts":1790000000000,"text":"你好"}"#.to_string(),
        String::new(),
        "x".repeat(255),
        "y".repeat(256),
        "z".repeat(4096),
    ];
    let one = |(i, body): (usize, &String)| {
        let h = header(&visitor, i as u32);
        let bytes = envelope::seal(&h, &ek(3), body.as_bytes(), &visitor).unwrap();
        json!({"header": header_json(&h), "ek": hex(ek(3).bytes()), "signer": "visitor", "body": body, "bytes": hex(bytes)})
    };
    bodies.iter().enumerate().map(one).collect()
}

fn bundle(log: &Log, covered: usize, by: &str) -> Bundle {
    let dir = log.first(covered).replay();
    let snapshot = Snapshot::make(&dir, NOW - 1000, NOW + 30 * 86_400_000, &ed(by));
    let admin = (by != "root").then(|| log.0[1].clone());
    Bundle { genesis: log.0[0].clone(), admin, snapshot, tail: log.0[covered..].to_vec() }
}

fn directory() -> Value {
    let log = log();
    let dir = log.replay();
    let bad: Vec<Value> = attacks::all(&log)
        .iter()
        .map(|a| json!({"name": a.name, "after": a.after, "before": a.before, "entry": a.entry, "now": a.now, "why": a.why}))
        .collect();
    let good = bundle(&log, 6, "zhao");
    let mut no_admin = good.clone();
    no_admin.admin = None;
    let mut wrong_admin = good.clone();
    wrong_admin.admin = Some(log.0[3].clone());
    let mut withheld = good.clone();
    withheld.tail.remove(0);
    let mut other_genesis = good.clone();
    other_genesis.genesis = log.0[2].clone();
    let mut by_agent = bundle(&log, 11, "li again");
    by_agent.admin = Some(log.0[10].clone());
    let mut altered = good.clone();
    altered.snapshot.raw.0[40] ^= 1;
    let bad_bundles = [
        ("the admin's entry is missing", no_admin, NOW, "Signer"),
        ("the admin's entry is an agent's", wrong_admin, NOW, "Signer"),
        ("an entry after the snapshot is left out", withheld, NOW, "Directory(Seq"),
        ("the genesis is no genesis", other_genesis, NOW, "Directory(Seq"),
        ("signed by an agent", by_agent, NOW, "Signer"),
        ("an altered byte", altered, NOW, ""),
        ("out of date", good.clone(), NOW + 31 * 86_400_000, "Stale"),
        ("signed in the future", good.clone(), NOW - 86_400_000 - 1001, "Future"),
    ];
    for (name, bundle, now, why) in &bad_bundles {
        let error = bundle.verify(company().fp(), *now).expect_err(name);
        assert!(format!("{error:?}").starts_with(why), "{name}: {error:?}");
    }
    assert!(good.verify(kefu_proto::OrgFp([1; 16]), NOW).is_err());
    json!({
        "fp": company().fp(),
        "now": NOW,
        "log": log.0,
        "heads": log.0.iter().map(|e| hex(e.hash())).collect::<Vec<_>>(),
        "state": dir.state(),
        "state_canonical": dir.state().canonical(),
        "bad": bad,
        "bundles": [good, bundle(&log, 11, "root"), bundle(&log, 11, "zhao")],
        "bad_bundles": bad_bundles.map(|(name, bundle, now, why)| json!({"name": name, "bundle": bundle, "now": now, "why": why})),
    })
}

fn deterministic() -> Map<String, Value> {
    let labels =
        [Label::Dir, Label::Fresh, Label::Ann, Label::Sig, Label::Invite, Label::Claim, Label::Grant, Label::Auth];
    let export_key = [seed("export 1"), seed("export 2")].concat();
    let nonce = *seed("nonce").first_chunk::<12>().unwrap();
    let (li, inv) = ("li".parse().unwrap(), code("wu"));
    let (cert, keys_of) = (cert("wu", Role::Agent, &inv), keyring("wu"));
    let signed = cert.sign(&ed("zhao"));
    let claim =
        invite::sign_claim(&inv.signing_key(), &signed.cert.0, &keys_of.signing.public(), &keys_of.kem.public());
    let message = envelope::seal(&header(&ed("visitor"), 0), &ek(3), b"x", &ed("visitor")).unwrap();
    let mut bad_keys: Vec<Value> =
        attacks::SMALL_ORDER.iter().map(|k| json!({"ed": k, "why": "small order"})).collect();
    // y = p … p + 18: a second spelling of 0 … 18
    bad_keys.extend((0u8..19).map(|k| {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (0xed + k, 0x7f);
        json!({"ed": hex(key), "why": "not canonical"})
    }));
    bad_keys.push(json!({"ed": format!("01{}80", "00".repeat(30)), "why": "not canonical"}));
    bad_keys.push(json!({"ed": format!("02{}", "00".repeat(31)), "why": "not on the curve"}));
    let h_parts: [&[&[u8]]; 3] = [&[], &[b"abc"], &[b"", b"\x00\xff", b"kefu"]];
    let value = json!({
        "_about": ABOUT,
        "keys": keys(),
        "hash": h_parts.map(|p| json!({"label": "x", "parts": p.iter().map(hex).collect::<Vec<_>>(), "out": hex(hash::h("x", p))})),
        "names": names(),
        "sign": labels.map(|l| json!({"label": l.word(), "signer": "li", "msg": hex(b"hello"), "sig": hex(ed("li").sign(l, b"hello"))})),
        "bad_keys": bad_keys,
        "padding": Vec::from([0usize, 1, 31, 32, 255, 256, 4095, 4096, 32768].map(|n| json!({"body": n, "padded": envelope::pad(&vec![7; n]).len()}))),
        "message": messages(),
        "tombstone": {"of": hex(&message), "bytes": hex(tombstone(&message).unwrap())},
        "keyring": {"user": "li", "version": 2, "export_key": hex(&export_key), "nonce": hex(nonce), "of": "li",
            "sealed": hex(keyring("li").seal_with(&export_key, &li, 2, nonce))},
        "invite": {"secret": hex(&seed("wu invite")[..20]), "org": company().fp(), "code": *inv.print(),
            "ed_seed": hex(inv.signing_key().seed()), "ed": hex(inv.signing_key().public()),
            "x_sk": hex(inv.kem_key().bytes()), "x": hex(inv.kem_key().public()),
            "cert": signed, "cert_signer": "zhao", "claim_by": "wu", "claim_sig": hex(claim),
            "bad_codes": [inv.print().replacen('A', "B", 1).replacen('C', "D", 1), inv.print()[..70].to_string(), "HELLO-WORLD"]},
        "ksf": {"input": hex(b"password"), "out": hex(&opaque::stretch(b"password")[..])},
        "directory": directory(),
        "robot": robots::vectors(),
        "confirmation": confirmation::vectors(),
    });
    match value {
        Value::Object(map) => map,
        _ => unreachable!("json! of an object"),
    }
}

fn sealed() -> Map<String, Value> {
    let (dir, li, visitor) = (log().replay(), ed("li again"), ed("visitor"));
    let ann = |epoch: u32, prev: [u8; 32], by: &SigningKey, bot: Option<[u8; 32]>| {
        let (team, visitor) = (x("svc 2").public(), x("visitor").public());
        let new = NewEpoch { conv: conv(), epoch, prev, dir_seq: dir.seq(), dir_head: dir.head(), team, visitor, bot };
        announcement::create_with(&new, &ek(epoch), by).unwrap()
    };
    let first = ann(0, [0; 32], &visitor, Some(x("bot").public()));
    let second = ann(1, announcement::hash(&first), &li, None);
    let list = [(first, "visitor", true), (second, "li again", false)];
    let anns: Vec<Value> = list
        .iter()
        .enumerate()
        .map(|(epoch, (b, by, bot))| {
            json!({"epoch": epoch, "creator": by, "bot": bot, "team": "svc 2", "visitor": "visitor",
            "dir_seq": dir.seq(), "dir_head": hex(dir.head()), "ek": hex(ek(epoch as u32).bytes()), "bytes": hex(b)})
        })
        .collect();
    let with_robot = robots::log_with_robot().replay();
    let (dir_seq, dir_head, bot) = (with_robot.seq(), with_robot.head(), Some(x("bot day").public()));
    let (team, visitor_x) = (x("svc 2").public(), x("visitor").public());
    let new = NewEpoch { conv: conv(), epoch: 0, prev: [0; 32], dir_seq, dir_head, team, visitor: visitor_x, bot };
    let robot_ann = announcement::create_with(&new, &ek(0), &visitor).unwrap();
    let hpke_one = hpke::seal(&x("li").public(), b"info", b"aad", b"plaintext").unwrap();
    let note = envelope::seal_note(&header(&li, 9), &x("svc 2").public(), r#"{"t":"note"}"#.as_bytes(), &li).unwrap();
    let granted = [(0, ek(0)), (1, ek(1))];
    let grant = grant::create(conv(), &granted, BoxKind::Team, &x("svc 1").public(), &li).unwrap();
    let team_box = TeamBox::seal(&"svc".parse().unwrap(), 2, &x("svc 2"), &x("li").public()).unwrap();
    let value = json!({
        "hpke": [{"to": "li", "info": hex(b"info"), "aad": hex(b"aad"), "enc": hex(hpke_one.enc.0), "ct": hex(hpke_one.ct), "pt": hex(b"plaintext")}],
        "note": {"header": header_json(&header(&li, 9)), "team": "svc 2", "signer": "li again", "body": r#"{"t":"note"}"#, "bytes": hex(note)},
        "announcement": anns,
        "robot_announcement": {"epoch": 0, "creator": "visitor", "team": "svc 2", "visitor": "visitor", "dir_seq": dir_seq,
            "dir_head": hex(dir_head), "ek": hex(ek(0).bytes()), "bytes": hex(robot_ann)},
        "grant": {"conv": conv(), "kind": 1, "to": "svc 1", "creator": "li again", "bytes": hex(grant),
            "keys": granted.iter().map(|(e, k)| json!({"epoch": e, "ek": hex(k.bytes()), "commitment": hex(k.commitment(&conv(), *e))})).collect::<Vec<_>>()},
        "team_box": {"to": "li", "box": team_box, "secret": "svc 2"},
    });
    match value {
        Value::Object(map) => map,
        _ => unreachable!("json! of an object"),
    }
}

fn file() -> Value {
    if let Some(how) = std::env::var_os("KEFU_WRITE_VECTORS") {
        let old = std::fs::read_to_string(path()).ok().filter(|_| how != "all");
        let mut map: Map<String, Value> = old.map(|t| serde_json::from_str(&t).unwrap()).unwrap_or_default();
        sealed().into_iter().for_each(|(key, value)| _ = map.entry(key).or_insert(value));
        map.extend(deterministic());
        std::fs::write(path(), serde_json::to_string_pretty(&Value::Object(map)).unwrap() + "\n").unwrap();
    }
    serde_json::from_str(&std::fs::read_to_string(path()).expect("tests/data/vectors.json")).unwrap()
}

#[test]
fn vectors_are_what_the_code_makes_and_opens() {
    let file = file();
    for (key, value) in deterministic() {
        assert_eq!(file[&key], value, "{key} differs; if the protocol changed on purpose, write the vectors again");
    }
    opens(&file);
    for bad in file["bad_keys"].as_array().unwrap() {
        assert!(sign::check_public(&unhex_n(&bad["ed"])).is_err(), "{bad}");
    }
    for bad in file["invite"]["bad_codes"].as_array().unwrap() {
        assert!(InviteCode::parse(bad.as_str().unwrap()).is_err(), "{bad}");
    }
    let state: State = serde_json::from_value(file["directory"]["state"].clone()).unwrap();
    for bundle in file["directory"]["bundles"].as_array().unwrap() {
        let bundle: Bundle = serde_json::from_value(bundle.clone()).unwrap();
        assert_eq!(*bundle.verify(company().fp(), NOW).unwrap().state(), state);
    }
    let k = &file["keyring"];
    let opened = Keyring::open(&unhex(&k["sealed"]), &unhex(&k["export_key"]), &"li".parse().unwrap(), 2).unwrap();
    assert_eq!((opened.signing.seed(), opened.kem.bytes()), (ed("li").seed(), x("li").bytes()));
}

/// What was sealed with randomness decrypts to the expected text.
fn opens(file: &Value) {
    let (dir, li) = (log().replay(), ed("li again").public());
    for v in file["hpke"].as_array().unwrap() {
        let sk = x(v["to"].as_str().unwrap());
        let pt = hpke::open(&sk, &unhex(&v["enc"]), &unhex(&v["info"]), &unhex(&v["aad"]), &unhex(&v["ct"])).unwrap();
        assert_eq!(*pt, unhex(&v["pt"]));
    }
    for m in file["message"].as_array().unwrap() {
        let pt =
            envelope::open(&unhex(&m["bytes"]), &EpochKey::from_bytes(&unhex_n(&m["ek"])), &ed("visitor").public());
        assert_eq!(*pt.unwrap(), m["body"].as_str().unwrap().as_bytes());
    }
    let n = &file["note"];
    let pt = envelope::open_note(&unhex(&n["bytes"]), &x("svc 2"), &li).unwrap();
    assert_eq!(*pt, n["body"].as_str().unwrap().as_bytes());
    let mut prev = [0; 32];
    let bot = hash::box_kid(BoxKind::Bot, &x("bot").public());
    for (epoch, a) in file["announcement"].as_array().unwrap().iter().enumerate() {
        let bytes = unhex(&a["bytes"]);
        let (team, visitor) = (x("svc 2").public(), x("visitor").public());
        let creator = ed(a["creator"].as_str().unwrap()).public();
        let (conv, epoch, bot) = (conv(), epoch as u32, a["bot"].as_bool().unwrap().then_some(bot));
        let (creator, directory) = (&creator, &dir);
        let want = Expected { conv, epoch, prev, creator, directory, team: &team, visitor: &visitor, bot };
        announcement::verify(&bytes, &want).unwrap();
        for (kind, sk) in [(BoxKind::Team, x("svc 2")), (BoxKind::Visitor, x("visitor"))] {
            assert_eq!(announcement::open(&bytes, kind, &sk).unwrap().bytes()[..], unhex(&a["ek"]));
        }
        prev = announcement::hash(&bytes);
    }
    let a = &file["robot_announcement"];
    let bytes = unhex(&a["bytes"]);
    let (with_robot, creator) = (robots::log_with_robot().replay(), ed("visitor").public());
    let (team, visitor, day) = (x("svc 2").public(), x("visitor").public(), x("bot day"));
    let bot = hash::box_kid(BoxKind::Bot, &day.public());
    let want = Expected {
        conv: conv(),
        epoch: 0,
        prev: [0; 32],
        creator: &creator,
        directory: &with_robot,
        team: &team,
        visitor: &visitor,
        bot: Some(bot),
    };
    announcement::verify(&bytes, &want).unwrap();
    assert_eq!(announcement::open(&bytes, BoxKind::Bot, &day).unwrap().bytes()[..], unhex(&a["ek"]));
    assert!(announcement::verify(&bytes, &Expected { bot: None, ..want }).is_err(), "a robot nobody expects");
    let g = &file["grant"];
    let bytes = unhex(&g["bytes"]);
    grant::verify(&bytes, conv(), &li).unwrap();
    let granted = grant::open(&bytes, BoxKind::Team, &x("svc 1"), |e| Some(ek(e).commitment(&conv(), e))).unwrap();
    assert_eq!(
        granted.iter().map(|(e, k)| (*e, *k.bytes())).collect::<Vec<_>>(),
        [(0, seed("ek 0")), (1, seed("ek 1"))]
    );
    let b: TeamBox = serde_json::from_value(file["team_box"]["box"].clone()).unwrap();
    assert_eq!(b.open(&x("li")).unwrap().bytes(), x("svc 2").bytes());
}
