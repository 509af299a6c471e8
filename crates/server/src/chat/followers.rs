//! Which conversations the store must report in full, counted: several may need the same one at once, and it is let go with the
//! last. A store that no other server writes to reports everything anyway.

use std::sync::Arc;

use foldhash::HashMap;
use parking_lot::Mutex;

use crate::{
    proto::ConvId,
    store::{Head, Store, StoreError},
};

/// Counts who follows what.
pub(super) struct Followers(Arc<Counts>);

struct Counts {
    store: Arc<dyn Store>,
    shared: bool,
    followers: Mutex<HashMap<ConvId, usize>>,
}

/// While it lives, every commit of a conversation comes here.
pub(super) struct Following(Option<(Arc<Counts>, ConvId)>);

impl Followers {
    /// Nothing is followed yet.
    pub fn of(store: Arc<dyn Store>) -> Self {
        let shared = store.is_shared();
        Self(Arc::new(Counts { store, shared, followers: Mutex::default() }))
    }

    /// Follows a conversation. Its head as of then, or later.
    pub async fn follow(&self, conv: ConvId) -> Result<(Following, Option<Head>), StoreError> {
        let following = self.of_all(conv).unwrap_or_else(|| {
            *self.0.followers.lock().entry(conv).or_default() += 1;
            Following(Some((self.0.clone(), conv)))
        });
        let head = self.0.store.follow(conv).await?;
        Ok((following, head))
    }

    /// Nothing need be done if the store reports everything.
    pub fn of_all(&self, _: ConvId) -> Option<Following> {
        (!self.0.shared).then_some(Following(None))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let Some((counts, conv)) = self.0.take() else { return };
        let mut followers = counts.followers.lock();
        if let Some(count) = followers.get_mut(&conv) {
            *count -= 1;
            if *count == 0 {
                followers.remove(&conv);
                // under the lock: whoever follows next comes after this
                counts.store.unfollow(conv);
            }
        }
    }
}
