//! The command line beside a running server.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
};

use serde_json::json;

use super::Shell;

/// A server of a shell's data directory, on a port of its own.
pub(super) struct Server {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Server {
    /// Starts it and waits until it reports that it listens.
    pub fn start(sh: &Shell) -> Self {
        Self::start_with(sh, &["--plain-http"])
    }

    /// The same over TLS.
    pub fn start_tls(sh: &Shell) -> Self {
        Self::start_with(sh, &[])
    }

    fn start_with(sh: &Shell, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args).arg("--data-dir").arg(sh.path("data"));
        Self::spawn(command.stdin(Stdio::null()))
    }

    /// Runs a command that serves.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let addr = first.trim_end().strip_prefix("kefu listens on ").and_then(|a| a.parse().ok());
        Self { child, addr: addr.unwrap_or_else(|| panic!("{first}")) }
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn every_act_works_beside_a_server_and_without_one() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--name", "Bank"]);
    let server = Server::start(&sh);
    let pid = server.child.id();
    sh.json(&["team", "add", "svc"]);
    sh.json(&["user", "add", "li", "--team", "svc"]);
    sh.json(&["site", "add", "web", "--team", "svc", "--origin", "https://www.example.com"]);
    let stats = sh.json(&["stats"]);
    assert_eq!(stats["running"], true);
    assert_eq!(stats["directory"]["seq"], 3);
    assert_eq!(sh.json(&["directory", "verify"])["entries"], 4);

    // a second server is told which process has the data
    let out = sh.run(&["serve", "--listen", "127.0.0.1:0", "--plain-http"]);
    assert_eq!(out.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&out.stderr).contains(&format!("process {pid}")));
    let doctor = sh.json(&["doctor"]);
    let found = |check: &str| doctor["findings"].as_array().unwrap().iter().find(|f| f["check"] == check).cloned();
    assert_eq!(found("server").unwrap()["level"], "ok");
    assert_eq!(found("directory").unwrap()["level"], "ok");

    assert!(server.stop().success());
    assert!(!sh.path("data/admin.sock").exists());
    assert_eq!(sh.json(&["stats"])["running"], false);
    assert_eq!(sh.json(&["team", "list"])["teams"][0]["sites"], 1);
    sh.json(&["team", "rename", "svc", "Service"]);
    let server = Server::start(&sh);
    assert_eq!(sh.json(&["team", "show", "svc"])["name"], "Service");
    assert!(server.stop().success());
}

/// Anyone who could read the memory of the server would have the robot's keys and the secrets of the passwords. The kernel
/// shows that a process leaves no core dump, and lets no other read its memory, by giving its files in `/proc` to root.
#[test]
fn the_memory_of_a_server_is_nobody_elses() {
    use std::os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    };
    const NOBODY: u32 = 65_534;
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--name", "Bank"]);
    // a copy, as the build may be where only its owner has access
    super::links::copy(env!("CARGO_BIN_EXE_kefu").as_ref(), &sh.path("kefu"));
    let mut command = Command::new(sh.path("kefu"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--plain-http", "--data-dir"]).arg(sh.path("data"));
    let root = rustix::process::geteuid().is_root();
    if root {
        // files that belong to root anyway show nothing
        fs::set_permissions(sh.path(""), Permissions::from_mode(0o755)).unwrap();
        let mut all = vec![sh.path("data")];
        while let Some(path) = all.pop() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            if path.is_dir() {
                all.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    let server = Server::spawn(command.stdin(Stdio::null()));
    let pid = server.child.id();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let uid = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap().split_whitespace().next().unwrap();
    assert_ne!(uid, "0");
    assert_eq!(fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);
    // it still sees itself
    let process = sh.json(&["stats"])["metrics"]["process"].clone();
    assert!(process["open_files"].as_u64() > Some(0) && process["rss_bytes"].as_u64() > Some(0), "{process}");
    assert!(server.stop().success());
}

/// A server on a socket that another process has open, as systemd would start it.
fn on_socket_of_systemd(sh: &Shell, socket: &TcpListener) -> Server {
    // the socket is number 3 of a process that knows its id before it becomes kefu
    let shell = r#"exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh", env!("CARGO_BIN_EXE_kefu")]);
    command.args(["serve", "--listen", "127.0.0.1:1", "--plain-http", "--data-dir"]).arg(sh.path("data"));
    command.stdin(Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
    Server::spawn(&mut command)
}

#[test]
fn a_socket_of_systemd_outlives_the_server() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let ask = || {
        let mut stream = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: kefu\r\nConnection: close\r\n\r\n").unwrap();
        stream
    };
    let answer = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    };
    let server = on_socket_of_systemd(&sh, &socket);
    answer(ask());
    assert!(server.stop().success());
    // nobody serves now; a client waits instead of being refused
    let waiting = ask();
    let server = on_socket_of_systemd(&sh, &socket);
    answer(waiting);
    assert!(server.stop().success());
}

#[test]
fn whoever_connected_before_a_stop_and_asks_during_it_is_answered() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let server = Server::start(&sh);
    let mut client = TcpStream::connect(server.addr).unwrap();
    while sh.json(&["stats"])["metrics"]["connections"]["open"] != 1 {}
    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: kefu\r\n\r\n").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let mut server = Server::start(&sh);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    sh.json(&["team", "add", "svc"]);
    let server = Server::start(&sh);
    assert_eq!(sh.json(&["team", "list"])["teams"].as_array().unwrap().len(), 1);
    assert!(server.stop().success());
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let out = sh.run(&["serve", "--listen", &address, "--plain-http"]);
    assert_eq!(out.status.code(), Some(5));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains(&format!("{address} is taken by another program")) && text.contains("--listen"), "{text}");
}

#[test]
fn the_wall_needs_a_server() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase"]);
    let out = sh.run(&["stats", "--watch"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("kefu serve starts it"));
    assert_eq!(sh.json(&["stats"])["running"], json!(false));
}

/// The answer to a request that is sent as it is.
fn said(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn whoever_speaks_http_to_the_port_of_tls_is_told_so() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--host", "127.0.0.1"]);
    let mut command = sh.command(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(&mut command);
    let text = said(server.addr, "GET /console/ HTTP/1.1\r\nHost: chat.example.com:8443\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert!(text.contains("Open https://chat.example.com:8443/console/\n"), "{text}");
    assert!(text.contains("请打开 https://chat.example.com:8443/console/"), "{text}");
    // nothing that a stranger sends is repeated as it came
    let text = said(server.addr, "POST /<script> HTTP/1.1\r\nHost: <script>\r\nContent-Length: 0\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 400 ") && !text.contains("script"), "{text}");
    // probes that know nothing of TLS
    let text = said(server.addr, "GET /healthz HTTP/1.1\r\nHost: kefu\r\nConnection: close\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("ok"), "{text}");
    // nothing else is available there
    let text = said(server.addr, "GET /api/v1/directory?after=-1 HTTP/1.1\r\nHost: kefu\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert_eq!(sh.json(&["healthcheck"])["healthy"], true);
    assert!(server.stop().success());
}

#[test]
fn health_is_asked_without_a_shell_and_without_curl() {
    let sh = Shell::new();
    assert_eq!(sh.fails(&["healthcheck"]), (3, "not_initialised".into()));
    sh.json(&["init", "--no-passphrase"]);
    assert_eq!(sh.fails(&["healthcheck"]), (1, "failure".into()));
    let mut server = Server::start(&sh);
    assert_eq!(sh.json(&["healthcheck"]), json!({"healthy": true, "listen": server.addr.to_string()}));
    // one that hangs is not healthy
    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert_eq!(sh.fails(&["healthcheck", "--timeout", "1"]), (1, "failure".into()));
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert_eq!(sh.json(&["healthcheck"])["healthy"], true);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert_eq!(sh.fails(&["healthcheck"]), (1, "failure".into()));
}

#[test]
fn a_configuration_that_is_not_there_is_named_before_a_directory_that_is_not() {
    let sh = Shell::new();
    let out = sh.run(&["serve", "--config", "missing.toml"]);
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("missing.toml") && text.contains("no such configuration file"), "{text}");
}

/// Behind a proxy the request names another host than the page: only the configuration shows which page is kefu's own.
#[test]
fn the_public_address_is_the_consoles_however_it_is_spelled() {
    let sh = Shell::new();
    sh.json(&["init", "--no-passphrase", "--host", "chat.example.com"]);
    let config = fs::read_to_string(sh.path("data/kefu.toml")).unwrap();
    let spelled = config.replace("https://chat.example.com:8443", "HTTPS://Chat.Example.com:443/");
    assert_ne!(config, spelled);
    fs::write(sh.path("data/kefu.toml"), spelled).unwrap();
    let server = Server::start(&sh);
    for (origin, taken) in [
        ("https://chat.example.com", true),
        ("https://chat.example.com:8443", false),
        ("http://chat.example.com", false),
        ("https://example.com", false),
    ] {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        let asks = format!(
            "GET /api/v1/ws/agent HTTP/1.1\r\nHost: backend:8080\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: kefu.v1\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(asks.as_bytes()).unwrap();
        let mut first = String::new();
        BufReader::new(stream).read_line(&mut first).unwrap();
        assert_eq!(first.contains(" 101 "), taken, "{origin}: {first}");
    }
    assert!(server.stop().success());
}
