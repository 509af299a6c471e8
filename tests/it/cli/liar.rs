//! A proxy on the admin socket of a running server: it passes everything on, changes what is exported, and keeps what is
//! committed. Commands can't tell it from the server.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use kefu::org::{AdminView, Commit};

type Lie = Box<dyn Fn(&mut AdminView) + Send>;

/// The proxy.
pub struct Liar {
    lie: Mutex<Lie>,
    commits: Mutex<Vec<Commit>>,
    behind: PathBuf,
}

impl Liar {
    /// Takes the place of the server's socket.
    pub fn before(data: &Path) -> Arc<Self> {
        let (socket, behind) = (data.join("admin.sock"), data.join("behind.sock"));
        fs::rename(&socket, &behind).unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let liar = Arc::new(Self { lie: Mutex::new(Box::new(|_| ())), commits: Mutex::default(), behind });
        let own = liar.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let liar = own.clone();
                thread::spawn(move || liar.serve(stream.unwrap()));
            }
        });
        liar
    }

    /// From now on it answers this.
    pub fn says(&self, lie: impl Fn(&mut AdminView) + Send + 'static) {
        *self.lie.lock().unwrap() = Box::new(lie);
    }

    /// What the server really exports.
    pub fn truth(&self) -> AdminView {
        let asked = b"GET /admin/export HTTP/1.1\r\nhost: kefu\r\ncontent-length: 0\r\n\r\n";
        serde_json::from_slice(&self.ask(asked).1).unwrap()
    }

    /// The commits since the last time.
    pub fn commits(&self) -> Vec<Commit> {
        std::mem::take(&mut self.commits.lock().unwrap())
    }

    fn ask(&self, request: &[u8]) -> (String, Vec<u8>) {
        let mut server = UnixStream::connect(&self.behind).unwrap();
        server.write_all(request).unwrap();
        message(&mut BufReader::new(server)).expect("an answer")
    }

    fn serve(&self, stream: UnixStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        // a connection without a request checks whether a server is running
        while let Some((head, body)) = message(&mut reader) {
            let (answer, mut content) = self.ask(&[head.as_bytes(), &body].concat());
            if head.starts_with("GET /admin/export ") {
                let mut view = serde_json::from_slice(&content).unwrap();
                (self.lie.lock().unwrap())(&mut view);
                content = serde_json::to_vec(&view).unwrap();
            }
            if head.starts_with("POST /admin/commit ") {
                self.commits.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            }
            let status = answer.lines().next().unwrap();
            let head =
                format!("{status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", content.len());
            // who asked may have gone
            let _ = (&stream).write_all(&[head.as_bytes(), &content].concat());
        }
    }
}

/// IntentClassifier and body of an HTTP message with a length; none at the end.
fn message(reader: &mut BufReader<UnixStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
