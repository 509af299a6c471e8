//! Tries of passwords and steps of sign-ins, counted for the company: if several servers share the database, together.
//!
//! There the books of the limiter are cut into many small parts, so that all of them together stay small whatever names and
//! addresses are tried; each part is read, counted in and put back unless another server was faster. Whether a password may be
//! tried is then asked of Redis: when that does not answer, nobody signs in.

use parking_lot::Mutex;

use super::{
    OrgError,
    limiter::{Book, Guess, Limiter, Name, Namer, Tries},
};
use crate::{
    crypto::cluster_key::ClusterKey,
    store::{Ephemeral, Store, StoreError},
};

/// Parts of the shared books.
const PARTS: u16 = 4_096;
/// Users and places that one of them knows.
const USERS: usize = 64;
const PLACES: usize = 256;
/// How long a part is kept after the last try; where somebody signed in, longer.
const KEEP_MS: u64 = 15 * 60_000;
const KEEP_PROVEN_MS: u64 = 30 * 86_400_000;
/// So often a part is read again because another server was faster.
const AGAIN: usize = 16;
/// What to wait when all of these were in vain, ms: it is busy with guesses.
const BUSY_MS: u64 = 1_000;

/// Counts tries.
#[derive(Debug)]
pub(super) struct Counted {
    here: Mutex<Limiter>,
    namer: Namer,
}

impl Counted {
    pub fn new(key: &ClusterKey) -> Self {
        Self { here: Mutex::default(), namer: Namer::new(key.mac("limits")) }
    }

    /// The name of something that servers count together.
    pub fn name(&self, kind: &str, parts: &[&[u8]]) -> Name {
        self.namer.name(kind, parts)
    }

    /// Whose password is tried, and from where.
    pub fn guess(&self, user: &crate::proto::UserId, address: std::net::IpAddr) -> Guess {
        self.namer.guess(user, address)
    }

    /// Counts an attempt, or refuses it.
    pub async fn try_now(&self, store: &dyn Store, guess: &Guess, now_ms: u64) -> Result<(), OrgError> {
        let tried = match store.ephemeral() {
            None => self.here.lock().try_now(guess, now_ms),
            Some(shared) => change(shared, guess, |books| books.try_now(guess, now_ms)).await?.unwrap_or(Err(BUSY_MS)),
        };
        tried.map_err(|retry_ms| OrgError::Slow { retry_ms })
    }

    /// The user proved themself. They are in, whether that can be noted or not.
    pub async fn forgive(&self, store: &dyn Store, guess: &Guess, now_ms: u64) {
        let Some(shared) = store.ephemeral() else { return self.here.lock().forgive(guess, now_ms) };
        if let Err(e) = change(shared, guess, |books| books.forgive(guess, now_ms)).await {
            tracing::debug!(error = %e, "that somebody signed in here could not be noted");
        }
    }
}

/// Changes the part of the books that a user is in; none: others were faster again and again.
async fn change<T>(
    shared: &dyn Ephemeral,
    guess: &Guess,
    act: impl Fn(&mut Limiter) -> T,
) -> Result<Option<T>, StoreError> {
    let part = u16::from_be_bytes([guess.user[0], guess.user[1]]) % PARTS;
    let name = [b"tries", &part.to_be_bytes()[..]].concat();
    for _ in 0..AGAIN {
        let before = shared.recall(&name).await?;
        // of a later version, or nonsense: counted from the beginning
        let mut books = before.as_deref().and_then(read).unwrap_or_else(|| Limiter::of(USERS, PLACES));
        let outcome = act(&mut books);
        let proven = books.places.all.values().any(|tries| tries.proven);
        let keep = if proven { KEEP_PROVEN_MS } else { KEEP_MS };
        let after = write(&books);
        if before.as_ref() == Some(&after) || shared.replace(&name, before.as_deref(), &after, keep).await? {
            return Ok(Some(outcome));
        }
    }
    Ok(None)
}

/// Version of the form.
const FORM: u8 = 1;
/// Bytes of one entry: name, count, time, whether they signed in there.
const ENTRY: usize = 16 + 4 + 8 + 1;

fn write(books: &Limiter) -> Vec<u8> {
    let mut out = vec![FORM];
    for book in [&books.places, &books.users, &books.newcomers] {
        // a part has a few hundred entries at most
        out.extend_from_slice(&(book.all.len() as u16).to_be_bytes());
        let mut all: Vec<_> = book.all.iter().collect();
        all.sort_unstable_by_key(|(name, _)| **name);
        for (name, tries) in all {
            out.extend_from_slice(name);
            out.extend_from_slice(&tries.count.to_be_bytes());
            out.extend_from_slice(&tries.last_ms.to_be_bytes());
            out.push(u8::from(tries.proven));
        }
    }
    out
}

fn read(text: &[u8]) -> Option<Limiter> {
    let (form, mut rest) = text.split_first()?;
    let mut books = (*form == FORM).then(|| Limiter::of(USERS, PLACES))?;
    for (book, most) in [(&mut books.places, PLACES), (&mut books.users, USERS), (&mut books.newcomers, USERS)] {
        rest = read_book(rest, book, most)?;
    }
    rest.is_empty().then_some(books)
}

fn read_book<'a>(text: &'a [u8], book: &mut Book, most: usize) -> Option<&'a [u8]> {
    let (count, rest) = text.split_first_chunk()?;
    let count = usize::from(u16::from_be_bytes(*count));
    let (entries, rest) = rest.split_at_checked(count * ENTRY).filter(|_| count <= most)?;
    for entry in entries.chunks_exact(ENTRY) {
        let (name, entry) = entry.split_first_chunk()?;
        let (count, entry) = entry.split_first_chunk()?;
        let (last_ms, proven) = entry.split_first_chunk()?;
        let proven = proven == [1];
        let (count, last_ms) = (u32::from_be_bytes(*count), u64::from_be_bytes(*last_ms));
        book.all.insert(*name, Tries { count, last_ms, proven });
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_are_read_as_they_were_written_and_nothing_else_is() {
        let counted = Counted::new(&ClusterKey::generate());
        let mut books = Limiter::of(USERS, PLACES);
        for n in 0..300u32 {
            let user = format!("u{}", n % 100).parse().unwrap();
            let guess = counted.guess(&user, std::net::IpAddr::V4(n.into()));
            let _ = books.try_now(&guess, u64::from(n));
            if n % 7 == 0 {
                books.forgive(&guess, u64::from(n));
            }
        }
        assert_eq!((books.users.all.len(), books.places.all.len()), (USERS, PLACES));
        let text = write(&books);
        assert_eq!(read(&text).unwrap(), books);
        assert!((0..text.len()).all(|n| read(&text[..n]).is_none()), "cut off");
        assert!(read(&[&text[..], &[0]].concat()).is_none() && read(&[]).is_none());
        assert!(read(&[FORM, 0xff, 0xff]).is_none());
    }
}
