//! Requests and answers of the routes in protocol §5, in their JSON form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    crypto::{
        botkey::SignedDayKey,
        codec::{Bytes, Key32},
        directory::{Entry, Role, Snapshot},
        invite::{Cert, SignedCert},
        keyring::TeamBox,
    },
    proto::{Kid, OrgFp, Presence, SiteId, TeamId, UserId},
};

/// Settings of a site that need no signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteSettings {
    /// Fields asked before a conversation, an array; the widget knows their form.
    pub form: Value,
    /// Text the widget opens with.
    pub greeting: String,
    /// What it says when nobody is there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub away: String,
    /// Whether visitors are asked how a conversation went.
    pub rating: bool,
    /// Whether the widget refuses pages without https.
    pub require_secure: bool,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            form: Value::Array(Vec::new()),
            greeting: String::new(),
            away: String::new(),
            rating: true,
            require_secure: false,
        }
    }
}

/// The site that an answer is about. What a visitor may trust of it is in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteName {
    /// The site.
    pub id: SiteId,
    /// Its display name.
    pub name: String,
    /// The team.
    pub team: TeamId,
}

/// `GET /site/<id>`, without the `directory` that visitors verify: that is JSON already and put behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SiteAnswer {
    /// Fingerprint of the company.
    pub org: OrgFp,
    /// Id, name and team of the site.
    pub site: SiteName,
    /// The server's time, ms.
    pub now: u64,
    /// See [`SiteSettings`].
    #[serde(flatten)]
    pub settings: SiteSettings,
    /// Presence of the team; set by the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// Outside of the team's hours: when they begin, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<u64>,
    /// Largest file that may be sent, bytes; 0: none. Set by the route.
    pub max_file: u64,
    /// The robot's newest day key, if the site has a robot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<SignedDayKey>,
}

/// `GET /directory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryAnswer {
    /// Entries after the one asked for.
    pub entries: Vec<Entry>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
}

/// `POST /login/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginStart {
    /// The user.
    pub user: UserId,
    /// OPAQUE message KE1.
    pub m: Bytes,
    /// Whether it is the password before the last change, which is good until the first sign-in with the new one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub old: bool,
}

/// Answer to the request above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginStarted {
    /// Names the login in the next step.
    pub id: String,
    /// OPAQUE message KE2.
    pub m: Bytes,
}

/// `POST /login/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginFinish {
    /// Id of the login, from the first answer.
    pub id: String,
    /// OPAQUE message KE3.
    pub m: Bytes,
}

/// A proven login. The route adds a `token`; `user` and `kid` are for it and not sent.
#[derive(Debug, Clone, Serialize)]
pub struct LoggedIn {
    /// The user.
    #[serde(skip)]
    pub user: UserId,
    /// Their key.
    #[serde(skip)]
    pub kid: Kid,
    /// The user's sealed keys.
    pub keyring: Bytes,
    /// Version of record and keyring.
    pub version: u32,
    /// Team keys sealed to the user.
    pub boxes: Vec<TeamBox>,
    /// Allows one change of the password, within a minute; none after a sign-in with the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Bytes>,
}

/// `POST /invite/open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteOpen {
    /// The invite's Ed25519 key.
    pub inv: Key32,
}

/// Answer to the request above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteOpened {
    /// Certificate, raw.
    pub cert: Bytes,
    /// Key that signed the certificate.
    pub signer: Key32,
    /// The signer's signature.
    pub sig: Bytes,
    /// Team keys sealed to the invite.
    pub boxes: Vec<TeamBox>,
}

/// `POST /invite/register`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRegister {
    /// The invite's Ed25519 key.
    pub inv: Key32,
    /// OPAQUE registration request.
    pub m: Bytes,
}

/// An OPAQUE message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The OPAQUE message.
    pub m: Bytes,
}

/// `POST /invite/claim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteClaim {
    /// The invite's Ed25519 key.
    pub inv: Key32,
    /// The enrolment.
    pub entry: Entry,
    /// OPAQUE registration upload.
    pub record: Bytes,
    /// The new keys, sealed as version 1.
    pub keyring: Bytes,
    /// The invite's team keys, sealed again to the new key.
    pub boxes: Vec<TeamBox>,
}

/// `POST /password/finish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordFinish {
    /// OPAQUE registration upload.
    pub record: Bytes,
    /// The same keys, sealed under the new password.
    pub keyring: Bytes,
    /// Version now + 1.
    pub version: u32,
    /// From the answer to a sign-in with the password of now.
    pub change: Bytes,
    /// By the user's Ed25519 key, over [`super::login::change_hash`].
    pub sig: Bytes,
}

/// `GET /boxes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxesAnswer {
    /// Team keys sealed to the asker.
    pub boxes: Vec<TeamBox>,
}

/// A team key sealed to a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoxFor {
    /// A user id, `@recovery`, or `@` and an invite's key.
    pub to: String,
    /// The sealed key.
    #[serde(rename = "box")]
    pub sealed: TeamBox,
}

/// Boxes to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropBoxes {
    /// Recipient of the boxes.
    pub to: String,
    /// Of this team, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

/// An unused invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvite {
    /// Its Ed25519 key.
    pub inv: Key32,
    /// Its X25519 key.
    pub inv_x: Key32,
    /// The invited user.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The teams.
    pub teams: Vec<TeamId>,
    /// When it expires, ms since 1970.
    pub exp: u64,
    /// Whether that has passed.
    pub expired: bool,
    /// The certificate of all this: those who seal a key to the invite trust it and nothing else.
    pub signed: SignedCert,
}

impl OpenInvite {
    /// The content of a certificate. Verifies nothing.
    pub fn read(signed: &SignedCert, now_ms: u64) -> Result<Self, serde_json::Error> {
        let Cert { inv, inv_x, user, name, role, teams, exp, .. } = serde_json::from_slice(&signed.cert.0)?;
        Ok(Self { inv, inv_x, user, name, role, teams, exp, expired: now_ms > exp, signed: signed.clone() })
    }
}
