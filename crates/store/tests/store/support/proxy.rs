//! A TCP proxy that loses what it is told to lose, as a network does at the worst moment.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What is lost when it passes, with the connection it comes on.
#[derive(Debug, Clone)]
pub enum Lose {
    /// A request with these bytes in it.
    Request(Vec<u8>),
    /// The reply to it.
    Reply(Vec<u8>),
}

/// The command that publishes.
pub const PUBLISH: &[u8] = b"SPUBLISH";

#[derive(Debug, Clone, Default)]
struct State {
    lose: Option<Lose>,
    /// Again and again.
    always: bool,
    /// Lost so far.
    lost: u64,
    /// Raised to end all connections.
    cuts: u64,
    /// Whether new connections are ended at once.
    shut: bool,
}

/// A proxy in front of a server.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Proxy {
    /// A proxy for a port of the loopback address.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(watch::Sender::new(State::default()));
        let proxy = Self { address, state: state.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !state.borrow().shut {
                    tokio::spawn(pass(client, port, state.clone()));
                }
            }
        });
        proxy
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Loses one thing, once.
    pub fn lose(&self, lose: Lose) {
        self.state.send_modify(|state| (state.lose, state.always) = (Some(lose), false));
    }

    /// Loses it whenever it comes.
    pub fn always_lose(&self, lose: Lose) {
        self.state.send_modify(|state| (state.lose, state.always) = (Some(lose), true));
    }

    /// Waits until so many things were lost.
    pub async fn lost(&self, times: u64) {
        self.state.subscribe().wait_for(|state| state.lost >= times).await.unwrap();
    }

    /// Ends all connections, and new ones, too (`true`), or lets them through again.
    pub fn shut(&self, shut: bool) {
        self.state.send_modify(|state| {
            state.shut = shut;
            state.cuts += u64::from(shut);
        });
    }
}

/// Takes what is to be lost if these bytes are, or lead to, that.
fn take(state: &watch::Sender<State>, request: &[u8]) -> Option<Lose> {
    let mut taken = None;
    state.send_if_modified(|state| {
        let is_in = |needle: &[u8]| request.windows(needle.len()).any(|window| window == needle);
        let before = state.lose.clone();
        taken = state.lose.take_if(|lose| match lose {
            // what is published repeats what was written
            Lose::Request(needle) | Lose::Reply(needle) => is_in(needle) && (needle == PUBLISH || !is_in(PUBLISH)),
        });
        if state.always {
            state.lose = before;
        }
        state.lost += u64::from(taken.is_some());
        taken.is_some()
    });
    taken
}

async fn pass(mut client: TcpStream, port: u16, state: Arc<watch::Sender<State>>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let mut changes = state.subscribe();
    let cuts = state.borrow().cuts;
    let (mut up, mut down) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(n @ 1..) = read else { return };
                match take(&state, &up[..n]) {
                    Some(Lose::Request(_)) => return,
                    Some(Lose::Reply(_)) => {
                        // the server answers when it is done
                        server.write_all(&up[..n]).await.unwrap();
                        drop(server.read(&mut down).await);
                        return;
                    }
                    None => if server.write_all(&up[..n]).await.is_err() { return },
                }
            }
            read = server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                if client.write_all(&down[..n]).await.is_err() { return }
            }
            () = cut(&mut changes, cuts) => return,
        }
    }
}

async fn cut(changes: &mut watch::Receiver<State>, before: u64) {
    // the sender lives as long as the proxy
    drop(changes.wait_for(|state| state.cuts != before).await);
}
