//! A head as one file: a mark, a version, a JSON part, the numbers, and a hash over all of it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    super::{calibrate::Rejection, eval::Summary, examples::Intent, logistic::Linear},
    Head,
};
use crate::ai::{embed::Fingerprint, vectors::Rows};

const MARK: &[u8; 8] = b"KEFUHEAD";
/// Of the format. In version 1 every example is an anchor.
const VERSION: u32 = 2;

/// Why a file is no head that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Another kind of file.
    #[error("this is no file of intents")]
    Kind,
    /// Of a later kefu.
    #[error("this file of intents has version {0}, this kefu reads {VERSION}: train again with `kefu intent train`")]
    Version(u32),
    /// The hash or the sizes don't fit.
    #[error("the file of intents is damaged: train again with `kefu intent train`")]
    Damaged,
    /// Made for another model.
    #[error(
        "the intents were trained with model {head}, but model {model} is in use: train again with `kefu intent train`"
    )]
    Model {
        /// The one it was made with.
        head: Fingerprint,
        /// The one in use.
        model: Fingerprint,
    },
}

#[derive(Serialize, Deserialize)]
struct Parts {
    fingerprint: Fingerprint,
    width: usize,
    classes: usize,
    intents: Vec<(String, Intent)>,
    temperature: f32,
    rejection: ([f32; 4], f32),
    examples: Vec<(String, u32)>,
    #[serde(default)]
    anchors: Option<Vec<u32>>,
    summary: Summary,
}

impl Head {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = Parts {
            fingerprint: self.fingerprint,
            width: self.linear.width,
            classes: self.linear.classes(),
            intents: self.intents.clone(),
            temperature: self.temperature,
            rejection: (self.rejection.factors, self.rejection.bias),
            examples: self.examples.clone(),
            anchors: Some(self.anchors.clone()),
            summary: self.summary.clone(),
        };
        // strings and finite numbers always have JSON
        let json = serde_json::to_vec(&parts).unwrap_or_default();
        let (codes, scales) = self.rows.parts();
        let mut out = Vec::with_capacity(json.len() + codes.len() + 4 * (scales.len() + self.linear.values.len()) + 64);
        out.extend_from_slice(MARK);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&json);
        self.linear.values.iter().chain(scales).for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
        out.extend(codes.iter().map(|c| c.to_le_bytes()[0]));
        let hash = Sha256::digest(&out);
        out.extend_from_slice(&hash);
        out
    }

    /// Reads a file, for a model.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub fn for_model(bytes: &[u8], model: Fingerprint) -> Result<Self, HeadError> {
        let head = Self::from_bytes(bytes)?;
        if head.fingerprint != model {
            return Err(HeadError::Model { head: head.fingerprint, model });
        }
        Ok(head)
    }

    /// Reads a file, whatever model it was made for.
    ///
    /// # Errors
    /// See [`HeadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let rest = bytes.strip_prefix(MARK).ok_or(HeadError::Kind)?;
        let (version, _) = number(rest).ok_or(HeadError::Damaged)?;
        if !(1..=VERSION).contains(&version) {
            return Err(HeadError::Version(version));
        }
        let (content, hash) = bytes.split_last_chunk::<32>().ok_or(HeadError::Damaged)?;
        if Sha256::digest(content)[..] != hash[..] {
            return Err(HeadError::Damaged);
        }
        read(&content[MARK.len() + 4..]).ok_or(HeadError::Damaged)
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*first), rest))
}

/// Every size is checked: the hash proves that the file is whole, not that it makes sense.
fn read(content: &[u8]) -> Option<Head> {
    let (length, rest) = number(content)?;
    let (json, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let parts: Parts = serde_json::from_slice(json).ok()?;
    let anchors = parts.anchors.unwrap_or_else(|| (0..).take(parts.examples.len()).collect());
    let (intents, n) = (parts.intents.len(), anchors.len());
    let sound = parts.width > 0
        && intents > 0
        && (parts.classes == intents || parts.classes == intents + 1)
        && parts.temperature > 0.0
        && parts.examples.iter().all(|(_, class)| (*class as usize) < parts.classes)
        && anchors.iter().all(|n| (*n as usize) < parts.examples.len());
    let values = parts.classes.checked_mul(parts.width.checked_add(1)?)?;
    let (floats, codes) = rest.split_at_checked(values.checked_add(n)?.checked_mul(4)?)?;
    if !sound || codes.len() != n.checked_mul(parts.width)? {
        return None;
    }
    let floats: Vec<f32> = floats.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if !floats.iter().all(|x| x.is_finite()) {
        return None;
    }
    let codes: Vec<i8> = codes.iter().map(|b| i8::from_le_bytes([*b])).collect();
    let rows = Rows::from_parts(parts.width, codes, floats[values..].to_vec())?;
    Some(Head {
        fingerprint: parts.fingerprint,
        intents: parts.intents,
        summary: parts.summary,
        linear: Linear { width: parts.width, values: floats[..values].to_vec() },
        temperature: parts.temperature,
        rejection: Rejection { factors: parts.rejection.0, bias: parts.rejection.1 },
        examples: parts.examples,
        anchors,
        rows,
    })
}
