//! Commands that sign, against an admin socket that makes false claims: claims beyond the log are left out with a warning or make
//! them refuse, and no team key is ever sealed to anyone but members, open invites and the recovery key.

use std::{
    collections::BTreeSet,
    fs,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use kefu::{
    crypto::{
        codec::Key32,
        directory::{AgentBody, Body, Directory, Entry, Role, Snapshot},
        hpke::KemSecret,
        invite::{Cert, InviteCode},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        sign::SigningKey,
    },
    org::{AdminView, Commit, OpenInvite},
};
use serde_json::Value;

use super::{Shell, coming, liar::Liar, serving::Server};
use crate::support::company::now_ms;

const DAY: u64 = 86_400_000;

/// A company with a past, its server, and the liar before it.
struct Scene {
    sh: Shell,
    liar: Arc<Liar>,
    keys: CompanyKeys,
    /// Secrets of people who must not be sealed to, by name.
    out: Vec<(&'static str, KemSecret)>,
    /// The invite that li came with, and the one of chen that was revoked.
    used: OpenInvite,
    revoked: OpenInvite,
    /// Keys of wu, who is in.
    wu: Keyring,
    count: AtomicU32,
    _server: Server,
}

fn code(invite: &Value) -> InviteCode {
    InviteCode::parse(invite["invite"]["code"].as_str().unwrap()).unwrap()
}

fn listed(view: &AdminView, user: &str) -> OpenInvite {
    view.invites.iter().find(|i| i.user.as_str() == user).unwrap().clone()
}

impl Scene {
    /// Li came and was switched off, chen was invited and the invite revoked, wu is in, zhou has an open invite; the key of
    /// team svc is no. 3.
    async fn set() -> Self {
        let sh = Shell::new();
        let data = sh.path("data");
        sh.json(&["init", "--no-passphrase"]);
        sh.json(&["team", "add", "svc"]);
        sh.json(&["team", "add", "vip"]);
        let [li, chen, wu] = ["li", "chen", "wu"].map(|id| code(&sh.json(&["user", "add", id, "--team", "svc"])));
        let before = {
            let server = Server::start(&sh);
            let view = Liar::before(&data).truth();
            fs::remove_file(data.join("admin.sock")).unwrap();
            assert!(server.stop().success());
            view
        };
        let (li_keys, _) = coming::come(&data, &li.print()).await;
        let (wu, _) = coming::come(&data, &wu.print()).await;
        sh.json(&["user", "disable", "li"]);
        sh.json(&["user", "invite", "revoke", "chen"]);
        sh.json(&["team", "rotate", "svc"]);
        sh.json(&["user", "add", "zhou", "--team", "svc"]);
        let server = Server::start(&sh);
        let out = vec![("li", li_keys.kem), ("li's invite", li.kem_key()), ("chen's invite", chen.kem_key())];
        let text = fs::read_to_string(data.join("company.keys")).unwrap();
        Self {
            liar: Liar::before(&data),
            keys: CompanyKeys::from_text(&text, None).unwrap(),
            out,
            used: listed(&before, "li"),
            revoked: listed(&before, "chen"),
            wu,
            count: AtomicU32::new(0),
            _server: server,
            sh,
        }
    }

    /// Every kind of command that signs, each able to run again and again.
    fn commands(&self) -> Vec<Vec<String>> {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        // moved to and fro
        let teams = if n.is_multiple_of(2) { "svc vip" } else { "svc" };
        let lines = [
            "team rotate svc".to_owned(),
            format!("user teams wu {teams}"),
            format!("user add new{n} --team svc --team vip"),
            format!("team add team{n}"),
            format!("site add site{n} --origin https://www.example.com --team svc"),
            "directory refresh".to_owned(),
        ];
        lines.iter().map(|l| l.split(' ').map(str::to_owned).collect()).collect()
    }

    fn run(&self, command: &[String]) -> Output {
        self.sh.run(&command.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Only those whom the true log and the true open invites name get a key.
    fn check_boxes(&self, commit: &Commit, what: &str) {
        let truth = self.liar.truth();
        let mut dir = Directory::replay(self.keys.fp(), &truth.entries, truth.snapshot.as_ref()).unwrap();
        for entry in commit.entries.iter().filter(|e| e.read().unwrap().0 > dir.seq()).cloned().collect::<Vec<_>>() {
            dir.apply(&entry).unwrap();
        }
        let open = truth.invites.iter().map(|i| kefu::org::invite_name(&i.inv));
        let made = commit.invites.iter().map(|s| OpenInvite::read(s, 0).unwrap());
        let mut may: BTreeSet<String> = open.chain(made.map(|i| kefu::org::invite_name(&i.inv))).collect();
        may.extend(dir.agents().map(|a| a.user.to_string()));
        may.insert(kefu::org::RECOVERY.to_owned());
        for sealed in &commit.boxes {
            assert!(may.contains(&sealed.to), "{what}: a key for {}", sealed.to);
            for (name, secret) in &self.out {
                assert!(sealed.sealed.open(secret).is_err(), "{what}: {name} opens the box for {}", sealed.to);
            }
            // what is sealed is the key that the log names, not one that the server slipped in
            if sealed.to == kefu::org::RECOVERY || sealed.to == "wu" {
                let secret = if sealed.to == "wu" { &self.wu.kem } else { &self.keys.recovery };
                let key = sealed.sealed.open(secret).unwrap();
                let named = dir.team_key_no(&sealed.sealed.team, sealed.sealed.epoch).unwrap();
                assert_eq!(key.public(), named.pk.0, "{what}: key {} of {}", sealed.sealed.epoch, sealed.sealed.team);
            }
        }
    }

    /// Runs every command under a false claim. Each must succeed, print `warning` if one is expected, and seal to nobody wrong.
    fn ignored(&self, name: &str, warning: Option<&str>, lie: impl Fn(&mut AdminView) + Send + 'static) {
        self.liar.says(lie);
        for command in &self.commands() {
            let out = self.run(command);
            let what = format!("{name}: {}", command.join(" "));
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(out.status.success(), "{what}: {said}");
            assert!(warning.is_none_or(|w| said.contains(w)), "{what}: {said}");
            assert_eq!(said.contains("warning"), warning.is_some(), "{what}: {said}");
            let commits = self.liar.commits();
            assert_eq!(commits.len(), 1, "{what}");
            self.check_boxes(&commits[0], &what);
        }
    }

    /// Runs every command under a false claim. Each must refuse for this reason, and send nothing.
    fn refused(&self, name: &str, why: &str, lie: impl Fn(&mut AdminView) + Send + 'static) {
        self.liar.says(lie);
        for command in &self.commands() {
            let out = self.run(command);
            let what = format!("{name}: {}", command.join(" "));
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert!(!out.status.success() && said.contains(why), "{what}: {said}");
            assert!(self.liar.commits().is_empty(), "{what}: something was sent");
        }
    }

    /// An invite of the company, as the server would list it.
    fn invite(&self, by: &SigningKey, exp: u64) -> (OpenInvite, InviteCode) {
        let code = InviteCode::generate(self.keys.fp());
        let (inv, inv_x) = (Key32(code.signing_key().public()), Key32(code.kem_key().public()));
        let (user, teams) = ("sun".parse().unwrap(), vec!["svc".parse().unwrap()]);
        let cert =
            Cert { v: 1, org: self.keys.fp(), user, role: Role::Agent, name: "Sun".into(), teams, inv, inv_x, exp };
        // at time 0 nothing is expired, so that is the time it claims
        (OpenInvite::read(&cert.sign(by), 0).unwrap(), code)
    }
}

#[tokio::test]
async fn no_key_goes_to_invites_that_the_log_or_the_clock_denies() {
    let mut scene = Scene::set().await;
    scene.ignored("the truth", None, |_| ());
    let (used, revoked) = (scene.used.clone(), scene.revoked.clone());
    scene.ignored("a used invite", Some("an invite for li that was used or revoked"), move |v| {
        v.invites.push(used.clone());
    });
    scene.ignored("a revoked invite", Some("an invite for chen that was used or revoked"), move |v| {
        v.invites.push(revoked.clone());
    });
    let (ended, code) = scene.invite(&scene.keys.root, now_ms() - DAY);
    scene.out.push(("an ended invite", code.kem_key()));
    scene.ignored("an ended invite called open", Some("an expired invite for sun as open"), move |v| {
        v.invites.push(ended.clone());
    });
    let (foreign, code) = scene.invite(&SigningKey::generate(), now_ms() + DAY);
    scene.out.push(("a foreign invite", code.kem_key()));
    scene.refused("a foreign certificate", "the server's invite for sun does not verify", move |v| {
        v.invites.push(foreign.clone());
    });
    let stranger = Key32(KemSecret::generate().public());
    scene.refused("another key in an open invite", "does not verify", move |v| {
        v.invites.iter_mut().for_each(|i| i.inv_x = stranger);
    });
    // coming back, and switching off, under the first false claim
    let used = scene.used.clone();
    scene.liar.says(move |v| v.invites.push(used.clone()));
    for command in ["user enable li", "user disable wu"] {
        let out = scene.sh.run(&command.split(' ').collect::<Vec<_>>());
        assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
        scene.check_boxes(&scene.liar.commits()[0], command);
    }
    let used = scene.used.clone();
    scene.refused("an open invite with a used one's certificate", "does not verify", move |v| {
        v.invites.iter_mut().for_each(|i| i.signed = used.signed.clone());
    });
}

#[tokio::test]
async fn no_key_of_the_servers_own_is_passed_on() {
    let scene = Scene::set().await;
    let (mine, recovery) = (KemSecret::generate(), scene.keys.recovery.public());
    let swapped = move |epoch: u32| {
        let mine = mine.clone();
        move |v: &mut AdminView| {
            let svc = "svc".parse().unwrap();
            v.recovery.retain(|b| b.team != svc || b.epoch != epoch);
            v.recovery.push(TeamBox::seal(&svc, epoch, &mine, &recovery).unwrap());
        }
    };
    scene.ignored("an old team key swapped", Some("key 1 of team svc is not the key of that team"), swapped(1));
    scene.ignored("a team key of a number to come", Some("is not the key of that team"), swapped(99));
    // the newest: it cannot be given to anyone, but a new one can be made
    let newest = scene.liar.truth();
    let dir = Directory::replay(scene.keys.fp(), &newest.entries, None).unwrap();
    scene.liar.says(swapped(dir.team(&"svc".parse().unwrap()).unwrap().epoch));
    scene.liar.commits();
    let (code, kind) = scene.sh.fails(&["user", "add", "zheng", "--team", "svc"]);
    assert_eq!((code, kind.as_str()), (1, "failure"));
    assert!(scene.liar.commits().is_empty());
    scene.sh.json(&["team", "rotate", "svc"]);
    scene.check_boxes(&scene.liar.commits()[0], "a rotation over a false key");
    scene.liar.says(|_| ());
    scene.sh.json(&["user", "add", "zheng", "--team", "svc"]);
}

#[tokio::test]
async fn snapshots_and_accounts_say_no_more_than_the_log() {
    let scene = Scene::set().await;
    let root = scene.keys.root.clone();
    let false_snapshot = Some("snapshot of the directory does not match its log");
    let sign = |by: SigningKey, upto: Option<usize>| {
        let fp = scene.keys.fp();
        move |v: &mut AdminView| {
            let entries = &v.entries[..upto.unwrap_or(v.entries.len())];
            let dir = Directory::replay(fp, entries, None).unwrap();
            v.snapshot = Some(Snapshot::make(&dir, now_ms(), now_ms() + DAY, &by));
        }
    };
    scene.ignored("an older snapshot", None, sign(root.clone(), Some(4)));
    scene.ignored("no snapshot", None, |v| v.snapshot = None);
    scene.ignored("a snapshot by a stranger", false_snapshot, sign(SigningKey::generate(), None));
    scene.ignored("a snapshot by an agent", false_snapshot, sign(scene.wu.signing.clone(), None));
    let raise = move |v: &mut AdminView| {
        let snapshot = v.snapshot.as_mut().unwrap();
        let mut body: Value = serde_json::from_slice(&snapshot.raw.0).unwrap();
        body["seq"] = (v.entries.len() + 3).into();
        snapshot.raw = body.to_string().into_bytes().into();
    };
    scene.ignored("a snapshot of more than there is", false_snapshot, raise);
    let other = move |v: &mut AdminView| {
        let mut dir = Directory::genesis(v.org, &v.entries[0]).unwrap();
        v.entries[1..v.entries.len() - 1].iter().for_each(|e| dir.apply(e).unwrap());
        let body =
            Body::Agent(AgentBody { user: "wu".parse().unwrap(), on: true, role: None, name: None, teams: None });
        dir.apply(&Entry::sign(dir.seq() + 1, &dir.head(), now_ms(), &body, &root)).unwrap();
        v.snapshot = Some(Snapshot::make(&dir, now_ms(), now_ms() + DAY, &root));
    };
    scene.ignored("a snapshot of another branch", false_snapshot, other);
    scene.ignored("accounts of nobody", None, |v| v.accounts.extend(["li", "evil"].map(|id| id.parse().unwrap())));
    scene.liar.says(|v| v.accounts.push("evil".parse().unwrap()));
    let users = scene.sh.json(&["user", "list"])["users"].clone();
    assert!(users.as_array().unwrap().iter().all(|u| u["id"] != "evil"), "{users}");
}

#[tokio::test]
async fn a_directory_that_is_cut_forked_or_anothers_is_not_signed_on() {
    let scene = Scene::set().await;
    scene.refused("a tail cut off", "ends before entry", |v| {
        v.entries.pop();
        v.snapshot = None;
    });
    // before li was switched off: the next key would go to them
    scene.refused("most of it cut off", "ends before entry", |v| {
        v.entries.truncate(8);
        v.snapshot = None;
    });
    let root = scene.keys.root.clone();
    scene.refused("another branch, by the root key itself", "has another entry", move |v| {
        v.entries.pop();
        let mut dir = Directory::genesis(v.org, &v.entries[0]).unwrap();
        v.entries[1..].iter().for_each(|e| dir.apply(e).unwrap());
        let body =
            Body::Agent(AgentBody { user: "wu".parse().unwrap(), on: true, role: None, name: None, teams: None });
        v.entries.push(Entry::sign(dir.seq() + 1, &dir.head(), now_ms(), &body, &root));
        v.snapshot = None;
    });
    scene.refused("an entry left out", "does not verify", |v| _ = v.entries.remove(2));
    scene.refused("an entry altered", "does not verify", |v| v.entries[3].raw.0[60] ^= 1);
    let other = Shell::new();
    other.json(&["init", "--no-passphrase"]);
    let server = Server::start(&other);
    let theirs = Liar::before(&other.path("data")).truth();
    scene.refused("another company's", "does not verify", move |v| *v = theirs.clone());
    drop(server);
    // a backup that was restored on purpose: the holder of the keys confirms it
    scene.liar.says(|_| ());
    fs::remove_file(scene.sh.path("data/company.keys.seen")).unwrap();
    scene.sh.json(&["directory", "refresh"]);
}
