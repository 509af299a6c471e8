//! Looks now and then at everything that is followed and at the changes of rows: what was published can be lost. Asks for the memory.

use std::sync::Arc;

use kefu_proto::ConvId;
use kefu_redis_link::{cmd, lanes::LANES};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Shared,
    followed::Next,
    keys::{Lane, lane_of},
    value::number,
};
use crate::{Outcome, StoreError};

/// The lanes are looked at in so many parts, one after the other.
const PARTS: u16 = 32;
/// Memory is read each time when so many parts were looked at: about every four seconds.
const MEASURED: u16 = 4;

/// Runs until the store closes.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(shared.options.audit / u32::from(PARTS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut part = 0;
    while !shared.out.is_closed() {
        ticks.tick().await;
        if shared.rows.overdue() {
            shared.out.tell(Outcome::Unsure);
        }
        let lanes = part * (LANES / PARTS)..(part + 1) * (LANES / PARTS);
        // what can't be asked now is asked in the next round
        drop(shared.audit(lanes).await);
        if part % MEASURED == 0 {
            drop(shared.measure().await);
        }
        part = (part + 1) % PARTS;
    }
}

impl Shared {
    async fn audit(self: &Arc<Self>, lanes: std::ops::Range<Lane>) -> Result<(), StoreError> {
        let numbers = self.changes(&lanes.clone().collect::<Vec<_>>()).await?;
        for (lane, number) in lanes.clone().zip(numbers) {
            self.rows.expect(lane, number);
        }
        let convs = self.out.followed(|conv| lanes.contains(&lane_of(conv)));
        let question = |conv: &ConvId| {
            let (slot, mut length, mut rev) = (self.slot(lane_of(*conv)), cmd("LLEN"), cmd("HGET"));
            length.arg(self.keys.records(*conv));
            rev.arg(self.keys.conversation(*conv)).arg("v");
            [(slot, length), (slot, rev)]
        };
        let answers = self.ask_all(convs.iter().flat_map(question).collect()).await?;
        for (conv, answers) in convs.into_iter().zip(answers.chunks_exact(2)) {
            let now = (number(&answers[0]), number(&answers[1]) as u32);
            if self.out.standing(conv).is_some_and(|(last, rev, _)| (last, rev) != now) {
                self.check([(conv, Next::Reach(now.0, now.1))]);
            }
        }
        Ok(())
    }
}
