//! Conversations of one person on several devices. The server cannot know whose they are: agents' clients, which verified that the same
//! customer wrote them, give them the same tag, a pseudonym under a key of the team; and they let a device read what the person wrote on
//! another one. Reading is all that the server gives: the keys are in a grant (protocol §2, kind 3), which it keeps and cannot open.

use crate::{
    crypto::{grant, hash},
    hub::Who,
    proto::{ConvId, ErrorCode, Kid},
    store::{self, Batch, Op, Store, StoreError, Table},
};

use super::{Chat, RequestError};

/// Pseudonym of a person.
pub type PersonTag = [u8; 16];

/// Most conversations that are looked at for one person.
const LOOKED_AT: usize = 500;
/// Most visitors' keys that may read one conversation beside its own.
const READERS: usize = 16;
/// Most conversations of other devices that one visitor is named.
const EARLIER: usize = 50;
/// Most bytes of a grant, which has 400 keys at most.
pub const MAX_GRANT: usize = 40 * 1024;

fn tag_key(conv: ConvId) -> Vec<u8> {
    [b"c", &conv.0[..]].concat()
}

fn person_key(tag: &[u8], conv: ConvId) -> Vec<u8> {
    [b"p", tag, &conv.0[..]].concat()
}

fn readers_key(conv: ConvId) -> Vec<u8> {
    [b"r", &conv.0[..]].concat()
}

fn reader_key(conv: ConvId, reader: Kid) -> Vec<u8> {
    [b"r", &conv.0[..], &reader.0].concat()
}

/// The grant for a reader.
fn grant_key(reader: Kid, conv: ConvId) -> Vec<u8> {
    [b"k", &reader.0[..], &conv.0].concat()
}

fn put(key: Vec<u8>, value: &[u8]) -> Op {
    Op::Put { table: Table::Person, key, value: value.to_vec() }
}

fn delete(key: Vec<u8>) -> Op {
    Op::Delete { table: Table::Person, key }
}

async fn tag_of(store: &dyn Store, conv: ConvId) -> Result<Option<Vec<u8>>, StoreError> {
    store.get(Table::Person, &tag_key(conv)).await
}

/// Nothing of an erased conversation stays here.
pub(super) async fn forget(store: &dyn Store, conv: ConvId) -> Result<(), StoreError> {
    let readers = store.scan(Table::Person, &readers_key(conv), None, false, READERS + 1).await?;
    let mut ops = Vec::new();
    for (key, _) in readers {
        if let Some(kid) = key.last_chunk() {
            ops.push(delete(grant_key(Kid(*kid), conv)));
        }
        ops.push(delete(key));
    }
    if let Some(tag) = tag_of(store, conv).await? {
        ops.extend([delete(tag_key(conv)), delete(person_key(&tag, conv))]);
    }
    if !ops.is_empty() {
        store::write(store, Batch { ops, ..Batch::default() }).await?;
    }
    Ok(())
}

impl Chat {
    /// A conversation is of the person with this tag; of nobody else from now on.
    pub async fn set_person(&self, who: &Who, conv: ConvId, tag: PersonTag) -> Result<(), RequestError> {
        self.seen_by_agent(who, conv).await?;
        let before = tag_of(&*self.store, conv).await?;
        if before.as_deref() == Some(&tag) {
            return Ok(());
        }
        let mut ops: Vec<Op> = before.iter().map(|old| delete(person_key(old, conv))).collect();
        ops.extend([put(tag_key(conv), &tag), put(person_key(&tag, conv), &[])]);
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// The visitor of `device` may read the records of `conv` and has its keys by `grant`: an agent who sees both verified that one
    /// person wrote them.
    pub async fn let_read(&self, who: &Who, conv: ConvId, device: ConvId, grant: Vec<u8>) -> Result<(), RequestError> {
        self.seen_by_agent(who, conv).await?;
        let reader = self.seen_by_agent(who, device).await?;
        let agent = who.user().and_then(|user| self.agent(user));
        if grant.len() > MAX_GRANT || agent.is_none_or(|agent| grant::verify(&grant, conv, &agent.ed).is_err()) {
            return Err(RequestError::new(ErrorCode::Malformed, "this is no grant of yours for this conversation"));
        }
        self.let_key_read(conv, reader).await?;
        let ops = vec![put(grant_key(reader, conv), &grant)];
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// Conversations of this visitor's other devices, with the grants that open them.
    pub async fn earlier(&self, who: &Who) -> Result<Vec<(ConvId, Vec<u8>)>, RequestError> {
        let Who::Visitor { kid, .. } = who else {
            return Err(RequestError::new(ErrorCode::Forbidden, "only visitors have other devices"));
        };
        let prefix = [b"k", &kid.0[..]].concat();
        let pairs = self.store.scan(Table::Person, &prefix, None, false, EARLIER).await?;
        Ok(pairs.into_iter().filter_map(|(key, grant)| Some((ConvId(*key.last_chunk()?), grant))).collect())
    }

    /// As [`Chat::let_read`], for a key.
    pub(super) async fn let_key_read(&self, conv: ConvId, reader: Kid) -> Result<(), RequestError> {
        let readers = self.store.scan(Table::Person, &readers_key(conv), None, false, READERS).await?;
        let key = reader_key(conv, reader);
        if readers.iter().any(|(known, _)| *known == key) {
            return Ok(());
        }
        if readers.len() == READERS {
            let why = "too many devices read this conversation already";
            return Err(RequestError::new(ErrorCode::TooLarge, why));
        }
        store::write(&*self.store, Batch { ops: vec![put(key, &[])], ..Batch::default() }).await?;
        Ok(())
    }

    /// Whether a visitor was let read a conversation that is not theirs.
    pub(super) async fn may_read(&self, who: &Who, conv: ConvId) -> Result<bool, RequestError> {
        let Who::Visitor { kid, .. } = who else { return Ok(false) };
        Ok(self.store.get(Table::Person, &reader_key(conv, *kid)).await?.is_some())
    }

    /// Conversations of the person who wrote this one, as far as agents' clients said so.
    pub(super) async fn of_person(&self, conv: ConvId) -> Result<Vec<ConvId>, RequestError> {
        let Some(tag) = tag_of(&*self.store, conv).await? else { return Ok(Vec::new()) };
        let prefix = [b"p", &tag[..]].concat();
        let pairs = self.store.scan(Table::Person, &prefix, None, false, LOOKED_AT).await?;
        Ok(pairs.iter().filter_map(|(key, _)| key.last_chunk().map(|id| ConvId(*id))).collect())
    }

    /// The visitor's key of a conversation that this agent may see.
    async fn seen_by_agent(&self, who: &Who, conv: ConvId) -> Result<Kid, RequestError> {
        let seen = |c: &super::CachedConversation| {
            (who.user().is_some() && self.sees(who, c)).then(|| c.row.visitor_ed().map(|ed| hash::kid(&ed)))
        };
        let found = self.cache.look_at(&[conv], seen).await?.into_iter().next();
        Ok(found.ok_or_else(RequestError::not_found)??)
    }
}
