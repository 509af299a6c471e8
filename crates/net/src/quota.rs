//! Something scarce that many clients hold at once: at most so much in all, and a share by network.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::{Network, networks};
use parking_lot::Mutex;

/// So much in all, and so much for one address; wider IPv6 networks have several times that. See [`networks`].
#[derive(Debug)]
pub struct Quota {
    all: usize,
    each: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by: HashMap<Network, usize>,
}

/// What a client holds of a [`Quota`]; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    quota: Arc<Quota>,
    address: IpAddr,
    amount: usize,
}

impl Quota {
    /// At most `all` at once, `each` for one address.
    pub fn new(all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { all, each, held: Mutex::default() })
    }

    /// Takes an amount for an address; none if there is not so much left, in all or for one of its networks.
    pub fn take(self: &Arc<Self>, address: IpAddr, amount: usize) -> Option<Permit> {
        self.add(address, amount).then(|| Permit { quota: self.clone(), address, amount })
    }

    fn add(&self, address: IpAddr, amount: usize) -> bool {
        let mut held = self.held.lock();
        let fits = |held: usize, most: usize| held.checked_add(amount).is_some_and(|sum| sum <= most);
        let room = fits(held.all, self.all)
            && networks(address).all(|(network, times)| {
                fits(held.by.get(&network).copied().unwrap_or(0), self.each.saturating_mul(times as usize))
            });
        if room && amount > 0 {
            held.all += amount;
            for (network, _) in networks(address) {
                *held.by.entry(network).or_insert(0) += amount;
            }
        }
        room
    }

    fn give_back(&self, address: IpAddr, amount: usize) {
        let mut held = self.held.lock();
        held.all -= amount;
        for (network, _) in networks(address) {
            if let Some(left) = held.by.get_mut(&network) {
                *left -= amount;
                if *left == 0 {
                    held.by.remove(&network);
                }
            }
        }
    }

    /// How much is held in all.
    pub fn held(&self) -> usize {
        self.held.lock().all
    }
}

impl Permit {
    /// How much it is.
    pub fn amount(&self) -> usize {
        self.amount
    }

    /// Takes more; false, and nothing changes, if there is not so much left.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let taken = self.quota.add(self.address, more);
        if taken {
            self.amount += more;
        }
        taken
    }

    /// Gives back what is above an amount.
    pub fn shrink_to(&mut self, amount: usize) {
        let over = self.amount.saturating_sub(amount);
        self.quota.give_back(self.address, over);
        self.amount -= over;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn amounts_are_held_by_network_and_given_back() {
        let quota = Quota::new(3, 2);
        let first = quota.take(ip("2001:db8::1"), 1);
        let second = quota.take(ip("2001:db8::ffff:2"), 1);
        assert!(first.is_some() && second.is_some());
        assert!(quota.take(ip("2001:db8::3"), 1).is_none(), "the same customer");
        assert!(quota.take(ip("2001:db8:0:1::1"), 2).is_none(), "more than there is");
        let third = quota.take(ip("2001:db8:0:1::1"), 1);
        assert!(third.is_some());
        assert!(quota.take(ip("192.0.2.1"), 1).is_none(), "full");
        drop(first);
        let mut mapped = quota.take(ip("::ffff:192.0.2.1"), 0).unwrap();
        assert!(mapped.grow(1) && !mapped.grow(1), "full again");
        assert_eq!(quota.held.lock().by.get(&Network::of(ip("192.0.2.1"))), Some(&1));
        mapped.shrink_to(0);
        assert!(quota.take(ip("192.0.2.1"), 1).is_some());
        drop((second, third, mapped));
        let held = quota.held.lock();
        assert!(held.by.is_empty() && held.all == 0);
    }

    #[test]
    fn a_network_has_room_for_four_of_the_next_narrower() {
        let quota = Quota::new(usize::MAX, 1);
        // one in each /64 of a /56: four; in each /56 of a /48: sixteen
        let of_a_56: Vec<_> = (0..5).filter_map(|n| quota.take(ip(&format!("2001:db8:0:{n:x}::1")), 1)).collect();
        assert_eq!(of_a_56.len(), 4);
        let of_a_48: Vec<_> = (1..20).filter_map(|n| quota.take(ip(&format!("2001:db8:0:{n:x}00::1")), 1)).collect();
        assert_eq!(of_a_48.len(), 12, "with the four from before");
        assert!(quota.take(ip("2001:db8:1::1"), 1).is_some(), "another /48");
        assert!(quota.take(ip("192.0.2.1"), usize::MAX).is_none(), "no overflow");
    }
}
