//! What is wrong with `[robot]` that only the policy can read: hours, and the distance from UTC.

use super::{Hours, Policy};
use crate::config::{Problem, Robot};

/// Every problem, with the key it is under.
pub fn problems(robot: &Robot) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut hours = |path: String, text: &str| {
        if let Err(e) = Hours::parse(text) {
            found.push(Problem::new(path, format!("people_hours: {e}")));
        }
    };
    hours("robot.people_hours".into(), &robot.people_hours);
    for (id, site) in &robot.sites {
        hours(format!("robot.sites.{id}.people_hours"), site.people_hours.as_deref().unwrap_or_default());
    }
    if let Err(e) = Policy::new(&Robot { utc_offset: robot.utc_offset.clone(), ..Robot::default() }) {
        found.push(Problem::new("robot.utc_offset", format!("utc_offset: {e}")));
    }
    found
}
