//! Makes a data directory with an old version: a test of that version, which `make.sh` puts beside its own.
//!
//! The executable creates the company, people use their invites, and clients talk over sockets of a running server. What the
//! server has at the end goes to a file that the test of upgrades reads.

#[path = "it/support/mod.rs"]
mod support;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use kefu::{
    crypto::{
        codec::{Bytes, Key32, b64u},
        directory::{Body, EnrolBody, Entry},
        grant,
        hash::{self, BoxKind},
        hpke::KemSecret,
        invite::{Cert, InviteCode, sign_claim},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        opaque::ClientRegistration,
        sign::SigningKey,
    },
    org::{InviteClaim, InviteOpen, InviteRegister, Org},
    proto::{AgentState, ClientFrame, ConvId, ConvState, Owner},
    store::{
        Store,
        redb::{Options, RedbStore},
    },
};
use serde_json::{Value, json};
use support::{
    company::Company,
    peer::{Me, Peer},
};

const PASSWORD: &str = "a good password";

fn kefu(data: &Path, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
    let out = command.args(args).arg("--json").arg("--data-dir").arg(data).stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stdout));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn open(data: &Path) -> (Arc<dyn Store>, Arc<Org>) {
    let (store, _feed) = RedbStore::open(&data.join("kefu.redb"), Options::default()).unwrap();
    let store: Arc<dyn Store> = store;
    let org = Org::open(store.clone(), &fs::read(data.join("opaque.setup")).unwrap()).unwrap();
    (store, org)
}

/// Uses an invite as the console does. Returns the person's keys and those of their teams.
async fn enrol(data: &Path, code: &str) -> (Keyring, Vec<KemSecret>) {
    let (store, org) = open(data);
    let code = InviteCode::parse(code).unwrap();
    let inv = Key32(code.signing_key().public());
    let opened = org.invite_open(InviteOpen { inv }).await.unwrap();
    let cert = Cert::verify(&opened.cert.0, &opened.signer.0, &opened.sig.0, &org.fp()).unwrap();

    let (registration, m) = ClientRegistration::start(PASSWORD).unwrap();
    let answer = org.invite_register(InviteRegister { inv, m: Bytes(m) }).await.unwrap();
    let server = org.directory().state().opaque.0;
    let done = registration.finish(PASSWORD, &answer.m.0, &cert.user, &org.fp(), &server).unwrap();

    let keyring = Keyring { signing: SigningKey::generate(), kem: KemSecret::generate() };
    let (ed, x) = (keyring.signing.public(), keyring.kem.public());
    let claim = sign_claim(&code.signing_key(), &opened.cert.0, &ed, &x);
    let body = Body::Enrol(EnrolBody {
        user: cert.user.clone(),
        role: cert.role,
        name: cert.name,
        teams: cert.teams,
        ed: Key32(ed),
        x: Key32(x),
        cert: opened.cert,
        cert_signer: opened.signer,
        cert_sig: opened.sig,
        claim_sig: Bytes(claim.to_vec()),
    });
    let dir = org.directory();
    let entry = Entry::sign(dir.seq() + 1, &dir.head(), org.now_ms(), &body, &keyring.signing);
    let keys: Vec<_> = opened.boxes.iter().map(|b| (b, b.open(&code.kem_key()).unwrap())).collect();
    let boxes = keys.iter().map(|(b, key)| TeamBox::seal(&b.team, b.epoch, key, &x).unwrap()).collect();
    let sealed = keyring.seal(&done.export_key, &cert.user, 1);
    let claim = InviteClaim { inv, entry, record: Bytes(done.message), keyring: Bytes(sealed), boxes };
    org.invite_claim(claim).await.unwrap();
    drop(org);
    store.close().await;
    (keyring, keys.into_iter().map(|(_, key)| key).collect())
}

/// Unconfirmed, a person may act until the invite expires. The first version has no command for it, but a new snapshot.
fn confirm(data: &Path, user: &str) {
    let help = Command::new(env!("CARGO_BIN_EXE_kefu")).args(["user", "confirm", "--help"]).output().unwrap();
    match help.status.success() {
        true => kefu(data, &["user", "confirm", user]),
        false => kefu(data, &["directory", "refresh"]),
    };
}

async fn company(data: &Path) -> Arc<Company> {
    kefu(data, &["init", "--no-passphrase", "--name", "Shop", "--host", "localhost"]);
    for team in ["svc", "vip"] {
        kefu(data, &["team", "add", team]);
    }
    kefu(data, &["site", "add", "s1", "--team", "svc", "--origin", "https://shop.example"]);
    let (mut people, mut teams) = (BTreeMap::new(), Vec::new());
    for (user, team) in [("li", "svc"), ("zhou", "vip")] {
        let made = kefu(data, &["user", "add", user, "--team", team]);
        let (keyring, keys) = enrol(data, made["invite"]["code"].as_str().unwrap()).await;
        people.insert(user.to_owned(), keyring);
        teams.extend(keys);
        confirm(data, user);
    }
    let (store, org) = open(data);
    let directory = org.directory();
    drop(org);
    store.close().await;
    let keys = CompanyKeys::from_text(&fs::read_to_string(data.join("company.keys")).unwrap(), None).unwrap();
    Company::existing(data, keys, directory, people, teams)
}

fn serve(data: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kefu"))
        .args(["serve", "--listen", "127.0.0.1:0", "--plain-http", "--data-dir"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim_end().strip_prefix("kefu listens on ").expect(&first).parse().unwrap();
    (child, address)
}

fn stop(server: &mut Child) {
    let pid = rustix::process::Pid::from_child(server);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}

/// What the server has of a conversation, and what people read in it.
async fn conversation(reader: &mut Peer, conv: ConvId, visitor: usize, state: &str) -> Value {
    let records = reader.history(conv).await;
    let line = |r: &bytes::Bytes| b64u(&hash::h("kefu test of upgrades", &[r]));
    // what was taken back is an empty text only to those who had seen it
    let texts = reader.texts(conv).into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    json!({
        "conv": conv.to_string(),
        "visitor": visitor,
        "reader": reader.me.user,
        "state": state,
        "texts": texts,
        "records": records.iter().map(line).collect::<Vec<_>>(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn make() {
    let out = PathBuf::from(env::var_os("KEFU_OUT").unwrap());
    let data = out.join("data");
    let company = company(&data).await;
    let (mut server, mut addr) = serve(&data);
    let people = ["li", "zhou"].map(|user| Me::agent(&company, user));
    let visitors: Vec<_> = (0..3).map(|_| Me::visitor("s1")).collect();
    let mut li = Peer::try_connect(&company, addr, &people[0]).await.unwrap();
    let mut zhou = Peer::try_connect(&company, addr, &people[1]).await.unwrap();
    for agent in [&mut li, &mut zhou] {
        agent.ask(|req| ClientFrame::Status { req, state: AgentState::Online }).await.unwrap();
    }
    let (key, dir) = (li.me.key.clone(), company.directory());
    let team = |name: &str| dir.team(&name.parse().unwrap()).unwrap().pk.0;

    // handed to another team with the keys of its past, answered there, and closed
    let mut visitor = Peer::try_connect(&company, addr, &visitors[0]).await.unwrap();
    let first = visitor.open().await;
    li.accept(first).await;
    li.follow(first).await;
    li.until(first, |v| v.owner == Owner::Agent("li".parse().unwrap())).await;
    let seq = visitor.say(first, "Where is my parcel?").await;
    li.record(first, seq).await;
    let seq = li.say(first, "One moment, I ask my colleague.").await;
    visitor.record(first, seq).await;
    let keys: Vec<_> = li.view(first).keys.clone().into_iter().collect();
    let announcement = li.view(first).announce(&company, "vip", &key);
    li.post(announcement).await.unwrap();
    li.post(grant::create(first, &keys, BoxKind::Team, &team("vip"), &key).unwrap()).await.unwrap();
    li.transfer(first, None, Some("vip")).await.unwrap();
    zhou.accept(first).await;
    zhou.follow(first).await;
    visitor.until(first, |v| v.owner == Owner::Agent("zhou".parse().unwrap())).await;
    let seq = zhou.say(first, "它今天下午到。").await;
    visitor.record(first, seq).await;
    let seq = visitor.say(first, "Thank you!").await;
    zhou.record(first, seq).await;
    visitor.ask(|req| ClientFrame::Close { req, conv: first }).await.unwrap();
    zhou.until(first, |v| v.state == ConvState::Closed).await;

    // with a note and a message that was taken back; an agent has it
    let mut visitor = Peer::try_connect(&company, addr, &visitors[1]).await.unwrap();
    let second = visitor.open().await;
    li.accept(second).await;
    li.follow(second).await;
    visitor.until(second, |v| v.owner == Owner::Agent("li".parse().unwrap())).await;
    visitor.say(second, "Can I pay by card?").await;
    let own = visitor.me.key.clone();
    let (msg, envelope) = visitor.view(second).seal("It is 4111 1111 1111 1111", &own);
    let _ = (&msg, &envelope);
    visitor.post(envelope.clone()).await.unwrap();
    visitor.ask(|req| ClientFrame::Recall { req, conv: second, msg }).await.unwrap(); // before signed recalls
    let (_, recall) = visitor.view(second).recall(&envelope, &own); // signed recalls
    visitor.post(recall).await.unwrap(); // signed recalls
    let (_, note) = li.view(second).seal_note("they sent a card number", &team("svc"), &key);
    li.post(note).await.unwrap();
    let seq = li.say(second, &"You can pay by card, by transfer, or in cash. ".repeat(10)).await;
    visitor.record(second, seq).await;
    visitor.wire.send(&ClientFrame::Seen { conv: second, delivered: seq, read: seq }).await.unwrap();

    let killed = env::var("KEFU_END").as_deref() == Ok("killed");
    if killed {
        // so that a part is where a stop puts it, and a part where it was just written
        stop(&mut server);
        (server, addr) = serve(&data);
        li = Peer::try_connect(&company, addr, &people[0]).await.unwrap();
        zhou = Peer::try_connect(&company, addr, &people[1]).await.unwrap();
        visitor = Peer::try_connect(&company, addr, &visitors[1]).await.unwrap();
        zhou.follow(first).await;
        li.follow(second).await;
        visitor.follow(second).await;
        let seq = visitor.say(second, "By transfer, then.").await;
        li.record(second, seq).await;
    }

    // nobody has accepted it
    li.ask(|req| ClientFrame::Status { req, state: AgentState::Busy }).await.unwrap();
    let mut last = Peer::try_connect(&company, addr, &visitors[2]).await.unwrap();
    let third = last.open().await;
    last.say(third, "Hello?").await;
    li.follow(third).await;

    let conversations = [
        conversation(&mut zhou, first, 0, "closed").await,
        conversation(&mut li, second, 1, "open").await,
        conversation(&mut li, third, 2, "open").await,
    ];
    let visitors = visitors.iter().map(|me| [b64u(me.key.seed()), b64u(me.x.as_ref().unwrap().bytes())]);
    let manifest = json!({
        "password": PASSWORD,
        "visitors": visitors.collect::<Vec<_>>(),
        "conversations": conversations,
    });
    fs::write(out.join("written.json"), serde_json::to_string_pretty(&manifest).unwrap() + "\n").unwrap();
    if killed {
        server.kill().unwrap();
        server.wait().unwrap();
    } else {
        stop(&mut server);
    }
}
