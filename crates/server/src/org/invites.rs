//! How an invited person becomes a user: open the invite, register a password, claim.

use super::{
    InviteClaim, InviteOpen, InviteOpened, InviteRegister, Message, Org, OrgError,
    login::{MAX_KEYRING, small},
    published::PublishedDirectory,
    rows::{self, Account, invite_name},
};
use crate::{
    crypto::{
        codec::Key32,
        directory::{Body, EnrolBody},
        invite::{Cert, SignedCert},
    },
    store::{Op, Table},
};

/// Largest OPAQUE message read.
const MAX_MESSAGE: usize = 4 * 1024;
/// Maximum number of team keys per user.
const MAX_BOXES: usize = 2_000;
/// Version of the first keyring.
const FIRST_VERSION: u32 = 1;

struct Found {
    signed: SignedCert,
    cert: Cert,
    stored: Vec<u8>,
}

impl Org {
    /// `POST /invite/open`: certificate and team keys of an invite.
    pub async fn invite_open(&self, request: InviteOpen) -> Result<InviteOpened, OrgError> {
        let Found { signed, .. } = self.invite(&request.inv).await?;
        let boxes = rows::boxes_of(&*self.store, &invite_name(&request.inv)).await?;
        Ok(InviteOpened { cert: signed.cert, signer: signed.signer, sig: signed.sig, boxes })
    }

    /// `POST /invite/register`: first step of the new password.
    pub async fn invite_register(&self, request: InviteRegister) -> Result<Message, OrgError> {
        small("the registration message", &request.m.0, MAX_MESSAGE)?;
        let found = self.invite(&request.inv).await?;
        Ok(Message { m: self.opaque.register_start(&found.cert.user, &request.m.0)?.into() })
    }

    /// `POST /invite/claim`: entry, account and boxes come, the invite goes, in one transaction. Returns the number of
    /// the newest entry; [`OrgError::Conflict`] if the directory moved: fetch it and sign the entry again.
    pub async fn invite_claim(&self, request: InviteClaim) -> Result<u32, OrgError> {
        let InviteClaim { inv, entry, record, keyring, boxes } = request;
        small("the registration message", &record.0, MAX_MESSAGE)?;
        small("the keyring", &keyring.0, MAX_KEYRING)?;
        if boxes.len() > MAX_BOXES {
            return Err(OrgError::TooLarge("the list of team keys"));
        }
        let _one = self.writing.lock().await;
        let Found { signed, cert, stored } = self.invite(&inv).await?;
        let live = self.live();
        let (seq, body) = entry.read()?;
        let Some(Body::Enrol(enrol)) = body else {
            return Err(OrgError::Malformed("the entry is not an enrolment".into()));
        };
        if seq != live.directory.seq() + 1 {
            return Err(OrgError::Conflict);
        }
        check_enrol(&enrol, &signed)?;
        // no admin would confirm an enrolment that is late by its own date
        if entry.at()? > cert.exp {
            return Err(OrgError::InviteExpired);
        }
        let mut directory = (*live.directory).clone();
        directory.apply(&entry)?;
        let record = self.opaque.register_finish(&record.0)?.into();

        let store = &*self.store;
        let user = cert.user.as_str();
        let entry_key = rows::entry_key(seq);
        let mut ops = vec![
            Op::Expect { table: Table::Directory, key: entry_key.clone(), value: None },
            Op::Expect { table: Table::Invite, key: inv.0.to_vec(), value: Some(stored) },
            rows::put(Table::Directory, entry_key, &entry),
            rows::put(
                Table::Account,
                rows::account_key(&cert.user),
                &Account { record, keyring, version: FIRST_VERSION, changed: None, old: None },
            ),
            Op::Delete { table: Table::Invite, key: inv.0.to_vec() },
        ];
        ops.extend(rows::forget_boxes(store, &rows::box_prefix(&invite_name(&inv))).await?);
        // what was sealed to an earlier key of theirs can no longer be decrypted
        ops.extend(rows::forget_boxes(store, &rows::box_prefix(user)).await?);
        for sealed in &boxes {
            let known = directory.team(&sealed.team).is_some_and(|t| (1..=t.epoch).contains(&sealed.epoch));
            if !known || !cert.teams.contains(&sealed.team) {
                return Err(OrgError::Forbidden("a key of a team that the invite is not for"));
            }
            ops.push(rows::put(Table::TeamBox, rows::box_key(user, sealed), sealed));
        }
        self.write_directory(ops).await?;
        let mut entries = live.entries.clone();
        entries.push(entry);
        self.publish(PublishedDirectory::new(directory.into(), entries, live.snapshot.clone()));
        Ok(seq)
    }

    /// Maximum size of the claim of an open invite as JSON: the fixed part, what the entry repeats of the
    /// certificate and the certificate itself (both in base64, the latter twice), and a sealed key for each that is
    /// ready for the invite.
    pub async fn room_for_claim(&self, inv: &Key32) -> Result<usize, OrgError> {
        const EVERYBODY: usize = 8 * 1024;
        const BOX: usize = 384;
        let Found { signed, .. } = self.invite(inv).await?;
        let boxes = rows::boxes_of(&*self.store, &invite_name(inv)).await?.len().min(MAX_BOXES);
        Ok(EVERYBODY + 4 * signed.cert.0.len() + BOX * boxes)
    }

    /// An invite that is still good.
    async fn invite(&self, inv: &Key32) -> Result<Found, OrgError> {
        let stored = self.store.get(Table::Invite, &inv.0).await?.ok_or(OrgError::InviteGone)?;
        let signed: SignedCert = rows::read("invite", &stored)?;
        let cert = Cert::verify(&signed.cert.0, &signed.signer.0, &signed.sig.0, &self.fp)?;
        if self.directory().state().invite_used(inv) {
            return Err(OrgError::InviteGone);
        }
        if self.now_ms() > cert.exp {
            return Err(OrgError::InviteExpired);
        }
        Ok(Found { signed, cert, stored })
    }
}

/// The enrolment carries exactly the certificate of the invite it names.
fn check_enrol(enrol: &EnrolBody, signed: &SignedCert) -> Result<(), OrgError> {
    let same = enrol.cert == signed.cert && enrol.cert_signer == signed.signer && enrol.cert_sig == signed.sig;
    if same { Ok(()) } else { Err(OrgError::Forbidden("the enrolment names another invite")) }
}
