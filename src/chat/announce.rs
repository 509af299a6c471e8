//! A new epoch: may its creator make it, and is it sealed to exactly those who may read?

use crate::{
    crypto::{announcement, codec, hash, hash::BoxKind},
    hub::Conn,
    proto::{AnnouncementView, ErrorCode, Event, HeaderView, Owner, OwnerWhy, SiteId, TeamId},
    store::Op,
};

use super::{
    Chat, Refusal,
    close::append,
    conversation::{Cell, Row},
    now_ms,
};

impl Chat {
    /// The row after this announcement. Owner and visitor may announce; which keys its boxes may be for is decided by the
    /// directory, never by the announcement.
    pub(super) fn check_announcement(&self, conn: &Conn, cell: &Cell, bytes: &[u8]) -> Result<Row, Refusal> {
        let view = AnnouncementView::parse(bytes).map_err(Refusal::from)?;
        let directory = self.org.directory();
        let (creator, elsewhere) = match conn.who.user() {
            None => (key(&cell.row.ed)?, false),
            Some(_) => {
                let agent = self.require_agent(conn)?;
                self.require_owner(&agent, cell)?;
                if cell.row.owner == Owner::Robot {
                    return Err(Refusal::new(ErrorCode::NotOwner, "the robot owns this conversation; take it first"));
                }
                (agent.ed, true)
            }
        };
        if directory.head_at(view.dir_seq()) != Some(view.dir_head()) {
            return Err(Refusal::new(ErrorCode::DirectoryStale, "this server does not have the directory it names"));
        }
        // an agent may choose another team: that is how a transfer begins
        let team_box = view.boxes().find(|(kind, ..)| *kind == BoxKind::Team as u8).map(|(_, kid, _)| kid);
        // a visitor keeps the team of the last epoch, also if the transfer that it was made for did not follow
        let his = |id: &TeamId| *id == cell.row.team || *id == cell.row.key_team;
        let mut teams = directory.state().teams.iter().filter(|(id, t)| t.on && (elsewhere || his(id)));
        let (team, current) =
            teams.find(|(_, t)| Some(hash::box_kid(BoxKind::Team, &t.pk.0)) == team_box).ok_or_else(|| {
                Refusal::new(ErrorCode::DirectoryStale, "the team's key is not the newest; fetch the directory")
            })?;
        if (view.prev() != hex32(&cell.row.ann)) || epoch_of(bytes) != Some(cell.row.epoch + 1) {
            return Err(Refusal::new(ErrorCode::EpochStale, "somebody announced this epoch first"));
        }
        let bot = match (view.has_bot(), conn.who.user()) {
            (false, _) => None,
            (true, None) if cell.row.owner == Owner::Robot => self.robot_member(&cell.row.site, &view)?,
            (true, None) => {
                return Err(Refusal::new(
                    ErrorCode::EpochStale,
                    "the robot left this conversation; announce without it",
                ));
            }
            (true, Some(_)) => return Err(Refusal::malformed("only visitors let a robot in")),
        };
        let expected = announcement::Expected {
            conv: cell.id,
            epoch: cell.row.epoch + 1,
            prev: view.prev(),
            creator: &creator,
            directory: &directory,
            team: &current.pk.0,
            visitor: &key(&cell.row.x)?,
            bot: bot.as_ref(),
        };
        announcement::verify(bytes, &expected).map_err(|e| Refusal::new(ErrorCode::Malformed, e.to_string()))?;
        // an epoch without the robot is how a visitor asks for a person
        let person = cell.row.owner == Owner::Robot && !view.has_bot();
        let (owner, arrived) =
            if person { (Owner::Queue, now_ms()) } else { (cell.row.owner.clone(), cell.row.arrived) };
        Ok(Row {
            owner,
            arrived,
            epoch: cell.row.epoch + 1,
            ann: data_encoding::HEXLOWER.encode(&hash::announcement(bytes)),
            key_team: team.clone(),
            key_epoch: current.epoch,
            bot: view.has_bot(),
            ..cell.row.clone()
        })
    }
}

impl Chat {
    /// The key of the announcement's bot box, if it is a day key of the site's robot that holds now; none if there is no
    /// such box.
    pub(super) fn robot_member(&self, site: &SiteId, view: &AnnouncementView<'_>) -> Result<Option<[u8; 32]>, Refusal> {
        let Some((_, kid, _)) = view.boxes().find(|(kind, ..)| *kind == BoxKind::Bot as u8) else { return Ok(None) };
        let stale =
            || Refusal::new(ErrorCode::DirectoryStale, "no such robot key holds here now; ask for the site again");
        let robot = self.org.robot().ok_or_else(stale)?;
        robot.member(&self.org.directory(), site).ok_or_else(stale)?;
        robot.day(&kid).map(|day| Some(day.key.x.0)).ok_or_else(stale)
    }
}

/// The event that goes with an announcement that took the robot out.
pub(super) fn person_asked(cell: &Cell, row: &Row) -> Option<Op> {
    let event = Event::Owner { owner: Owner::Queue, team: row.team.clone(), why: OwnerWhy::Person, by: None };
    (cell.row.owner == Owner::Robot && row.owner == Owner::Queue).then(|| append(cell, &event))
}

/// A public key in its text form.
pub(super) fn key(text: &str) -> Result<[u8; 32], Refusal> {
    codec::from_b64u_exact(text).map_err(|_| Refusal::malformed("a key is 32 bytes in base64url without padding"))
}

fn epoch_of(bytes: &[u8]) -> Option<u32> {
    HeaderView::parse(bytes).ok().map(|(_, h)| h.epoch())
}

fn hex32(text: &str) -> [u8; 32] {
    // our own row; zeros match no announcement after the first
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|b| b.try_into().ok()).unwrap_or_default()
}
