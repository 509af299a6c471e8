//! A server for tests that records what it is asked and fails in every way it is told to. One thread a connection; ends with the
//! process.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

#[path = "testing_push.rs"]
mod push;

pub use push::{Browser, claims};

use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// A status, more headers, a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Nothing, until the other side goes.
    Hang,
    /// The connection ends before the first byte.
    Drop,
    /// It ends in the middle of the head.
    HalfAHead,
    /// It ends in the middle of the body.
    HalfABody,
    /// A body of ten million bytes.
    Huge,
    /// A head without end.
    EndlessHead,
    /// No HTTP.
    Noise,
}

impl Act {
    /// 200 with a body.
    pub fn ok(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.to_owned())
    }

    /// A status without more.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path with the query.
    pub path: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was complete.
    pub at: Instant,
}

impl Asked {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

#[derive(Default)]
struct State {
    acts: VecDeque<Act>,
    usual: Option<Act>,
    asked: Vec<Asked>,
}

/// The server.
#[derive(Clone)]
pub struct Receiver {
    addr: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1 and answers `usual`.
    pub fn start(usual: Act) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), usual)
    }

    /// The same at an address.
    pub fn start_at(addr: SocketAddr, usual: Act) -> Self {
        let listener = TcpListener::bind(addr).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new((Mutex::new(State { usual: Some(usual), ..State::default() }), Condvar::new()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { addr, state }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:port` and a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// What it does with the next requests, one each.
    pub fn then(&self, acts: impl IntoIterator<Item = Act>) {
        self.state.0.lock().unwrap().acts.extend(acts);
    }

    /// What it does from now on with all others.
    pub fn usually(&self, act: Act) {
        self.state.0.lock().unwrap().usual = Some(act);
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.0.lock().unwrap().asked.clone()
    }

    /// Waits until there were this many, and returns all.
    pub fn wait(&self, count: usize) -> Vec<Asked> {
        let (lock, changed) = &*self.state;
        let state = lock.lock().unwrap();
        let (state, late) =
            changed.wait_timeout_while(state, PATIENCE, |state| state.asked.len() < count).expect("no panic elsewhere");
        assert!(!late.timed_out(), "only {} of {count} requests came", state.asked.len());
        state.asked.clone()
    }

    /// The same where the runtime must go on meanwhile.
    pub async fn wait_async(&self, count: usize) -> Vec<Asked> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.wait(count)).await.expect("no panic")
    }
}

fn serve(stream: TcpStream, state: &(Mutex<State>, Condvar)) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let Some(asked) = read(&mut reader) else { return };
    let act = {
        let mut state = state.0.lock().unwrap();
        state.asked.push(asked);
        state.acts.pop_front().or_else(|| state.usual.clone()).expect("something to do")
    };
    state.1.notify_all();
    // the other side may be gone
    let _ = answer(stream, &mut reader, act);
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { path, headers, body, at: Instant::now() })
}

fn answer(mut stream: TcpStream, reader: &mut impl Read, act: Act) -> std::io::Result<()> {
    match act {
        Act::Answer(status, headers, body) => {
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len())?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            write!(stream, "\r\n{body}")
        }
        Act::Hang => reader.read(&mut [0]).map(|_| ()),
        Act::Drop => Ok(()),
        Act::HalfAHead => write!(stream, "HTTP/1.1 200 OK\r\ncontent-le"),
        Act::HalfABody => write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        Act::Huge => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n")?;
            (0..1_000).try_for_each(|_| stream.write_all(&[b'x'; 10_000]))
        }
        Act::EndlessHead => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            (0..1_000_000).try_for_each(|n| write!(stream, "x-{n}: {n}\r\n"))
        }
        Act::Noise => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"),
    }
}
