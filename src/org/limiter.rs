//! Tries per user: five at once, then each one doubles the wait. Counted when a login starts, since OPAQUE tells a
//! guesser after the first answer already whether he was right.

use std::collections::HashMap;

use crate::proto::UserId;

/// Tries without waiting.
pub const FREE: u32 = 5;
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;
/// After this long without a try everything is forgiven.
const FORGIVEN_MS: u64 = 15 * 60_000;
const MOST: usize = 10_000;

struct Tries {
    count: u32,
    last_ms: u64,
}

/// Who tried how often.
#[derive(Default)]
pub struct Limiter {
    users: HashMap<UserId, Tries>,
}

impl Limiter {
    /// Counts a try, or says how long to wait, ms.
    pub fn try_now(&mut self, user: &UserId, now_ms: u64) -> Result<(), u64> {
        if self.users.len() >= MOST && !self.users.contains_key(user) {
            self.make_room(now_ms);
        }
        let tries = self.users.entry(user.clone()).or_insert(Tries { count: 0, last_ms: now_ms });
        if now_ms.saturating_sub(tries.last_ms) > FORGIVEN_MS {
            tries.count = 0;
        }
        let wait = match tries.count.checked_sub(FREE) {
            None => 0,
            Some(over) => (FIRST_WAIT_MS << over.min(10)).min(LONGEST_WAIT_MS),
        };
        let left = (tries.last_ms + wait).saturating_sub(now_ms);
        if left > 0 && wait > 0 {
            return Err(left);
        }
        tries.count += 1;
        tries.last_ms = now_ms;
        Ok(())
    }

    /// The user proved himself.
    pub fn forgive(&mut self, user: &UserId) {
        self.users.remove(user);
    }

    /// Forgets the old; if all are fresh, the oldest.
    fn make_room(&mut self, now_ms: u64) {
        self.users.retain(|_, t| now_ms.saturating_sub(t.last_ms) <= FORGIVEN_MS);
        if self.users.len() >= MOST
            && let Some(oldest) = self.users.iter().min_by_key(|(_, t)| t.last_ms).map(|(u, _)| u.clone())
        {
            self.users.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_then_growing_waits_then_forgiven() {
        let (mut l, user) = (Limiter::default(), "li".parse().unwrap());
        for _ in 0..FREE {
            assert_eq!(l.try_now(&user, 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, 0), Err(1000));
        assert_eq!(l.try_now(&user, 999), Err(1));
        assert_eq!(l.try_now(&user, 1000), Ok(()));
        assert_eq!(l.try_now(&user, 1000), Err(2000));
        assert_eq!(l.try_now(&"wu".parse().unwrap(), 1000), Ok(()), "others don't wait");
        l.forgive(&user);
        assert_eq!(l.try_now(&user, 1001), Ok(()));
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let mut l = Limiter::default();
        for i in 0..(MOST as u64 + 50) {
            assert_eq!(l.try_now(&format!("u{i}").parse().unwrap(), i), Ok(()));
        }
        assert_eq!(l.users.len(), MOST);
    }
}
