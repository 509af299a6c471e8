//! Lanes: 1,024 fixed parts of the key space. All keys of a lane bear the same hash tag, so they are in one slot, on one server,
//! and can change in one script. Lane `n` is in slot `16·n`, so that shards with equal shares of the slots get equal shares of
//! the lanes, ± 1.

use std::sync::LazyLock;

/// Number of lanes.
pub const LANES: u16 = 1024;
/// Number of slots of a Cluster.
pub const SLOTS: u16 = 16_384;
/// Slots from one lane to the next.
const STEP: u16 = SLOTS / LANES;

/// The slot of a lane.
///
/// # Panics
/// `lane` is not below [`LANES`].
pub fn slot_of(lane: u16) -> u16 {
    assert!(lane < LANES, "there are {LANES} lanes, so none has the number {lane}");
    lane * STEP
}

/// What stands between `{` and `}` in the keys of a lane: the smallest decimal number whose slot is the lane's.
///
/// # Panics
/// `lane` is not below [`LANES`].
pub fn tag(lane: u16) -> &'static str {
    assert!(lane < LANES, "there are {LANES} lanes, so none has the number {lane}");
    &TAGS[usize::from(lane)]
}

static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut tags = vec![String::new(); usize::from(LANES)];
    let mut missing = tags.len();
    for number in 0_u32.. {
        let text = number.to_string();
        let slot = crc16(text.as_bytes()) % SLOTS;
        let tag = &mut tags[usize::from(slot / STEP)];
        if slot.is_multiple_of(STEP) && tag.is_empty() {
            *tag = text;
            missing -= 1;
            if missing == 0 {
                break;
            }
        }
    }
    tags
});

/// The slot of a key: of what is between its first `{` and the next `}`, if something is, else of all of it.
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|b| *b == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|b| *b == b'}').filter(|length| *length > 0).map(|length| &rest[..length])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, as Redis computes it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut crc = (at as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // from the specification of Redis Cluster, and `redis-cli cluster keyslot`
        assert_eq!(crc16(b"123456789"), 0x31C3);
        for (key, expected) in
            [("foo", 12182), ("bar", 5061), ("", 0), ("{user1000}.following", 3443), ("user1000", 3443)]
        {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn only_the_first_tag_counts_and_only_if_it_holds_something() {
        assert_eq!(slot(b"a{bar}b{foo}"), slot(b"bar"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
        assert_eq!(slot(b"foo{bar"), crc16(b"foo{bar") % SLOTS);
        assert_eq!(slot(b"foo}bar{"), crc16(b"foo}bar{") % SLOTS);
    }

    #[test]
    fn every_lane_has_a_short_tag_in_its_slot() {
        for lane in 0..LANES {
            assert_eq!(slot(format!("kefu:{{{}}}l:x", tag(lane)).as_bytes()), slot_of(lane));
            assert!(tag(lane).len() <= 5, "{lane}: {}", tag(lane));
        }
    }

    #[test]
    fn tags_are_the_smallest_numbers() {
        let mut first = std::collections::HashMap::new();
        for number in 0..69_572_u32 {
            first.entry(slot(number.to_string().as_bytes())).or_insert(number);
        }
        for lane in 0..LANES {
            assert_eq!(tag(lane), first[&slot_of(lane)].to_string(), "{lane}");
        }
        // what is stored depends on them: they may never change
        assert_eq!([tag(0), tag(1), tag(512), tag(1023)], ["3560", "4883", "8209", "430"]);
        let all: Vec<&str> = (0..LANES).map(tag).collect();
        assert_eq!(crate::Script::new(all.join("\n")).sha1(), "9913beb73e149ee483def1b0c1e3eccc42961434");
    }

    #[test]
    fn equal_shards_have_equal_numbers_of_lanes() {
        for shards in 1..=256_u16 {
            let share = |shard: u16| u32::from(SLOTS) * u32::from(shard) / u32::from(shards);
            let of =
                |shard| (0..LANES).filter(|l| (share(shard)..share(shard + 1)).contains(&slot_of(*l).into())).count();
            let counts: Vec<usize> = (0..shards).map(of).collect();
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{shards}");
        }
    }
}
