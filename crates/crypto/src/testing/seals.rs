//! Announcements, grants, messages, notes, keyrings: what opens, and what a hostile server can't make of them.

use super::*;
use crate::{
    announcement::{self, AnnouncementError as E, Expected, NewEpoch},
    directory::Directory,
    envelope::{self, EpochKey, MessageHeader, SealError},
    grant::{self, GrantError},
    hash::BoxKind,
    hpke,
    keyring::TeamBox,
    sign::{Label, SignError},
};
use kefu_proto::{ANNOUNCEMENT_HEADER, BOX_LEN, ConvId, MsgId, SIGNATURE_LEN, tombstone};

const CONV: ConvId = ConvId([7; 16]);

fn new_epoch(dir: &Directory) -> NewEpoch {
    let (team, visitor) = (x("svc 2").public(), x("visitor").public());
    NewEpoch { conv: CONV, epoch: 1, prev: [5; 32], dir_seq: dir.seq(), dir_head: dir.head(), team, visitor, bot: None }
}

/// What a reader makes of an announcement that should be `new_epoch` by the visitor.
fn read(bytes: &[u8], dir: &Directory, bot: Option<&[u8; 32]>) -> Result<(), E> {
    let (creator, team, visitor) = (ed("visitor").public(), x("svc 2").public(), x("visitor").public());
    let (creator, team, visitor) = (&creator, &team, &visitor);
    let want = Expected {
        conv: CONV,
        epoch: 1,
        prev: [5; 32],
        creator,
        directory: dir,
        team,
        visitor,
        bot: bot.map(|pk| hash::box_kid(BoxKind::Bot, pk)),
    };
    announcement::verify(bytes, &want).map(|_| ())
}

/// Signs again what was changed, as a hostile creator would.
fn resign(mut bytes: Vec<u8>, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    bytes.truncate(bytes.len() - SIGNATURE_LEN);
    change(&mut bytes);
    let sig = ed("visitor").sign(Label::Ann, &bytes);
    [bytes, sig.to_vec()].concat()
}

#[test]
fn an_announcement_is_accepted_only_as_exactly_what_comes_next() {
    let (dir, visitor) = (log().replay(), ed("visitor"));
    let (good, ek) = announcement::create(&new_epoch(&dir), &visitor).unwrap();
    assert_eq!(read(&good, &dir, None), Ok(()));
    for (kind, key) in [(BoxKind::Team, x("svc 2")), (BoxKind::Visitor, x("visitor"))] {
        assert_eq!(announcement::open(&good, kind, &key).unwrap().bytes(), ek.bytes());
    }
    assert_eq!(announcement::open(&good, BoxKind::Team, &x("svc 1")).unwrap_err(), E::NotMine, "a removed agent's key");
    assert_eq!(announcement::open(&good, BoxKind::Bot, &x("bot")).unwrap_err(), E::NotMine);

    let other = |change: &dyn Fn(&mut NewEpoch), by: &SigningKey| {
        let mut new = new_epoch(&dir);
        change(&mut new);
        read(&announcement::create(&new, by).unwrap().0, &dir, None).unwrap_err()
    };
    assert_eq!(other(&|n| n.conv = ConvId([8; 16]), &visitor), E::Conversation);
    assert_eq!(other(&|n| n.epoch = 0, &visitor), E::Epoch { expected: 1, found: 0 }, "a downgrade");
    assert_eq!(other(&|n| n.epoch = 2, &visitor), E::Epoch { expected: 1, found: 2 });
    assert_eq!(other(&|n| n.prev = [6; 32], &visitor), E::Chain);
    assert_eq!(other(&|_| {}, &ed("bot")), E::Creator);
    assert_eq!(other(&|n| n.team = x("mallory").public(), &visitor), E::GhostBox);
    assert_eq!(other(&|n| n.team = x("svc 1").public(), &visitor), E::GhostBox, "the team key before the rotation");
    assert_eq!(other(&|n| n.visitor = x("mallory").public(), &visitor), E::GhostBox);
    assert_eq!(other(&|n| n.bot = Some(x("bot").public()), &visitor), E::GhostBox, "a robot where none may be");
    assert_eq!(other(&|n| n.dir_head = [1; 32], &visitor), E::DirectoryFork(10), "split view, found by gossip");
    assert_eq!(other(&|n| n.dir_seq = 11, &visitor), E::DirectoryAhead(11));
}

#[test]
fn the_boxes_are_exactly_those_of_the_members() {
    let (dir, visitor) = (log().replay(), ed("visitor"));
    let (good, _) = announcement::create(&new_epoch(&dir), &visitor).unwrap();
    let box_at = |i: usize| ANNOUNCEMENT_HEADER + i * BOX_LEN;
    let try_it = |change: &dyn Fn(&mut Vec<u8>)| read(&resign(good.clone(), change), &dir, Some(&x("bot").public()));
    let doubled = try_it(&|b| b.extend_from_within(box_at(0)..box_at(1)));
    assert_eq!(doubled, Err(E::GhostBox), "a second box for the team");
    assert_eq!(try_it(&|b| b[box_at(0)] = 9), Err(E::GhostBox), "a kind nobody knows");
    assert_eq!(try_it(&|b| b[ANNOUNCEMENT_HEADER - 1] = 1), Err(E::BotFlag), "a flag without a robot");
    assert_eq!(try_it(&|b| b[ANNOUNCEMENT_HEADER - 1] = 2), Err(E::Flags));
    let mut with_bot = new_epoch(&dir);
    with_bot.bot = Some(x("bot").public());
    let (with_bot, _) = announcement::create(&with_bot, &visitor).unwrap();
    assert_eq!(read(&with_bot, &dir, Some(&x("bot").public())), Ok(()));
    let hidden = resign(with_bot.clone(), |b| b[ANNOUNCEMENT_HEADER - 1] = 0);
    assert_eq!(read(&hidden, &dir, Some(&x("bot").public())), Err(E::BotFlag), "a robot hidden from the reader");
    let no_team = resign(with_bot, |b| drop(b.drain(box_at(0)..box_at(1))));
    assert_eq!(read(&no_team, &dir, Some(&x("bot").public())), Err(E::MissingBox));
}

#[test]
fn equivocation_another_key_in_one_box_is_seen_by_the_commitment() {
    let dir = log().replay();
    let (good, _) = announcement::create(&new_epoch(&dir), &ed("visitor")).unwrap();
    let kid = hash::box_kid(BoxKind::Visitor, &x("visitor").public());
    let info = [&b"kefu/1 ek\0"[..], &[2], &kid].concat();
    let other = hpke::seal(&x("visitor").public(), &info, &good[..ANNOUNCEMENT_HEADER], &[9; 32]).unwrap();
    let at = ANNOUNCEMENT_HEADER + BOX_LEN + 17;
    let bad = resign(good, |b| b[at..at + 80].copy_from_slice(&[&other.enc.0[..], &other.ct.0].concat()));
    assert_eq!(read(&bad, &dir, None), Ok(()), "the server can't see it");
    assert_eq!(announcement::open(&bad, BoxKind::Visitor, &x("visitor")).unwrap_err(), E::Commitment);
}

#[test]
fn a_grant_opens_for_its_reader_and_only_with_the_keys_that_were_announced() {
    let li = ed("li again");
    let keys = [(0, EpochKey::from_bytes(&[1; 32])), (4, EpochKey::from_bytes(&[2; 32]))];
    let bytes = grant::create(CONV, &keys, BoxKind::Team, &x("svc 2").public(), &li).unwrap();
    assert_eq!(grant::verify(&bytes, CONV, &li.public()), Ok(()));
    assert_eq!(grant::verify(&bytes, ConvId([8; 16]), &li.public()), Err(GrantError::Conversation));
    assert_eq!(grant::verify(&bytes, CONV, &ed("mallory").public()), Err(GrantError::Creator));
    let announced = |e: u32| keys.iter().find(|(k, _)| *k == e).map(|(_, ek)| ek.commitment(&CONV, e));
    let opened = grant::open(&bytes, BoxKind::Team, &x("svc 2"), announced).unwrap();
    assert_eq!(opened.iter().map(|(e, k)| (*e, k.bytes()[0])).collect::<Vec<_>>(), [(0, 1), (4, 2)]);
    let other = grant::open(&bytes, BoxKind::Team, &x("svc 2"), |_| Some([0; 32])).unwrap_err();
    assert_eq!(other, GrantError::Commitment(0));
    assert_eq!(grant::open(&bytes, BoxKind::Team, &x("li"), announced).unwrap_err(), GrantError::NotMine);
    assert_eq!(grant::create(CONV, &[], BoxKind::Team, &x("li").public(), &li), Err(GrantError::Count));
}

fn header(by: &SigningKey, conv: ConvId, epoch: u32) -> MessageHeader {
    MessageHeader { conv, epoch, sender: by.kid(), msg_id: MsgId([3; 16]), inst: 1, ctr: 2, prev: [4; 16] }
}

#[test]
fn a_message_opens_for_members_and_stays_where_it_was_sealed() {
    let (visitor, ek) = (ed("visitor"), EpochKey::generate());
    let sealed = envelope::seal(&header(&visitor, CONV, 1), &ek, "卡号".as_bytes(), &visitor).unwrap();
    assert_eq!(*envelope::open(&sealed, &ek, &visitor.public()).unwrap(), "卡号".as_bytes());
    let open = |b: &[u8], ek: &EpochKey, by: &SigningKey| envelope::open(b, ek, &by.public()).unwrap_err();
    assert_eq!(open(&sealed, &EpochKey::generate(), &visitor), SealError::Open, "the robot after the hand-off");
    assert_eq!(open(&sealed, &ek, &ed("mallory")), SealError::Sender);
    // injected by someone without a sender's key: signature by their own key under a member's kid
    let mallory = ed("mallory");
    let mut forged = envelope::seal(&header(&mallory, CONV, 1), &ek, b"x", &mallory).unwrap();
    forged[24..40].copy_from_slice(&visitor.kid().0);
    assert_eq!(open(&forged, &ek, &visitor), SealError::Sign(SignError::Signature));
    // moved to another conversation and signed again by its own sender: the seal holds it in place
    let mut moved = sealed.clone();
    moved[4] ^= 1;
    moved.truncate(moved.len() - SIGNATURE_LEN);
    let sig = visitor.sign(Label::Sig, &moved);
    moved.extend_from_slice(&sig);
    assert_eq!(open(&moved, &ek, &visitor), SealError::Open);
    let wrong = envelope::seal(&header(&mallory, CONV, 1), &ek, b"x", &visitor);
    assert_eq!(wrong.unwrap_err(), SealError::Sender);
    let long = envelope::seal(&header(&visitor, CONV, 1), &ek, &vec![0; 65_000], &visitor);
    assert_eq!(long.unwrap_err(), SealError::TooLong);
}

#[test]
fn a_note_is_for_the_team_alone_and_no_message() {
    let (li, team) = (ed("li"), x("svc 1"));
    let note = envelope::seal_note(&header(&li, CONV, 1), &team.public(), b"careful", &li).unwrap();
    assert_eq!(*envelope::open_note(&note, &team, &li.public()).unwrap(), b"careful");
    assert_eq!(envelope::open_note(&note, &x("svc 2"), &li.public()).unwrap_err(), SealError::Recipient);
    assert_eq!(envelope::open(&note, &EpochKey::generate(), &li.public()).unwrap_err(), SealError::Kind);
    let stone = tombstone(&note).unwrap();
    assert_eq!(MessageHeader::decode(&stone).unwrap(), header(&li, CONV, 1));
}

#[test]
fn nothing_is_sealed_to_a_key_without_a_secret() {
    for zero in [[0; 32], hex32("0100000000000000000000000000000000000000000000000000000000000000")] {
        assert_eq!(hpke::seal(&zero, b"", b"", b"x"), Err(hpke::HpkeError::Recipient));
        assert!(TeamBox::seal(&"svc".parse().unwrap(), 1, &x("svc 1"), &zero).is_err());
    }
}

fn hex32(text: &str) -> [u8; 32] {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap()
}
