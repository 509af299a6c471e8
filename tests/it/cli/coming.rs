//! What the console does at a first login, so that the command line has people to show.

use std::{fs, path::Path, sync::Arc};

use kefu::{
    crypto::{
        codec::{Bytes, Key32},
        directory::{Body, EnrolBody, Entry},
        hpke::KemSecret,
        invite::{Cert, InviteCode, sign_claim},
        keyring::{Keyring, TeamBox},
        opaque::ClientRegistration,
        sign::SigningKey,
    },
    org::{InviteClaim, InviteOpen, InviteRegister, Org, Secrets},
    store::{
        Store,
        redb::{Options, RedbStore},
    },
};

use super::Shell;

/// Uses an invite as the console does. Gives the team keys that its user can open now.
pub async fn accept(data: &Path, code: &str) -> Vec<(String, u32)> {
    come(data, code).await.1
}

/// The same with the keys that the person has from now on.
pub async fn come(data: &Path, code: &str) -> (Keyring, Vec<(String, u32)>) {
    let (store, _feed) = RedbStore::open(&data.join("kefu.redb"), Options::default()).unwrap();
    let store: Arc<dyn Store> = store;
    let org =
        Org::open(store.clone(), &Secrets::of_one_server(&fs::read(data.join("opaque.setup")).unwrap())).await.unwrap();
    let code = InviteCode::parse(code).unwrap();
    let inv = Key32(code.signing_key().public());
    let opened = org.invite_open(InviteOpen { inv }).await.unwrap();
    let cert = Cert::verify(&opened.cert.0, &opened.signer.0, &opened.sig.0, &org.fp()).unwrap();

    let (registration, m) = ClientRegistration::start("a good password").unwrap();
    let answer = org.invite_register(InviteRegister { inv, m: Bytes(m) }).await.unwrap();
    let server = org.directory().state().opaque.0;
    let done = registration.finish("a good password", &answer.m.0, &cert.user, &org.fp(), &server).unwrap();

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
    let boxes: Vec<TeamBox> = opened
        .boxes
        .iter()
        .map(|b| TeamBox::seal(&b.team, b.epoch, &b.open(&code.kem_key()).unwrap(), &x).unwrap())
        .collect();
    let sealed = keyring.seal(&done.export_key, &cert.user, 1);
    let claim = InviteClaim { inv, entry, record: Bytes(done.message), keyring: Bytes(sealed), boxes };
    org.invite_claim(claim).await.unwrap();
    let mine = org.boxes(&cert.user).await.unwrap().boxes;
    let mine = mine.iter().map(|b| (b.team.to_string(), b.open(&keyring.kem).map(|_| b.epoch).unwrap())).collect();
    drop(org);
    store.close().await;
    (keyring, mine)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays_unless_it_is_meant() {
    let sh = Shell::new();
    let made = sh.json(&["init", "--no-passphrase"]);
    accept(&sh.path("data"), made["invite"]["code"].as_str().unwrap()).await;
    for args in [&["user", "role", "admin", "agent"][..], &["user", "disable", "admin"]] {
        let out = sh.run(args);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(1));
        assert!(text.contains("admin is the last admin") && text.contains("--yes-no-admin-left"), "{text}");
    }
    // an invite is no admin yet
    let second = sh.json(&["user", "add", "zhao", "--role", "admin"]);
    assert_eq!(sh.fails(&["user", "disable", "admin"]).0, 1);
    accept(&sh.path("data"), second["invite"]["code"].as_str().unwrap()).await;
    sh.json(&["user", "disable", "admin"]);
    assert_eq!(sh.fails(&["user", "role", "zhao", "supervisor"]).0, 1);
    sh.json(&["user", "role", "zhao", "supervisor", "--yes-no-admin-left"]);
    let doctor = sh.run(&["doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(text.contains("there is no admin") && text.contains("kefu user role ID admin"), "{text}");
}
