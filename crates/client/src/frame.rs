//! Frames of a WebSocket (RFC 6455), as a client makes and reads them. Messages are never in several frames: no side of
//! this protocol does that.
//!
//! Masks are zero, which is a mask like any other; the server unmasks all the same.

/// Opcodes of RFC 6455.
pub mod opcode {
    /// A text frame, UTF-8.
    pub const TEXT: u8 = 1;
    /// A binary frame.
    pub const BINARY: u8 = 2;
    /// The end, with a code.
    pub const CLOSE: u8 = 8;
    /// Asks for a pong.
    pub const PING: u8 = 9;
    /// Answers a ping.
    pub const PONG: u8 = 10;
}

/// Maximum size of a frame from the server, bytes.
const MOST: usize = 16 << 20;
/// The last frame of its message, which is ours to set and the server's to set.
const FIN: u8 = 0x80;
/// The payload is masked: by clients always, by servers never.
const MASKED: u8 = 0x80;

/// Bytes that no server may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not the last of its message, or with a bit of an extension that was not requested.
    #[error("a frame that begins with {0:#04x}")]
    First(u8),
    /// Only clients do that.
    #[error("a masked frame")]
    Masked,
    /// Longer than any frame of the server.
    #[error("a frame of {0} bytes")]
    Long(u64),
}

/// A client's frame with this payload.
pub fn encode(opcode: u8, payload: &[u8]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    out.push(FIN | opcode);
    match payload.len() {
        n @ 0..=125 => out.push(MASKED | n as u8),
        n @ 126..=0xffff => {
            out.push(MASKED | 0x7e);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(MASKED | 0x7f);
            out.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out.into_boxed_slice()
}

/// The payload in a frame that [`encode`] made.
pub fn payload(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1).map(|length| length & 0x7f) {
        Some(126) => 8,
        Some(127) => 14,
        _ => 6,
    };
    frame.get(header..).unwrap_or_default()
}

/// Hands out the opcode and the payload of each complete frame of a server; returns how many bytes they were.
pub fn decode(bytes: &[u8], each: &mut impl FnMut(u8, &[u8])) -> Result<usize, FrameError> {
    let mut at = 0;
    while let Some([first, second]) = bytes[at..].first_chunk::<2>() {
        if first & 0xf0 != FIN {
            return Err(FrameError::First(*first));
        }
        let rest = &bytes[at + 2..];
        let (len, header) = match *second {
            126 => match rest.first_chunk() {
                Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
                None => break,
            },
            127 => match rest.first_chunk() {
                Some(len) => (u64::from_be_bytes(*len), 10),
                None => break,
            },
            n @ 0..126 => (u64::from(n), 2),
            MASKED.. => return Err(FrameError::Masked),
        };
        if len > MOST as u64 {
            return Err(FrameError::Long(len));
        }
        let len = len as usize;
        let Some(payload) = bytes.get(at + header..at + header + len) else { break };
        each(first & 0x0f, payload);
        at += header + len;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's frame: as a client's, without the mask.
    fn served(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let frame = encode(opcode, payload);
        let header = frame.len() - payload.len() - 4;
        let mut out = [&frame[..header], payload].concat();
        out[1] &= 0x7f;
        out
    }

    #[test]
    fn frames_come_out_complete_and_in_order_however_the_bytes_are_cut() {
        let payloads = [vec![], vec![1; 125], vec![2; 126], vec![3; 0xffff], vec![4; 0x1_0000]];
        let all: Vec<u8> = payloads.iter().flat_map(|p| served(opcode::BINARY, p)).collect();
        for step in [1, 3, 1000, all.len()] {
            let (mut held, mut found) = (Vec::new(), Vec::new());
            for part in all.chunks(step) {
                held.extend_from_slice(part);
                let used = decode(&held, &mut |op, payload| found.push((op, payload.to_vec()))).unwrap();
                held.drain(..used);
            }
            assert!(held.is_empty());
            assert!(found.iter().map(|(op, payload)| (*op, payload)).eq(payloads.iter().map(|p| (opcode::BINARY, p))));
        }
    }

    #[test]
    fn payloads_are_found_in_our_own_frames() {
        for length in [0, 125, 126, 0xffff, 0x1_0000] {
            let bytes = vec![7; length];
            assert_eq!(payload(&encode(opcode::TEXT, &bytes)), bytes);
        }
        assert_eq!(payload(&[]), [0; 0]);
    }

    #[test]
    fn what_no_server_may_send_is_refused() {
        let mut nothing = |_: u8, _: &[u8]| ();
        assert_eq!(decode(&[0x02, 1, 0], &mut nothing), Err(FrameError::First(0x02)));
        assert_eq!(decode(&[0xc1, 1, 0], &mut nothing), Err(FrameError::First(0xc1)));
        assert_eq!(decode(&encode(opcode::TEXT, b"x"), &mut nothing), Err(FrameError::Masked));
        let long = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
        assert_eq!(decode(&long, &mut nothing), Err(FrameError::Long(u64::MAX)));
    }
}
