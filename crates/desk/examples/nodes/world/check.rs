//! What must hold, whatever happened.

use std::cmp::Reverse;

use super::{Counted, Happens, World, conv};

impl World {
    /// What is on its way between store and desk arrives.
    fn settle(&mut self) {
        loop {
            let on_its_way =
                |what: &Happens| matches!(what, Happens::Heard(_) | Happens::Assign(..) | Happens::Requeue(..));
            let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.queue)
                .into_sorted_vec()
                .into_iter()
                .rev()
                .partition(|next| on_its_way(&next.0.2));
            self.queue = later.into();
            if now.is_empty() {
                return;
            }
            now.into_iter().for_each(|Reverse((.., what))| self.step(what));
        }
    }

    /// What must hold at any time, while there is a desk and Redis.
    pub fn check(&mut self) -> Result<(), String> {
        self.settle();
        let Counted { opened, closed, .. } = self.counted;
        let open = self.rows.iter().filter(|row| !row.closed).count() as u64;
        let begun = self.rows.len() as u64;
        if begun != open + closed || begun < opened {
            return Err(format!("of {begun} conversations {open} are open and {closed} closed"));
        }
        let Some(desk) = &self.desk else { return Err("nobody runs the desk".to_owned()) };
        let mut owned = vec![0; self.agents.len()];
        for (n, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.closed) {
            match row.owner {
                Some(agent) => owned[agent] += 1,
                None if desk.position(conv(n)).is_none() => {
                    return Err(format!("conversation {n} waits and is in no queue"));
                }
                None => {}
            }
        }
        let snapshot = desk.snapshot(self.now);
        for view in &snapshot.agents {
            let stored = owned[self.users[&view.user]];
            if view.load != stored {
                return Err(format!("{} has {stored} conversations, the desk says {}", view.user, view.load));
            }
        }
        let waiting = self.rows.iter().filter(|row| !row.closed && row.owner.is_none()).count();
        match snapshot.waiting as usize == waiting && snapshot.owned as usize == owned.iter().sum::<u32>() as usize {
            true => Ok(()),
            false => Err(format!("the desk has {} in its queues, {waiting} wait", snapshot.waiting)),
        }
    }
}
