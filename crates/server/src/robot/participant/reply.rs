//! What a decision looks like in a conversation: bodies, and envelopes around them.

use ring::hmac;
use serde_json::{Value, json};

use super::read::Reading;
use crate::{
    chat::RobotReply,
    crypto::{
        envelope::{self, MessageHeader, SealError},
        sign::SigningKey,
    },
    proto::{ConvId, MsgId},
    robot::policy::{Action, Button, Decision, Dialogue, HandOverWhy},
};

/// Maximum number of characters of an answer; an envelope holds 32 KiB.
const CHARS: usize = 8000;

/// A reply, with how far the session is once it is posted.
#[derive(Debug)]
pub(super) struct SealedReply {
    /// What to post.
    pub post: RobotReply,
    /// Number of the record up to which it deals with the conversation.
    pub upto: u64,
    /// Number of the last question that it answers; none: it has no words.
    pub answered: Option<u64>,
    /// The dialogue afterwards.
    pub dialogue: Dialogue,
}

/// The bodies of a decision, and whether the robot leaves with them.
pub(super) fn bodies(decision: &Decision, re: Option<MsgId>, now_ms: u64) -> (Vec<Value>, bool) {
    let p = (f64::from(decision.p) * 1000.0).round() / 1000.0;
    let mut bot = json!({ "intent": decision.intent, "p": p, "why": decision.why });
    if let Some(entry) = &decision.entry {
        bot["entry"] = entry.as_str().into();
    }
    let say = |text: &str, buttons: &[Button]| {
        let text: String = text.trim().chars().take(CHARS).collect();
        let mut body = json!({ "t": "text", "ts": now_ms, "text": text, "re": re, "bot": bot });
        if !buttons.is_empty() {
            body["buttons"] = json!(buttons);
        }
        (!text.is_empty()).then_some(body)
    };
    let leave = |why: HandOverWhy, team: Option<&str>| {
        let mut body = json!({ "t": "ctl", "ts": now_ms, "do": "handoff", "why": why.as_str(), "re": re, "bot": bot });
        if let Some(team) = team {
            body["team"] = team.into();
        }
        body
    };
    match &decision.action {
        Action::Answer { text, buttons } | Action::Ask { text, buttons } => {
            (say(text, buttons).into_iter().collect(), false)
        }
        Action::Say { text } => (say(text, &[]).into_iter().collect(), false),
        Action::Route { team, text } => {
            (say(text, &[]).into_iter().chain([leave(HandOverWhy::Policy, Some(team))]).collect(), true)
        }
        Action::HandOver { why, text } => {
            let text = text.as_deref().and_then(|text| say(text, &[]));
            (text.into_iter().chain([leave(*why, None)]).collect(), true)
        }
        Action::Silent => (Vec::new(), false),
    }
}

impl SealedReply {
    /// Seals the reply of a decision. The counter advances when it was posted, not here.
    pub fn seal(
        conv: ConvId,
        reading: &Reading,
        decision: &Decision,
        key: &SigningKey,
        now_ms: u64,
    ) -> Result<Self, SealError> {
        let (bodies, leaves) = bodies(decision, reading.re, now_ms);
        let session = &reading.session;
        let mut prev = reading.prev;
        let mut envelopes = Vec::with_capacity(bodies.len());
        for (n, (ctr, body)) in (0..).zip((session.ctr..).zip(bodies)) {
            let msg_id = answer_id(key, conv, session.epoch, session.answered, n);
            let (epoch, sender, inst) = (session.epoch, key.kid(), session.inst);
            let header = MessageHeader { conv, epoch, sender, msg_id, inst, ctr, prev };
            let sealed = envelope::seal(&header, &session.key, body.to_string().as_bytes(), key)?;
            prev = crate::crypto::hash::envelope(&sealed);
            envelopes.push((msg_id, sealed));
        }
        let post = RobotReply { epoch: session.epoch, envelopes, leaves };
        let answered = (!post.envelopes.is_empty() && reading.last_question > 0).then_some(reading.last_question);
        Ok(Self { post, upto: reading.upto, answered, dialogue: session.dialogue.after(decision) })
    }
}

/// The id of part `n` of the answer that follows the one to record `answered`. Whoever answers next, the id is the same, so that the
/// store keeps one answer of two. Only the robot knows it beforehand: nobody can take it with a message of their own.
fn answer_id(key: &SigningKey, conv: ConvId, epoch: u32, answered: u64, n: u32) -> MsgId {
    let mut name = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.seed()));
    for part in [&b"kefu robot answer v1"[..], &conv.0, &epoch.to_be_bytes(), &answered.to_be_bytes(), &n.to_be_bytes()]
    {
        name.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&name.sign().as_ref()[..16]);
    MsgId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_one_id_and_no_other_answer_has_it() {
        let (key, conv) = (SigningKey::from_seed(&[7; 32]), ConvId([1; 16]));
        let id = answer_id(&key, conv, 0, 3, 0);
        assert_eq!(answer_id(&SigningKey::from_seed(&[7; 32]), conv, 0, 3, 0), id, "another process with the same key");
        let others = [
            answer_id(&SigningKey::from_seed(&[8; 32]), conv, 0, 3, 0),
            answer_id(&key, ConvId([2; 16]), 0, 3, 0),
            answer_id(&key, conv, 1, 3, 0),
            answer_id(&key, conv, 0, 5, 0),
            answer_id(&key, conv, 0, 3, 1),
        ];
        assert!(!others.contains(&id));
    }
}
