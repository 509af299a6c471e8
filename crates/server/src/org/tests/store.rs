//! A store of one map for org's tests: batches are atomic, `Expect` is honoured, the disk can be made to fail.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::future::{BoxFuture, ready};
use parking_lot::Mutex;

use crate::{
    proto::{ConvId, Generation},
    store::{Batch, Head, Op, Pair, Reading, Reply, Store, StoreError, StoredRecord, Table, Written},
};

type Map = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

#[derive(Default)]
pub struct Tables {
    map: Mutex<Map>,
    pub broken: AtomicBool,
    /// Several servers write here.
    pub shared: AtomicBool,
}

impl Tables {
    fn apply(&self, batch: Batch) -> Result<Written, StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Io("no space left".into()));
        }
        let mut map = self.map.lock();
        for op in &batch.ops {
            if let Op::Expect { table, key, value } = op
                && map.get(&(*table, key.clone())) != value.as_ref()
            {
                return Err(StoreError::Conflict);
            }
        }
        for op in batch.ops {
            match op {
                Op::Put { table, key, value } => drop(map.insert((table, key), value)),
                Op::Delete { table, key } => drop(map.remove(&(table, key))),
                Op::Expect { .. } => {}
                other => panic!("org has no conversations: {other:?}"),
            }
        }
        Ok(Written { seqs: vec![], at_ms: 0, rev: 0 })
    }

    /// All bytes stored, with everything that JSON and base64 wrap taken out beside it, for searches.
    pub fn dump(&self) -> Vec<u8> {
        let map = self.map.lock();
        let mut out = Vec::new();
        for ((_, key), value) in map.iter() {
            out.extend_from_slice(key);
            unwrap(value, &mut out);
        }
        out
    }
}

fn unwrap(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes);
    match serde_json::from_slice(bytes) {
        Ok(serde_json::Value::Object(map)) => map.values().for_each(|v| texts(v, out)),
        _ => out.push(0),
    }
}

fn texts(value: &serde_json::Value, out: &mut Vec<u8>) {
    match value {
        serde_json::Value::String(text) => {
            if let Ok(inner) = crate::crypto::codec::from_b64u(text) {
                unwrap(&inner, out);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|v| texts(v, out)),
        serde_json::Value::Object(map) => map.values().for_each(|v| texts(v, out)),
        _ => {}
    }
}

impl Store for Tables {
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        let result = self.apply(batch);
        match reply {
            Reply::Wait(tx) => drop(tx.send(result)),
            Reply::Feed(_) => panic!("org waits for its writes"),
        }
        Ok(())
    }

    fn wait_for_capacity(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Reading<'a, Option<Vec<u8>>> {
        Box::pin(ready(Ok(self.map.lock().get(&(table, key.to_vec())).cloned())))
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        _descending: bool,
        limit: usize,
    ) -> Reading<'a, Vec<Pair>> {
        let map = self.map.lock();
        let hit = |t: &Table, k: &[u8]| *t == table && k.starts_with(prefix) && after.is_none_or(|a| k > a);
        let hits = map.iter().filter(|((t, k), _)| hit(t, k)).take(limit);
        Box::pin(ready(Ok(hits.map(|((_, k), v)| (k.clone(), v.clone())).collect())))
    }

    fn head(&self, _: ConvId) -> Reading<'_, Option<Head>> {
        Box::pin(ready(Ok(None)))
    }

    fn page(&self, _: ConvId, _: u64, _: usize, _: usize) -> Reading<'_, Vec<StoredRecord>> {
        Box::pin(ready(Ok(vec![])))
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    fn generation(&self) -> Generation {
        Generation([0; 8])
    }

    fn size_bytes(&self) -> u64 {
        0
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}
