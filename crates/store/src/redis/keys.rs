//! Names of keys and channels. All of a conversation, and all indexes of its lane, bear the lane's tag and change in one script.

use kefu_proto::{ConvId, Kid, TeamId};
use kefu_redis_link::lanes;

use crate::Table;

/// A lane, or [`COMPANY`]: what has a generation of its own.
pub(super) type Lane = u16;

/// The tables of the company: no lane, and yet kept like one.
pub(super) const COMPANY: Lane = lanes::LANES;
/// Lanes and the company.
pub(super) const PARTS: usize = lanes::LANES as usize + 1;

/// The lane of a conversation: the first ten bits of its id.
pub(super) fn lane_of(conv: ConvId) -> Lane {
    (u16::from(conv.0[0]) << 2) | u16::from(conv.0[1] >> 6)
}

/// Builds names that begin with the prefix of the settings.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn name(&self, lane: Lane, kind: &str, rest: &[u8]) -> Vec<u8> {
        let tag = if lane == COMPANY { "o" } else { lanes::tag(lane) };
        let mut name = Vec::with_capacity(self.prefix.len() + 16 + rest.len());
        for part in [self.prefix.as_bytes(), b"{", tag.as_bytes(), b"}", kind.as_bytes(), rest] {
            name.extend_from_slice(part);
        }
        name
    }

    /// List: a record for each sequence number, `at ‖ body`.
    pub fn records(&self, conv: ConvId) -> Vec<u8> {
        self.name(lane_of(conv), "l:", &conv.0)
    }

    /// Hash: message id → sequence number.
    pub fn ids(&self, conv: ConvId) -> Vec<u8> {
        self.name(lane_of(conv), "i:", &conv.0)
    }

    /// Hash: `v` revision, `r` row, `m0 m1` marks, `b` bytes of records, `k` tickets.
    pub fn conversation(&self, conv: ConvId) -> Vec<u8> {
        self.name(lane_of(conv), "c:", &conv.0)
    }

    /// Hash: `g` generation, `run` process, `id` company, `n` changes of rows so far, `e` tickets; `moved` where the company is now;
    /// `hold` who moves it, and until when nothing is written, where that is not decided yet (`hold.lua`).
    pub fn lane(&self, lane: Lane) -> Vec<u8> {
        self.name(lane, "g", &[])
    }

    /// Set: conversations that are open and listed.
    pub fn open(&self, lane: Lane) -> Vec<u8> {
        self.name(lane, "open", &[])
    }

    /// Sorted set: time of creation ‖ conversation, of those that are listed.
    pub fn by_time(&self, lane: Lane) -> Vec<u8> {
        self.name(lane, "time", &[])
    }

    /// Sorted set: the same of a team.
    pub fn of_team(&self, lane: Lane, team: &TeamId) -> Vec<u8> {
        self.name(lane, "T:", team.as_str().as_bytes())
    }

    /// Sorted set: time since when ‖ conversation, of those that a team missed.
    pub fn missed(&self, lane: Lane, team: &TeamId) -> Vec<u8> {
        self.name(lane, "M:", team.as_str().as_bytes())
    }

    /// Hash: key → value of a table of the company.
    pub fn values(&self, table: Table) -> Vec<u8> {
        self.name(COMPANY, "t:", table_name(table).as_bytes())
    }

    /// Sorted set: its keys in order.
    pub fn keys(&self, table: Table) -> Vec<u8> {
        self.name(COMPANY, "k:", table_name(table).as_bytes())
    }

    /// String or hash that expires: what servers count and remember together for a while.
    pub fn ephemeral(&self, name: &[u8]) -> Vec<u8> {
        self.name(COMPANY, "e:", name)
    }

    /// String: the id of a company that is being created.
    pub fn creating(&self) -> Vec<u8> {
        self.name(COMPANY, "new", &[])
    }

    /// String that expires: who moves the company away from here.
    pub fn moving(&self) -> Vec<u8> {
        self.name(COMPANY, "moving", &[])
    }

    /// String: the id of a company that is being copied here and is not complete yet.
    pub fn importing(&self) -> Vec<u8> {
        self.name(COMPANY, "import", &[])
    }

    /// Hash: what servers share beside the tables, sealed; `v:` and its name → its version.
    pub fn sealed(&self) -> Vec<u8> {
        self.name(COMPANY, "sealed", &[])
    }

    /// Hash: what servers of the company said last.
    pub fn nodes(&self) -> Vec<u8> {
        self.name(COMPANY, "nodes", &[])
    }

    /// A pattern for keys that begin with the prefix.
    pub fn pattern(&self, rest: &str) -> Vec<u8> {
        let mut pattern = Vec::new();
        for byte in self.prefix.bytes() {
            if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\') {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.extend_from_slice(rest.as_bytes());
        pattern
    }

    /// The conversation whose records, or whose hash, this key names.
    pub fn conversation_in(&self, key: &[u8]) -> Option<ConvId> {
        let conv = ConvId(*key.last_chunk()?);
        (key == self.records(conv) || key == self.conversation(conv)).then_some(conv)
    }

    /// Set: conversations of a visitor, perhaps with some that are gone. Where it is depends on the visitor.
    pub fn of_visitor(&self, visitor: Kid) -> Vec<u8> {
        [self.prefix.as_bytes(), b"{V", &visitor.0, b"}"].concat()
    }

    /// Channel: commits of a conversation.
    pub fn commits(&self, conv: ConvId) -> Vec<u8> {
        self.name(lane_of(conv), "f:", &conv.0)
    }

    /// Channel: changes of rows in a lane.
    pub fn rows(&self, lane: Lane) -> Vec<u8> {
        self.name(lane, "r", &[])
    }
}

/// What a table is called. Never changes.
fn table_name(table: Table) -> &'static str {
    match table {
        Table::Meta => "meta",
        Table::Directory => "directory",
        Table::Account => "account",
        Table::TeamBox => "team_box",
        Table::Invite => "invite",
        Table::Site => "site",
        Table::Widget => "widget",
        Table::Status => "status",
        Table::Document => "document",
        Table::Desk => "desk",
        Table::Person => "person",
        // indexes are other keys
        Table::Receipt | Table::VisitorConv | Table::OpenConv | Table::ConvByTime | Table::Missed => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_conversation_are_in_the_slot_of_its_lane() {
        let keys = Keys::new("kefu:");
        for first in [[0, 0], [0, 0x40], [0x80, 0x3f], [0xff, 0xff]] {
            let mut conv = ConvId(*b"\0\0}{ab}cdefghijk");
            conv.0[..2].copy_from_slice(&first);
            let (lane, team) = (lane_of(conv), "a".parse().unwrap());
            let all = [
                keys.records(conv),
                keys.ids(conv),
                keys.conversation(conv),
                keys.lane(lane),
                keys.open(lane),
                keys.by_time(lane),
                keys.of_team(lane, &team),
                keys.missed(lane, &team),
                keys.commits(conv),
                keys.rows(lane),
            ];
            assert!(all.iter().all(|key| lanes::slot(key) == lanes::slot_of(lane)));
        }
        assert_eq!([lane_of(ConvId([0xff; 16])), lane_of(ConvId([1; 16]))], [1023, 4]);
    }

    #[test]
    fn a_key_names_its_conversation_whatever_bytes_that_has() {
        let keys = Keys::new("k[1]*:");
        assert_eq!(keys.pattern("{*}"), b"k\\[1\\]\\*:{*}");
        for conv in [ConvId([b':'; 16]), ConvId([0xff; 16]), ConvId([0; 16])] {
            assert_eq!(keys.conversation_in(&keys.records(conv)), Some(conv));
            assert_eq!(keys.conversation_in(&keys.conversation(conv)), Some(conv));
            assert_eq!(keys.conversation_in(&keys.ids(conv)), None);
            assert_eq!(Keys::new("k").conversation_in(&keys.records(conv)), None);
        }
    }

    #[test]
    fn all_tables_of_the_company_are_in_one_slot() {
        let keys = Keys::new("kefu:");
        let slot = lanes::slot(&keys.lane(COMPANY));
        for table in Table::ALL.iter().filter(|table| !table.is_index()) {
            assert_eq!([keys.values(*table), keys.keys(*table)].map(|key| lanes::slot(&key)), [slot; 2]);
        }
        assert_eq!([keys.creating(), keys.ephemeral(b"x")].map(|key| lanes::slot(&key)), [slot; 2]);
    }
}
