//! A TCP proxy that can cut connections, or stall them: hold bytes back without closing, as a dead network does. Or it is slow
//! and seems to lose packets, which TCP sends again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::dice::Dice;

/// What everything takes on a slow link, and how much more after a loss: the least that TCP waits.
const SLOW: Duration = Duration::from_millis(200);
/// How much of a hundred is lost there.
const LOST: usize = 30;

#[derive(Debug, Clone, Copy)]
struct State {
    target: SocketAddr,
    stalled: bool,
    slow: bool,
    /// Raised to end all connections.
    cuts: u64,
    /// Connections below this number are half-open: they hold everything back, later ones do not.
    frozen: u64,
    /// Number of the next connection.
    next: u64,
}

impl State {
    fn flows(&self, connection: u64) -> bool {
        !self.stalled && connection >= self.frozen
    }
}

/// A proxy in front of a server.
#[derive(Clone)]
pub struct Proxy {
    /// Where clients connect.
    pub addr: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

impl Proxy {
    /// A proxy that forwards to `target`.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state =
            Arc::new(watch::Sender::new(State { target, stalled: false, slow: false, cuts: 0, frozen: 0, next: 0 }));
        let proxy = Self { addr, state: state.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mut number, receiver) = (0, state.subscribe());
                state.send_modify(|s| {
                    number = s.next;
                    s.next += 1;
                });
                tokio::spawn(pass(client, number, receiver));
            }
        });
        proxy
    }

    /// Ends every connection, both halves at once.
    pub fn cut(&self) {
        self.state.send_modify(|s| s.cuts += 1);
    }

    /// Holds everything back, in both directions, without closing anything.
    pub fn stall(&self) {
        self.state.send_modify(|s| s.stalled = true);
    }

    /// Lets everything through again, also what was held back; frozen connections stay frozen.
    pub fn resume(&self) {
        self.state.send_modify(|s| s.stalled = false);
    }

    /// From now on everything takes 200 ms in each direction, and what seems lost, 30 of 100 times, still longer; or no more.
    pub fn slow(&self, slow: bool) {
        self.state.send_modify(|s| s.slow = slow);
    }

    /// Leaves the connections of now half-open; new ones work.
    pub fn freeze(&self) {
        self.state.send_modify(|s| s.frozen = s.next);
    }

    /// Lets through what frozen connections held back, however late that is.
    pub fn thaw(&self) {
        self.state.send_modify(|s| s.frozen = 0);
    }

    /// Sends new connections elsewhere.
    pub fn retarget(&self, target: SocketAddr) {
        self.state.send_modify(|s| s.target = target);
    }
}

async fn pass(client: TcpStream, number: u64, mut state: watch::Receiver<State>) {
    let State { target, cuts, .. } = *state.borrow();
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
    let (there, back) = (state.clone(), state.clone());
    tokio::select! {
        _ = state.wait_for(|s| s.cuts != cuts) => {}
        () = forward(client_in, server_out, number, there) => {}
        () = forward(server_in, client_out, number, back) => {}
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: u64, state: watch::Receiver<State>) {
    let (held, mut due) = mpsc::channel::<(Instant, Bytes)>(64);
    let mut reads = state.clone();
    let reading = async move {
        let (mut buf, mut dice) = (vec![0; 16 * 1024], Dice(number));
        loop {
            // stalled, nothing is read either: the sender's kernel fills up, as with a real dead peer
            let flowing = reads.wait_for(|s| s.flows(number)).await.map(|s| s.slow);
            let (Ok(slow), Ok(n @ 1..)) = (flowing, from.read(&mut buf).await) else { return };
            let lost = if dice.roll(100) < LOST { SLOW } else { Duration::ZERO };
            let when = Instant::now() + if slow { SLOW + lost } else { Duration::ZERO };
            if held.send((when, Bytes::copy_from_slice(&buf[..n]))).await.is_err() {
                return;
            }
        }
    };
    let mut writes = state;
    let writing = async {
        while let Some((when, bytes)) = due.recv().await {
            sleep_until(when).await;
            if writes.wait_for(|s| s.flows(number)).await.is_err() || to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    // what was read is still passed on when the sender has ended
    let reading = async {
        reading.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}
