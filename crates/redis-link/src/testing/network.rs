//! A network of hosts, each in a network namespace of its own, with a router between them that can lose packets without a word
//! to either side, in one direction or in both. Needs root, and `ip` (Debian: iproute2).
//!
//! The test itself is in this network, too, and its packets are never lost.

use std::{
    ffi::OsStr,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Networks that one machine can have at a time.
const NETWORKS: u8 = 200;
/// Last part of the router's address.
const ROUTER: usize = 254;
/// Last part of the test's own address.
const SELF: usize = 1;

/// Where a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    namespace: Option<String>,
    address: String,
}

impl Host {
    /// This machine, at its loopback address.
    pub fn local() -> Self {
        Self { namespace: None, address: "127.0.0.1".to_owned() }
    }

    /// Its IPv4 address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A command that runs a program there. Its process id is the program's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match &self.namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(program);
                command
            }
        }
    }
}

/// The hosts and their router. All of it goes when this is dropped; end the processes before.
pub struct Network {
    number: u8,
    hosts: Vec<Host>,
    /// Which directions lose packets now.
    lost: Mutex<Vec<(usize, usize)>>,
}

impl Network {
    /// Sets up so many hosts that reach each other.
    ///
    /// # Panics
    /// It is not allowed, or `ip` is missing; says what to do.
    pub fn new(hosts: usize) -> Self {
        let number = claim();
        let address = |host: usize| format!("198.18.{number}.{host}");
        let named = |host: usize| format!("kefu-{number}-{host}");
        let (router, gateway) = (named(0), address(ROUTER));
        let mut network = Self { number, hosts: Vec::new(), lost: Mutex::default() };
        for host in (SELF + 1..).take(hosts) {
            let name = named(host);
            must(&["netns", "add", &name]);
            network.hosts.push(Host { namespace: Some(name), address: address(host) });
        }
        // the test's own link has the network's name, those of the hosts are in their namespaces
        let subnet = format!("198.18.{number}.0/24");
        must(&["-n", &router, "link", "add", "to1", "type", "veth", "peer", "name", &router, "netns", "1"]);
        join(&router, &gateway, (None, SELF, &address(SELF)), (&router, &subnet));
        for (n, host) in (SELF + 1..).zip(&network.hosts) {
            let (inside, at_router) = (named(n), format!("to{n}"));
            must(&["-n", &router, "link", "add", &at_router, "type", "veth", "peer", "name", "eth0", "netns", &inside]);
            must(&["-n", &inside, "link", "set", "lo", "up"]);
            join(&router, &gateway, (Some(&inside), n, host.address()), ("eth0", "default"));
        }
        must(&["netns", "exec", &router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
        network
    }

    /// A host, from 0.
    pub fn host(&self, number: usize) -> &Host {
        &self.hosts[number]
    }

    /// From now on, what one host sends to another is lost.
    pub fn lose(&self, from: usize, to: usize) {
        self.rule("add", from, to);
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).push((from, to));
    }

    /// From now on, two hosts don't reach each other.
    pub fn cut(&self, one: usize, other: usize) {
        self.lose(one, other);
        self.lose(other, one);
    }

    /// Nothing is lost any more.
    pub fn heal(&self) {
        let lost = std::mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner));
        for (from, to) in lost {
            self.rule("del", from, to);
        }
    }

    fn rule(&self, what: &str, from: usize, to: usize) {
        let (from, to) = (self.hosts[from].address(), self.hosts[to].address());
        must(&["-n", &self.router(), "rule", what, "from", from, "to", to, "blackhole", "pref", "100"]);
    }

    fn router(&self) -> String {
        format!("kefu-{}-0", self.number)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let router = self.router();
        // the kernel takes what is in a namespace some time later
        let mut leftovers = vec![vec!["link", "del", &router]];
        leftovers
            .extend(self.hosts.iter().filter_map(|host| host.namespace.as_deref()).map(|n| vec!["netns", "del", n]));
        leftovers.push(vec!["netns", "del", &router]);
        for args in leftovers {
            if let Err(why) = ip(&args) {
                println!("left behind: {why}");
            }
        }
    }
}

/// Connects a host and the router over the link between them, and leads the host to some addresses through it.
fn join(
    router: &str,
    gateway: &str,
    (inside, host, address): (Option<&str>, usize, &str),
    (device, everything): (&str, &str),
) {
    let at_router = format!("to{host}");
    let there = |args: &[&str]| match inside {
        Some(namespace) => must(&[&["-n", namespace], args].concat()),
        None => must(args),
    };
    there(&["addr", "add", address, "peer", gateway, "dev", device]);
    there(&["link", "set", device, "up"]);
    must(&["-n", router, "addr", "add", gateway, "peer", address, "dev", &at_router]);
    must(&["-n", router, "link", "set", &at_router, "up"]);
    there(&["route", "add", everything, "via", gateway]);
}

/// The router's namespace is what takes a number.
fn claim() -> u8 {
    let first = std::process::id();
    for n in 0..u32::from(NETWORKS) {
        let number = ((first + n) % u32::from(NETWORKS)) as u8;
        match ip(&["netns", "add", &format!("kefu-{number}-0")]) {
            Ok(()) => return number,
            Err(why) if why.contains("File exists") => {}
            Err(why) => {
                panic!("cannot set up network namespaces: {why}. Run these tests as root, with iproute2 installed")
            }
        }
    }
    panic!(
        "all {NETWORKS} networks are taken: `ip netns list` shows those that killed tests have left, `ip netns del` takes them away"
    )
}

fn must(args: &[&str]) {
    ip(args).unwrap_or_else(|why| panic!("cannot set up a network: {why}"));
}

fn ip(args: &[&str]) -> Result<(), String> {
    let said = Command::new("ip").args(args).output().map_err(|e| format!("cannot run ip: {e}"))?;
    match said.status.success() {
        true => Ok(()),
        false => Err(format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&said.stderr).trim())),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Host, RedisServer};

    use super::*;

    async fn answers(from: &Host, server: &RedisServer) -> bool {
        let port = server.port().to_string();
        let mut ping = from.command("timeout");
        ping.args(["0.5", "redis-cli", "-h", server.host().address(), "-p", &port, "ping"]);
        tokio::task::spawn_blocking(move || ping.output().expect("timeout runs").status.success())
            .await
            .expect("no panic")
    }

    #[tokio::test]
    async fn packets_are_lost_in_one_direction_or_both_until_it_heals() {
        let network = Network::new(3);
        let server = RedisServer::start_at(network.host(0), &[]).await;
        let (cut, other) = (network.host(1), network.host(2));
        assert!(answers(cut, &server).await && answers(other, &server).await);
        let losses: [&dyn Fn(); 3] = [&|| network.lose(1, 0), &|| network.lose(0, 1), &|| network.cut(0, 1)];
        for loss in losses {
            loss();
            assert!(!answers(cut, &server).await && answers(other, &server).await);
            network.heal();
            assert!(answers(cut, &server).await);
        }
    }
}
