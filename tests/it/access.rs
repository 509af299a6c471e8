//! Who may do what: every route and every frame, tried by those who may not, and what strangers can throw at the server.

mod bounds;
mod confirm;
pub mod documents;
mod doors;
mod frames;
mod hostile;
mod knowledge;
mod limits;
pub mod passwords;
pub mod persons;
mod rebinding;
mod routes;
pub mod widgets;

use kefu::proto::{ClientFrame, ConvId, ErrorCode, ServerFrame};

use crate::support::{
    peer::{Heard, Peer},
    server::Server,
};

/// A visitor with a conversation that `li` owns.
async fn victim(server: &Server) -> (Peer, Peer, ConvId) {
    let mut li = Peer::agent(server, "li").await;
    let mut visitor = Peer::visitor(server).await;
    let conv = visitor.open().await;
    li.accept(conv).await;
    li.follow(conv).await;
    visitor.say(conv, "between us").await;
    li.until(conv, |v| v.said.len() == 1).await;
    (visitor, li, conv)
}

/// The server's answers to a frame, up to the pong of a ping sent after it.
async fn said_to(peer: &mut Peer, frame: &ClientFrame) -> Vec<ServerFrame> {
    peer.log.clear();
    peer.wire.send(frame).await.unwrap();
    peer.wire.send(&ClientFrame::Ping {}).await.unwrap();
    let pongs = if matches!(frame, ClientFrame::Ping {}) { 2 } else { 1 };
    for _ in 0..pongs {
        let record = |h: &Heard| match h {
            Heard::Frame(ServerFrame::Pong { .. }) => Some(()),
            Heard::Frame(_) => None,
            other => panic!("a stranger got {other:?}"),
        };
        peer.hear(record).await.unwrap();
    }
    std::mem::take(&mut peer.log)
}

/// A code as answers have it.
fn error_code(code: ErrorCode) -> Option<u64> {
    Some(code as u64)
}

/// The error among the server's answers.
fn error(said: &[ServerFrame]) -> Option<ErrorCode> {
    said.iter().find_map(|f| if let ServerFrame::Error { code, .. } = f { Some(*code) } else { None })
}
