//! A head as one file: a mark, a version, a compressed JSON part, the numbers, and a hash over all of it.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use half::f16;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    super::{calibrate::Rejection, eval::Summary, examples::Intent, logistic::Linear},
    IntentClassifier, Taught,
};
use crate::{embed::Fingerprint, vectors::Rows};

const MARK: &[u8; 8] = b"KEFUHEAD";
/// Of the format. In version 1 every example is an anchor; until version 2 the JSON is not compressed, and the factors of
/// the classes have 32 bits.
const VERSION: u32 = 3;
/// More than the JSON of the largest set of examples has.
const MAX_JSON: u64 = 512 << 20;

/// Why a file is no head that can be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassifierError {
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
    examples: Taught,
    #[serde(default)]
    anchors: Option<Vec<u32>>,
    summary: Summary,
}

impl IntentClassifier {
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
        let json = compressed(&json);
        let (codes, scales) = self.rows.parts();
        let mut out =
            Vec::with_capacity(json.len() + codes.len() + 4 * scales.len() + 2 * self.linear.values.len() + 64);
        out.extend_from_slice(MARK);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&json);
        self.linear.values.iter().for_each(|x| out.extend_from_slice(&f16::from_f32(*x).to_le_bytes()));
        scales.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
        out.extend(codes.iter().map(|c| c.to_le_bytes()[0]));
        let hash = Sha256::digest(&out);
        out.extend_from_slice(&hash);
        out
    }

    /// Reads a file, for a model.
    ///
    /// # Errors
    /// See [`ClassifierError`].
    pub fn for_model(bytes: &[u8], model: Fingerprint) -> Result<Self, ClassifierError> {
        let head = Self::from_bytes(bytes)?;
        if head.fingerprint != model {
            return Err(ClassifierError::Model { head: head.fingerprint, model });
        }
        Ok(head)
    }

    /// Reads a file, whatever model it was made for.
    ///
    /// # Errors
    /// See [`ClassifierError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClassifierError> {
        let rest = bytes.strip_prefix(MARK).ok_or(ClassifierError::Kind)?;
        let (version, _) = number(rest).ok_or(ClassifierError::Damaged)?;
        if !(1..=VERSION).contains(&version) {
            return Err(ClassifierError::Version(version));
        }
        let (content, hash) = bytes.split_last_chunk::<32>().ok_or(ClassifierError::Damaged)?;
        if Sha256::digest(content)[..] != hash[..] {
            return Err(ClassifierError::Damaged);
        }
        read(version, &content[MARK.len() + 4..]).ok_or(ClassifierError::Damaged)
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*first), rest))
}

fn singles(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut to = ZlibEncoder::new(Vec::new(), Compression::best());
    // writing to memory doesn't fail; if it did, what is written would be refused as damaged
    let _ = to.write_all(plain);
    to.finish().unwrap_or_default()
}

/// Every size is checked: the hash proves that the file is whole, not that it makes sense.
fn read(version: u32, content: &[u8]) -> Option<IntentClassifier> {
    let (length, rest) = number(content)?;
    let (json, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let parts: Parts = if version < 3 {
        serde_json::from_slice(json).ok()?
    } else {
        // room at once: what grows leaves its shells behind
        let mut plain = Vec::with_capacity(4 * json.len());
        ZlibDecoder::new(json).take(MAX_JSON).read_to_end(&mut plain).ok()?;
        serde_json::from_slice(&plain).ok()?
    };
    let examples = parts.examples;
    let anchors = parts.anchors.unwrap_or_else(|| (0..).take(examples.len()).collect());
    let (intents, n) = (parts.intents.len(), anchors.len());
    let sound = parts.width > 0
        && intents > 0
        && (parts.classes == intents || parts.classes == intents + 1)
        && parts.temperature > 0.0
        && examples.iter().all(|(_, class)| (class as usize) < parts.classes)
        && anchors.iter().all(|n| (*n as usize) < examples.len());
    let values = parts.classes.checked_mul(parts.width.checked_add(1)?)?;
    let (factors, rest) = rest.split_at_checked(values.checked_mul(if version < 3 { 4 } else { 2 })?)?;
    let (scales, codes) = rest.split_at_checked(n.checked_mul(4)?)?;
    let factors: Vec<f32> = if version < 3 {
        singles(factors)
    } else {
        factors.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
    };
    if !sound || !factors.iter().all(|x| x.is_finite()) {
        return None;
    }
    let codes: Vec<i8> = codes.iter().map(|b| i8::from_le_bytes([*b])).collect();
    let rows = Rows::from_parts(parts.width, &codes, &singles(scales))?;
    Some(IntentClassifier {
        fingerprint: parts.fingerprint,
        intents: parts.intents,
        summary: parts.summary,
        linear: Linear { width: parts.width, values: factors },
        temperature: parts.temperature,
        rejection: Rejection { factors: parts.rejection.0, bias: parts.rejection.1 },
        examples,
        anchors,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        embed::testing::bags,
        intent::{Examples, train},
    };

    /// As kefu wrote it before.
    fn older(head: &IntentClassifier, version: u32) -> Vec<u8> {
        let parts = Parts {
            fingerprint: head.fingerprint,
            width: head.linear.width,
            classes: head.linear.classes(),
            intents: head.intents.clone(),
            temperature: head.temperature,
            rejection: (head.rejection.factors, head.rejection.bias),
            examples: head.examples.clone(),
            anchors: (version > 1).then(|| head.anchors.clone()),
            summary: head.summary.clone(),
        };
        let mut json = serde_json::to_value(&parts).unwrap();
        json["examples"] = serde_json::json!(head.examples.iter().collect::<Vec<_>>());
        let json = json.to_string().into_bytes();
        let (codes, scales) = head.rows.parts();
        let mut out = [&MARK[..], &version.to_le_bytes(), &(json.len() as u32).to_le_bytes(), &json].concat();
        head.linear.values.iter().chain(&scales).for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
        out.extend(codes.iter().map(|c| c.to_le_bytes()[0]));
        let hash = Sha256::digest(&out);
        out.extend_from_slice(&hash);
        out
    }

    #[test]
    fn older_files_are_read_too() {
        let mut examples = Examples::default();
        for (text, intent) in [("退货", "return"), ("我要退货", "return"), ("发票", "invoice"), ("开发票", "invoice")]
        {
            examples.push(text, intent, (String::new(), 0));
        }
        let head = train(examples, &mut bags(1), &mut |_| ()).unwrap();
        for version in [1, 2] {
            assert_eq!(IntentClassifier::from_bytes(&older(&head, version)), Ok(head.clone()), "version {version}");
        }
        assert_eq!(IntentClassifier::from_bytes(&head.to_bytes()), Ok(head));
    }

    #[test]
    fn what_is_whole_but_makes_no_sense_is_damaged() {
        let json = compressed(b"{}");
        let mut out = [&MARK[..], &VERSION.to_le_bytes(), &(json.len() as u32).to_le_bytes(), &json].concat();
        let hash = Sha256::digest(&out);
        out.extend_from_slice(&hash);
        assert_eq!(IntentClassifier::from_bytes(&out), Err(ClassifierError::Damaged));
    }
}
