//! How a pair comes about: the visitor opens a conversation, the agent takes it; and how it ends.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use kefu_client::{
    ClientError, Endpoint, Opening, Reader, Writer,
    frame::{self, opcode},
};
use kefu_crypto::{
    envelope::{self, EpochKey, MessageHeader},
    hpke::KemSecret,
    sign::{SigningKey, random},
};
use kefu_proto::{ClientFrame, ConvId, Have, MsgId, ServerFrame};

use super::{AGENT, Pair, Peer, VISITOR};
use crate::{connect::connect, counters::Counters, error::LoadError, target::Target};

/// Records of a conversation before its first message.
const OPENING_RECORDS: u64 = 3;
/// How long conversations may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// A conversation in progress: the visitor and the agent follow it.
pub(crate) struct Opened {
    pub conv: ConvId,
    pub key: EpochKey,
    /// The visitor's, and the agent's.
    pub readers: [Reader; 2],
    pub writers: [Writer; 2],
    pub keys: [SigningKey; 2],
    /// The last record that each of them has.
    pub have: [u64; 2],
}

/// Opens a conversation and lets the agent take it. All messages will have this text.
pub async fn open(
    target: &Target,
    agent: &SigningKey,
    counters: &Rc<Counters>,
    text: &str,
) -> Result<(Rc<Pair>, [Reader; 2]), LoadError> {
    let Opened { conv, key, readers, writers, keys, have } = begin(target, agent).await?;
    let [visitor, agent] = writers;
    let peers =
        [Peer::new(visitor, keys[VISITOR].clone(), have[VISITOR]), Peer::new(agent, keys[AGENT].clone(), have[AGENT])];
    let pair = Pair { conv, key, body: text_body(text), peers, counters: counters.clone() };
    Ok((Rc::new(pair), readers))
}

/// What a message with this text says.
pub(crate) fn text_body(text: &str) -> String {
    serde_json::json!({ "t": "text", "ts": 0, "text": text }).to_string()
}

/// Opens a conversation and lets the agent take it.
pub(crate) async fn begin(target: &Target, agent: &SigningKey) -> Result<Opened, LoadError> {
    let (site, visitor) = (&target.site, SigningKey::generate());
    // no box is opened here: both sides write with the key that the opening made
    let opening = Opening::new(&target.directory, site, &visitor, KemSecret::generate().public())
        .map_err(|e| LoadError::Seal(e.to_string()))?;
    let conv = opening.conv;
    let (mut visitor_reader, visitor_writer) = connect(target, &Endpoint::visitor(site), &visitor, 0).await?;
    let have = Cell::new(0);
    let count = |payload: &[u8]| have.set(payload.first_chunk().map_or(0, |s| u64::from_be_bytes(*s)));
    send(&visitor_writer, &opening.frame(1))?;
    visitor_reader.wait(count, answered).await?;
    // agents see no conversation before its first message
    try_send(&visitor_writer, &first_message(&opening, &visitor)?)?;
    let shown = |frame| match frame {
        ServerFrame::Conv { conv } if conv.last > OPENING_RECORDS => Some(Ok(())),
        ServerFrame::Error { code, text, .. } => Some(Err(LoadError::Refused { code, text })),
        _ => None,
    };
    visitor_reader.wait(count, shown).await?;
    let (mut agent_reader, agent_writer) = connect(target, &Endpoint::agent(), agent, 0).await?;
    send(&agent_writer, &ClientFrame::Take { req: 1, conv })?;
    agent_reader.wait(|_| (), answered).await?;
    send(&agent_writer, &ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] })?;
    let synced = |frame| match frame {
        ServerFrame::Synced { last, .. } => Some(Ok::<_, LoadError>(last)),
        _ => None,
    };
    let last = agent_reader.wait(|_| (), synced).await?;
    Ok(Opened {
        conv,
        key: opening.key,
        readers: [visitor_reader, agent_reader],
        writers: [visitor_writer, agent_writer],
        keys: [visitor, agent.clone()],
        have: [have.get(), last],
    })
}

/// The visitor's first message, of a run of its own: the counted ones begin with 0.
fn first_message(opening: &Opening, visitor: &SigningKey) -> Result<Box<[u8]>, LoadError> {
    let header = MessageHeader {
        conv: opening.conv,
        epoch: 0,
        sender: visitor.kid(),
        msg_id: MsgId(random()),
        inst: u32::from_be_bytes(random()),
        ctr: 0,
        prev: [0; 16],
    };
    let sealed = envelope::seal(&header, &opening.key, br#"{"t":"form","ts":0,"fields":{}}"#, visitor);
    Ok(frame::encode(opcode::BINARY, &sealed.map_err(|e| LoadError::Seal(e.to_string()))?))
}

fn try_send(writer: &Writer, frame: &[u8]) -> Result<(), LoadError> {
    Ok(writer.try_send(frame).map_err(ClientError::Socket)?)
}

pub(crate) fn send(writer: &Writer, frame: &ClientFrame) -> Result<(), LoadError> {
    let text = serde_json::to_vec(frame).map_err(|e| ClientError::Protocol(e.to_string()))?;
    try_send(writer, &frame::encode(opcode::TEXT, &text))
}

pub(crate) fn answered(frame: ServerFrame) -> Option<Result<(), LoadError>> {
    match frame {
        ServerFrame::Ok { .. } => Some(Ok(())),
        ServerFrame::Error { code, text, .. } => Some(Err(LoadError::Refused { code, text })),
        _ => None,
    }
}

/// Closes the conversations, so that a server that keeps running is left as before; waits until they are closed.
pub async fn close(pairs: &[Rc<Pair>]) {
    let ends: Vec<u64> = pairs.iter().map(|pair| pair.peers[VISITOR].have.get()).collect();
    for pair in pairs {
        // a socket that is gone is not waited for longer than the others
        let _ = send(&pair.peers[VISITOR].writer, &ClientFrame::Close { req: 2, conv: pair.conv, reason: None });
    }
    let closed = || pairs.iter().zip(&ends).all(|(pair, end)| pair.peers[VISITOR].have.get() > *end);
    let until = Instant::now() + CLOSING;
    while !closed() && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
