//! Conversations that people can read: sealed and signed as clients do it, by a visitor and an agent whose keys are here, and written
//! to the store in the steps in which conversations write.

use anyhow::bail;

use super::stored::{Conversation, Template};
use crate::{
    client::Opening,
    crypto::{
        codec::{from_b64u, from_b64u_exact},
        directory::Directory,
        envelope::{self, EpochKey, MessageHeader},
        hash,
        hpke::KemSecret,
        sign::{SigningKey, random},
    },
    proto::{ClientFrame, MsgId},
    store::{Batch, Op},
};

/// What people say to customer service, in turn.
const TEXTS: [&str; 12] = [
    "您好，请问我的订单什么时候能发货？",
    "I ordered two shirts last week and only one arrived. The other one is still shown as “in transit”.",
    "好的，稍等，我帮您查一下。",
    "订单号是 2026113045871，收件人是陈思远，电话尾号 8821。",
    "Thanks!",
    "这边看到包裹昨天晚上已经到达杭州转运中心，预计明天中午前送达。如果明天下午还没有收到，您可以直接在这里告诉我，我来联系快递。",
    "可以改地址吗？",
    "Yes. Please send me the new address, with the postcode and a phone number for the courier.",
    "发票抬头：云杉科技有限公司，税号 91330100MA27XXXX0K，请开电子发票。",
    "明白了",
    "The invoice is on its way: https://example.com/invoices/2026-11-30",
    "还有一个问题：上次买的那双鞋穿了三天就开胶了，可以换一双吗？照片我等会儿发给您，麻烦看一下是不是质量问题。",
];
/// What visitors call themselves; the number of their conversation follows.
const NAMES: [&str; 8] = ["陈思远", "Ann Baker", "王小明", "李雪", "Jean-Luc", "张伟", "Maria", "刘洋"];
/// One of so many messages is the agent's.
const ANSWERS: u64 = 3;

/// A conversation and the two who write in it.
pub struct SealedConversation {
    /// As the store has it.
    pub stored: Conversation,
    key: EpochKey,
    /// The visitor and the agent.
    writers: [SigningKey; 2],
    /// The next number of each.
    counters: [u32; 2],
    /// Hash of the envelope before.
    prev: [u8; 16],
    said: u64,
}

impl SealedConversation {
    /// A new one, which the team of the company's first site can open. `agent` is one of that team.
    pub fn new(
        template: &Template,
        directory: &Directory,
        agent: &SigningKey,
        number: u64,
        created: u64,
    ) -> anyhow::Result<Self> {
        let (visitor, x) = (SigningKey::generate(), KemSecret::generate().public());
        let opening = Opening::new(directory, template.site(), &visitor, x)?;
        let ClientFrame::Open { nonce, ann, .. } = opening.frame(0) else { bail!("an opening is no opening") };
        let announcement = from_b64u(&ann)?;
        let prev = hash::envelope(&announcement);
        let nonce = from_b64u_exact(&nonce)?;
        let stored =
            template.opened(number, created, opening.conv, (visitor.public(), x), nonce, announcement, directory.seq());
        let writers = [visitor, agent.clone()];
        Ok(Self { stored, key: opening.key, writers, counters: [0, 0], prev, said: 0 })
    }

    /// The next message: the form first, with a name, and then what the two say.
    pub fn message(&mut self) -> anyhow::Result<Batch> {
        let (n, said) = (self.stored.number, self.said);
        self.said += 1;
        let body = match said {
            0 => {
                let name = format!("{} {n}", NAMES[n as usize % NAMES.len()]);
                serde_json::json!({"t": "form", "ts": 0, "fields": {"name": name}, "lang": "zh-CN", "mode": "pinned"})
            }
            _ => {
                let text = format!("{} #{said}", TEXTS[((n + said) % TEXTS.len() as u64) as usize]);
                serde_json::json!({"t": "text", "ts": 0, "text": text})
            }
        };
        let who = usize::from(said > 0 && said % ANSWERS == 0);
        let sender = &self.writers[who];
        let id = MsgId(random());
        let header = MessageHeader {
            conv: self.stored.id(),
            epoch: 0,
            sender: sender.kid(),
            msg_id: id,
            inst: who as u32,
            ctr: self.counters[who],
            prev: self.prev,
        };
        let bytes = envelope::seal(&header, &self.key, body.to_string().as_bytes(), sender)?;
        self.counters[who] += 1;
        self.prev = hash::envelope(&bytes);
        Ok(self.stored.batch(vec![Op::Append { id, body: bytes.into() }]))
    }
}
