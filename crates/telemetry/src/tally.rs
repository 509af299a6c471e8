//! What one server counted, in a form that adds up over several.

use serde::{Deserialize, Serialize};

use super::{Distribution, Latency, MetricsSnapshot};

/// The numbers of one server, or of several together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// All but the distributions.
    numbers: MetricsSnapshot,
    batch: Lately,
    commit_latency: Lately,
    checkpoint: Lately,
    delivery_latency: Lately,
}

/// A distribution lately and ever.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lately {
    pub minute: Distribution,
    pub total: Distribution,
}

impl Lately {
    fn add(&mut self, other: &Self) {
        self.minute.add(&other.minute);
        self.total.add(&other.total);
    }

    fn summary(&self) -> Latency {
        Latency { minute: self.minute.quantiles(), total: self.total.quantiles() }
    }
}

impl Tally {
    /// Numbers, and the distributions of records per commit, commits, checkpoints and deliveries.
    pub(crate) fn new(numbers: MetricsSnapshot, [batch, commit, checkpoint, delivery]: [Lately; 4]) -> Self {
        Self { numbers, batch, commit_latency: commit, checkpoint, delivery_latency: delivery }
    }

    /// What both counted. What they say of the same thing counts once: of the company and of its storage the larger number.
    pub fn add(&mut self, other: &Self) {
        self.numbers.add(&other.numbers);
        self.batch.add(&other.batch);
        self.commit_latency.add(&other.commit_latency);
        self.checkpoint.add(&other.checkpoint);
        self.delivery_latency.add(&other.delivery_latency);
    }

    /// The numbers with the quantiles of all.
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            batch: self.batch.summary(),
            commit_latency: self.commit_latency.summary(),
            checkpoint: self.checkpoint.summary(),
            delivery_latency: self.delivery_latency.summary(),
            ..self.numbers.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;

    #[test]
    fn what_is_counted_adds_up_and_what_is_the_same_counts_once() {
        let (one, other) = (Metrics::new(), Metrics::new());
        for metrics in [&one, &other] {
            metrics.connected();
            metrics.envelope(100);
            metrics.refuse(3);
            metrics.missed.set(7);
            metrics.store_bytes.set(1_000);
        }
        other.visitors.inc();
        other.refuse(1);
        (0..99).for_each(|_| one.commit_latency.record(10));
        (0..99).for_each(|_| other.commit_latency.record(1_000));
        let mut sum = one.tally();
        let sent = serde_json::to_string(&other.tally()).unwrap();
        sum.add(&serde_json::from_str(&sent).unwrap());
        let s = sum.snapshot();
        assert_eq!((s.connections.open, s.connections.visitors, s.messages.bytes_in), (2, 1, 200));
        assert_eq!(
            s.messages.refused.into_iter().collect::<Vec<_>>(),
            [("malformed".into(), 1), ("rate_limited".into(), 2)]
        );
        assert_eq!((s.missed, s.store_bytes), (7, 1_000), "they speak of one company and one database");
        let commits = s.commit_latency.total;
        assert_eq!((commits.count, commits.p50, commits.max), (198, 10, 1_000));
        assert!(commits.p99.abs_diff(1_000) < 20, "{commits:?}");
    }

    #[test]
    fn an_empty_answer_is_nothing() {
        let mut sum = Metrics::new().tally();
        let before = sum.clone();
        sum.add(&serde_json::from_str("{}").unwrap());
        assert_eq!(sum, before);
    }
}
