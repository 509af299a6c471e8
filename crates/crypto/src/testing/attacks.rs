//! What a hostile server or an overreaching colleague can try on the directory; each is refused for the right reason.

use super::*;
use crate::directory::{DirectoryError, Snapshot, SnapshotError};
use kefu_proto::OrgFp;

/// An attempt on the directory.
pub struct Attempt {
    /// Description of the attempt.
    pub name: &'static str,
    /// How many entries of the small company precede it.
    pub after: usize,
    /// Further good entries before it.
    pub before: Vec<Entry>,
    /// The entry to refuse.
    pub entry: Entry,
    /// The reader's time.
    pub now: u64,
    /// How the refusal begins, as the error prints in debug form.
    pub why: &'static str,
}

impl Attempt {
    /// What becomes of it.
    pub fn run(&self, fp: OrgFp, log: &Log) -> Result<(), DirectoryError> {
        let entries: Vec<Entry> = log.0[..self.after].iter().chain(&self.before).cloned().collect();
        if entries.is_empty() {
            return Directory::genesis(fp, &self.entry).map(|_| ());
        }
        let mut dir = Directory::replay(fp, &entries, None).expect(self.name);
        let before = dir.clone();
        let result = dir.apply(&self.entry);
        if result.is_err() {
            assert_eq!((dir.state(), dir.seq(), dir.head()), (before.state(), before.seq(), before.head()));
        }
        result
    }
}

/// The keys of small order, canonically encoded where there is such an encoding.
pub const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
];

/// All attempts.
pub fn all(log: &Log) -> Vec<Attempt> {
    let (root, zhao, li, mallory) = (company().root, ed("zhao"), ed("li"), ed("mallory"));
    let mut out = Vec::new();
    let mut put = |name, after: usize, body: &Body, by: &SigningKey, why| {
        let entry = log.first(after).next(body, by);
        out.push(Attempt { name, after, before: vec![], entry, now: NOW, why });
    };
    let mut foreign = genesis();
    if let Body::Genesis(g) = &mut foreign {
        g.root = Key32(mallory.public());
    }
    put("another company's genesis", 0, &foreign, &mallory, "Pin");
    put("a genesis that names another root key", 0, &foreign, &root, "Root");
    put("a log that does not begin with a genesis", 0, &team("svc", 1, "svc 1"), &root, "NoGenesis");
    put("a second genesis", 11, &genesis(), &root, "SecondGenesis");
    put("a stranger appends a team key", 4, &team("svc", 2, "mallory"), &mallory, "Signer");
    put("an agent switches a colleague off", 4, &agent("zhao", false, None), &li, "Signer");
    put("an agent who was switched off signs", 9, &team("svc", 2, "mallory"), &li, "Signer");
    put("an admin appoints an admin", 4, &agent("li", true, Some(Role::Admin)), &zhao, "RootOnly");
    put("an admin switches an admin off", 4, &agent("zhao", false, None), &zhao, "RootOnly");
    put("a change of somebody who does not exist", 4, &agent("nobody", true, None), &zhao, "UnknownUser");
    put("an admin invites an admin", 4, &enrol_by("wu", Role::Admin, "wu", &zhao, "wu"), &ed("wu"), "CertSigner");
    put("an agent invites an agent", 4, &enrol_by("wu", Role::Agent, "wu", &li, "wu"), &ed("wu"), "CertSigner");
    put("a new team that begins with key 2", 4, &team("new", 2, "new"), &zhao, "TeamEpoch");
    put("a new team that begins with key 0", 4, &team("new", 0, "new"), &zhao, "TeamEpoch");
    put("the old team key offered again", 10, &team("svc", 1, "svc 1"), &zhao, "TeamEpoch");
    put("a team key number that jumps", 10, &team("svc", 4, "svc 4"), &zhao, "TeamEpoch");
    put("another team key under the same number", 10, &team("svc", 2, "mallory"), &zhao, "TeamKey");
    put("the same team key under the next number", 10, &team("svc", 3, "svc 2"), &zhao, "TeamKey");
    put("a used invite used again", 9, &enrol_by("li", Role::Agent, "li", &zhao, "li"), &li, "InviteUsed");
    put("a revoked invite", 8, &enrol_by("wu", Role::Agent, "revoked", &zhao, "wu"), &ed("wu"), "InviteUsed");
    put(
        "a user with an active key enrols",
        11,
        &enrol_by("li", Role::Agent, "x", &zhao, "wu"),
        &ed("wu"),
        "UserActive",
    );
    put(
        "an enrolment not signed by its own key",
        4,
        &enrol_by("wu", Role::Agent, "wu", &zhao, "wu"),
        &zhao,
        "NotOwnKey",
    );
    enrolments(log, &mut out);
    bytes(log, &mut out);
    out
}

/// Certificates and claims that do not fit.
fn enrolments(log: &Log, out: &mut Vec<Attempt>) {
    let (zhao, wu) = (ed("zhao"), keyring("wu"));
    let mut put = |name, why, now, change: &dyn Fn(&mut Cert, &mut SigningKey), after: &dyn Fn(&mut EnrolBody)| {
        let code = code("wu");
        let mut cert = cert("wu", Role::Agent, &code);
        let mut by = zhao.clone();
        change(&mut cert, &mut by);
        let mut body = enrol(&cert, &cert.sign(&by), &code, &wu);
        after(&mut body);
        let entry = log.first(4).next(&Body::Enrol(body), &wu.signing);
        out.push(Attempt { name, after: 4, before: vec![], entry, now, why });
    };
    put("another company's invite", "Invite(Org)", NOW, &|c, _| c.org = OrgFp([9; 16]), &|_| {});
    put("a certificate of version 2", "Invite(Version", NOW, &|c, _| c.v = 2, &|_| {});
    put("a stranger's certificate", "CertSigner", NOW, &|_, by| *by = ed("mallory"), &|_| {});
    put("a certificate in an admin's name", "Invite(Cert(Signature))", NOW, &|_, by| *by = ed("mallory"), &|e| {
        e.cert_signer = Key32(ed("zhao").public());
    });
    put("an invite of another user", "CertMismatch(\"user\")", NOW, &|_, _| {}, &|e| e.user = "boss".parse().unwrap());
    put("a higher role than invited", "CertMismatch(\"role\")", NOW, &|_, _| {}, &|e| e.role = Role::Supervisor);
    put("another name than invited", "CertMismatch(\"name\")", NOW, &|_, _| {}, &|e| e.name = "Boss".into());
    put("more teams than invited", "CertMismatch(\"teams\")", NOW, &|_, _| {}, &|e| {
        e.teams.push("vip".parse().unwrap());
    });
    put("a key that the invite did not claim", "Invite(Claim(Signature))", NOW, &|_, _| {}, &|e| {
        let (ed, x) = (ed("wu").public(), x("wu").public());
        e.claim_sig = invite::sign_claim(&code("mallory").signing_key(), &e.cert.0, &ed, &x).to_vec().into();
    });
    put("an X25519 key swapped in", "Invite(Claim(Signature))", NOW, &|_, _| {}, &|e| {
        e.x = Key32(x("mallory").public());
    });
    // R = identity, S = 0 verifies under this key in lax libraries
    let code = code("wu");
    let cert = cert("wu", Role::Agent, &code);
    let mut body = enrol(&cert, &cert.sign(&zhao), &code, &wu);
    let small: Key32 = Key32(data_encoding::HEXLOWER.decode(SMALL_ORDER[0].as_bytes()).unwrap().try_into().unwrap());
    body.ed = small;
    body.claim_sig = invite::sign_claim(&code.signing_key(), &cert_raw(&body), &small.0, &body.x.0).to_vec().into();
    let mut entry = log.first(4).next(&Body::Enrol(body), &wu.signing);
    entry.signer = small;
    entry.sig = [&small.0[..], &[0; 32]].concat().into();
    let (name, why) = ("a key of small order", "Sign(SmallOrder)");
    out.push(Attempt { name, after: 4, before: vec![], entry, now: NOW, why });
}

fn cert_raw(e: &EnrolBody) -> Vec<u8> {
    e.cert.0.clone()
}

/// Wrong places, altered bytes, wrong forms.
fn bytes(log: &Log, out: &mut Vec<Attempt>) {
    let (root, zhao) = (company().root, ed("zhao"));
    let good = log.first(4).next(&team("svc", 2, "svc 2"), &zhao);
    let mut put = |name, why, after, before: Vec<Entry>, entry| {
        out.push(Attempt { name, after, before, entry, now: NOW, why });
    };
    put("an entry of the past", "Seq", 11, vec![], log.0[2].clone());
    put("an entry left out", "Seq", 4, vec![], log.0[5].clone());
    let branch = log.first(3).next(&team("svc", 2, "svc 2"), &zhao);
    let mut other = log.first(3);
    other.0.push(branch);
    put("an entry of another branch", "Fork", 4, vec![], other.next(&agent("zhao", true, None), &root));
    let mut edited = good.clone();
    let text = String::from_utf8(edited.raw.0).unwrap();
    let old = Key32(x("svc 2").public()).to_string();
    edited.raw = text.replace(&old, &Key32(x("mallory").public()).to_string()).into_bytes().into();
    put("a team key edited in place", "Sign(Signature)", 4, vec![], edited);
    let mut label = good.clone();
    label.sig = zhao.sign(crate::sign::Label::Fresh, &label.raw.0).to_vec().into();
    put("a signature made for something else", "Sign(Signature)", 4, vec![], label);
    let mut short = good.clone();
    short.sig.0.pop();
    put("a signature cut short", "Sign(Signature)", 4, vec![], short);
    let text = String::from_utf8(good.raw.0.clone()).unwrap();
    put("version 2", "Version(2)", 4, vec![], raw_entry(text.replacen("\"v\":1", "\"v\":2", 1), &zhao));
    put("not JSON", "Json", 4, vec![], raw_entry("hello".into(), &zhao));
    put("a field missing", "Json", 4, vec![], raw_entry(text.replace("\"on\":true", "\"of\":true"), &zhao));
    put("an id that is none", "Json", 4, vec![], raw_entry(text.replace("\"id\":\"svc\"", "\"id\":\"Svc!\""), &zhao));
    put("a key of 31 bytes", "Json", 4, vec![], raw_entry(text.replace(&old, &old[2..]), &zhao));
    let mut off = log.clone();
    off.add(&agent("zhao", false, None), &root);
    let after_off = off.next(&team("svc", 3, "svc 3"), &zhao);
    put("an admin who was switched off", "Signer", 11, vec![off.0[11].clone()], after_off);
    let unknown = text.replace("\"t\":\"team\"", "\"t\":\"policy\"");
    put("an unknown kind of entry by a stranger", "Signer", 4, vec![], raw_entry(unknown, &ed("mallory")));
}

#[test]
fn every_attempt_is_refused_for_the_right_reason() {
    let log = log();
    for a in all(&log) {
        let error = a.run(company().fp(), &log).expect_err(a.name);
        assert!(format!("{error:?}").starts_with(a.why), "{}: {error:?}, not {}", a.name, a.why);
    }
}

#[test]
fn keys_count_within_their_span() {
    let dir = log().replay();
    let (old, new) = (ed("li").public(), ed("li again").public());
    assert!(dir.certified(&old, 7).is_some(), "before they were switched off by entry 8");
    assert!(dir.certified(&old, 8).is_none(), "switched off by then");
    assert!(dir.certified(&new, 0).is_some(), "certified at that entry or later");
    assert!(dir.agent_by_ed(&old).is_none() && dir.agent_by_kid(&hash::kid(&old)).is_none());
    assert_eq!(dir.agent_by_ed(&new).unwrap().user.as_str(), "li");
    assert_eq!(dir.agent_by_kid(&hash::kid(&new)).unwrap().teams.len(), 1);
}

#[test]
fn snapshots_of_the_wrong_people_times_and_places_are_refused() {
    let (log, zhao) = (log(), ed("zhao"));
    let dir = log.replay();
    let good = Snapshot::make(&dir, NOW, NOW + 1000, &zhao);
    assert!(good.verify(&dir, NOW).is_ok());
    assert_eq!(good.verify(&dir, NOW + 1001), Err(SnapshotError::Stale));
    assert!(good.verify(&dir, NOW - crate::directory::MAX_AHEAD_MS).is_ok());
    assert_eq!(good.verify(&dir, NOW - crate::directory::MAX_AHEAD_MS - 1), Err(SnapshotError::Future));
    let withheld = log.first(10).replay();
    assert_eq!(good.verify(&withheld, NOW), Err(SnapshotError::Withheld(10)));
    let mut other = log.first(10);
    other.add(&agent("zhao", true, None), &company().root);
    assert_eq!(good.verify(&other.replay(), NOW), Err(SnapshotError::Fork(10)));
    let agents = Snapshot::make(&dir, NOW, NOW + 1000, &ed("li again"));
    assert_eq!(agents.verify(&dir, NOW), Err(SnapshotError::Signer));
    let long = Snapshot::make(&dir, NOW, NOW + 181 * 86_400_000, &zhao);
    assert_eq!(long.verify(&dir, NOW), Err(SnapshotError::TooLong));
    let text = String::from_utf8(good.raw.0.clone()).unwrap();
    let forged = text.replace("Name of zhao", "Name of boss").into_bytes();
    let sig = zhao.sign(crate::sign::Label::Fresh, &forged).to_vec().into();
    let forged = Snapshot { raw: forged.into(), signer: good.signer, sig };
    assert_eq!(forged.verify(&dir, NOW), Err(SnapshotError::State));
}
