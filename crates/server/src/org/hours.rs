//! Business hours of teams: kept as the company set them, and worked out for pages, which know nothing of time zones.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Org, OrgError,
    labels::{DeskTable, HOURS, key, put},
};
use crate::{
    hours::Hours,
    proto::{Labels, OpenTimes, TeamId},
    store::{Op, Table},
};

const DAY_MS: u64 = 86_400_000;
/// What pages are told of a team's hours: for waits that began in the last week, and until they are told again.
const PAST_MS: u64 = 8 * DAY_MS;
const AHEAD_MS: u64 = 2 * DAY_MS;

impl DeskTable {
    pub(super) fn publish_hours(&self, hours: BTreeMap<TeamId, Hours>) {
        let mut known = self.hours.write();
        if **known != hours {
            *known = hours.into();
            self.note_change();
        }
    }
}

impl Org {
    /// Hours of teams; one that has none is always at work.
    pub fn hours(&self) -> Arc<BTreeMap<TeamId, Hours>> {
        self.desk_table.hours.read().clone()
    }

    /// Sets the hours of a team, or removes them. Single days that are over are dropped on the way.
    ///
    /// # Errors
    /// There is no such team, the hours are not valid, or the store does not write.
    pub async fn set_hours(&self, team: &TeamId, hours: Option<Hours>) -> Result<(), OrgError> {
        if self.directory().team(team).is_none() {
            return Err(OrgError::NotFound("team"));
        }
        let _one = self.writing.lock().await;
        let mut all = (*self.hours()).clone();
        let key = key(HOURS, team.as_str().as_bytes());
        let op = match hours {
            None => {
                all.remove(team);
                Op::Delete { table: Table::Desk, key }
            }
            Some(mut hours) => {
                hours.check().map_err(|e| OrgError::Invalid(e.to_string()))?;
                // reports of the last days may still ask for them
                hours.forget_before(self.now_ms().saturating_sub(PAST_MS));
                let op = put(key, &hours);
                all.insert(team.clone(), hours);
                op
            }
        };
        self.write(vec![op]).await?;
        self.desk_table.publish_hours(all);
        Ok(())
    }

    /// When a team's hours begin next, ms; none while they last, or if it has none.
    pub fn opens(&self, team: &TeamId) -> Option<u64> {
        // they were checked when they were set
        self.hours().get(team)?.opens(self.now_ms()).ok().flatten()
    }

    /// What agents are told now: tags, reasons, targets, and hours around this time.
    pub fn labels_now(&self) -> Labels {
        let now = self.now_ms();
        let mut groups: Vec<(Hours, OpenTimes)> = Vec::new();
        for (team, hours) in &*self.hours() {
            match groups.iter_mut().find(|(known, _)| known == hours) {
                Some((_, told)) => told.teams.push(team.clone()),
                None => {
                    let times = hours.open_between(now.saturating_sub(PAST_MS), now + AHEAD_MS).unwrap_or_default();
                    groups.push((hours.clone(), OpenTimes { teams: vec![team.clone()], times }));
                }
            }
        }
        Labels { hours: groups.into_iter().map(|(_, told)| told).collect(), ..(*self.labels()).clone() }
    }
}
