//! Machines on one switch, each a network namespace with the addresses that a recipe gives it, so that its configuration texts run
//! as they are. Unlike [`kefu_redis_link::testing::Network`], these hosts share an Ethernet: an address can move from one to another,
//! and a cable can be cut. Nothing outside reaches them. Needs root and `ip` (Debian: iproute2).

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::{Pid, Signal, kill_process_group};

static LANS: AtomicU32 = AtomicU32::new(0);

/// The machines and their switch. All of it goes when this is dropped; end the programs before.
pub struct Lan {
    name: String,
    machines: Vec<&'static str>,
}

impl Lan {
    /// Machines by name and address, all in one network. What is in `hosts` each finds in its `/etc/hosts`.
    pub fn new(machines: &[(&'static str, &str)], hosts: &str) -> Self {
        let name = format!("kefu-lan-{}-{}", std::process::id(), LANS.fetch_add(1, Ordering::Relaxed));
        let mut lan = Self { name, machines: Vec::new() };
        let switch = lan.namespace("switch");
        ip(&["netns", "add", &switch]);
        ip(&["-n", &switch, "link", "add", "bridge", "type", "bridge"]);
        ip(&["-n", &switch, "link", "set", "bridge", "up"]);
        for (machine, address) in machines {
            let namespace = lan.namespace(machine);
            ip(&["netns", "add", &namespace]);
            lan.machines.push(machine);
            // `ip netns exec` mounts it over the machine's own
            let etc = etc(&namespace);
            fs::create_dir_all(&etc)
                .and_then(|()| fs::write(etc.join("hosts"), hosts))
                .expect("root can write to /etc");
            let (inside, port) = (["peer", "name", "eth0", "netns", &namespace], ["-n", &switch, "link"]);
            ip(&[&port[..], &["add", machine, "type", "veth"], &inside].concat());
            ip(&[&port[..], &["set", machine, "master", "bridge", "up"]].concat());
            ip(&["-n", &namespace, "addr", "add", &format!("{address}/24"), "dev", "eth0"]);
            for device in ["lo", "eth0"] {
                ip(&["-n", &namespace, "link", "set", device, "up"]);
            }
        }
        lan
    }

    /// A command that runs a program on a machine.
    pub fn command(&self, machine: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(machine)]).arg(program).stdin(Stdio::null());
        command
    }

    /// Whether a machine has an address now.
    pub fn has(&self, machine: &str, address: &str) -> bool {
        let args = ["-n", &self.namespace(machine), "-4", "addr", "show", "dev", "eth0", "to", address];
        let said = Command::new("ip").args(args).output().expect("ip runs");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        !said.stdout.is_empty()
    }

    /// Takes an address from a machine, as a restart of it would.
    pub fn take(&self, machine: &str, address: &str) {
        ip(&["-n", &self.namespace(machine), "addr", "del", address, "dev", "eth0"]);
    }

    /// Cuts a machine's cable.
    pub fn cut(&self, machine: &str) {
        ip(&["-n", &self.namespace("switch"), "link", "set", machine, "down"]);
    }

    /// Mends it.
    pub fn mend(&self, machine: &str) {
        ip(&["-n", &self.namespace("switch"), "link", "set", machine, "up"]);
    }

    fn namespace(&self, machine: &str) -> String {
        format!("{}-{machine}", self.name)
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for machine in self.machines.iter().copied().chain(["switch"]) {
            let namespace = self.namespace(machine);
            let _ = Command::new("ip").args(["netns", "del", &namespace]).status();
            let _ = fs::remove_dir_all(etc(&namespace));
        }
    }
}

fn etc(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

fn ip(args: &[&str]) {
    let said = Command::new("ip").args(args).output().expect("ip runs (Debian: iproute2)");
    let why = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "ip {}: {why}. Run this test as root", args.join(" "));
}

/// A program that runs, with all that it started; killed when dropped.
pub struct Program {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Program {
    /// Starts it; what it says goes to `NAME.log` in a directory.
    pub fn start(mut command: Command, dir: &Path, name: &str) -> Self {
        let log = dir.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stderr(file.try_clone().unwrap()).stdout(file).process_group(0).spawn().unwrap();
        Self { child, name: name.to_owned(), log }
    }

    /// What it has said.
    pub fn said(&self) -> String {
        let mut text = Vec::new();
        File::open(&self.log).and_then(|mut file| file.read_to_end(&mut text)).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// SIGHUP to its first process: most read their configuration again.
    pub fn reload(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, Signal::HUP).unwrap();
    }

    /// SIGKILL to all of it, and nothing is left of it when this returns.
    pub fn kill(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        // it may have ended by itself
        let _ = kill_process_group(pid, Signal::KILL);
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = self.said();
            let end = said.lines().rev().take(20).collect::<Vec<_>>();
            println!("--- {}\n{}", self.name, end.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}
