//! The clients of a server that died come back: when each is served again.

use std::collections::VecDeque;

use crate::{
    costs::{BACKOFF_MS, RECONNECT},
    random::Random,
};

/// When `sockets` clients are back, ms after the death, in order. They try from the first millisecond, and servers answer from `away_ms`
/// on; each of `servers` has `idle` of its core for it.
pub fn back(sockets: usize, servers: usize, idle: f64, away_ms: u64, random: &mut Random) -> Vec<u64> {
    let mut tries: Vec<f64> = (0..sockets).map(|_| first_answered(away_ms as f64, random)).collect();
    tries.sort_by(f64::total_cmp);
    let each = RECONNECT / 1_000.0 / idle.max(0.01);
    // a balancer gives each the server that is free first
    let mut free = VecDeque::from(vec![0.0_f64; servers.max(1)]);
    let serve = |at: f64| {
        let begin = free.pop_front().unwrap_or(0.0).max(at);
        free.push_back(begin + each);
        (begin + each).ceil() as u64
    };
    tries.into_iter().map(serve).collect()
}

/// The first of a page's tries after `away`.
fn first_answered(away: f64, random: &mut Random) -> f64 {
    let (mut at, mut most) = (0.0, BACKOFF_MS.0);
    loop {
        at += random.unit() * most;
        if at >= away {
            return at;
        }
        most = (most * 2.0).min(BACKOFF_MS.1);
    }
}
