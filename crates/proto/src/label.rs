//! What a company defines for its agents: tags, reasons for closing, how soon a team answers. Readable by the server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ConvId, Kid, LabelId, SiteId, TeamId, UserId};

/// Tags a conversation may have.
pub const MAX_TAGS: usize = 16;
/// Tags, and likewise reasons, that a company may have.
pub const MAX_LABELS: usize = 200;
/// Longest name of a tag or reason, in characters.
pub const MAX_LABEL_NAME: usize = 40;
/// Longest time for which a conversation may be put aside, or a visitor blocked, ms.
pub const MAX_PUT_ASIDE_MS: u64 = 366 * 86_400_000;

/// Which of the company's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// What conversations are about.
    Tag,
    /// Why conversations are closed.
    Reason,
}

/// Colours that pages have for light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelColor {
    /// The plain one.
    #[default]
    Gray,
    /// Red.
    Red,
    /// Orange.
    Orange,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Teal.
    Teal,
    /// Blue.
    Blue,
    /// Purple.
    Purple,
}

impl LabelColor {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Gray, Self::Red, Self::Orange, Self::Yellow, Self::Green, Self::Teal, Self::Blue, Self::Purple];

    /// The word on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gray => "gray",
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Teal => "teal",
            Self::Blue => "blue",
            Self::Purple => "purple",
        }
    }
}

/// A tag or a reason for closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Never changes.
    pub id: LabelId,
    /// What people read.
    pub name: String,
    /// Its colour.
    #[serde(default)]
    pub color: LabelColor,
    /// Kept for conversations that have it, and not offered any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// How soon a team means to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// The first answer, seconds after the visitor began to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    /// Each later one, seconds after the visitor wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// All of it, as agents are told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Labels {
    /// What conversations are about.
    pub tags: Vec<Label>,
    /// Why conversations are closed.
    pub reasons: Vec<Label>,
    /// How soon teams mean to answer; only teams that have said so.
    pub targets: BTreeMap<TeamId, Target>,
    /// When teams are at work; only teams that have said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<OpenTimes>,
}

/// When some teams are at work, in the days around now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTimes {
    /// The teams.
    pub teams: Vec<TeamId>,
    /// From and until, ms since 1970, in order.
    pub times: Vec<(u64, u64)>,
}

/// Why a visitor was blocked. Anything more belongs into a note, which is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockReason {
    /// Advertising, or messages without a sense.
    Spam,
    /// Insults or threats.
    Abuse,
    /// Something else.
    #[default]
    Other,
}

impl BlockReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::Other => "other",
        }
    }
}

/// A visitor who may not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Whose key it is, by hash.
    pub visitor: Kid,
    /// The conversation in which they were blocked.
    pub conv: ConvId,
    /// Its site.
    pub site: SiteId,
    /// Its team.
    pub team: TeamId,
    /// When it ends, ms.
    pub until: u64,
    /// Why.
    pub reason: BlockReason,
    /// Who did it.
    pub by: UserId,
    /// When, ms.
    pub at: u64,
}
