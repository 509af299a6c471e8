//! Agents who vanish, come back, are removed, change teams; restarts.

use super::*;

#[test]
fn back_within_the_grace_he_keeps_everything() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(owns(1, "a", "li"), 0);
    d.apply(Event::AgentVanished { user: user("li") }, 1_000);
    assert_eq!(d.next_deadline(), Some(21_000));
    let out = d.apply(online("li", &["a"], 8), 20_999);
    assert!(!out.contains(&requeue(1, "li")));
    assert!(d.apply(Event::Tick, 100_000).is_empty());
    assert_eq!(d.agents(&[team("a")])[0].load, 1);
}

#[test]
fn after_the_grace_everything_goes_back_in_its_old_order() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(owns(1, "a", "li"), 0);
    d.apply(Event::AgentVanished { user: user("li") }, 1_000);
    d.apply(waits(2, "a", 2_000), 2_000);
    assert!(d.apply(Event::Tick, 21_000).contains(&requeue(1, "li")));
    assert!(d.apply(Event::Tick, 26_000).contains(&requeue(1, "li")), "asked again until chat answers");
    let out = d.apply(waits(1, "a", 500), 26_001);
    assert_eq!(positions(&out), [(conv(1), 1), (conv(2), 2)]);
    assert_eq!(d.next_deadline(), None);
}

#[test]
fn back_after_the_grace_but_before_it_was_given_away_he_keeps_it() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(owns(1, "a", "li"), 0);
    d.apply(Event::AgentVanished { user: user("li") }, 0);
    assert!(d.apply(Event::Tick, 20_000).contains(&requeue(1, "li")));
    d.apply(online("li", &["a"], 8), 21_000);
    // no fact came: chat could not write
    assert!(!d.apply(Event::Tick, 25_000).contains(&requeue(1, "li")));
    assert_eq!(d.explain(conv(1)), [Reason::Owned { user: user("li") }]);
}

#[test]
fn a_vanished_agent_loses_his_offers_and_his_presence_at_once() {
    let mut d = Desk::new(Rules::default());
    let out = d.apply(online("li", &["a"], 8), 0);
    assert!(out.contains(&presence("a", Presence::Open, 1, 0)));
    d.apply(waits(1, "a", 0), 0);
    let out = d.apply(Event::AgentVanished { user: user("li") }, 1);
    assert!(out.contains(&gone(1, "li", OfferEnd::Gone)));
    assert!(out.contains(&presence("a", Presence::Away, 0, 1)));
    assert_eq!(
        d.explain(conv(1)),
        [Reason::NobodyThere { team: team("a") }, Reason::Agent { user: user("li"), why: NotNow::Offline }]
    );
    let text: Vec<String> = d.explain(conv(1)).iter().map(Reason::to_string).collect();
    assert_eq!(text, ["no agent of team a is connected", "li is offline"]);
}

#[test]
fn a_removed_agent_has_nothing_and_late_facts_give_him_nothing() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(owns(1, "a", "li"), 0);
    d.apply(waits(2, "a", 1), 1);
    d.apply(waits(3, "a", 2), 2);
    d.apply(accept(3, "li"), 3);
    let out = d.apply(Event::AgentRemoved { user: user("li") }, 4);
    for expected in [requeue(1, "li"), gone(2, "li", OfferEnd::Gone), gone(3, "li", OfferEnd::Gone)] {
        assert!(out.contains(&expected), "{expected:?} in {out:?}");
    }
    assert!(d.apply(owns(3, "a", "li"), 5).contains(&requeue(3, "li")), "their accept was under way");
    assert!(d.snapshot(5).agents.is_empty());
    assert_eq!(d.presence(&team("a")).state, Presence::Away);
}

#[test]
fn after_a_restart_owners_have_the_grace_to_come_back() {
    let mut d = Desk::new(Rules::default());
    d.apply(owns(1, "a", "li"), 0);
    d.apply(owns(2, "a", "wu"), 0);
    d.apply(waits(3, "a", 0), 0);
    assert_eq!(d.next_deadline(), Some(20_000));
    d.apply(online("li", &["a"], 1), 5_000);
    let out = d.apply(Event::Tick, 20_000);
    assert!(out.contains(&requeue(2, "wu")) && !out.contains(&requeue(1, "li")), "{out:?}");
    assert!(offers(&out).is_empty(), "li is full");
}

#[test]
fn leaving_a_team_ends_its_offers_and_gives_back_what_he_owned_there() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a", "b"], 8), 0);
    d.apply(owns(8, "b", "li"), 0);
    d.apply(owns(9, "a", "li"), 0);
    d.apply(waits(1, "a", 0), 0);
    d.apply(waits(2, "b", 0), 0);
    let out = d.apply(Event::TeamsChanged { user: user("li"), teams: vec![team("b")] }, 1);
    assert!(out.contains(&gone(1, "li", OfferEnd::Gone)));
    assert_eq!(d.offers(&user("li")).iter().map(|(c, _)| *c).collect::<Vec<_>>(), [conv(2)]);
    assert!(out.contains(&requeue(9, "li")), "they can't see it any more: {out:?}");
    assert!(
        d.apply(Event::Tick, 5_001).contains(&requeue(9, "li")),
        "asked again until chat answers, although they are online"
    );
    assert_eq!(d.explain(conv(8)), [Reason::Owned { user: user("li") }]);
    assert_eq!(d.presence(&team("a")).agents, 0);
    assert_eq!(
        offers(&d.apply(Event::TeamsChanged { user: user("li"), teams: vec![team("a")] }, 5_002)),
        [(conv(1), "li".into())]
    );
}

#[test]
fn busy_keeps_his_own_and_gets_no_new_ones() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(owns(1, "a", "li"), 0);
    let out = d.apply(Event::AgentState { user: user("li"), state: AgentState::Busy }, 1);
    assert!(out.contains(&Decision::AgentsChanged { team: team("a") }));
    assert!(offers(&d.apply(waits(2, "a", 2), 2)).is_empty());
    assert_eq!(d.explain(conv(2)), [Reason::Agent { user: user("li"), why: NotNow::Busy }]);
    assert!(d.apply(Event::Tick, 1_000_000).is_empty(), "nothing runs down");
}

#[test]
fn the_snapshot_counts_what_is_there() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 2), 0);
    d.apply(owns(9, "a", "li"), 0);
    d.apply(waits(1, "a", 100), 200);
    d.apply(waits(2, "a", 150), 200);
    let s = d.snapshot(1_100);
    assert_eq!((s.waiting, s.owned, s.longest_wait_ms), (2, 1, 1_000));
    assert_eq!((s.agents[0].load, s.agents[0].offers, s.agents[0].capacity), (1, 1, 2));
    assert_eq!((s.teams[0].waiting, s.teams[0].offered, s.teams[0].online), (2, 1, 1));
    assert_eq!(s.offers, [OfferView { conv: conv(1), user: user("li"), until: 30_200 }]);
    let json = serde_json::to_value(&s).unwrap();
    assert_eq!(json["offers"][0]["user"], "li");
    assert_eq!(d.explain(conv(2)), [Reason::Agent { user: user("li"), why: NotNow::Full { load: 2, capacity: 2 } }]);
}
