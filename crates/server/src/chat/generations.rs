//! A map of bounded size that keeps what is used. Entries that are used move to the young generation; when that is full it
//! becomes the old one, and the old one is forgotten. So a flood of keys costs each of them the same, whatever came before.

use std::hash::Hash;

use foldhash::{HashMap, HashMapExt};

/// See the module.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Most entries of both.
    keep: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// An empty map of at most `keep` entries.
    pub fn keeping(keep: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), keep }
    }

    /// The entry of a key; `make` makes it if there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        // who is at work is in the young one already
        if !self.young.contains_key(&key) {
            let known = self.old.remove(&key);
            if self.young.len() >= self.keep / 2 {
                self.old = std::mem::take(&mut self.young);
            }
            return self.young.entry(key).or_insert_with(|| known.unwrap_or_else(make));
        }
        self.young.entry(key).or_insert_with(make)
    }

    /// The entry of a key, without using it.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// All entries.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.young.values().chain(self.old.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut map = Generations::keeping(8);
        for n in 1..100 {
            map.entry(0, || "kept");
            map.entry(n, || "seen");
            assert!(map.values().count() <= 8);
        }
        assert_eq!((map.peek(&0), map.peek(&99), map.peek(&1)), (Some(&"kept"), Some(&"seen"), None));
        map.remove(&0);
        assert_eq!(map.peek(&0), None);
        map.clear();
        assert_eq!(map.values().count(), 0);
    }
}
