//! More than it can read: people get it, and nothing waits for the robot.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_cannot_read_in_time_goes_to_people_and_delays_nobody() {
    // its queue, its turns, and some more
    const CONVERSATIONS: usize = 128 + 32 + 20;
    let engine = Script::new();
    let server = server_with(&engine).await;
    let mut visitor = Peer::visitor(&server).await;
    let day = day_key(&server, "s1").await.unwrap();
    engine.hold();
    let (mut convs, mut slowest) = (Vec::new(), Duration::ZERO);
    for _ in 0..CONVERSATIONS {
        let (conv, frame) = opening(&visitor, Some(day.x.0));
        visitor.ask(frame).await.unwrap();
        visitor.record(conv, 3).await;
        let key = visitor.me.key.clone();
        let (_, question) = visitor.view(conv).seal("?", &key);
        let before = Instant::now();
        let posted = visitor.post(question).await;
        slowest = slowest.max(before.elapsed());
        // it may have left before the question came, or in the same instant
        let left = |e: &(ErrorCode, String)| matches!(e.0, ErrorCode::EpochStale | ErrorCode::Conflict);
        assert!(posted.as_ref().map_or_else(left, |_| true), "{posted:?}");
        convs.push(conv);
    }
    // all of the last ones are with people though the engine has not answered a single question
    let last = *convs.last().unwrap();
    visitor.until(last, |v| v.owner == Owner::Queue).await;
    assert_eq!(robot_said(&mut visitor, last)[0]["why"], "busy");
    engine.release();
    for conv in &convs {
        visitor.until(*conv, |v| v.owner == Owner::Queue || v.said.len() > 1).await;
    }
    // the robot gives a thought up after 20 seconds; who waited for it would have waited so long
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    eprintln!("the slowest acknowledgement took {slowest:?}");
}
