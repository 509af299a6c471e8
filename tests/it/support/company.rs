//! A company for tests: two teams, two sites, agents whose keys the test holds, and the acts an admin would sign.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use kefu::{
    app::{self, Admin, AdminError},
    config::Config,
    crypto::{
        directory::{Directory, Role},
        hash::{self, BoxKind},
        hpke::KemSecret,
        keyfile::CompanyKeys,
        keyring::Keyring,
        opaque::{OpaqueServer, generate_setup},
    },
    data_dir::OPAQUE_SETUP,
    files::write_new,
    org::{
        AdminView, Commit,
        acts::{NewCompany, NewUser, Signer},
    },
    proto::{SiteId, TeamId, UserId},
};

/// Origin of the tests' widgets.
pub const ORIGIN: &str = "https://shop.example";

const PEOPLE: &[(&str, Role, &[&str])] = &[
    ("li", Role::Agent, &["svc"]),
    ("wu", Role::Agent, &["svc"]),
    ("chen", Role::Supervisor, &["svc"]),
    ("zhou", Role::Agent, &["vip"]),
    ("qian", Role::Supervisor, &["vip"]),
    ("boss", Role::Admin, &["svc", "vip"]),
];

/// The company and every key of it.
pub struct Company {
    path: PathBuf,
    /// Deletes the data directory, if the test created it.
    _dir: Option<tempfile::TempDir>,
    /// By which commands find the database.
    config: Config,
    keys: CompanyKeys,
    people: BTreeMap<String, Keyring>,
    known: Mutex<Known>,
}

struct Known {
    directory: Arc<Directory>,
    /// Private team keys by box kid.
    teams: BTreeMap<[u8; 16], KemSecret>,
    /// Day keys of the robot that were served, by box kid.
    days: BTreeMap<[u8; 16], [u8; 32]>,
}

/// An id from a literal.
pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The time, ms.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

impl Company {
    /// Teams `svc` and `vip` with the sites `s1` and `s2`. Of `svc` are the agents `li`, `wu` and the supervisor `chen`,
    /// of `vip` the agent `zhou` and the supervisor `qian`; `boss` is admin of both.
    pub async fn found() -> Arc<Self> {
        Self::found_with(PEOPLE).await
    }

    /// The same in the database that a configuration names.
    pub async fn found_on(config: &Config) -> Arc<Self> {
        Self::found_as(&std::env::temp_dir(), config, PEOPLE).await
    }

    /// The same teams and sites with other people.
    pub async fn found_with(people: &[(&str, Role, &[&str])]) -> Arc<Self> {
        Self::found_in(&std::env::temp_dir(), people).await
    }

    /// The same in a directory within this one.
    pub async fn found_in(parent: &Path, people: &[(&str, Role, &[&str])]) -> Arc<Self> {
        Self::found_as(parent, &Config::default(), people).await
    }

    /// Other people in the database that a configuration names.
    pub async fn found_in_database(config: &Config, people: &[(&str, Role, &[&str])]) -> Arc<Self> {
        Self::found_as(&std::env::temp_dir(), config, people).await
    }

    async fn found_as(parent: &Path, config: &Config, people: &[(&str, Role, &[&str])]) -> Arc<Self> {
        let private = Permissions::from_mode(0o700);
        let dir = tempfile::Builder::new().permissions(private).tempdir_in(parent).unwrap();
        let (keys, setup) = (CompanyKeys::generate(), generate_setup());
        write_new(&dir.path().join(OPAQUE_SETUP), 0o600, &setup).unwrap();
        let opaque = OpaqueServer::new(&setup, keys.fp()).unwrap().public();
        let mut company = NewCompany::new("Shop", &keys, &opaque, now_ms()).unwrap();
        for (team, site) in [("svc", "s1"), ("vip", "s2")] {
            let (team, site): (TeamId, SiteId) = (id(team), id(site));
            company.team(&team, team.as_str()).unwrap();
            company.site(&site, site.as_str(), &[ORIGIN.into()], &team).unwrap();
        }
        let mut keyrings = BTreeMap::new();
        for (user, role, teams) in people {
            let keyring = Keyring::generate();
            let teams = teams.iter().map(|team| id(team)).collect();
            let new = NewUser { user: id(user), role: *role, name: (*user).to_owned(), teams };
            company.enrol(&new, &keyring).unwrap();
            keyrings.insert((*user).to_owned(), keyring);
        }
        let founded = company.finish();
        app::found(dir.path(), config, founded.commit).await.unwrap();
        let by_kid = |(_, key): (_, KemSecret)| (hash::box_kid(BoxKind::Team, &key.public()), key);
        let known = Known {
            directory: Arc::new(founded.directory),
            teams: founded.team_keys.into_iter().map(by_kid).collect(),
            days: BTreeMap::new(),
        };
        Arc::new(Self {
            path: dir.path().to_owned(),
            _dir: Some(dir),
            config: config.clone(),
            keys,
            people: keyrings,
            known: Mutex::new(known),
        })
    }

    /// One that the command line founded, and the keys of people who signed in and of their teams.
    pub fn existing(
        path: &Path,
        keys: CompanyKeys,
        directory: Arc<Directory>,
        people: BTreeMap<String, Keyring>,
        teams: Vec<KemSecret>,
    ) -> Arc<Self> {
        let by_kid = |key: KemSecret| (hash::box_kid(BoxKind::Team, &key.public()), key);
        let teams = teams.into_iter().map(by_kid).collect();
        let known = Known { directory, teams, days: BTreeMap::new() };
        let config = Config::default();
        Arc::new(Self { path: path.to_owned(), _dir: None, config, keys, people, known: Mutex::new(known) })
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys of a user.
    pub fn keyring(&self, user: &str) -> Keyring {
        self.people[user].clone()
    }

    /// The newest directory anyone of the test has seen.
    pub fn directory(&self) -> Arc<Directory> {
        self.known.lock().unwrap().directory.clone()
    }

    /// The private key of a team, by the kid of its public key.
    pub fn team_key(&self, kid: &[u8; 16]) -> Option<KemSecret> {
        self.known.lock().unwrap().teams.get(kid).cloned()
    }

    /// A day key of the robot, by its box kid, if it was served.
    pub fn day_key(&self, kid: &[u8; 16]) -> Option<[u8; 32]> {
        self.known.lock().unwrap().days.get(kid).copied()
    }

    /// Remembers a day key that was served and verified.
    pub fn learn_day(&self, kid: [u8; 16], x: [u8; 32]) {
        self.known.lock().unwrap().days.insert(kid, x);
    }

    /// Signs an act and sends it to the running server (or the closed database).
    pub async fn act<E: std::fmt::Debug>(&self, act: impl FnOnce(&Signer<'_>) -> Result<Commit, E>) {
        self.try_act(act).await.unwrap();
    }

    /// The same, or why it was refused.
    pub async fn try_act<E: std::fmt::Debug>(
        &self,
        act: impl FnOnce(&Signer<'_>) -> Result<Commit, E>,
    ) -> Result<(), AdminError> {
        let admin = Admin::connect(self.path(), &self.config).await.unwrap();
        let view: AdminView = serde_json::from_value(admin.call("GET", "/admin/export", None).await.unwrap()).unwrap();
        let now = now_ms();
        let directory = Directory::replay(self.keys.fp(), &view.entries, view.snapshot.as_ref()).unwrap();
        let signer = Signer::new(directory, &view, &self.keys, now).unwrap();
        let commit = act(&signer).unwrap();
        let mut directory = signer.directory().clone();
        for entry in &commit.entries {
            directory.apply(entry).unwrap();
        }
        let fresh: Vec<KemSecret> =
            commit.boxes.iter().filter_map(|b| b.sealed.open(&self.keys.recovery).ok()).collect();
        let sent = admin.call("POST", "/admin/commit", Some(serde_json::to_value(commit).unwrap())).await;
        admin.close().await;
        sent?;
        let mut known = self.known.lock().unwrap();
        known.directory = Arc::new(directory);
        known.teams.extend(fresh.into_iter().map(|key| (hash::box_kid(BoxKind::Team, &key.public()), key)));
        Ok(())
    }

    /// An answer of the admin router.
    pub async fn admin(&self, method: &str, path: &str) -> serde_json::Value {
        let admin = Admin::connect(self.path(), &self.config).await.unwrap();
        let answer = admin.call(method, path, None).await.unwrap();
        admin.close().await;
        answer
    }

    /// Sets when a team is at work; null: always.
    pub async fn set_hours(&self, team: &str, hours: serde_json::Value) {
        let admin = Admin::connect(self.path(), &self.config).await.unwrap();
        let body = serde_json::json!({ "team": team, "hours": hours });
        admin.call("POST", "/admin/hours", Some(body)).await.unwrap();
        admin.close().await;
    }

    /// The answer for `kefu stats`.
    pub async fn stats(&self) -> serde_json::Value {
        let admin = Admin::connect(self.path(), &self.config).await.unwrap();
        admin.call("GET", "/admin/stats", None).await.unwrap()
    }

    /// A new key for a team.
    pub async fn rotate(&self, team: &str) {
        let team: TeamId = id(team);
        self.act(|s| s.team_rotate(&team)).await;
    }

    /// Switches a user off.
    pub async fn disable(&self, user: &str) {
        let user: UserId = id(user);
        self.act(|s| s.user_disable(&user)).await;
    }
}
