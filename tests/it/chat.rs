//! Conversations, end to end: real clients, the whole server, a real database.

mod assignment;
mod desk;
mod empty;
mod ends;
mod epochs;
pub mod files;
mod files_in_trouble;
pub mod filters;
mod handling;
mod idle;
mod lists;
mod messages;
mod missed;
mod ratings;
mod recalls;
mod resume;
mod retention;
mod rewound;
mod status;

use kefu::{
    chat::Row,
    crypto::hash,
    proto::{ClientFrame, ConvId, ErrorCode, Event, Owner, RecordView, ServerFrame},
    store::{FactsChange, Op},
};

use crate::support::{
    company::Company,
    peer::{Me, Peer},
    server::{Server, config},
};

/// A visitor and an agent in a conversation that the agent accepted, both following it.
async fn talk(server: &Server) -> (Peer, Peer, ConvId) {
    let mut agent = Peer::agent(server, "li").await;
    let mut visitor = Peer::visitor(server).await;
    let conv = visitor.open().await;
    agent.accept(conv).await;
    agent.follow(conv).await;
    visitor.until(conv, |v| v.owner == owner("li")).await;
    agent.until(conv, |v| v.owner == owner("li")).await;
    (visitor, agent, conv)
}

/// The step that stores a row as a conversation's first.
fn row_op(row: &serde_json::Value) -> Op {
    let row = Row::decode(row.to_string().as_bytes()).unwrap();
    let visitor = hash::kid(&row.visitor_ed().unwrap());
    let facts = Some(Box::new(FactsChange { before: None, after: row.facts(visitor) }));
    Op::Row { value: row.encode(), facts }
}

fn owner(user: &str) -> Owner {
    Owner::Agent(user.parse().unwrap())
}

/// The events of a conversation that a reader holds, without the visible envelopes.
fn events(peer: &mut Peer, conv: ConvId) -> Vec<Event> {
    peer.view(conv).records.iter().filter_map(|r| RecordView::parse(r).unwrap().event()).collect()
}

/// Bodies by sequence number; panics on a gap.
fn bodies(records: &[bytes::Bytes]) -> Vec<Vec<u8>> {
    let parsed = records.iter().map(|r| RecordView::parse(r).unwrap());
    parsed.enumerate().map(|(i, r)| (r.seq == i as u64 + 1).then(|| r.body.to_vec()).expect("no gaps")).collect()
}

/// A team's newest public key.
fn team_pk(server: &Server, team: &str) -> [u8; 32] {
    server.company.directory().team(&team.parse().unwrap()).unwrap().pk.0
}
