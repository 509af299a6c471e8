//! One changed bit anywhere, in anything signed or sealed, is refused.

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{
    announcement::{self, Expected, NewEpoch},
    directory::{Bundle, Snapshot},
    envelope::{self, EpochKey, MessageHeader},
    grant,
    hash::BoxKind,
    keyring::TeamBox,
};
use kefu_proto::{ConvId, MsgId};

const CONV: ConvId = ConvId([7; 16]);

fn flip(bytes: &mut [u8], at: Index, bit: u8) {
    bytes[at.index(bytes.len())] ^= 1 << bit;
}

fn header(by: &SigningKey) -> MessageHeader {
    MessageHeader { conv: CONV, epoch: 1, sender: by.kid(), msg_id: MsgId([3; 16]), inst: 1, ctr: 2, prev: [4; 16] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn of_a_message(body in proptest::collection::vec(any::<u8>(), 0..600), at: Index, bit in 0u8..8) {
        let (by, ek) = (ed("visitor"), EpochKey::from_bytes(&[1; 32]));
        let mut bytes = envelope::seal(&header(&by), &ek, &body, &by).unwrap();
        prop_assert_eq!(&*envelope::open(&bytes, &ek, &by.public()).unwrap(), &body);
        flip(&mut bytes, at, bit);
        prop_assert!(envelope::open(&bytes, &ek, &by.public()).is_err());
    }

    #[test]
    fn of_a_note(body in proptest::collection::vec(any::<u8>(), 0..300), at: Index, bit in 0u8..8) {
        let (by, team) = (ed("li"), x("svc 1"));
        let mut bytes = envelope::seal_note(&header(&by), &team.public(), &body, &by).unwrap();
        prop_assert_eq!(&*envelope::open_note(&bytes, &team, &by.public()).unwrap(), &body);
        flip(&mut bytes, at, bit);
        prop_assert!(envelope::open_note(&bytes, &team, &by.public()).is_err());
    }

    #[test]
    fn of_an_announcement_or_grant(at: Index, bit in 0u8..8) {
        let (dir, by) = (log().replay(), ed("visitor"));
        let (team, visitor) = (x("svc 2").public(), x("visitor").public());
        let (dir_seq, dir_head) = (dir.seq(), dir.head());
        let new = NewEpoch { conv: CONV, epoch: 0, prev: [0; 32], dir_seq, dir_head, team, visitor, bot: None };
        let (mut bytes, ek) = announcement::create(&new, &by).unwrap();
        let creator = by.public();
        let want = Expected { conv: CONV, epoch: 0, prev: [0; 32], creator: &creator, directory: &dir, team: &team, visitor: &visitor, bot: None };
        prop_assert!(announcement::verify(&bytes, &want).is_ok());
        flip(&mut bytes, at, bit);
        prop_assert!(announcement::verify(&bytes, &want).is_err());
        let mut bytes = grant::create(CONV, &[(0, ek)], BoxKind::Team, &team, &by).unwrap();
        flip(&mut bytes, at, bit);
        prop_assert!(grant::verify(&bytes, CONV, &by.public()).is_err());
    }

    #[test]
    fn of_a_directory_entry(which in 0usize..11, part in 0..3, at: Index, bit in 0u8..8) {
        let mut log = log();
        let entry = &mut log.0[which];
        match part {
            0 => flip(&mut entry.raw.0, at, bit),
            1 => flip(&mut entry.signer.0, at, bit),
            _ => flip(&mut entry.sig.0, at, bit),
        }
        prop_assert!(Directory::replay(company().fp(), &log.0, None).is_err());
    }

    #[test]
    fn of_a_snapshot(part in 0..3, at: Index, bit in 0u8..8) {
        let (log, by) = (log(), ed("zhao"));
        let dir = log.replay();
        let mut snapshot = Snapshot::make(&dir, NOW, NOW + 1000, &by);
        match part {
            0 => flip(&mut snapshot.raw.0, at, bit),
            1 => flip(&mut snapshot.signer.0, at, bit),
            _ => flip(&mut snapshot.sig.0, at, bit),
        }
        prop_assert!(snapshot.verify(&dir, NOW).is_err());
        let bundle = Bundle { genesis: log.0[0].clone(), admin: Some(log.0[1].clone()), snapshot, tail: vec![] };
        prop_assert!(bundle.verify(company().fp(), NOW).is_err());
    }

    #[test]
    fn of_a_keyring_or_team_box(at: Index, bit in 0u8..8) {
        let (keys, user) = (keyring("li"), "li".parse().unwrap());
        let mut bytes = keys.seal(&[1; 64], &user, 1);
        flip(&mut bytes, at, bit);
        prop_assert!(Keyring::open(&bytes, &[1; 64], &user, 1).is_err());
        let mut sealed = TeamBox::seal(&"svc".parse().unwrap(), 1, &x("svc 1"), &x("li").public()).unwrap();
        flip(&mut sealed.ct.0, at, bit);
        prop_assert!(sealed.open(&x("li")).is_err());
    }

    #[test]
    fn of_a_printed_invite(secret: [u8; 20], at: Index) {
        let code = InviteCode::from_secret(&secret, company().fp());
        let printed = code.print();
        let read = InviteCode::parse(&printed.to_lowercase().replace('-', " ")).unwrap();
        prop_assert_eq!(read.signing_key().public(), code.signing_key().public());
        let mut letters = printed.as_bytes().to_vec();
        let at = at.index(letters.len());
        prop_assume!(letters[at] != b'-');
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
        prop_assert!(InviteCode::parse(std::str::from_utf8(&letters).unwrap()).is_err());
    }
}
