//! What servers write to each other, and how they know that it is from one of them: whoever can write to Redis must not be able
//! to give orders.
//!
//! `MAC (32) ‖ time (8, ms) ‖ sender (8) ‖ kind (1) ‖ content`; the MAC is HMAC-SHA-256 by a key of the cluster, over the name of
//! the channel and what follows.

use bytes::Bytes;
use ring::hmac;

use crate::{
    clock::Clock,
    crypto::{cluster_key::ClusterKey, codec, sign::random},
    hub::{Audience, Frame, Topic},
    proto::{ConvId, Kid},
};

/// Bytes of a MAC.
const MAC: usize = 32;
/// Bytes before the content.
const HEAD: usize = MAC + 17;
/// How old a message may be: longer than clocks may be apart, too short to keep one for later. ms.
const OLDEST_MS: u64 = 60_000;

/// A server, as long as its process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub [u8; 8]);

impl Node {
    /// One that there never was.
    pub fn draw() -> Self {
        Self(random())
    }

    /// Its name in keys and channels.
    pub fn name(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// From [`Node::name`].
    pub fn parse(name: &[u8]) -> Option<Self> {
        data_encoding::HEXLOWER.decode(name).ok()?.try_into().ok().map(Self)
    }
}

/// What one server writes to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A frame for clients.
    Tell(Topic, Audience, Bytes),
    /// Something for servers.
    Signal(Bytes),
    /// A question to the desk.
    Ask(u64, Bytes),
    /// The answer to a question.
    Answer(u64, Bytes),
    /// A question what a server has counted.
    Count(u64),
    /// What a server says of itself, JSON.
    Here(Bytes),
}

/// Writes and reads messages.
pub(super) struct Post {
    key: hmac::Key,
    clock: Clock,
    node: Node,
}

impl Post {
    pub fn new(key: &ClusterKey, clock: Clock, node: Node) -> Self {
        Self { key: key.mac("bus"), clock, node }
    }

    /// For a channel.
    pub fn write(&self, channel: &[u8], message: &Message) -> Vec<u8> {
        let mut out = vec![0; MAC];
        out.extend_from_slice(&self.clock.now_ms().to_be_bytes());
        out.extend_from_slice(&self.node.0);
        match message {
            Message::Tell(topic, audience, frame) => {
                out.push(1);
                write_topic(topic, &mut out);
                write_audience(*audience, &mut out);
                out.extend_from_slice(frame);
            }
            Message::Signal(content) | Message::Here(content) => {
                out.push(if matches!(message, Message::Signal(_)) { 2 } else { 5 });
                out.extend_from_slice(content);
            }
            Message::Count(number) => {
                out.push(6);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Message::Ask(number, content) | Message::Answer(number, content) => {
                out.push(if matches!(message, Message::Ask(..)) { 3 } else { 4 });
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(content);
            }
        }
        let mac = self.mac(channel, &out[MAC..]);
        out[..MAC].copy_from_slice(mac.as_ref());
        out
    }

    /// From a channel; none: it is not from one of us, too old, or of a later version.
    pub fn read(&self, channel: &[u8], message: &Bytes) -> Option<(Node, Message)> {
        if message.len() < HEAD {
            return None;
        }
        let (mac, rest) = message.split_at(MAC);
        hmac::verify(&self.key, &signed_bytes(channel, rest), mac).ok()?;
        let at = u64::from_be_bytes(*rest.first_chunk()?);
        if at.abs_diff(self.clock.now_ms()) > OLDEST_MS {
            return None;
        }
        let node = Node(*rest.get(8..)?.first_chunk()?);
        let content = message.slice(HEAD..);
        let message = match rest[16] {
            1 => {
                let (topic, content) = read_topic(&content)?;
                let (audience, frame) = read_audience(&content)?;
                Message::Tell(topic, audience, frame)
            }
            2 => Message::Signal(content),
            5 => Message::Here(content),
            6 => Message::Count(u64::from_be_bytes(*content.first_chunk()?)),
            kind @ (3 | 4) => {
                let number = u64::from_be_bytes(*content.first_chunk()?);
                let content = content.slice(8..);
                if kind == 3 { Message::Ask(number, content) } else { Message::Answer(number, content) }
            }
            _ => return None,
        };
        Some((node, message))
    }

    fn mac(&self, channel: &[u8], rest: &[u8]) -> hmac::Tag {
        hmac::sign(&self.key, &signed_bytes(channel, rest))
    }
}

fn signed_bytes(place: &[u8], rest: &[u8]) -> Vec<u8> {
    [place, &[0], rest].concat()
}

fn write_topic(topic: &Topic, out: &mut Vec<u8>) {
    let (kind, name) = match topic {
        Topic::Conv(conv) => (0, &conv.0[..]),
        Topic::User(user) => (1, user.as_str().as_bytes()),
        Topic::Team(team) => (2, team.as_str().as_bytes()),
        Topic::Site(site) => (3, site.as_str().as_bytes()),
    };
    // ids are far shorter than 256 bytes
    out.extend_from_slice(&[kind, name.len() as u8]);
    out.extend_from_slice(name);
}

fn read_topic(content: &Bytes) -> Option<(Topic, Bytes)> {
    let (kind, len) = (*content.first()?, usize::from(*content.get(1)?));
    let name = content.get(2..2 + len)?;
    let text = || std::str::from_utf8(name).ok();
    let topic = match kind {
        0 => Topic::Conv(ConvId::from_slice(name)?),
        1 => Topic::User(text()?.parse().ok()?),
        2 => Topic::Team(text()?.parse().ok()?),
        3 => Topic::Site(text()?.parse().ok()?),
        _ => return None,
    };
    Some((topic, content.slice(2 + len..)))
}

fn write_audience(audience: Audience, out: &mut Vec<u8>) {
    match audience {
        // the socket is one of the sender's own
        Audience::Everyone | Audience::AllButSocket(_) => out.push(0),
        Audience::Visitors => out.push(1),
        Audience::AllButKey(kid) => {
            out.push(2);
            out.extend_from_slice(&kid.0);
        }
    }
}

fn read_audience(content: &Bytes) -> Option<(Audience, Bytes)> {
    match *content.first()? {
        0 => Some((Audience::Everyone, content.slice(1..))),
        1 => Some((Audience::Visitors, content.slice(1..))),
        2 => Some((Audience::AllButKey(Kid(*content.get(1..)?.first_chunk()?)), content.slice(17..))),
        _ => None,
    }
}

/// A frame as clients of another server get it.
pub(super) fn frame_of(bytes: &Bytes) -> Option<Frame> {
    String::from_utf8(bytes.to_vec()).ok().map(Frame::text)
}

/// Signs what a server says of itself. Under the name of another it means nothing.
pub(super) fn sign(key: &hmac::Key, node: Node, text: &str) -> String {
    format!("{}.{text}", codec::b64u(hmac::sign(key, &signed_bytes(&node.0, text.as_bytes())).as_ref()))
}

/// The text that was signed; none: not by this server, or it is not one of us.
pub(super) fn signed<'a>(key: &hmac::Key, node: Node, text: &'a str) -> Option<&'a str> {
    let (mac, text) = text.split_once('.')?;
    let mac = codec::from_b64u(mac).ok()?;
    hmac::verify(key, &signed_bytes(&node.0, text.as_bytes()), &mac).ok().map(|()| text)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;

    fn all() -> Vec<Message> {
        let frame = Bytes::from_static(b"{\"t\":\"typing\"}");
        vec![
            Message::Tell(Topic::Conv(ConvId([7; 16])), Audience::AllButKey(Kid([3; 16])), frame.clone()),
            Message::Tell(Topic::User("li".parse().unwrap()), Audience::Everyone, frame.clone()),
            Message::Tell(Topic::Team("svc".parse().unwrap()), Audience::Visitors, frame.clone()),
            Message::Tell(Topic::Site("shop".parse().unwrap()), Audience::Everyone, Bytes::new()),
            Message::Signal(frame.clone()),
            Message::Here(frame.clone()),
            Message::Ask(7, frame.clone()),
            Message::Answer(u64::MAX, frame),
        ]
    }

    #[test]
    fn messages_come_from_servers_of_the_company_and_are_new() {
        let time = Arc::new(AtomicU64::new(1_000_000));
        let now = time.clone();
        let clock = Clock::new(move || now.load(Ordering::Relaxed));
        let key = ClusterKey::generate();
        let (one, other) = (Post::new(&key, clock.clone(), Node([1; 8])), Post::new(&key, clock.clone(), Node([2; 8])));
        let stranger = Post::new(&ClusterKey::generate(), clock, Node([1; 8]));
        for message in all() {
            let bytes = Bytes::from(one.write(b"channel", &message));
            assert_eq!(other.read(b"channel", &bytes), Some((Node([1; 8]), message)));
            assert_eq!(other.read(b"another", &bytes), None);
            assert_eq!(stranger.read(b"channel", &bytes), None);
            for n in 0..bytes.len() {
                let mut altered = bytes.to_vec();
                altered[n] ^= 1;
                assert_eq!(other.read(b"channel", &altered.into()), None, "byte {n}");
                assert_eq!(other.read(b"channel", &bytes.slice(..n)), None);
            }
            time.fetch_add(OLDEST_MS + 1, Ordering::Relaxed);
            assert_eq!(other.read(b"channel", &bytes), None, "kept for later");
        }
        let own = Message::Tell(Topic::Conv(ConvId([7; 16])), Audience::AllButSocket(5), Bytes::new());
        let bytes = Bytes::from(one.write(b"c", &own));
        let (_, read) = other.read(b"c", &bytes).unwrap();
        assert!(matches!(read, Message::Tell(_, Audience::Everyone, _)), "numbers of sockets mean nothing elsewhere");
        let (mac, node) = (key.mac("beat"), Node([9; 8]));
        assert_eq!(signed(&mac, node, &sign(&mac, node, "I am here.")), Some("I am here."));
        assert_eq!(signed(&mac, node, &sign(&key.mac("bus"), node, "I am here.")), None);
        assert_eq!(signed(&mac, Node([8; 8]), &sign(&mac, node, "I am here.")), None, "copied to another name");
        assert_eq!(Node::parse(Node([9; 8]).name().as_bytes()), Some(Node([9; 8])));
    }

    /// Whoever has the key is a server, but a server may be of a later version, or broken.
    #[test]
    fn content_of_any_form_is_read_or_refused() {
        let clock = Clock::new(|| 5);
        let post = Post::new(&ClusterKey::generate(), clock, Node([1; 8]));
        for kind in 0..8u8 {
            for len in 0..40 {
                let mut bytes = vec![0; MAC];
                bytes.extend_from_slice(&5u64.to_be_bytes());
                bytes.extend_from_slice(&[1; 8]);
                bytes.push(kind);
                bytes.extend(std::iter::repeat_n(2u8, len));
                let mac = post.mac(b"c", &bytes[MAC..]);
                bytes[..MAC].copy_from_slice(mac.as_ref());
                drop(post.read(b"c", &bytes.into()));
            }
        }
    }
}
