//! Where conversations are found: rows of small tables that the store keeps itself, from what its callers say of each
//! conversation.
//!
//! A new fact that no index needs changes nothing here but [`Facts`]; a new index is a table, its key in [`keys`], and a way
//! to read it in [`Store`](crate::Store).

use kefu_proto::{ConvId, Kid, Marks, Side, TeamId};

use crate::Table;

/// What the rows of conversations say of where they are found; none for a row that can't be read. The store itself does not
/// look inside.
pub type FactsOf = dyn Fn(&[u8]) -> Option<Facts> + Send + Sync;

/// What the store must know of a conversation to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose it is.
    pub visitor: Kid,
    /// Whose queue it belongs to.
    pub team: TeamId,
    /// When it began, ms.
    pub created: u64,
    /// Whether agents can find it; its visitor always can.
    pub listed: bool,
    /// Whether it is open.
    pub open: bool,
    /// Since when it is a missed one, ms.
    pub missed: Option<u64>,
}

/// The facts that change with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsChange {
    /// As the revision that the batch names has them; none: it is the first row.
    pub before: Option<Facts>,
    /// With the new row.
    pub after: Facts,
}

/// A conversation in an order of time. Two may be of the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When it began, or since when it is a missed one; ms.
    pub at_ms: u64,
    /// The conversation.
    pub conv: ConvId,
}

impl Place {
    /// From the end of a key: time ‖ conversation.
    pub(crate) fn at_end_of(key: &[u8]) -> Option<Self> {
        let (rest, conv) = key.split_last_chunk::<16>()?;
        let (_, at_ms) = rest.split_last_chunk::<8>()?;
        Some(Self { at_ms: u64::from_be_bytes(*at_ms), conv: ConvId(*conv) })
    }

    /// As the end of a key.
    pub(crate) fn key(self) -> [u8; 24] {
        let mut key = [0; 24];
        key[..8].copy_from_slice(&self.at_ms.to_be_bytes());
        key[8..].copy_from_slice(&self.conv.0);
        key
    }
}

impl Table {
    /// Whether the store keeps this table itself. Batches can't name it.
    pub fn is_index(self) -> bool {
        matches!(self, Self::Receipt | Self::VisitorConv | Self::OpenConv | Self::ConvByTime | Self::Missed)
    }
}

/// What keys of [`Table::Missed`] of a team begin with. Ids of teams have no zero in them.
pub(crate) fn team_prefix(team: &TeamId) -> Vec<u8> {
    [team.as_str().as_bytes(), &[0]].concat()
}

/// Key in [`Table::Receipt`].
pub(crate) fn marks_key(conv: ConvId, side: Side) -> Vec<u8> {
    [&conv.0[..], &[side as u8]].concat()
}

/// Value in [`Table::Receipt`].
pub(crate) fn encode_marks(marks: Marks) -> Vec<u8> {
    // two numbers always serialise
    serde_json::to_vec(&marks).unwrap_or_default()
}

/// From [`Table::Receipt`]. Marks that can't be read count as none: a message is shown as unread again, nothing worse.
pub(crate) fn decode_marks(value: &[u8]) -> Marks {
    serde_json::from_slice(value).unwrap_or_default()
}

fn by_time(conv: ConvId, facts: &Facts) -> Key {
    (Table::ConvByTime, Place { at_ms: facts.created, conv }.key().to_vec())
}

type Key = (Table, Vec<u8>);

/// The rows of a conversation with these facts. All values are empty.
fn keys(conv: ConvId, facts: &Facts) -> Vec<Key> {
    let mut keys = vec![(Table::VisitorConv, [facts.visitor.0, conv.0].concat())];
    if facts.listed {
        keys.push(by_time(conv, facts));
    }
    if facts.listed && facts.open {
        keys.push((Table::OpenConv, conv.0.to_vec()));
    }
    if let Some(at_ms) = facts.missed {
        keys.push((Table::Missed, [&team_prefix(&facts.team)[..], &Place { at_ms, conv }.key()].concat()));
    }
    keys
}

/// A row of an index that appears (true) or goes.
pub(crate) type Step = (Table, Vec<u8>, bool);

/// What changes with a row.
pub(crate) fn steps(conv: ConvId, change: &FactsChange) -> Vec<Step> {
    let after = keys(conv, &change.after);
    let mut before = change.before.as_ref().map_or_else(Vec::new, |facts| keys(conv, facts));
    if let Some(facts) = change.before.as_ref().filter(|facts| facts.created != change.after.created) {
        // kefu once listed conversations that it would not list today
        before.push(by_time(conv, facts));
    }
    let gone = before.iter().filter(|key| !after.contains(key)).map(|(table, key)| (*table, key.clone(), false));
    let new = after.iter().filter(|key| !before.contains(key)).map(|(table, key)| (*table, key.clone(), true));
    gone.chain(new).collect()
}

/// The conversation that a row of an index is about; none for the other tables, and for keys of another form.
pub(crate) fn conversation_in(table: Table, key: &[u8]) -> Option<ConvId> {
    match table {
        Table::Receipt => ConvId::from_slice(key.split_last()?.1),
        Table::VisitorConv | Table::OpenConv | Table::ConvByTime | Table::Missed => {
            Some(ConvId(*key.last_chunk::<16>()?))
        }
        _ => None,
    }
}

/// What goes with a conversation: its rows, also such as an earlier kefu wrote, and its marks.
pub(crate) fn erasure(conv: ConvId, facts: Option<&Facts>) -> Vec<Step> {
    let widest = facts.map(|facts| Facts { listed: true, open: true, ..facts.clone() });
    let rows = widest.map_or_else(Vec::new, |facts| keys(conv, &facts));
    let marks = [Side::Visitor, Side::Agent].map(|side| (Table::Receipt, marks_key(conv, side)));
    rows.into_iter().chain(marks).map(|(table, key)| (table, key, false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONV: ConvId = ConvId([1; 16]);

    fn facts(team: &str, missed: Option<u64>) -> Facts {
        let (visitor, team) = (Kid([7; 16]), team.parse().unwrap());
        Facts { visitor, team, created: 5, listed: true, open: missed.is_none(), missed }
    }

    fn tables(before: Option<&Facts>, after: &Facts) -> Vec<(Table, bool)> {
        let change = FactsChange { before: before.cloned(), after: after.clone() };
        steps(CONV, &change).into_iter().map(|(table, _, put)| (table, put)).collect()
    }

    #[test]
    fn indexes_follow_the_facts() {
        use Table::{ConvByTime, Missed, OpenConv, VisitorConv};
        let (open, missed, moved) = (facts("a", None), facts("a", Some(9)), facts("b", Some(9)));
        let empty = Facts { listed: false, ..open.clone() };
        assert_eq!(tables(None, &empty), [(VisitorConv, true)]);
        assert_eq!(tables(Some(&empty), &open), [(ConvByTime, true), (OpenConv, true)]);
        assert_eq!(tables(Some(&open), &missed), [(OpenConv, false), (Missed, true)]);
        assert_eq!(tables(Some(&missed), &open), [(Missed, false), (OpenConv, true)]);
        assert_eq!(tables(Some(&missed), &moved), [(Missed, false), (Missed, true)], "another team has it now");
        assert_eq!(tables(Some(&open), &facts("b", None)), []);
        let later = Facts { created: 6, ..open };
        assert_eq!(tables(Some(&empty), &later), [(ConvByTime, false), (ConvByTime, true), (OpenConv, true)]);
        let gone: Vec<_> = erasure(CONV, Some(&missed)).into_iter().map(|(table, _, put)| (table, put)).collect();
        assert_eq!(gone.len(), 6);
        assert!(gone.iter().all(|(table, put)| table.is_index() && !put));
    }

    #[test]
    fn rows_of_indexes_name_their_conversation() {
        let rows = erasure(CONV, Some(&facts("a", Some(9))));
        assert!(rows.iter().all(|(table, key, _)| conversation_in(*table, key) == Some(CONV)), "{rows:?}");
        assert_eq!(conversation_in(Table::Site, &CONV.0), None);
        assert_eq!(conversation_in(Table::OpenConv, b"short"), None);
    }

    #[test]
    fn keys_of_a_team_are_together_in_order_of_time() {
        let key = |team: &str, at, n| {
            let facts = facts(team, Some(at));
            keys(ConvId([n; 16]), &facts).pop().unwrap().1
        };
        let all = [key("a", 7, 1), key("a", 7, 2), key("a", 256, 1), key("a-b", 1, 1), key("ab", 1, 1)];
        assert!(all.is_sorted());
        assert_eq!(all.iter().filter(|k| k.starts_with(&team_prefix(&"a".parse().unwrap()))).count(), 3);
        assert_eq!(Place::at_end_of(&all[2]), Some(Place { at_ms: 256, conv: ConvId([1; 16]) }));
    }
}
