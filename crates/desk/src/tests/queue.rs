//! Places in line.

use super::*;

#[test]
fn places_follow_arrival_and_are_told_when_they_change() {
    let mut d = Desk::new(Rules::default());
    assert_eq!(positions(&d.apply(waits(1, "a", 100), 100)), [(conv(1), 1)]);
    assert_eq!(positions(&d.apply(waits(2, "a", 200), 200)), [(conv(2), 2)]);
    let out = d.apply(waits(3, "a", 50), 300);
    assert_eq!(
        positions(&out),
        [(conv(3), 1), (conv(1), 2), (conv(2), 3)],
        "it arrived first, and was lost in between"
    );
    assert!(positions(&d.apply(waits(3, "a", 50), 300)).is_empty(), "told once");
    assert_eq!(positions(&d.apply(Event::Closed { conv: conv(1) }, 400)), [(conv(2), 2)]);
    assert_eq!(d.position(conv(2)), Some(2));
}

#[test]
fn an_offer_and_its_end_move_nobody() {
    let mut d = Desk::new(Rules::default());
    d.apply(waits(1, "a", 1), 1);
    d.apply(waits(2, "a", 2), 2);
    let out = d.apply(online("li", &["a"], 1), 3);
    assert_eq!((offers(&out).len(), positions(&out).len()), (1, 0));
    assert!(positions(&d.apply(decline(1, "li"), 4)).is_empty());
    assert_eq!(d.position(conv(1)), Some(1), "back where it was");
}

#[test]
fn moved_to_another_team_it_stands_there_by_its_first_arrival() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 1), 0);
    d.apply(waits(1, "a", 1), 1);
    d.apply(waits(2, "b", 2), 2);
    let out = d.apply(waits(1, "b", 1), 3);
    assert!(out.contains(&gone(1, "li", OfferEnd::Gone)));
    assert_eq!(positions(&out), [(conv(1), 1), (conv(2), 2)]);
    assert!(offers(&out).is_empty(), "li does not serve b");
}

#[test]
fn far_back_visitors_are_told_once_and_then_from_place_100_on() {
    let mut d = Desk::new(Rules::default());
    for n in 1..=150 {
        let told = positions(&d.apply(waits(n, "a", u64::from(n)), 1_000));
        assert_eq!(told, [(conv(n), n)]);
    }
    let told = positions(&d.apply(Event::Closed { conv: conv(1) }, 1_000));
    assert_eq!(told.len(), 100);
    assert_eq!((told[0], told[99]), ((conv(2), 1), (conv(101), 100)));
    assert_eq!(d.position(conv(150)), Some(149), "asked, it is exact");
}

/// 10,000 wait and nobody, or one who declines everything, is there: no event may cost a walk through the line. The
/// bound is on decisions, which is what can be counted without a clock; the walk itself is bounded in `choose`.
#[test]
fn a_long_line_costs_little_per_event() {
    let mut d = Desk::new(Rules::default());
    for n in 0..10_000 {
        assert!(d.apply(waits(n, "a", u64::from(n)), 0).len() <= 2);
    }
    d.apply(online("li", &["a"], 1), 0);
    for n in 0..300 {
        let open = d.offers(&user("li"));
        let Some((conv, _)) = open.first() else {
            assert_eq!(n, 256, "so many are passed over at a time");
            break;
        };
        let out = d.apply(Event::Decline { conv: *conv, user: user("li") }, 1);
        assert!(out.len() <= 4, "{out:?}");
    }
    assert_eq!(d.next_deadline(), Some(10_001), "and the end of a pause brings the next look");
    assert_eq!(d.snapshot(1).waiting, 10_000);
}

#[test]
fn a_team_is_open_busy_or_away() {
    let mut d = Desk::new(Rules::default());
    let of = |d: &Desk| (d.presence(&team("a")).state, d.presence(&team("a")).agents, d.presence(&team("a")).waiting);
    assert_eq!(of(&d), (Presence::Away, 0, 0));
    d.apply(waits(1, "a", 1), 1);
    assert_eq!(of(&d), (Presence::Away, 0, 1), "to wait for somebody there must be nobody");
    let declared_state = |who, state| Event::AgentState { user: user(who), state };
    let out = d.apply(online("li", &["a"], 1), 2);
    assert_eq!(offers(&out).len(), 1);
    assert!(out.contains(&presence("a", Presence::Busy, 1, 1)), "the only slot is offered: {out:?}");
    let out = d.apply(owns(1, "a", "li"), 3);
    assert!(out.contains(&presence("a", Presence::Busy, 1, 0)), "and taken: {out:?}");
    let out = d.apply(online("wu", &["a", "b"], 8), 4);
    assert!(out.contains(&presence("a", Presence::Open, 2, 0)), "{out:?}");
    assert!(out.contains(&presence("b", Presence::Open, 1, 0)), "{out:?}");
    let out = d.apply(declared_state("wu", AgentState::Busy), 5);
    assert!(out.contains(&presence("a", Presence::Busy, 2, 0)), "one is full, one is busy: {out:?}");
    let out = d.apply(Event::Closed { conv: conv(1) }, 6);
    assert!(out.contains(&presence("a", Presence::Open, 2, 0)), "a slot is free again: {out:?}");
    let out = d.apply(declared_state("li", AgentState::Offline), 7);
    assert!(out.contains(&presence("a", Presence::Busy, 1, 0)), "who is busy is here: {out:?}");
    let out = d.apply(Event::AgentVanished { user: user("wu") }, 8);
    assert!(out.contains(&presence("a", Presence::Away, 0, 0)) && out.contains(&presence("b", Presence::Away, 0, 0)));
    let repeated = d.apply(declared_state("li", AgentState::Offline), 9);
    assert!(repeated.iter().all(|d| !matches!(d, Decision::Presence { .. })), "told once: {repeated:?}");
}

#[test]
fn who_queues_while_all_are_busy_has_a_place_and_is_served_when_a_slot_is_free() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 1), 0);
    d.apply(owns(9, "a", "li"), 0);
    let out = d.apply(waits(1, "a", 1), 1);
    assert_eq!((positions(&out), offers(&out)), (vec![(conv(1), 1)], vec![]));
    assert!(out.contains(&presence("a", Presence::Busy, 1, 1)), "{out:?}");
    assert_eq!(offers(&d.apply(Event::Closed { conv: conv(9) }, 2)), [(conv(1), "li".into())]);
}
