//! People who enrolled and were not confirmed before their invite expired: a company from before confirmation existed, with
//! a really expired invite in its log, and the commands that repair it.

use std::{fs, path::Path};

use kefu::{
    app,
    config::Config,
    crypto::{
        codec::Key32,
        directory::{Body, Bundle, Directory, EnrolBody, Entry, GenesisBody, Role, SiteBody, Snapshot, TeamBody},
        hpke::KemSecret,
        invite::{Cert, InviteCode, sign_claim},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        opaque::{OpaqueServer, generate_setup},
        sign::SigningKey,
    },
    org::{BoxFor, Commit, DirectoryAnswer, RECOVERY},
};
use serde_json::{Value, json};

use super::{Shell, serving::Server};
use crate::support::{company::now_ms, http::ask};

const DAY: u64 = 86_400_000;

/// A company whose log is as version 0.1.0 wrote it, a month ago.
struct Old {
    keys: CompanyKeys,
    zhao: Keyring,
    li: Keyring,
}

struct Log(Vec<Entry>);

impl Log {
    fn add(&mut self, at: u64, body: &Body, by: &SigningKey) {
        let prev = self.0.last().map_or([0; 32], Entry::hash);
        self.0.push(Entry::sign(self.0.len() as u32, &prev, at, body, by));
    }
}

fn enrol(keys: &Keyring, user: &str, role: Role, exp: u64, root: &SigningKey, org: kefu::proto::OrgFp) -> Body {
    let code = InviteCode::generate(org);
    let (inv, inv_x) = (Key32(code.signing_key().public()), Key32(code.kem_key().public()));
    let (user, name, teams) = (user.parse().unwrap(), user.to_owned(), vec!["svc".parse().unwrap()]);
    let cert = Cert { v: 1, org, user, role, name, teams, inv, inv_x, exp };
    let (signed, ed, x) = (cert.sign(root), keys.signing.public(), keys.kem.public());
    let claim = sign_claim(&code.signing_key(), &signed.cert.0, &ed, &x);
    Body::Enrol(EnrolBody {
        user: cert.user,
        role,
        name: cert.name,
        teams: cert.teams,
        ed: Key32(ed),
        x: Key32(x),
        cert: signed.cert,
        cert_signer: signed.signer,
        cert_sig: signed.sig,
        claim_sig: claim.to_vec().into(),
    })
}

/// Zhao enrolled in time and signed a snapshot; then li enrolled, whom no snapshot covers. Both invites expired weeks ago.
async fn found_old(data: &Path) -> Old {
    let (keys, setup, then) = (CompanyKeys::generate(), generate_setup(), now_ms() - 30 * DAY);
    let (zhao, li, team_key) = (Keyring::generate(), Keyring::generate(), KemSecret::generate());
    let opaque = Key32(OpaqueServer::new(&setup, keys.fp()).unwrap().public());
    let (root, recovery) = (Key32(keys.root.public()), Key32(keys.recovery.public()));
    let mut log = Log(Vec::new());
    log.add(then, &Body::Genesis(GenesisBody { org: "Old Bank".into(), root, recovery, opaque, suite: 1 }), &keys.root);
    let (id, pk) = ("svc".parse().unwrap(), Key32(team_key.public()));
    let team = TeamBody { id, name: "Service".into(), epoch: 1, pk, on: true };
    log.add(then, &Body::Team(team), &keys.root);
    let (id, team) = ("web".parse().unwrap(), "svc".parse().unwrap());
    let origins = vec!["https://www.example.com".into()];
    log.add(then, &Body::Site(SiteBody { id, name: "web".into(), origins, team, on: true, bot: None }), &keys.root);
    let exp = then + 3 * DAY;
    log.add(then, &enrol(&zhao, "zhao", Role::Admin, exp, &keys.root, keys.fp()), &zhao.signing);
    let covered = Directory::replay(keys.fp(), &log.0, None).unwrap();
    let snapshot = Snapshot::make(&covered, then, then + 60 * DAY, &zhao.signing);
    log.add(then, &enrol(&li, "li", Role::Agent, exp, &keys.root, keys.fp()), &li.signing);
    let sealed = |pk: [u8; 32]| TeamBox::seal(&"svc".parse().unwrap(), 1, &team_key, &pk).unwrap();
    let people = [(RECOVERY, recovery.0), ("zhao", zhao.kem.public()), ("li", li.kem.public())];
    let boxes = people.map(|(to, pk)| BoxFor { to: to.into(), sealed: sealed(pk) });
    let commit = Commit { entries: log.0, boxes: boxes.into(), snapshot: Some(snapshot), ..Commit::default() };

    super::private_dir(data);
    fs::write(data.join("opaque.setup"), &setup[..]).unwrap();
    let text = keys.to_text(None).unwrap();
    fs::write(data.join("company.keys"), text.as_bytes()).unwrap();
    app::found(data, &Config::default(), commit).await.unwrap();
    Old { keys, zhao, li }
}

/// What the doctor finds about one thing; this data directory has no certificate, so it is never content.
fn found(sh: &Shell, check: &str) -> Vec<Value> {
    let doctor: Value = serde_json::from_slice(&sh.run(&["doctor", "--json"]).stdout).unwrap();
    doctor["findings"].as_array().unwrap().iter().filter(|f| f["check"] == check).cloned().collect()
}

/// The log, and the bundle that visitors verify, as the running server gives them.
async fn served(server: &Server) -> (Vec<Entry>, Bundle) {
    let log = ask(server.addr, "GET", "/api/v1/directory?after=-1", &[], "").await.unwrap();
    let log: DirectoryAnswer = serde_json::from_slice(&log.body).unwrap();
    let site = ask(server.addr, "GET", "/api/v1/site/web", &[], "").await.unwrap().json();
    (log.entries, serde_json::from_value(site["directory"].clone()).unwrap())
}

#[tokio::test]
async fn a_company_that_an_expired_invite_locked_out_works_and_is_put_in_order() {
    let sh = Shell::new();
    let old = found_old(&sh.path("data")).await;
    let server = Server::start(&sh);

    // read commands still work; only li is in question, and everyone is told
    let (entries, bundle) = served(&server).await;
    let now = now_ms();
    let visitor = bundle.verify(old.keys.fp(), now).unwrap();
    let agent = Directory::replay(old.keys.fp(), &entries, Some(&bundle.snapshot)).unwrap();
    for dir in [&visitor, &agent] {
        assert!(dir.agent_by_ed(&old.zhao.signing.public()).unwrap().is_active(now));
        assert!(!dir.agent_by_ed(&old.li.signing.public()).unwrap().is_active(now));
    }
    let users = sh.json(&["user", "list"])["users"].clone();
    assert_eq!((&users[0]["id"], &users[0]["state"]), (&json!("li"), &json!("waiting")));
    assert_eq!((&users[1]["id"], &users[1]["state"]), (&json!("zhao"), &json!("active")));
    let li = sh.json(&["user", "show", "li"])["unconfirmed"].clone();
    assert_eq!((&li["invited_by"], &li["entry"], &li["late"]), (&json!("root"), &json!(4), &json!(true)));
    let people = found(&sh, "people");
    assert!(people[0]["what"].as_str().unwrap().starts_with("li is waiting for confirmation: "), "{people:?}");
    assert!(people[0]["next"].as_str().unwrap().contains("kefu user confirm li"), "{people:?}");
    assert_eq!(sh.fails(&["user", "enable", "li"]).0, 4);
    assert_eq!(sh.fails(&["user", "add", "li"]).0, 4);

    // every act works and leaves li waiting
    let refreshed = sh.json(&["directory", "refresh"]);
    assert_eq!((&refreshed["waiting"][0]["user"], &refreshed["confirmed"]), (&json!("li"), &json!([])));
    sh.json(&["team", "rotate", "svc"]);
    sh.json(&["user", "role", "li", "supervisor"]);
    let words = sh.run(&["user", "list"]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("waiting for confirmation") && words.contains("kefu user disable li"), "{words}");
    let (entries, bundle) = served(&server).await;
    let visitor = bundle.verify(old.keys.fp(), now).unwrap();
    assert_eq!(visitor.state(), Directory::replay(old.keys.fp(), &entries, None).unwrap().state());
    assert!(visitor.state().waiting.contains_key(&"li".parse().unwrap()));
    assert_eq!(sh.json(&["team", "members", "svc"])["members"].as_array().unwrap().len(), 1);

    // asked, it was them
    assert_eq!(sh.json(&["user", "confirm", "li"])["confirmed"], true);
    assert_eq!(sh.fails(&["user", "confirm", "li"]).0, 4);
    assert_eq!(sh.json(&["user", "show", "li"])["state"], "active");
    let (.., bundle) = served(&server).await;
    let visitor = bundle.verify(old.keys.fp(), now).unwrap();
    let li = visitor.agent_by_ed(&old.li.signing.public()).unwrap();
    assert_eq!((li.until, li.role), (None, Role::Supervisor));
    assert_eq!(found(&sh, "people"), Vec::<Value>::new());
    assert!(server.stop().success());
}

#[tokio::test]
async fn somebody_who_came_with_an_old_invite_is_sent_away() {
    let sh = Shell::new();
    let old = found_old(&sh.path("data")).await;
    assert_eq!(sh.json(&["user", "disable", "li"])["rotated"], json!(["svc"]));
    assert_eq!(sh.json(&["team", "show", "svc"])["epoch"], 2);
    assert_eq!(found(&sh, "people"), Vec::<Value>::new());
    let server = Server::start(&sh);
    let (entries, bundle) = served(&server).await;
    let dir = Directory::replay(old.keys.fp(), &entries, Some(&bundle.snapshot)).unwrap();
    assert!(dir.agent_by_ed(&old.li.signing.public()).is_none());
    assert!(server.stop().success());
}
