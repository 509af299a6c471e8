//! Users served meanwhile: visitors at another address, and an agent at a third who receives their messages.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use kefu::{
    client::Received,
    proto::{ClientFrame, Have, MsgId, Side},
};
use tokio::{
    select,
    task::JoinSet,
    time::{Instant as TokioInstant, MissedTickBehavior, interval_at},
};

use super::{
    client::{Socket, Visitor},
    target::Target,
};

/// As many as write ten messages a second within the default limits.
const VISITORS: usize = 15;
const EACH: Duration = Duration::from_millis(1_600);

#[derive(Default)]
struct Heard {
    sent: HashMap<MsgId, Instant>,
    /// When it was sent, and how long until the agent had it.
    took: Vec<(Instant, Duration)>,
}

/// See the module. They go when it is dropped.
pub struct Crowd {
    heard: Arc<Mutex<Heard>>,
    _tasks: JoinSet<anyhow::Result<()>>,
}

/// How they were served in a time.
pub struct Served {
    /// ms.
    pub p50: f64,
    /// ms.
    pub p99: f64,
    /// Sent in that time and not heard at all.
    pub missing: usize,
}

fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    /// Connects everyone.
    pub async fn come(at: &Arc<Target>) -> anyhow::Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let mut tasks = JoinSet::new();
        let mut agent = Socket::enter(at, 8, &at.agents[0], Side::Agent).await?;
        let mut convs = Vec::new();
        for n in 0..VISITORS {
            let (mut visitor, mut socket) = Visitor::come(at, 9).await?;
            convs.push(Have::upto(visitor.conv, 0));
            let heard = heard.clone();
            tasks.spawn(async move {
                let mut due = interval_at(TokioInstant::now() + EACH * n as u32 / VISITORS as u32, EACH);
                due.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    select! {
                        // what comes is read, or the server would end the socket
                        received = socket.next() => drop(received?),
                        _ = due.tick() => {
                            let (id, envelope) = visitor.message(200)?;
                            locked(&heard).sent.insert(id, Instant::now());
                            socket.ws.send_envelope(&envelope).await?;
                        }
                    }
                }
            });
        }
        agent.ws.send(&ClientFrame::Resume { convs }).await?;
        let listening = heard.clone();
        tasks.spawn(async move {
            loop {
                let Received::Record(record) = agent.next().await? else { continue };
                let id = record.get(56..72).and_then(|id| id.try_into().ok()).map(MsgId);
                let mut heard = locked(&listening);
                if let Some(sent) = id.and_then(|id| heard.sent.remove(&id)) {
                    heard.took.push((sent, sent.elapsed()));
                }
            }
        });
        Ok(Self { heard, _tasks: tasks })
    }

    /// How those were served who wrote in this time.
    pub fn served(&self, from: Instant, to: Instant) -> Served {
        let heard = locked(&self.heard);
        let within = |sent: &Instant| (from..to).contains(sent);
        let mut took: Vec<f64> =
            heard.took.iter().filter(|(s, _)| within(s)).map(|(_, t)| t.as_secs_f64() * 1e3).collect();
        took.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let last = took.len().saturating_sub(1);
            took.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
        };
        let missing = heard.sent.values().filter(|s| within(s)).count();
        Served { p50: at(0.5), p99: at(0.99), missing }
    }
}
