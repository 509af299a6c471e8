//! What servers count and remember together for a while. All of it is beside the tables of the company, so that one script can
//! look at all it needs; each key expires.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use kefu_redis_link::{Cmd, Value, cmd};

use super::{
    RedisStore, Shared,
    fill::WAIT,
    keys::{COMPANY, lane_of},
    scripts::SCRIPTS,
    value::{bytes, number},
};
use crate::{Ephemeral, StoreError, Take, random};
use kefu_proto::ConvId;

impl Shared {
    async fn ask_company(self: &Arc<Self>, question: Cmd) -> Result<Value, StoreError> {
        self.ask(self.slot(COMPANY), question).await
    }
}

impl Ephemeral for RedisStore {
    fn take(&self, takes: Vec<Take>) -> BoxFuture<'_, Result<Result<(), u64>, StoreError>> {
        async move {
            let keys: Vec<_> = takes.iter().map(|take| self.shared.keys.ephemeral(&take.name)).collect();
            let mut call = SCRIPTS.take().call(&keys);
            for Take { cost, holds, per_ms, .. } in &takes {
                call.arg(*cost).arg(*holds).arg(*per_ms);
            }
            Ok(match number(&self.shared.ask_company(call).await?) {
                0 => Ok(()),
                wait => Err(wait),
            })
        }
        .boxed()
    }

    fn recall<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        async move {
            let mut question = cmd("GET");
            question.arg(self.shared.keys.ephemeral(name));
            Ok(bytes(&self.shared.ask_company(question).await?).map(<[u8]>::to_vec))
        }
        .boxed()
    }

    fn replace<'a>(
        &'a self,
        name: &'a [u8],
        before: Option<&'a [u8]>,
        after: &'a [u8],
        for_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let mut call = SCRIPTS.replace().call(&[self.shared.keys.ephemeral(name)]);
            call.arg(before.unwrap_or_default()).arg(after).arg(for_ms.max(1));
            Ok(number(&self.shared.ask_company(call).await?) == 1)
        }
        .boxed()
    }

    fn first<'a>(&'a self, name: &'a [u8], within_ms: u64) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let (slot, replicas) = (self.shared.slot(COMPANY), self.shared.options.ack_replicas);
            let key = self.shared.keys.ephemeral(name);
            // of this call: asked again after a lost answer, it is still the first
            let mine: [u8; 16] = random();
            let mut call = SCRIPTS.replace().call(std::slice::from_ref(&key));
            call.arg("").arg(&mine[..]).arg(within_ms.max(1));
            let mut look = cmd("GET");
            look.arg(key);
            let mut questions = vec![(slot, call), (slot, look)];
            if replicas > 0 {
                let mut wait = cmd("WAIT");
                wait.arg(replicas).arg(WAIT.as_millis() as u64);
                questions.push((slot, wait));
            }
            let answers = self.shared.ask_all(questions).await?;
            let first = answers.get(1).and_then(bytes).is_some_and(|there| there == mine);
            // a primary that takes over must know it, too
            match answers.get(2) {
                Some(have) if first && number(have) < replicas.into() => Err(StoreError::Unwritable),
                _ => Ok(first),
            }
        }
        .boxed()
    }

    fn confirm(&self, conv: ConvId) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let mut question = cmd("EXISTS");
            question.arg(self.shared.keys.conversation(conv));
            // as if the newest of all records had been read
            let (_, before) = self.shared.ask_safe(lane_of(conv), question, |_| u64::MAX).await?;
            // without replicas there is nobody to confirm it
            if before == u64::MAX { Ok(()) } else { Err(StoreError::Unwritable) }
        }
        .boxed()
    }
}
