//! What the company defines for its agents and the directory does not sign: tags, reasons for closing, targets of teams, and
//! visitors who may not write; their hours, which [`super::hours`] knows, are read here. All of it is in memory; with several servers each reads again what another one changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::RwLock;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

use super::{Org, OrgError, rows};
use crate::{
    hours::Hours,
    proto::{
        Block, ConvId, Kid, Label, LabelKind, Labels, MAX_LABEL_NAME, MAX_LABELS, MAX_PUT_ASIDE_MS, Target, TeamId,
    },
    store::{Op, Store, Table},
};

/// Visitors who may be blocked at the same time.
const MAX_BLOCKS: usize = 10_000;
/// Longest target, seconds.
const MAX_TARGET: u32 = 86_400;

const TAG: &str = "tag";
const REASON: &str = "reason";
const TARGET: &str = "target";
pub(super) const HOURS: &str = "hours";
const BLOCK: &str = "block";

/// Key of [`Table::Desk`].
pub(super) fn key(kind: &str, id: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), &[0], id].concat()
}

fn kind_of(kind: LabelKind) -> &'static str {
    match kind {
        LabelKind::Tag => TAG,
        LabelKind::Reason => REASON,
    }
}

pub(super) fn put(key: Vec<u8>, value: &impl Serialize) -> Op {
    // derived serialisation of plain data has no way to fail
    Op::Put { table: Table::Desk, key, value: serde_json::to_vec(value).unwrap_or_default() }
}

/// What is in memory.
#[derive(Debug)]
pub(super) struct DeskTable {
    labels: RwLock<Arc<Labels>>,
    blocks: RwLock<HashMap<Kid, Block>>,
    pub(super) hours: RwLock<Arc<BTreeMap<TeamId, Hours>>>,
    changed: watch::Sender<()>,
}

async fn of_kind<T: DeserializeOwned>(store: &dyn Store, kind: &'static str) -> Result<Vec<(Vec<u8>, T)>, OrgError> {
    let prefix = key(kind, &[]);
    let rows = rows::all(store, Table::Desk, &prefix).await?;
    rows.into_iter().map(|(key, value)| Ok((key[prefix.len()..].to_vec(), rows::read(kind, &value)?))).collect()
}

/// What the table holds.
struct Rows {
    labels: Labels,
    blocks: HashMap<Kid, Block>,
    hours: BTreeMap<TeamId, Hours>,
}

/// Values by team.
async fn by_team<T: DeserializeOwned>(store: &dyn Store, kind: &'static str) -> Result<BTreeMap<TeamId, T>, OrgError> {
    let team = |(id, value): (Vec<u8>, T)| Some((String::from_utf8(id).ok()?.parse().ok()?, value));
    Ok(of_kind::<T>(store, kind).await?.into_iter().filter_map(team).collect())
}

async fn read(store: &dyn Store) -> Result<Rows, OrgError> {
    let list =
        async |kind| Ok::<_, OrgError>(of_kind::<Label>(store, kind).await?.into_iter().map(|(_, l)| l).collect());
    let labels = Labels {
        tags: list(TAG).await?,
        reasons: list(REASON).await?,
        targets: by_team::<Target>(store, TARGET).await?,
        hours: Vec::new(),
    };
    let blocks = of_kind::<Block>(store, BLOCK).await?.into_iter().map(|(_, block)| (block.visitor, block)).collect();
    Ok(Rows { labels, blocks, hours: by_team(store, HOURS).await? })
}

impl DeskTable {
    pub(super) async fn load(store: &dyn Store) -> Result<Self, OrgError> {
        let Rows { labels, blocks, hours } = read(store).await?;
        let (changed, _) = watch::channel(());
        let (labels, hours) = (RwLock::new(labels.into()), RwLock::new(hours.into()));
        Ok(Self { labels, blocks: RwLock::new(blocks), hours, changed })
    }

    /// Reads it again: another server may have written.
    pub(super) async fn read_again(&self, store: &dyn Store) -> Result<(), OrgError> {
        let Rows { labels, blocks, hours } = read(store).await?;
        *self.blocks.write() = blocks;
        self.publish(labels);
        self.publish_hours(hours);
        Ok(())
    }

    /// Notes that agents are to be told again.
    pub(super) fn note_change(&self) {
        self.changed.send_replace(());
    }

    fn publish(&self, labels: Labels) {
        let mut known = self.labels.write();
        if **known != labels {
            *known = labels.into();
            self.changed.send_replace(());
        }
    }
}

impl Org {
    /// Tags, reasons and targets; hours are in [`Org::labels_now`].
    pub fn labels(&self) -> Arc<Labels> {
        self.desk_table.labels.read().clone()
    }

    /// Notes each change of [`Org::labels_now`] that somebody made.
    pub fn labels_watch(&self) -> watch::Receiver<()> {
        self.desk_table.changed.subscribe()
    }

    /// Adds or changes a tag or a reason.
    ///
    /// # Errors
    /// The name is empty, too long or taken, the list is full, or the store does not write.
    pub async fn define_label(&self, kind: LabelKind, label: Label) -> Result<(), OrgError> {
        let label = Label { name: label.name.trim().to_owned(), ..label };
        let long = label.name.chars().count() > MAX_LABEL_NAME || label.name.chars().any(char::is_control);
        if label.name.is_empty() || long {
            let text = format!("a name has 1 to {MAX_LABEL_NAME} characters on one line");
            return Err(OrgError::Invalid(text));
        }
        let _one = self.writing.lock().await;
        let mut labels = (*self.labels()).clone();
        let list = match kind {
            LabelKind::Tag => &mut labels.tags,
            LabelKind::Reason => &mut labels.reasons,
        };
        let twin = |l: &Label| l.id != label.id && l.name == label.name && !l.retired && !label.retired;
        if let Some(twin) = list.iter().find(|l| twin(l)) {
            return Err(OrgError::Invalid(format!("{:?} is the name of {} already", label.name, twin.id)));
        }
        match list.binary_search_by(|l| l.id.cmp(&label.id)) {
            Ok(at) => list[at] = label.clone(),
            Err(_) if list.len() >= MAX_LABELS => return Err(OrgError::TooLarge("a list of more than 200 labels")),
            Err(at) => list.insert(at, label.clone()),
        }
        self.write(vec![put(key(kind_of(kind), label.id.as_str().as_bytes()), &label)]).await?;
        self.desk_table.publish(labels);
        Ok(())
    }

    /// Sets how soon a team means to answer.
    ///
    /// # Errors
    /// There is no such team, a time is 0 or above a day, or the store does not write.
    pub async fn set_target(&self, team: &TeamId, target: Target) -> Result<(), OrgError> {
        if self.directory().team(team).is_none() {
            return Err(OrgError::NotFound("team"));
        }
        if [target.first, target.next].into_iter().flatten().any(|s| s == 0 || s > MAX_TARGET) {
            return Err(OrgError::Invalid(format!("a target is 1 to {MAX_TARGET} seconds")));
        }
        let _one = self.writing.lock().await;
        let mut labels = (*self.labels()).clone();
        let key = key(TARGET, team.as_str().as_bytes());
        let op = match target == Target::default() {
            true => {
                labels.targets.remove(team);
                Op::Delete { table: Table::Desk, key }
            }
            false => {
                labels.targets.insert(team.clone(), target);
                put(key, &target)
            }
        };
        self.write(vec![op]).await?;
        self.desk_table.publish(labels);
        Ok(())
    }

    /// When a visitor may write again, ms; none: now.
    pub fn blocked_until(&self, visitor: Kid, now_ms: u64) -> Option<u64> {
        let blocks = self.desk_table.blocks.read();
        blocks.get(&visitor).map(|block| block.until).filter(|until| *until > now_ms)
    }

    /// Who may not write now, the newest first.
    pub fn blocks(&self) -> Vec<Block> {
        let now = self.now_ms();
        let mut list: Vec<_> = self.desk_table.blocks.read().values().filter(|b| b.until > now).cloned().collect();
        list.sort_by_key(|b| (std::cmp::Reverse(b.at), b.visitor));
        list
    }

    /// Blocks a visitor, or changes until when. Blocks that have ended are dropped on the way.
    ///
    /// # Errors
    /// The time is not in the next year, too many are blocked, or the store does not write.
    pub async fn block(&self, block: Block) -> Result<(), OrgError> {
        let now = self.now_ms();
        if block.until <= now || block.until > now + MAX_PUT_ASIDE_MS {
            return Err(OrgError::Invalid("a block ends in the future, within a year".into()));
        }
        let _one = self.writing.lock().await;
        let over: Vec<Kid> =
            self.desk_table.blocks.read().values().filter(|b| b.until <= now).map(|b| b.visitor).collect();
        if self.desk_table.blocks.read().len() - over.len() >= MAX_BLOCKS {
            return Err(OrgError::TooLarge("a list of more than 10,000 blocked visitors"));
        }
        let gone = |kid: &Kid| Op::Delete { table: Table::Desk, key: key(BLOCK, &kid.0) };
        let mut ops: Vec<Op> = over.iter().filter(|kid| **kid != block.visitor).map(gone).collect();
        ops.push(put(key(BLOCK, &block.visitor.0), &block));
        self.write(ops).await?;
        let mut blocks = self.desk_table.blocks.write();
        over.iter().for_each(|kid| drop(blocks.remove(kid)));
        blocks.insert(block.visitor, block);
        Ok(())
    }

    /// Lets a visitor write again; false if they were not blocked.
    ///
    /// # Errors
    /// The store does not write.
    pub async fn unblock(&self, visitor: Kid) -> Result<bool, OrgError> {
        let _one = self.writing.lock().await;
        if !self.desk_table.blocks.read().contains_key(&visitor) {
            return Ok(false);
        }
        self.write(vec![Op::Delete { table: Table::Desk, key: key(BLOCK, &visitor.0) }]).await?;
        self.desk_table.blocks.write().remove(&visitor);
        Ok(true)
    }

    /// The visitor who was blocked in a conversation.
    pub fn blocked_in(&self, conv: ConvId) -> Option<Kid> {
        self.desk_table.blocks.read().values().find(|b| b.conv == conv).map(|b| b.visitor)
    }
}
