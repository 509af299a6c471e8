//! Tries of a password. Counted when a login starts, since OPAQUE tells a guesser after the first answer already whether he
//! was right.
//!
//! Five at once for each user from each place, then each one doubles the wait: strangers who fail under somebody's name
//! slow themselves down, not him. All places together have a much wider limit for each user, so that many places are not
//! a way to guess faster; a place from which he once signed in does not wait for it.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

use crate::proto::UserId;

/// Tries of one user from one place without waiting.
pub const FREE: u32 = 5;
/// Tries of one user from everywhere without waiting.
pub const FREE_IN_ALL: u32 = 100;
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;
/// The longest wait for all places together: guessing from a thousand places is no faster than this.
const LONGEST_WAIT_IN_ALL_MS: u64 = 8_000;
/// After this long without a try everything is forgiven.
const FORGIVEN_MS: u64 = 15 * 60_000;
const MOST: usize = 10_000;

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    last_ms: u64,
    /// He signed in from here.
    proven: bool,
}

impl Tries {
    /// How long to wait, ms.
    fn wait(&self, free: u32, longest: u64, now_ms: u64) -> u64 {
        match self.count.checked_sub(free) {
            Some(over) if now_ms.saturating_sub(self.last_ms) <= FORGIVEN_MS => {
                (self.last_ms + (FIRST_WAIT_MS << over.min(10)).min(longest)).saturating_sub(now_ms)
            }
            _ => 0,
        }
    }

    fn count(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.last_ms) > FORGIVEN_MS {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = now_ms;
    }
}

/// Who tried how often, bounded in size.
struct Book<K>(HashMap<K, Tries>);

impl<K: Eq + Hash + Clone> Book<K> {
    /// What is known of `key`.
    fn at(&mut self, key: &K, now_ms: u64) -> &mut Tries {
        if self.0.len() >= MOST && !self.0.contains_key(key) {
            self.make_room(now_ms);
        }
        self.0.entry(key.clone()).or_insert(Tries { count: 0, last_ms: now_ms, proven: false })
    }

    /// Forgets the old; if all are fresh, of those who tried least the oldest: many names tried once each must not push
    /// out the count of somebody who is being guessed at.
    fn make_room(&mut self, now_ms: u64) {
        self.0.retain(|_, t| t.proven || now_ms.saturating_sub(t.last_ms) <= FORGIVEN_MS);
        if self.0.len() >= MOST
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, t)| (t.proven, t.count, t.last_ms)).map(|(k, _)| k.clone())
        {
            self.0.remove(&oldest);
        }
    }
}

/// Who tried how often from where. A place is what one customer of a network has.
pub struct Limiter {
    places: Book<(UserId, IpAddr)>,
    users: Book<UserId>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { places: Book(HashMap::new()), users: Book(HashMap::new()) }
    }
}

impl Limiter {
    /// Counts a try, or says how long to wait, ms.
    pub fn try_now(&mut self, user: &UserId, place: IpAddr, now_ms: u64) -> Result<(), u64> {
        let here = self.places.at(&(user.clone(), place), now_ms);
        let all = self.users.at(user, now_ms);
        let mut left = here.wait(FREE, LONGEST_WAIT_MS, now_ms);
        if !here.proven {
            left = left.max(all.wait(FREE_IN_ALL, LONGEST_WAIT_IN_ALL_MS, now_ms));
        }
        if left > 0 {
            return Err(left);
        }
        here.count(now_ms);
        all.count(now_ms);
        Ok(())
    }

    /// The user proved himself here.
    pub fn forgive(&mut self, user: &UserId, place: IpAddr, now_ms: u64) {
        *self.places.at(&(user.clone(), place), now_ms) = Tries { count: 0, last_ms: now_ms, proven: true };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(n: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + n).into())
    }

    #[test]
    fn five_tries_then_growing_waits_then_forgiven() {
        let (mut l, user, here) = (Limiter::default(), "li".parse().unwrap(), place(1));
        for _ in 0..FREE {
            assert_eq!(l.try_now(&user, here, 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, here, 0), Err(1000));
        assert_eq!(l.try_now(&user, here, 999), Err(1));
        assert_eq!(l.try_now(&user, here, 1000), Ok(()));
        assert_eq!(l.try_now(&user, here, 1000), Err(2000));
        assert_eq!(l.try_now(&"wu".parse().unwrap(), here, 1000), Ok(()), "others don't wait");
        assert_eq!(l.try_now(&user, place(2), 1000), Ok(()), "nor does he from elsewhere");
        l.forgive(&user, here, 1000);
        assert_eq!(l.try_now(&user, here, 1001), Ok(()));
        assert_eq!(l.try_now(&user, place(3), 1001 + FORGIVEN_MS), Ok(()));
    }

    #[test]
    fn many_places_are_no_way_to_guess_and_no_way_to_lock_out() {
        let (mut l, user) = (Limiter::default(), "li".parse().unwrap());
        l.forgive(&user, place(0), 0);
        for n in 1..=FREE_IN_ALL {
            assert_eq!(l.try_now(&user, place(n), 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, place(1_000), 0), Err(1000));
        // an hour of guessing from new places
        let (mut now, mut tries) = (0, 0);
        while now < 3_600_000 {
            match l.try_now(&user, place(2_000 + tries), now) {
                Ok(()) => tries += 1,
                Err(left) => now += left,
            }
        }
        assert!(tries < 500, "{tries}");
        assert_eq!(l.try_now(&user, place(0), now), Ok(()), "where he signed in before he never waits for others");
    }

    #[test]
    fn many_names_do_not_push_out_the_count_of_one_who_is_guessed_at() {
        let (mut l, user) = (Limiter::default(), "li".parse().unwrap());
        for n in 0..FREE_IN_ALL {
            assert_eq!(l.try_now(&user, place(n), 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, place(1_000), 0), Err(1000));
        for i in 0..2 * MOST {
            assert_eq!(l.try_now(&format!("u{i}").parse().unwrap(), place(2_000), 1), Ok(()));
        }
        assert_eq!(l.try_now(&user, place(1_000), 2), Err(998), "still counted");
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let mut l = Limiter::default();
        for i in 0..(MOST as u64 + 50) {
            assert_eq!(l.try_now(&format!("u{i}").parse().unwrap(), place(1), i), Ok(()));
        }
        assert_eq!((l.users.0.len(), l.places.0.len()), (MOST, MOST));
    }
}
