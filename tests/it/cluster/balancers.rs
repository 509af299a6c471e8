//! The recipe of `docs/operations.md` for two servers behind two balancers, run as it is there: Keepalived moves an address between
//! machines with HAProxy or nginx, which lead people to two servers over one Redis. While they chat through that address, a balancer
//! dies, loses its cable, is switched off and comes back; a server is drained and one is killed. Needs root, `ip`, haproxy,
//! nginx, keepalived, curl and redis-server.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use kefu_redis_link::testing::{until, until_within};
use serde_json::Value;

use crate::support::{
    lan::{Lan, Program},
    page::{block, exchanged},
};

/// Machines by name; the addresses are those of the recipe.
const MACHINES: [(&str, &str); 7] = [
    ("redis", "10.0.0.5"),
    ("one", "10.0.0.11"),
    ("two", "10.0.0.12"),
    ("first", "10.0.0.21"),
    ("second", "10.0.0.22"),
    ("people", "10.0.0.30"),
    ("others", "10.0.0.31"),
];
/// How the texts of the page begin.
const REDIS_CONF: &str = "# redis.conf";
const KEFU_TOML: &str = "[server]\npublic_url = \"https://chat.example.com\"      # the address of the balancer";
const COPIES: &str = "# as root on the second machine";
const HAPROXY: &str = "# /etc/haproxy/haproxy.cfg";
const NGINX: &str = "# nginx: inside http";
const KEEPALIVED: &str = "# /etc/keepalived/keepalived.conf";
/// What Keepalived moves.
const ADDRESS: &str = "10.0.0.20";
const BALANCERS: [&str; 2] = ["first", "second"];
const URL: &str = "https://chat.example.com";
/// Sockets that one address may have at each server.
const SOCKETS: usize = 16;
/// What a generator needs, which is one visitor at one address.
const LIMITS: [(&str, &str); 5] = [
    ("KEFU_SERVER__CONNECTIONS_PER_ADDRESS", "16"),
    ("KEFU_LIMITS__VISITOR_MESSAGES_PER_MINUTE", "100000"),
    ("KEFU_LIMITS__VISITOR_BURST", "100000"),
    ("KEFU_LIMITS__ADDRESS_MESSAGES_PER_MINUTE", "100000"),
    ("KEFU_LIMITS__AGENT_MESSAGES_PER_MINUTE", "100000"),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    HaProxy,
    Nginx,
}

/// All machines and what runs on them.
struct Recipe {
    kind: Kind,
    balancers: [Option<[Program; 2]>; 2],
    servers: [Program; 2],
    _redis: Program,
    lan: Lan,
    dir: tempfile::TempDir,
}

impl Recipe {
    async fn start(kind: Kind) -> Self {
        let lan = Lan::new(&MACHINES, &format!("127.0.0.1 localhost\n{ADDRESS} chat.example.com\n"));
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        // "Settings of Redis", "The first server"
        fs::write(at("kefu.redis"), "secret of this test").unwrap();
        fs::create_dir(at("redis")).unwrap();
        let redis = exchanged(&block(REDIS_CONF), &[("requirepass …", "requirepass \"secret of this test\"")]);
        fs::write(at("redis.conf"), format!("{redis}dir {}\n", at("redis").display())).unwrap();
        let mut command = lan.command("redis", std::env::var("KEFU_REDIS").unwrap_or_else(|_| "redis-server".into()));
        let redis = Program::start(
            {
                command.arg(at("redis.conf"));
                command
            },
            dir.path(),
            "redis",
        );
        until("Redis is ready", async || redis.said().contains("Ready to accept connections").then_some(())).await;
        let password = at("kefu.redis").display().to_string();
        let storage = [("KEFU_STORAGE__URL", "redis://10.0.0.5:6379"), ("KEFU_STORAGE__PASSWORD_FILE", &password)];
        let mut init = kefu(&lan, "one", at("one"));
        init.args(["init", "--no-passphrase", "--name", "Example Ltd", "--host", "chat.example.com"]);
        done(init.args(["--origin", "https://www.example.com"]).envs(storage));
        let toml = block(KEFU_TOML);
        fs::write(at("one/kefu.toml"), exchanged(&toml, &[("/etc/kefu.redis", &password)])).unwrap();
        // "Another server"
        let copies = block(COPIES);
        let names = copies.lines().find_map(|line| line.strip_prefix("for f in ")).unwrap().trim_end_matches("; do");
        done(Command::new("install").args(["-d", "-m", "700"]).arg(at("two")));
        for name in names.split(' ') {
            done(Command::new("install").args(["-m", "600"]).arg(at("one").join(name)).arg(at("two").join(name)));
        }
        fs::copy(at("one/tls/server.pem"), at("chat.pem")).unwrap();
        let servers = ["one", "two"].map(|machine| serve(&lan, machine, &dir));
        let mut prepare = kefu(&lan, "one", at("one"));
        until("the first server answers", async || healthy(&lan, "one", &dir).then_some(())).await;
        done(prepare.args(["bench", "prepare", "--agents", "3", "--out"]).arg(at("agents.json")));
        let mut this = Self { kind, balancers: [None, None], servers, _redis: redis, lan, dir };
        (0..2).for_each(|balancer| this.switch_on(balancer));
        until("both servers answer", async || healthy(&this.lan, "two", &this.dir).then_some(())).await;
        this.leads(0).await;
        this
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// "Two servers behind nginx or HAProxy", one of them.
    fn balancer(&self, machine: &str) -> Program {
        let pem = self.file("chat.pem").display().to_string();
        let (text, name) = match self.kind {
            Kind::HaProxy => {
                (exchanged(&block(HAPROXY), &[("crt /etc/ssl/chat.pem", &format!("crt {pem}"))]), "haproxy")
            }
            Kind::Nginx => {
                let files = [("/etc/ssl/chat.pem", pem.as_str()), ("/etc/ssl/chat.key", &pem)];
                let text = exchanged(&block(NGINX), &files);
                let tmp = self.file(machine).display().to_string();
                let around = format!("daemon off;\npid {tmp}.pid;\nevents {{}}\nhttp {{\naccess_log off;\n");
                (
                    format!("{around}client_body_temp_path {tmp}.body;\nproxy_temp_path {tmp}.proxy;\n{text}}}\n"),
                    "nginx",
                )
            }
        };
        let config = self.file(&format!("{machine}.{name}"));
        fs::write(&config, text).unwrap();
        let mut command = self.lan.command(machine, name);
        match self.kind {
            // fewer than in the recipe: machines that test have fewer file descriptors
            Kind::HaProxy => command.args(["-db", "-n", "4000", "-f"]).arg(config),
            Kind::Nginx => command.args(["-e", "stderr", "-c"]).arg(config),
        };
        Program::start(command, self.dir.path(), &format!("{name}-{machine}"))
    }

    /// Starts a balancer and its Keepalived.
    fn switch_on(&mut self, number: usize) {
        let machine = BALANCERS[number];
        let text = block(KEEPALIVED);
        let text = if number == 0 { text } else { exchanged(&text, &[("priority 150", "priority 100")]) };
        let config = self.file(&format!("{machine}.keepalived"));
        fs::write(&config, text).unwrap();
        let mut command = self.lan.command(machine, "keepalived");
        command.args(["--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file"]).arg(config);
        for pid in ["pid", "vrrp_pid"] {
            command.arg(format!("--{pid}")).arg(self.file(&format!("{machine}.{pid}")));
        }
        let keepalived = Program::start(command, self.dir.path(), &format!("keepalived-{machine}"));
        self.balancers[number] = Some([self.balancer(machine), keepalived]);
    }

    /// A balancer's machine loses power.
    fn switch_off(&mut self, number: usize) {
        self.lan.cut(BALANCERS[number]);
        self.balancers[number] = None;
        if self.lan.has(BALANCERS[number], ADDRESS) {
            self.lan.take(BALANCERS[number], &format!("{ADDRESS}/24"));
        }
    }

    /// Waits until one balancer has the address, the other one does not, and people come through to a server.
    async fn leads(&self, number: usize) {
        until("the address is at the right balancer alone", async || {
            let has = BALANCERS.map(|machine| self.lan.has(machine, ADDRESS));
            (has[number] && !has[1 - number]).then_some(())
        })
        .await;
        until("people come through", async || {
            let mut curl = self.lan.command("people", "curl");
            let ca = self.file("one/tls/ca.pem");
            curl.args(["--silent", "--fail", "--max-time", "2", "--cacert"]).arg(ca).arg(format!("{URL}/healthz"));
            curl.output().unwrap().status.success().then_some(())
        })
        .await;
    }

    /// Something happens while people chat: nothing that is acknowledged may be lost or come twice, and all is acknowledged.
    async fn chat(&mut self, what: &str, event: impl AsyncFnOnce(&mut Self)) {
        let mut command = kefu(&self.lan, "people", self.file("none"));
        command.args(["--json", "bench", "overload", "--url", URL, "--pairs", "3", "--capacity", "30"]);
        command.args(["--times", "1", "--window", "1", "--seconds", "8", "--ca"]).arg(self.file("one/tls/ca.pem"));
        command.arg("--agents").arg(self.file("agents.json"));
        let name = what.replace(' ', "-");
        let mut people = Program::start(command, self.dir.path(), &name);
        until("people chat", async || {
            assert_eq!(people.ended(), None, "{what}: {}", people.said());
            (people.said().matches("offering").count() >= 2).then_some(())
        })
        .await;
        event(self).await;
        let ended = until_within(Duration::from_mins(6), "the end of the chat", async || people.ended()).await;
        let said = people.said();
        assert!(ended.success(), "{what}: {said}");
        let report: Value = serde_json::from_str(said.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
        println!("{what}: {report}");
        let overload = &report["overload"];
        let figures = [&report["lost"], &report["doubled"], &overload["unacknowledged"], &overload["refused_for_good"]];
        assert_eq!(figures, [0, 0, 0, 0], "{what}: {report}");
        assert!(
            overload["offered"].as_u64().unwrap() > 100 && overload["offered"] == overload["acknowledged"],
            "{what}"
        );
    }

    /// How many of these sockets are let in at the same time. Each says that it comes for somebody else.
    fn sockets(&self, machine: &str, url: &str, many: usize) -> usize {
        let one = |number: usize| {
            let mut curl = self.lan.command(machine, "curl");
            curl.args([
                "--silent",
                "--insecure",
                "--http1.1",
                "--max-time",
                "5",
                "--output",
                "/dev/null",
                "--write-out",
                "%{http_code}",
            ]);
            for header in ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"] {
                curl.args(["--header", header]);
            }
            curl.args([
                "--header",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "--header",
                "Sec-WebSocket-Protocol: kefu.v1",
            ]);
            curl.args([
                "--header",
                &format!("X-Forwarded-For: 203.0.113.{number}"),
                "--header",
                "Origin: https://www.example.com",
            ]);
            curl.arg(format!("{url}/api/v1/ws/site/web")).stdout(std::process::Stdio::piped()).spawn().unwrap()
        };
        let all: Vec<_> = (0..many).map(one).collect();
        let codes = all.into_iter().map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap());
        codes.filter(|code| code == "101").count()
    }

    /// Only what the balancers say of addresses is believed, and that is.
    fn addresses_are_believed_of_balancers_only(&self) {
        let let_in = self.sockets("people", URL, 3 * SOCKETS);
        assert!((1..=2 * SOCKETS).contains(&let_in), "{let_in} sockets from one address at two servers");
        let let_in = self.sockets("people", "http://10.0.0.11:8443", 2 * SOCKETS);
        assert!(let_in <= SOCKETS, "{let_in} sockets from one address that said it was many");
        std::thread::scope(|scope| {
            let people = scope.spawn(|| self.sockets("people", URL, SOCKETS));
            let others = scope.spawn(|| self.sockets("others", URL, SOCKETS));
            let both = [people.join().unwrap(), others.join().unwrap()];
            assert_eq!(both, [SOCKETS, SOCKETS], "two addresses, each with as many sockets as one may have");
        });
    }

    async fn run(mut self) {
        self.chat("the balancer dies", async |this| {
            this.balancers[0].as_mut().unwrap()[0].kill();
            this.leads(1).await;
            let again = this.balancer(BALANCERS[0]);
            this.balancers[0].as_mut().unwrap()[0] = again;
            this.leads(0).await;
        })
        .await;
        self.chat("its cable is cut", async |this| {
            this.lan.cut(BALANCERS[0]);
            until("the second has the address", async || this.lan.has(BALANCERS[1], ADDRESS).then_some(())).await;
            this.lan.mend(BALANCERS[0]);
            this.leads(0).await;
        })
        .await;
        self.chat("its machine is off", async |this| {
            this.switch_off(0);
            this.leads(1).await;
        })
        .await;
        self.chat("its machine is back", async |this| {
            this.lan.mend(BALANCERS[0]);
            this.switch_on(0);
            this.leads(0).await;
        })
        .await;
        self.chat("a server is killed", async |this| {
            this.servers[1].kill();
            this.servers[1] = serve(&this.lan, "two", &this.dir);
            until("it is back", async || healthy(&this.lan, "two", &this.dir).then_some(())).await;
        })
        .await;
        self.chat("a server is drained and upgraded", async |this| {
            if this.kind == Kind::Nginx {
                // "nginx does not ask, so mark the server as `down` there first"
                for (number, machine) in BALANCERS.iter().enumerate() {
                    let config = this.file(&format!("{machine}.nginx"));
                    let text = fs::read_to_string(&config).unwrap();
                    fs::write(config, exchanged(&text, &[("10.0.0.11:8443 max_fails=0;", "10.0.0.11:8443 down;")]))
                        .unwrap();
                    this.balancers[number].as_ref().unwrap()[0].reload();
                }
            }
            done(kefu(&this.lan, "one", this.file("one")).args(["node", "drain"]));
            until("its clients are gone", async || (this.clients() == Some(0)).then_some(())).await;
            this.servers[0].kill();
            this.servers[0] = serve(&this.lan, "one", &this.dir);
            until("it is back", async || healthy(&this.lan, "one", &this.dir).then_some(())).await;
        })
        .await;
        self.addresses_are_believed_of_balancers_only();
    }

    /// Clients of the server that is drained, by the list of all.
    fn clients(&self) -> Option<u64> {
        let listed = kefu(&self.lan, "one", self.file("one")).args(["--json", "node", "list"]).output().unwrap();
        let listed: Value = serde_json::from_slice(&listed.stdout).ok()?;
        let draining = listed["servers"].as_array()?.iter().find(|server| server["draining"] == true)?;
        draining["sockets"].as_u64()
    }
}

fn kefu(lan: &Lan, machine: &str, data_dir: PathBuf) -> Command {
    let mut command = lan.command(machine, env!("CARGO_BIN_EXE_kefu"));
    command.env("KEFU_DATA_DIR", data_dir);
    command
}

fn serve(lan: &Lan, machine: &str, dir: &tempfile::TempDir) -> Program {
    let mut command = kefu(lan, machine, dir.path().join(machine));
    command.arg("serve").envs(LIMITS);
    Program::start(command, dir.path(), machine)
}

fn healthy(lan: &Lan, machine: &str, dir: &tempfile::TempDir) -> bool {
    kefu(lan, machine, dir.path().join(machine)).arg("healthcheck").output().unwrap().status.success()
}

fn done(command: &mut Command) {
    let said = command.output().unwrap();
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn the_page_has_every_text_of_the_recipe() {
    for first_line in [REDIS_CONF, KEFU_TOML, COPIES, HAPROXY, NGINX, KEEPALIVED] {
        assert!(block(first_line).lines().count() > 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two minutes; `make cluster-crash` runs it"]
async fn two_haproxies_with_keepalived() {
    Recipe::start(Kind::HaProxy).await.run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two minutes; `make cluster-crash` runs it"]
async fn two_nginxes_with_keepalived() {
    Recipe::start(Kind::Nginx).await.run().await;
}
