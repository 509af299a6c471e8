//! A new epoch: may its creator make it, and is it sealed to exactly those who may read?

use crate::{
    bus::BoxKid,
    crypto::{
        announcement, codec,
        directory::Directory,
        hash::{self, BoxKind},
    },
    hub::Conn,
    proto::{AnnouncementView, ConvState, ErrorCode, Event, HeaderView, Owner, OwnerWhy, SiteId, TeamId, UserId},
    store::Op,
};

use super::{
    Chat, RequestError,
    conversation::CachedConversation,
    members::{self, TeamKey},
    row::{Mover, Row},
};

/// Who made an announcement.
pub(super) struct Maker {
    /// The Ed25519 key.
    pub ed: [u8; 32],
    /// The agent; none for the visitor.
    pub user: Option<UserId>,
}

/// How an announcement came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// By its maker, now.
    Now,
    /// By a client that has it from before the log went back.
    Again,
}

fn stale(text: &'static str) -> RequestError {
    RequestError::new(ErrorCode::DirectoryStale, text)
}

impl Chat {
    /// The row after this announcement by the socket's owner, and the event that goes with it. Owner and visitor may
    /// announce; which keys its boxes may be for is decided by the directory, never by the announcement.
    pub(super) fn check_announcement(
        &self,
        conn: &Conn,
        conversation: &CachedConversation,
        bytes: &[u8],
    ) -> Result<(Row, Option<Event>), RequestError> {
        let maker = match conn.who.user() {
            None => Maker { ed: key(&conversation.row.ed)?, user: None },
            Some(_) => {
                let agent = self.require_agent(conn)?;
                self.require_owner(&agent, conversation)?;
                if conversation.row.owner == Owner::Robot {
                    return Err(RequestError::new(
                        ErrorCode::NotOwner,
                        "the robot owns this conversation; take it first",
                    ));
                }
                Maker { ed: agent.ed, user: Some(agent.user.clone()) }
            }
        };
        self.next_epoch(conversation, bytes, &maker, Came::Now)
    }

    /// The row after this announcement, and the event that goes with it.
    pub(super) fn next_epoch(
        &self,
        conversation: &CachedConversation,
        bytes: &[u8],
        maker: &Maker,
        came: Came,
    ) -> Result<(Row, Option<Event>), RequestError> {
        let view = AnnouncementView::parse(bytes)?;
        let (row, directory) = (&conversation.row, self.org.directory());
        if directory.head_at(view.dir_seq()) != Some(view.dir_head()) {
            return Err(stale("this server does not have the directory it names"));
        }
        if view.dir_seq() < row.dir_seq {
            return Err(stale("it names an older directory than the epoch before; fetch the directory"));
        }
        let team = self.sealed_to(&directory, row, &view, maker, came)?;
        if view.prev() != hex32(&row.ann) || epoch_of(bytes) != Some(row.epoch + 1) {
            return Err(RequestError::new(ErrorCode::EpochStale, "someone else announced this epoch first"));
        }
        let bot = self.bot_box(row, &view, maker, came)?;
        let expected = announcement::Expected {
            conv: conversation.id,
            epoch: row.epoch + 1,
            prev: view.prev(),
            creator: &maker.ed,
            directory: &directory,
            team: &team.pk,
            visitor: &key(&row.x)?,
            bot,
        };
        announcement::verify(bytes, &expected).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
        let mover = mover_after(&directory, row, &team.team, maker, view.dir_seq());
        let next = Row {
            epoch: row.epoch + 1,
            ann: data_encoding::HEXLOWER.encode(&hash::announcement(bytes)),
            key_epoch: team.epoch,
            bot: view.has_bot(),
            day: self.day_of(bot),
            dir_seq: view.dir_seq(),
            mover,
            ..row.clone()
        };
        Ok(self.settle(&directory, next, team, maker, came))
    }

    /// The team that it is sealed to, if its maker may choose that one.
    fn sealed_to(
        &self,
        directory: &Directory,
        row: &Row,
        view: &AnnouncementView<'_>,
        maker: &Maker,
        came: Came,
    ) -> Result<TeamKey, RequestError> {
        let kid = view.boxes().find(|(kind, ..)| *kind == BoxKind::Team as u8).map(|(_, kid, _)| kid);
        let team = kid.and_then(|kid| match came {
            Came::Now => members::team_of(directory, &kid).filter(|t| t.on),
            Came::Again => members::team_of_then(directory, &kid, view.dir_seq()),
        });
        let team = team.ok_or_else(|| stale("the team's key is not the newest; fetch the directory"))?;
        let Some(user) = &maker.user else {
            // a visitor keeps the team of the last epoch; what follows one that is off, only the signed entry says
            let off = directory.team(&row.key_team).is_none_or(|t| !t.on);
            let sites = || directory.site(&row.site).is_some_and(|s| s.team == team.team);
            return match team.team == row.key_team || (off && sites()) {
                true => Ok(team),
                false => Err(stale("visitors keep the team of the last epoch")),
            };
        };
        let then = members::in_team(directory, user, &row.key_team, view.dir_seq());
        let now = || members::in_team(directory, user, &row.key_team, directory.seq());
        if then && (came == Came::Again || now()) {
            // they may choose another team: that is how a transfer begins
            return Ok(team);
        }
        match row.mover.as_ref().filter(|m| m.user == *user) {
            Some(mover) if team.team == row.key_team || team.team == mover.from => Ok(team),
            Some(_) => Err(RequestError::new(ErrorCode::Forbidden, "this transfer can only be taken back")),
            None => Err(RequestError::new(ErrorCode::Forbidden, "you are not in the team of this epoch")),
        }
    }

    /// The box of the robot that the announcement may have.
    fn bot_box(
        &self,
        row: &Row,
        view: &AnnouncementView<'_>,
        maker: &Maker,
        came: Came,
    ) -> Result<Option<BoxKid>, RequestError> {
        match (view.has_bot(), &maker.user) {
            (false, _) => Ok(None),
            (true, Some(_)) => Err(RequestError::malformed("only visitors let a robot in")),
            (true, None) if row.owner != Owner::Robot || !row.bot => {
                Err(RequestError::new(ErrorCode::EpochStale, "the robot left this conversation; announce without it"))
            }
            (true, None) if came == Came::Now => self.robot_member(&row.site, view),
            // it can no longer be determined whose day key it was
            (true, None) => Ok(view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8).map(|(_, kid, _)| kid)),
        }
    }

    /// Where the conversation goes with a new epoch. One without the robot is how a visitor asks for a person. One for
    /// another team moves it there if nobody else will: a visitor's, when their team is off, and one that is handed back,
    /// since the transfer that followed it is lost.
    fn settle(
        &self,
        directory: &Directory,
        row: Row,
        team: TeamKey,
        maker: &Maker,
        came: Came,
    ) -> (Row, Option<Event>) {
        let person = row.owner == Owner::Robot && !row.bot;
        let moves =
            team.team != row.team && (came == Came::Again || (maker.user.is_none() && team.team != row.key_team));
        let mut next = Row { key_team: team.team.clone(), ..row };
        if moves {
            next.team = team.team;
            next.last_agent = None;
            next.snoozed = None;
        }
        if next.state == ConvState::Closed || !(person || moves) {
            return (next, None);
        }
        let stays = match &next.owner {
            Owner::Robot => !person,
            Owner::Agent(user) => members::in_team(directory, user, &next.team, directory.seq()),
            Owner::Queue | Owner::None => false,
        };
        if !stays {
            (next.owner, next.arrived) = (Owner::Queue, self.now_ms());
        }
        let why = if person { OwnerWhy::Person } else { OwnerWhy::Transfer };
        let by = maker.user.as_ref().map(ToString::to_string);
        let event = Event::Owner { owner: next.owner.clone(), team: next.team.clone(), why, by };
        (next, Some(event))
    }

    /// The step that ends a mover's right: a member of the team that has the epoch now writes.
    pub(super) fn taken_up(&self, conn: &Conn, conversation: &CachedConversation) -> Option<Op> {
        let row = &conversation.row;
        let user = conn.who.user().filter(|_| row.mover.is_some())?;
        let directory = self.org.directory();
        members::in_team(&directory, user, &row.key_team, directory.seq())
            .then(|| conversation.row_op(&Row { mover: None, ..row.clone() }))
    }

    /// How a row names the day key of an epoch. One server alone need not know which of its keys it is.
    pub(super) fn day_of(&self, kid: Option<BoxKid>) -> Option<String> {
        kid.filter(|_| self.store.is_shared()).map(|kid| data_encoding::HEXLOWER.encode(&kid))
    }

    /// Box kid of the announcement's bot box, if that is for a day key of the site's robot that holds now, on this server or on
    /// another; none if there is no such box.
    pub(super) fn robot_member(
        &self,
        site: &SiteId,
        view: &AnnouncementView<'_>,
    ) -> Result<Option<BoxKid>, RequestError> {
        let Some((_, kid, _)) = view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8) else { return Ok(None) };
        let gone = || stale("no such robot key is valid here now; request the site again");
        let (keys, directory) = (self.org.robot_keys().ok_or_else(gone)?, self.org.directory());
        let elsewhere = || directory.bot_of(site).is_some() && self.bus.day_keys().borrow().contains(&kid);
        if keys.holds(&directory, site, &kid) || elsewhere() { Ok(Some(kid)) } else { Err(gone()) }
    }
}

/// Who may still take a transfer back after this announcement.
fn mover_after(directory: &Directory, row: &Row, team: &TeamId, maker: &Maker, seq: u32) -> Option<Mover> {
    match &maker.user {
        Some(user) if members::in_team(directory, user, team, seq) => None,
        Some(user) if *team != row.key_team => Some(Mover { user: user.clone(), from: row.key_team.clone() }),
        // a visitor's announcement takes nothing up, unless it moves the epoch itself
        _ => row.mover.clone().filter(|_| *team == row.key_team),
    }
}

/// A public key in its text form.
pub(super) fn key(text: &str) -> Result<[u8; 32], RequestError> {
    codec::from_b64u_exact(text).map_err(|_| RequestError::malformed("a key is 32 bytes in base64url without padding"))
}

fn epoch_of(bytes: &[u8]) -> Option<u32> {
    HeaderView::parse(bytes).ok().map(|(_, h)| h.epoch())
}

fn hex32(text: &str) -> [u8; 32] {
    // our own row; zeros match no announcement after the first
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|b| b.try_into().ok()).unwrap_or_default()
}
