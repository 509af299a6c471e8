//! A visitor begins a conversation: its id commits to the visitor's keys, its first epoch is theirs. Nobody else is told
//! of it before the first message (see [`super::empty`]).

use crate::{
    crypto::{announcement, codec, hash, sign},
    hub::{Conn, Topic, Who},
    proto::{
        AnnouncementView, ConvId, ConvState, ErrorCode, Event, HeaderView, Kid, MsgId, Owner, OwnerWhy, Priority,
        ServerFrame, SiteId, event_body,
    },
    store::{self, Batch, FactsChange, Op, StoreError},
};

use super::{Act, Address, Chat, DeskAnswer, DeskRequest, RequestError, announce::key, event_id, row::Empty, row::Row};

/// What `open` carries.
#[derive(Debug)]
pub struct Opening {
    /// The id the visitor computed.
    pub id: ConvId,
    /// 16 random bytes, b64u.
    pub nonce: String,
    /// The site.
    pub site: SiteId,
    /// The visitor's Ed25519 key, which the socket proved.
    pub ed: [u8; 32],
    /// The visitor's X25519 key, b64u.
    pub x: String,
    /// Announcement of epoch 0, b64u.
    pub ann: String,
    /// Id of the message that will hold the visitor's form.
    pub form: Option<MsgId>,
}

impl Chat {
    /// Opens; the same opening twice is fine.
    pub async fn open(&self, conn: &std::sync::Arc<Conn>, address: Address, o: Opening) -> Result<(), RequestError> {
        let Who::Visitor { kid, site } = &conn.who else {
            return Err(RequestError::new(ErrorCode::Forbidden, "only visitors open conversations"));
        };
        if *site != o.site {
            return Err(RequestError::new(ErrorCode::Forbidden, "this socket was opened for another site"));
        }
        if let Some(conversation) = self.cache.get(o.id).await? {
            let conversation = conversation.lock();
            if conversation.visitor != *kid {
                return Err(RequestError::not_found());
            }
            // another page of theirs, which was greeted before it was there
            conn.outbox.push(super::text(&ServerFrame::Conv { conv: Box::new(conversation.summary_for_visitor()) }));
            return Ok(());
        }
        self.has_room_for(conn, o.ann.len())?;
        let (row, announcement) = self.check_opening(&o)?;
        let bytes = u32::try_from(announcement.len()).unwrap_or(u32::MAX);
        self.charge_opening(conn, address, Act { openings: 1, records: 3, bytes, ..Act::default() }).await?;
        let batch = opening_batch(&o, *kid, &row, announcement);
        // listening first: the records of the opening are its echo
        self.hub.listen(conn, Topic::Conv(o.id));
        let following = self.cache.follow(o.id).await?;
        let written = store::write(&*self.store, batch).await;
        // before they are told: the fan-out may be behind, and the next page of theirs must not be greeted without it
        self.visitors.changed(*kid);
        if self.store.is_shared() {
            // followed from now on because it is in memory
            self.cache.get(o.id).await?;
        }
        drop(following);
        match written {
            Ok(_) | Err(StoreError::Conflict | StoreError::Duplicate { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn check_opening(&self, o: &Opening) -> Result<(Row, Vec<u8>), RequestError> {
        let x = key(&o.x)?;
        let nonce = codec::from_b64u_exact(&o.nonce)
            .map_err(|_| RequestError::malformed("the nonce is 16 bytes in base64url"))?;
        sign::check_public(&o.ed).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
        let directory = self.org.directory();
        let site = directory.site(&o.site).filter(|s| s.on);
        let site = site.ok_or_else(|| RequestError::new(ErrorCode::NotFound, "there is no such site"))?;
        let team = directory.team(&site.team).filter(|t| t.on);
        let team = team.ok_or_else(|| RequestError::new(ErrorCode::NotFound, "this site has no team"))?;
        if hash::conv_id(&nonce, &self.org.fp(), &o.site, &o.ed, &x) != o.id {
            return Err(RequestError::malformed("the conversation id does not belong to these keys"));
        }
        let ann = codec::from_b64u(&o.ann).unwrap_or_default();
        let view = AnnouncementView::parse(&ann).map_err(RequestError::from)?;
        if directory.head_at(view.dir_seq()) != Some(view.dir_head()) {
            return Err(RequestError::new(
                ErrorCode::DirectoryStale,
                "the announcement names a directory that this server does not have",
            ));
        }
        let bot = self.robot_member(&o.site, &view)?;
        announcement::verify(
            &ann,
            &announcement::Expected {
                conv: o.id,
                epoch: 0,
                prev: [0; 32],
                creator: &o.ed,
                directory: &directory,
                team: &team.pk.0,
                visitor: &x,
                bot,
            },
        )
        .map_err(|e| RequestError::new(ErrorCode::DirectoryStale, e.to_string()))?;
        let now = self.now_ms();
        let row = Row {
            site: o.site.clone(),
            team: site.team.clone(),
            owner: if view.has_bot() { Owner::Robot } else { Owner::Queue },
            state: ConvState::Open,
            ed: codec::b64u(&o.ed),
            x: o.x.clone(),
            created: now,
            arrived: now,
            last_agent: None,
            epoch: 0,
            ann: data_encoding::HEXLOWER.encode(&hash::announcement(&ann)),
            key_team: site.team.clone(),
            key_epoch: team.epoch,
            bot: view.has_bot(),
            day: self.day_of(bot),
            dir_seq: view.dir_seq(),
            mover: None,
            missed: None,
            rating: None,
            tags: Vec::new(),
            priority: Priority::Normal,
            snoozed: None,
            reason: None,
            empty: Some(Empty { form: o.form }),
        };
        Ok((row, ann))
    }

    /// A visitor's place in the queue, asked of the desk; the answer goes to the visitor's socket.
    pub(super) fn tell_position(&self, conn: u64, conv: ConvId) {
        let hub = self.hub.clone();
        self.desk.request(DeskRequest::Position { conv }, move |answer| {
            if let DeskAnswer::Position(Some(position)) = answer {
                hub.send(conn, super::text(&ServerFrame::Queue { conv, position }));
            }
        });
    }
}

fn opening_batch(o: &Opening, visitor: Kid, row: &Row, announcement: Vec<u8>) -> Batch {
    let conv = o.id;
    let open = Event::Open {
        site: row.site.clone(),
        team: row.team.clone(),
        nonce: o.nonce.clone(),
        ed: row.ed.clone(),
        x: row.x.clone(),
    };
    let owner = Event::Owner { owner: row.owner.clone(), team: row.team.clone(), why: OwnerWhy::Open, by: None };
    let event = |e: &Event| Op::Append { id: event_id(), body: event_body(conv, e).into() };
    // the view was parsed before; an id is needed so that a resend is recognised
    let id = HeaderView::parse(&announcement).map_or_else(|_| event_id(), |(_, h)| h.msg_id());
    Batch {
        conv: Some(conv),
        rev: Some(0),
        ops: vec![
            Op::Row {
                value: row.encode(),
                facts: Some(Box::new(FactsChange { before: None, after: row.facts(visitor) })),
            },
            event(&open),
            Op::Append { id, body: announcement.into() },
            event(&owner),
        ],
    }
}
