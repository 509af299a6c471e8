//! A visitor goes on at another device of theirs: the old one leaves the keys of its conversations here, sealed under a secret that only
//! the two devices know, for ten minutes. Whoever takes them may read the records of these conversations; they are given out once.

use serde::{Deserialize, Serialize};

use crate::{
    crypto::codec::Bytes,
    hub::Who,
    proto::{ConvId, ErrorCode, Kid},
    store::{self, Batch, Op, StoreError, Table},
};

use super::{Act, Address, Chat, RequestError};

/// Most bytes that are handed over.
pub const MAX_HANDED_OVER: usize = 64 * 1024;
/// Most conversations.
const MAX_CONVS: usize = 20;
/// How long it is kept, ms.
const KEPT_MS: u64 = 10 * 60 * 1_000;
/// How many a sweep looks at.
const SWEPT: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Kept {
    /// When it came, ms.
    at: u64,
    convs: Vec<ConvId>,
    blob: Bytes,
}

impl Kept {
    fn is_over(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.at) > KEPT_MS
    }
}

fn kept_key(id: &[u8]) -> Vec<u8> {
    [b"t", id].concat()
}

/// Which one a visitor left last: there is one at a time.
fn newest_key(visitor: Kid) -> Vec<u8> {
    [b"n", &visitor.0[..]].concat()
}

fn delete(key: Vec<u8>) -> Op {
    Op::Delete { table: Table::Person, key }
}

fn visitor(who: &Who) -> Result<Kid, RequestError> {
    match who {
        Who::Visitor { kid, .. } => Ok(*kid),
        Who::Agent { .. } => Err(RequestError::new(ErrorCode::Forbidden, "only visitors go on at another device")),
    }
}

impl Chat {
    /// Keeps what the visitor's other device needs, in the place of what was kept for them before.
    pub async fn hand_over(
        &self,
        who: &Who,
        address: Address,
        id: [u8; 16],
        convs: Vec<ConvId>,
        blob: Vec<u8>,
    ) -> Result<(), RequestError> {
        let kid = visitor(who)?;
        if convs.is_empty() {
            return Err(RequestError::malformed("there is no conversation to go on with"));
        }
        if convs.len() > MAX_CONVS || blob.len() > MAX_HANDED_OVER {
            return Err(RequestError::new(ErrorCode::TooLarge, "so much cannot be handed over to another device"));
        }
        let own = self.cache.look_at(&convs, |c| self.sees(who, c).then_some(c.id)).await?;
        for conv in convs.iter().filter(|conv| !own.contains(conv)) {
            // what this device was handed over itself
            if !self.may_read(who, *conv).await? {
                return Err(RequestError::not_found());
            }
        }
        // it is in the database for a while, like what they write
        let act = Act { bytes: u32::try_from(blob.len()).unwrap_or(u32::MAX), records: 1, ..Act::default() };
        self.refuse_blocked(kid)?;
        self.limits.visitor(kid, address, act, self.now_ms()).map_err(|l| self.limited(l))?;
        let kept = Kept { at: self.now_ms(), convs, blob: Bytes(blob) };
        let value = serde_json::to_vec(&kept).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let before = self.store.get(Table::Person, &newest_key(kid)).await?;
        let mut ops: Vec<Op> = before.map(|old| delete(kept_key(&old))).into_iter().collect();
        // nobody replaces what somebody else left under the same name
        ops.push(Op::Expect { table: Table::Person, key: kept_key(&id), value: None });
        ops.push(Op::Put { table: Table::Person, key: kept_key(&id), value });
        ops.push(Op::Put { table: Table::Person, key: newest_key(kid), value: id.to_vec() });
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// Gives it out, once: from here on it is nowhere, and this visitor may read the conversations.
    pub async fn take_over(&self, who: &Who, id: [u8; 16]) -> Result<Vec<u8>, RequestError> {
        let kid = visitor(who)?;
        let gone = || RequestError::new(ErrorCode::NotFound, "this was taken already, or its ten minutes are over");
        let value = self.store.get(Table::Person, &kept_key(&id)).await?.ok_or_else(gone)?;
        let kept: Kept = serde_json::from_slice(&value).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let first = Op::Expect { table: Table::Person, key: kept_key(&id), value: Some(value) };
        match store::write(&*self.store, Batch { ops: vec![first, delete(kept_key(&id))], ..Batch::default() }).await {
            Err(StoreError::Conflict) => return Err(gone()),
            written => drop(written?),
        }
        if kept.is_over(self.now_ms()) {
            return Err(gone());
        }
        for conv in kept.convs {
            self.let_key_read(conv, kid).await?;
        }
        Ok(kept.blob.0)
    }

    /// Deletes what nobody took in time.
    pub async fn sweep_hand_overs(&self) {
        if let Err(e) = self.delete_old().await {
            tracing::warn!(error = %e, "what visitors left for another device could not be deleted yet");
        }
    }

    async fn delete_old(&self) -> Result<(), StoreError> {
        let (now, all) = (self.now_ms(), self.store.scan(Table::Person, b"t", None, false, SWEPT).await?);
        let over = |value: &[u8]| serde_json::from_slice::<Kept>(value).map_or(true, |kept| kept.is_over(now));
        let mut ops: Vec<Op> = all.into_iter().filter(|(_, value)| over(value)).map(|(key, _)| delete(key)).collect();
        let newest = self.store.scan(Table::Person, b"n", None, false, SWEPT).await?;
        for (key, id) in newest {
            if self.store.get(Table::Person, &kept_key(&id)).await?.is_none() {
                ops.push(delete(key));
            }
        }
        if !ops.is_empty() {
            store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        }
        Ok(())
    }
}
