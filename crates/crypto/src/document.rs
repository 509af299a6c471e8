//! Documents (protocol §7): what a company keeps beside conversations. The server checks who signed one; only clients open it.

use kefu_proto::{DocumentError, DocumentView};

use crate::sign::{self, Label, SignError};

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its layout.
    #[error(transparent)]
    Form(#[from] DocumentError),
    /// Its signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Reads a document and verifies that `author` signed it. Whether they may write it is the caller's to decide.
///
/// # Errors
/// [`Refused`] says what is wrong.
pub fn verify<'a>(bytes: &'a [u8], author: &[u8; 32]) -> Result<DocumentView<'a>, Refused> {
    let view = DocumentView::parse(bytes)?;
    if view.author() != crate::hash::kid(author) {
        return Err(SignError::Signature.into());
    }
    sign::verify(Label::Doc, author, view.signed(), view.signature())?;
    Ok(view)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::sign::SigningKey;

    /// `tests/data/document.json`, which the TypeScript side wrote and reads, too.
    #[derive(Deserialize)]
    struct Vector {
        ed: String,
        sealed: String,
        public: String,
    }

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn documents_of_the_pages_are_read_and_altered_ones_refused() {
        let vector: Vector = serde_json::from_str(include_str!("../../../tests/data/document.json")).unwrap();
        let ed = SigningKey::from_seed(&hex(&vector.ed).try_into().unwrap()).public();
        let (sealed, public) = (hex(&vector.sealed), hex(&vector.public));
        let view = verify(&sealed, &ed).unwrap();
        assert_eq!((view.id().0, view.rev(), view.dir_seq(), view.boxes()), ([7; 16], (1 << 33) + 5, 9, 1));
        assert_eq!((view.kind, view.scope.to_string(), view.is_public()), ("reply", "team:svc".into(), false));
        let view = verify(&public, &ed).unwrap();
        assert_eq!((view.scope.to_string(), view.is_public()), ("company".into(), true));
        let other = SigningKey::from_seed(&[9; 32]).public();
        assert_eq!(verify(&sealed, &other).unwrap_err(), SignError::Signature.into());
        for n in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[n] ^= 1;
            assert!(verify(&altered, &ed).is_err(), "byte {n}");
        }
    }
}
