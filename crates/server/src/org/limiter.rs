//! Password attempts. Counted when a login starts, since OPAQUE tells a guesser after the first answer already
//! whether they were right.
//!
//! Five at once for each user from each address (from wider IPv6 networks some times that), then each one doubles the wait:
//! strangers who fail under a user's name slow themselves down, not the user. All addresses together have a much wider limit
//! for each user, so that many addresses are not a way to guess faster. Who is at an address where the user once signed in
//! does not wait for it, and a first try from somewhere new waits a little only: a crowd that fails again and again does not
//! keep its victim out.
//!
//! Several servers share what they count: see `tries.rs`.

use std::{collections::HashMap, net::IpAddr};

use ring::hmac;

use crate::{net::networks, proto::UserId};

/// Tries of one user from one address without waiting.
pub const FREE: u32 = 5;
/// Tries of one user from everywhere without waiting.
pub const FREE_IN_ALL: u32 = 100;
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;
/// The longest wait for all addresses together.
const LONGEST_WAIT_IN_ALL_MS: u64 = 8_000;
/// After this long there is a try for an address that has made none yet: guessing from a thousand is no faster than this,
/// and needs a new one each time.
const NEWCOMER_MS: u64 = 2_000;
/// After this long without a try everything is forgiven.
const FORGIVEN_MS: u64 = 15 * 60_000;
const MOST: usize = 10_000;

/// Who is counted: hashed with a secret, so that neither people nor addresses can be read where the counts are kept.
pub(super) type Name = [u8; 16];

/// Names whatever is counted.
#[derive(Debug)]
pub(super) struct Namer(hmac::Key);

impl Namer {
    /// With this secret.
    pub fn new(key: hmac::Key) -> Self {
        Self(key)
    }

    /// The name of something of a kind. Kinds have no zero byte in their names.
    pub fn name(&self, kind: &str, parts: &[&[u8]]) -> Name {
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(kind.as_bytes());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut name = [0; 16];
        name.copy_from_slice(&mac.sign().as_ref()[..16]);
        name
    }

    /// A user who is tried from an address.
    pub fn guess(&self, user: &UserId, address: IpAddr) -> Guess {
        let name = user.as_str().as_bytes();
        let place = |(network, times): (crate::net::Network, u32)| {
            (self.name("place", &[name, network.to_string().as_bytes()]), times)
        };
        Guess { user: self.name("user", &[name]), places: networks(address).map(place).collect() }
    }
}

/// Whose password is tried, and from where.
pub(super) struct Guess {
    pub user: Name,
    /// The user at each network of the address, the narrowest first, and how many times the tries of one address it has.
    pub places: Vec<(Name, u32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tries {
    pub count: u32,
    pub last_ms: u64,
    /// They signed in from here.
    pub proven: bool,
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
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Book {
    pub all: HashMap<Name, Tries>,
    most: usize,
}

impl Book {
    pub fn of(most: usize) -> Self {
        Self { all: HashMap::new(), most }
    }

    /// What is known of `key`.
    fn at(&mut self, key: Name, now_ms: u64) -> &mut Tries {
        if self.all.len() >= self.most && !self.all.contains_key(&key) {
            self.make_room(now_ms);
        }
        self.all.entry(key).or_insert(Tries { count: 0, last_ms: now_ms, proven: false })
    }

    /// Forgets the old; if all are fresh, of those who tried least the oldest: many names tried once each must not push
    /// out the count of a user whose password is being guessed.
    fn make_room(&mut self, now_ms: u64) {
        self.all.retain(|_, t| t.proven || now_ms.saturating_sub(t.last_ms) <= FORGIVEN_MS);
        if self.all.len() >= self.most
            && let Some(oldest) = self.all.iter().min_by_key(|(_, t)| (t.proven, t.count, t.last_ms)).map(|(k, _)| *k)
        {
            self.all.remove(&oldest);
        }
    }
}

/// Who tried how often from where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limiter {
    pub places: Book,
    pub users: Book,
    /// First tries from somewhere new, while all others wait.
    pub newcomers: Book,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::of(MOST, MOST)
    }
}

impl Limiter {
    /// One that knows at most so many users and so many places.
    pub fn of(users: usize, places: usize) -> Self {
        Self { places: Book::of(places), users: Book::of(users), newcomers: Book::of(users) }
    }

    /// Counts an attempt, or returns how long to wait, ms.
    pub fn try_now(&mut self, guess: &Guess, now_ms: u64) -> Result<(), u64> {
        let (mut left, mut proven, mut new) = (0, false, true);
        for (place, times) in &guess.places {
            let there = self.places.at(*place, now_ms);
            // where they signed in they do not wait for what others of a wider network do
            if !proven {
                left = left.max(there.wait(FREE * times, LONGEST_WAIT_MS, now_ms));
            }
            proven |= there.proven;
            new &= there.count == 0 || now_ms.saturating_sub(there.last_ms) > FORGIVEN_MS;
        }
        let all = self.users.at(guess.user, now_ms).wait(FREE_IN_ALL, LONGEST_WAIT_IN_ALL_MS, now_ms);
        if new && !proven && all > 0 {
            let first = self.newcomers.at(guess.user, now_ms);
            left = left.max(first.wait(1, NEWCOMER_MS, now_ms).min(all));
            if left == 0 {
                first.count(now_ms);
            }
        } else if !proven {
            left = left.max(all);
        }
        if left > 0 {
            return Err(left);
        }
        for (place, _) in &guess.places {
            self.places.at(*place, now_ms).count(now_ms);
        }
        self.users.at(guess.user, now_ms).count(now_ms);
        Ok(())
    }

    /// The user proved themself here.
    pub fn forgive(&mut self, guess: &Guess, now_ms: u64) {
        if let Some((here, _)) = guess.places.first() {
            *self.places.at(*here, now_ms) = Tries { count: 0, last_ms: now_ms, proven: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::cluster_key::ClusterKey;

    /// The limiter as tests ask it.
    struct Asked {
        limiter: Limiter,
        namer: Namer,
    }

    impl Default for Asked {
        fn default() -> Self {
            Self { limiter: Limiter::default(), namer: Namer::new(ClusterKey::generate().mac("limits")) }
        }
    }

    impl Asked {
        fn try_now(&mut self, user: &UserId, address: IpAddr, now_ms: u64) -> Result<(), u64> {
            self.limiter.try_now(&self.namer.guess(user, address), now_ms)
        }

        fn forgive(&mut self, user: &UserId, address: IpAddr, now_ms: u64) {
            self.limiter.forgive(&self.namer.guess(user, address), now_ms);
        }
    }

    fn place(n: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + n).into())
    }

    #[test]
    fn five_tries_then_growing_waits_then_forgiven() {
        let (mut l, user, here) = (Asked::default(), "li".parse().unwrap(), place(1));
        for _ in 0..FREE {
            assert_eq!(l.try_now(&user, here, 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, here, 0), Err(1000));
        assert_eq!(l.try_now(&user, here, 999), Err(1));
        assert_eq!(l.try_now(&user, here, 1000), Ok(()));
        assert_eq!(l.try_now(&user, here, 1000), Err(2000));
        assert_eq!(l.try_now(&"wu".parse().unwrap(), here, 1000), Ok(()), "others don't wait");
        assert_eq!(l.try_now(&user, place(2), 1000), Ok(()), "nor do they from elsewhere");
        l.forgive(&user, here, 1000);
        assert_eq!(l.try_now(&user, here, 1001), Ok(()));
        assert_eq!(l.try_now(&user, place(3), 1001 + FORGIVEN_MS), Ok(()));
    }

    #[test]
    fn many_places_are_no_way_to_guess_and_no_way_to_lock_out() {
        let (mut l, user) = (Asked::default(), "li".parse().unwrap());
        l.forgive(&user, place(0), 0);
        for n in 1..=FREE_IN_ALL {
            assert_eq!(l.try_now(&user, place(n), 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, place(1), 0), Err(1000));
        // an hour of guessing from the same places, and from a new one each time
        for (from, most) in [(1, 500), (2_000, 1_900)] {
            let (mut now, mut tries) = (0, 0);
            while now < 3_600_000 {
                let at = if from == 1 { 1 + tries % FREE_IN_ALL } else { from + tries };
                match l.try_now(&user, place(at), now) {
                    Ok(()) => tries += 1,
                    Err(left) => now += left,
                }
            }
            assert!(tries < most, "{tries}");
            assert_eq!(
                l.try_now(&user, place(0), now),
                Ok(()),
                "where they signed in before they never wait for others"
            );
            l = Asked::default();
            l.forgive(&user, place(0), 0);
            for n in 1..=FREE_IN_ALL {
                assert_eq!(l.try_now(&user, place(n), 0), Ok(()));
            }
        }
    }

    #[test]
    fn a_crowd_does_not_keep_the_user_out_who_comes_from_elsewhere() {
        let (mut l, user) = (Asked::default(), "li".parse().unwrap());
        let crowd = || (1..=FREE_IN_ALL).map(place);
        for address in crowd() {
            assert_eq!(l.try_now(&user, address, 0), Ok(()));
        }
        // whatever they do meanwhile: each of them waits, the newcomer does not
        for address in crowd() {
            assert!(l.try_now(&user, address, 1).is_err());
        }
        assert_eq!(l.try_now(&user, place(5_000), 1), Ok(()));
        assert!(l.try_now(&user, place(5_001), 1).is_err(), "one newcomer after the other");
        assert_eq!(l.try_now(&user, place(5_001), 2_001), Ok(()));
    }

    #[test]
    fn a_wide_network_is_no_way_to_try_more_often() {
        let (mut l, user) = (Asked::default(), "li".parse().unwrap());
        let v6 = |n: u128| IpAddr::V6(((0x2001_0db8_u128 << 96) + (n << 64) + 1).into());
        let tries = (0..200).filter(|n| l.try_now(&user, v6(*n), 0).is_ok()).count() as u32;
        assert_eq!(tries, 4 * FREE, "all of one /56");
        l.forgive(&user, v6(7), 0);
        assert_eq!(l.try_now(&user, v6(7), 1), Ok(()), "but where they signed in they do not wait for others");
    }

    #[test]
    fn many_names_do_not_push_out_the_count_of_one_who_is_guessed_at() {
        let (mut l, user) = (Asked::default(), "li".parse().unwrap());
        for n in 0..FREE_IN_ALL {
            assert_eq!(l.try_now(&user, place(n), 0), Ok(()));
        }
        assert_eq!(l.try_now(&user, place(0), 0), Err(1000));
        for i in 0..2 * MOST {
            assert_eq!(l.try_now(&format!("u{i}").parse().unwrap(), place(2_000), 1), Ok(()));
        }
        assert_eq!(l.limiter.users.all[&l.namer.name("user", &[b"li"])].count, FREE_IN_ALL, "still counted");
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let mut l = Asked::default();
        for i in 0..(MOST as u64 + 50) {
            assert_eq!(l.try_now(&format!("u{i}").parse().unwrap(), place(1), i), Ok(()));
        }
        assert_eq!((l.limiter.users.all.len(), l.limiter.places.all.len()), (MOST, MOST));
    }
}
