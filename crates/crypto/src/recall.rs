//! Recalls (kinds 5 and 6): a sender removes their own message or note (protocol §2).

use crate::{
    envelope::{self, MessageHeader, SealError},
    hash,
    sign::SigningKey,
};
use kefu_proto::{HeaderView, Kind, RECALL_LEN, RecallView};

/// Why a recall can't be made or is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecallError {
    /// The envelope, its sender or its signature.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Only messages and notes can be recalled, and only by their sender.
    #[error("only messages and notes can be recalled, and only by their sender")]
    Nothing,
    /// It names something else.
    #[error("the recall names something else")]
    Other,
}

/// Recalls `envelope`, a message or a note of the same sender. `header` is the recall's own, with a message id of its own.
pub fn create(header: &MessageHeader, envelope: &[u8], sender: &SigningKey) -> Result<Vec<u8>, RecallError> {
    let (kind, of) = HeaderView::parse(envelope).map_err(SealError::from)?;
    let kind = match kind {
        Kind::Message => Kind::Recall,
        Kind::Note => Kind::NoteRecall,
        _ => return Err(RecallError::Nothing),
    };
    if (of.sender(), of.conv()) != (header.sender, header.conv) {
        return Err(RecallError::Nothing);
    }
    let mut out = Vec::with_capacity(RECALL_LEN);
    out.extend_from_slice(&header.encode(kind));
    out.extend_from_slice(&of.msg_id().0);
    out.extend_from_slice(&of.inst().to_be_bytes());
    out.extend_from_slice(&of.ctr().to_be_bytes());
    out.extend_from_slice(&hash::envelope(envelope));
    Ok(envelope::finish(out, sender)?)
}

/// Verifies sender and signature. [`fits`] checks what it removes.
pub fn verify<'a>(bytes: &'a [u8], sender: &[u8; 32]) -> Result<RecallView<'a>, RecallError> {
    let view = RecallView::parse(bytes).map_err(SealError::from)?;
    envelope::verify(bytes, sender)?;
    Ok(view)
}

/// Whether `body` is the target of the recall. The hash of a tombstone can't be compared: the text is gone.
pub fn fits(recall: &RecallView<'_>, body: &[u8]) -> Result<(), RecallError> {
    let gone = HeaderView::parse(body).is_ok_and(|(kind, _)| matches!(kind, Kind::Tombstone | Kind::NoteTombstone));
    if recall.names(body) && (gone || hash::envelope(body) == recall.hash()) { Ok(()) } else { Err(RecallError::Other) }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{envelope::EpochKey, hpke::KemSecret};
    use kefu_proto::{ConvId, Mark, MsgId, tombstone};

    /// `tests/data/recall.json`, which the TypeScript side reads, too.
    #[derive(Deserialize)]
    struct Vectors {
        recalls: Vec<Case>,
        marks: Vec<Marked>,
    }

    /// A record in the form of the socket, and its mark.
    #[derive(Deserialize)]
    struct Marked {
        frame: String,
        mark: Mark,
    }

    #[derive(Deserialize)]
    struct Case {
        seed: String,
        conv: ConvId,
        epoch: u32,
        msg: MsgId,
        inst: u32,
        ctr: u32,
        prev: String,
        of: String,
        tombstone: String,
        recall: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../../tests/data/recall.json")).unwrap()
    }

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }

    #[test]
    fn recalls_are_the_bytes_of_the_vectors() {
        let cases = vectors().recalls;
        assert_eq!(cases.len(), 2, "a message and a note");
        for case in cases {
            let key = SigningKey::from_seed(&hex(&case.seed).try_into().unwrap());
            let header = MessageHeader {
                conv: case.conv,
                epoch: case.epoch,
                sender: key.kid(),
                msg_id: case.msg,
                inst: case.inst,
                ctr: case.ctr,
                prev: hex(&case.prev).try_into().unwrap(),
            };
            let of = hex(&case.of);
            let recall = create(&header, &of, &key).unwrap();
            assert_eq!(text(&recall), case.recall);
            assert_eq!(text(&tombstone(&of).unwrap()), case.tombstone);
            let view = verify(&recall, &key.public()).unwrap();
            assert_eq!(fits(&view, &of), Ok(()));
            assert_eq!(fits(&view, &hex(&case.tombstone)), Ok(()), "a second recall");
        }
    }

    #[test]
    fn marks_are_those_of_the_vectors() {
        let marks = vectors().marks;
        assert_eq!(marks.len(), 7);
        for marked in marks {
            assert_eq!(hash::mark(&hex(&marked.frame)), marked.mark);
        }
    }

    #[test]
    fn a_recall_is_its_senders_and_of_one_envelope() {
        let (key, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let header = |ctr, sender: &SigningKey| MessageHeader {
            conv: ConvId([3; 16]),
            epoch: 4,
            sender: sender.kid(),
            msg_id: MsgId([ctr as u8; 16]),
            inst: 5,
            ctr,
            prev: [0; 16],
        };
        let ek = EpochKey::from_bytes(&[6; 32]);
        let first = envelope::seal(&header(0, &key), &ek, b"one", &key).unwrap();
        let same_place = envelope::seal(&header(0, &key), &ek, b"two", &key).unwrap();
        let second = envelope::seal(&header(1, &key), &ek, b"one", &key).unwrap();
        let note = envelope::seal_note(&header(0, &key), &KemSecret::generate().public(), b"one", &key).unwrap();
        let recall = create(&header(2, &key), &first, &key).unwrap();
        let view = verify(&recall, &key.public()).unwrap();
        assert_eq!(fits(&view, &first), Ok(()));
        for body in [&same_place, &second, &note, &recall] {
            assert_eq!(fits(&view, body), Err(RecallError::Other));
        }
        assert_eq!(create(&header(2, &other), &first, &other), Err(RecallError::Nothing), "somebody else's");
        assert_eq!(create(&header(3, &key), &recall, &key), Err(RecallError::Nothing), "a recall");
        assert!(verify(&recall, &other.public()).is_err());
        assert!(verify(&first, &key.public()).is_err(), "no recall");
        for at in 0..recall.len() {
            let mut altered = recall.clone();
            altered[at] ^= 1;
            assert!(verify(&altered, &key.public()).is_err(), "byte {at}");
        }
    }
}
