//! From the bytes of a client to messages (RFC 6455, §5). Bytes that do not make up a whole frame wait here; between frames
//! nothing is held.

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// The longest payload of a control frame.
const MAX_CONTROL: usize = 125;

/// One message, unmasked.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// Text; not checked to be UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// To be answered with the same payload.
    Ping(Bytes),
    /// An answer to a ping.
    Pong,
    /// The client closes, with these two bytes of a code if it gives one.
    Close(Option<[u8; 2]>),
}

/// The client sent what no client may send, or more than a message may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation;

/// A message that comes in several frames.
#[derive(Debug)]
struct Fragments {
    text: bool,
    payload: BytesMut,
}

/// Bytes of a client on their way to messages.
#[derive(Debug)]
pub struct Decoder {
    unread: BytesMut,
    fragments: Option<Box<Fragments>>,
    max_message: usize,
}

impl Decoder {
    /// Without bytes. Messages of more than `max_message` bytes are a violation.
    pub fn new(max_message: usize) -> Self {
        Self { unread: BytesMut::new(), fragments: None, max_message }
    }

    /// Adds what was read.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.unread.is_empty() {
            // of this very size: a message that fills it leaves no second buffer behind
            self.unread = BytesMut::from(bytes);
        } else {
            self.unread.extend_from_slice(bytes);
        }
    }

    /// The next message, or none until more was read.
    pub fn next(&mut self) -> Result<Option<Message>, Violation> {
        while let Some((header, payload)) = self.frame()? {
            let message = match header.opcode {
                OpCode::Control(control) => Some(self::control(control, payload)?),
                OpCode::Data(data) => self.data(data, header.is_final, payload)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// The next whole frame, unmasked.
    fn frame(&mut self) -> Result<Option<(FrameHeader, BytesMut)>, Violation> {
        if self.unread.is_empty() {
            return Ok(None);
        }
        let mut cursor = Cursor::new(&self.unread[..]);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| Violation)? else { return Ok(None) };
        let begin = cursor.position() as usize;
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let control = matches!(header.opcode, OpCode::Control(_));
        let most = if control { MAX_CONTROL } else { self.max_message };
        let mask = header.mask.ok_or(Violation)?;
        if reserved || (control && !header.is_final) || length > most as u64 {
            return Err(Violation);
        }
        let length = length as usize;
        if self.unread.len() - begin < length {
            return Ok(None);
        }
        self.unread.advance(begin);
        let mut payload = match self.unread.len() == length {
            true => std::mem::take(&mut self.unread),
            false => self.unread.split_to(length),
        };
        unmask(&mut payload, mask);
        Ok(Some((header, payload)))
    }

    fn data(&mut self, data: Data, last: bool, payload: BytesMut) -> Result<Option<Message>, Violation> {
        let (text, payload) = match (data, self.fragments.take()) {
            (Data::Text | Data::Binary, None) => (data == Data::Text, payload),
            (Data::Continue, Some(mut begun)) => {
                if begun.payload.len() + payload.len() > self.max_message {
                    return Err(Violation);
                }
                begun.payload.extend_from_slice(&payload);
                (begun.text, begun.payload)
            }
            _ => return Err(Violation),
        };
        if !last {
            self.fragments = Some(Box::new(Fragments { text, payload }));
            return Ok(None);
        }
        let payload = payload.freeze();
        Ok(Some(if text { Message::Text(payload) } else { Message::Binary(payload) }))
    }
}

fn control(control: Control, payload: BytesMut) -> Result<Message, Violation> {
    match control {
        Control::Ping => Ok(Message::Ping(payload.freeze())),
        Control::Pong => Ok(Message::Pong),
        Control::Close if payload.len() == 1 => Err(Violation),
        Control::Close => Ok(Message::Close(payload.first_chunk().copied())),
        Control::Reserved(_) => Err(Violation),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 70_000;
    const MASK: [u8; 4] = [7, 0, 255, 31];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            n @ 0..=125 => out.push(0x80 | n as u8),
            n @ 126..=0xffff => out.extend([&[0xfe][..], &(n as u16).to_be_bytes()].concat()),
            n => out.extend([&[0xff][..], &(n as u64).to_be_bytes()].concat()),
        }
        out.extend(MASK);
        out.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ MASK[i % 4]));
        out
    }

    /// All messages of these bytes, read in pieces.
    fn decode(bytes: &[u8], piece: usize) -> Result<Vec<Message>, Violation> {
        let (mut decoder, mut found) = (Decoder::new(MAX), Vec::new());
        for part in bytes.chunks(piece) {
            decoder.feed(part);
            while let Some(message) = decoder.next()? {
                found.push(message);
            }
        }
        assert!(decoder.unread.is_empty());
        Ok(found)
    }

    #[test]
    fn messages_come_out_whole_and_in_order_however_the_bytes_are_cut() {
        let lengths = [0, 1, 7, 8, 9, 125, 126, 127, 0xffff, 0x1_0000, MAX];
        let payloads: Vec<Vec<u8>> = lengths.iter().map(|n| (0..*n).map(|i| i as u8).collect()).collect();
        let all: Vec<u8> = payloads.iter().flat_map(|p| frame(0x82, p)).collect();
        for piece in [1, 3, 1000, 16 * 1024, all.len()] {
            let found = decode(&all, piece).unwrap();
            assert!(found.into_iter().eq(payloads.iter().map(|p| Message::Binary(p.clone().into()))));
        }
    }

    #[test]
    fn fragments_become_one_message_and_control_frames_may_come_between_them() {
        let bytes = [frame(0x01, b"he"), frame(0x89, b"?"), frame(0x00, b"l"), frame(0x8a, b""), frame(0x80, b"lo")];
        let ping = Message::Ping(Bytes::from_static(b"?"));
        for piece in [1, 100] {
            let found = decode(&bytes.concat(), piece).unwrap();
            assert_eq!(found, [Message::Ping("?".into()), Message::Pong, Message::Text("hello".into())]);
            assert_eq!(found[0], ping);
        }
    }

    #[test]
    fn a_close_has_a_code_or_none_and_never_half_of_one() {
        assert_eq!(decode(&frame(0x88, &[]), 1), Ok(vec![Message::Close(None)]));
        assert_eq!(decode(&frame(0x88, b"\x03\xe8bye"), 9), Ok(vec![Message::Close(Some([3, 232]))]));
        assert_eq!(decode(&frame(0x88, &[3]), 9), Err(Violation));
    }

    #[test]
    fn what_no_client_may_send_is_a_violation() {
        let unmasked = vec![0x82, 1, 0];
        let claims_much = [&[0x82, 0xff][..], &u64::MAX.to_be_bytes(), &MASK].concat();
        for (bytes, what) in [
            (unmasked, "no mask"),
            (frame(0xc2, b"x"), "a bit of an extension"),
            (frame(0x83, b"x"), "an opcode that is reserved"),
            (frame(0x8b, b"x"), "a control opcode that is reserved"),
            (frame(0x09, b"x"), "a ping in fragments"),
            (frame(0x89, &[0; 126]), "a long ping"),
            (frame(0x80, b"x"), "a continuation of nothing"),
            ([frame(0x01, b"x"), frame(0x82, b"x")].concat(), "a message inside another"),
            (frame(0x82, &vec![0; MAX + 1]), "a long message"),
            ([frame(0x02, &vec![0; MAX]), frame(0x80, b"x")].concat(), "a message that grows too long"),
            (claims_much, "a length that nobody has"),
        ] {
            assert_eq!(decode(&bytes, 1 << 20), Err(Violation), "{what}");
        }
    }

    #[test]
    fn between_messages_nothing_is_held() {
        let mut decoder = Decoder::new(MAX);
        decoder.feed(&frame(0x82, &[1; 500]));
        assert!(matches!(decoder.next(), Ok(Some(Message::Binary(_)))));
        assert_eq!(decoder.unread.capacity(), 0);
    }
}
