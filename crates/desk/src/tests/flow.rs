//! Offers: recipients, accepted, declined, expired.

use super::*;

#[test]
fn an_offer_is_accepted_and_becomes_his() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    let first = d.apply(waits(1, "a", 5), 5);
    assert!(
        first.contains(&Decision::Offer { conv: conv(1), user: user("li"), until: 30_005, auto: true }),
        "{first:?}"
    );
    assert_eq!(d.offers(&user("li")), [(conv(1), 30_005)]);
    let then = d.apply(accept(1, "li"), 100);
    assert!(then.contains(&Decision::Assign { conv: conv(1), user: user("li") }), "{then:?}");
    assert_eq!(d.explain(conv(1)), [Reason::Assigning { user: user("li") }]);
    d.apply(owns(1, "a", "li"), 110);
    assert_eq!(d.agents(&[team("a")])[0].load, 1);
    assert_eq!((d.position(conv(1)), d.next_deadline()), (None, None));
}

#[test]
fn the_last_agent_is_asked_first_if_he_qualifies() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(online("wu", &["a"], 8), 0);
    let with_last = |n| Event::Waiting { conv: conv(n), team: team("a"), since: 1, last_agent: Some(user("wu")) };
    d.apply(owns(90, "a", "wu"), 0);
    assert_eq!(offers(&d.apply(with_last(1), 1)), [(conv(1), "wu".into())], "known, although more loaded");
    d.apply(Event::AgentState { user: user("wu"), state: AgentState::Busy }, 2);
    assert_eq!(
        d.offers(&user("li")),
        [(conv(1), 30_002)],
        "a busy agent loses their offers to someone who is available"
    );
    assert_eq!(offers(&d.apply(with_last(2), 3)), [(conv(2), "li".into())]);
}

#[test]
fn the_least_loaded_is_asked_then_the_longest_idle_then_by_name() {
    let mut d = Desk::new(Rules::default());
    for (name, capacity) in [("cai", 4), ("bo", 2), ("an", 4)] {
        d.apply(online(name, &["a"], capacity), 0);
    }
    d.apply(owns(90, "a", "bo"), 10); // half full
    d.apply(owns(91, "a", "an"), 20); // a quarter
    d.apply(owns(92, "a", "cai"), 30); // a quarter, assigned later
    assert_eq!(offers(&d.apply(waits(1, "a", 40), 40)), [(conv(1), "an".into())]);
    assert_eq!(offers(&d.apply(waits(2, "a", 41), 41)), [(conv(2), "cai".into())], "open offers count as load");
    assert_eq!(offers(&d.apply(waits(3, "a", 42), 42)), [(conv(3), "bo".into())], "all half full: bo was idle longest");
}

#[test]
fn a_declined_offer_goes_to_somebody_else_and_comes_back_after_a_pause() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(online("wu", &["a"], 8), 0);
    assert_eq!(offers(&d.apply(waits(1, "a", 0), 0)), [(conv(1), "li".into())]);
    let out = d.apply(decline(1, "li"), 1_000);
    assert_eq!(offers(&out), [(conv(1), "wu".into())]);
    assert!(out.contains(&gone(1, "li", OfferEnd::Gone)), "li's other pages hear of it");
    let out = d.apply(decline(1, "wu"), 2_000);
    assert!(offers(&out).is_empty(), "both just declined: {out:?}");
    assert_eq!(
        d.next_deadline(),
        Some(11_000),
        "li again, ten seconds after they declined, because wu was asked since"
    );
    assert_eq!(offers(&d.apply(Event::Tick, 11_000)), [(conv(1), "li".into())]);
}

#[test]
fn the_only_agent_is_asked_again_after_a_pause_and_never_in_a_circle() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(waits(1, "a", 0), 0);
    let (mut now, mut asked) = (0, 1);
    while now < 60_000 {
        d.apply(decline(1, "li"), now);
        now = d.next_deadline().expect("a pause ends");
        asked += offers(&d.apply(Event::Tick, now)).len();
    }
    assert_eq!(asked, 7, "once in ten seconds");
}

#[test]
fn an_agent_who_was_asked_last_rests_a_minute_while_others_are_free() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(waits(1, "a", 0), 0);
    d.apply(decline(1, "li"), 1_000);
    assert_eq!(offers(&d.apply(online("wu", &["a"], 8), 2_000)), [(conv(1), "wu".into())]);
    let out = d.apply(decline(1, "wu"), 11_500);
    assert_eq!(offers(&out), [(conv(1), "li".into())], "their pause has ended and someone else was asked");
    let out = d.apply(decline(1, "li"), 12_000);
    assert!(offers(&out).is_empty());
    assert_eq!(d.next_deadline(), Some(21_500), "wu's pause ends first; li, asked last, would rest until 72 s");
    assert_eq!(
        d.explain(conv(1)),
        [
            Reason::Agent { user: user("li"), why: NotNow::Tried { until: 72_000 } },
            Reason::Agent { user: user("wu"), why: NotNow::Tried { until: 21_500 } },
        ]
    );
}

#[test]
fn two_offers_that_run_out_make_an_agent_busy() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 1), 0);
    d.apply(waits(1, "a", 0), 0);
    assert_eq!(d.next_deadline(), Some(30_000));
    let out = d.apply(Event::Tick, 30_000);
    assert!(out.contains(&gone(1, "li", OfferEnd::Late)));
    assert!(offers(&out).is_empty());
    assert_eq!(offers(&d.apply(Event::Tick, 40_000)), [(conv(1), "li".into())]);
    let out = d.apply(Event::Tick, 70_000);
    assert!(out.contains(&Decision::StateChanged { user: user("li"), state: AgentState::Busy }), "{out:?}");
    assert_eq!(d.next_deadline(), None, "nobody is there: nothing to wake up for");
    let back = Event::AgentState { user: user("li"), state: AgentState::Online };
    d.apply(back, 71_000);
    assert_eq!(
        offers(&d.apply(Event::Tick, 80_000)).len(),
        1,
        "asked again once they are online and the pause has ended"
    );
}

#[test]
fn an_answer_between_two_that_run_out_keeps_him_online() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 1), 0);
    d.apply(waits(1, "a", 0), 0);
    d.apply(Event::Tick, 30_000);
    d.apply(Event::Tick, 40_000);
    d.apply(decline(1, "li"), 41_000);
    d.apply(Event::Tick, 51_000);
    let out = d.apply(Event::Tick, 81_000);
    assert!(out.contains(&gone(1, "li", OfferEnd::Late)), "{out:?}");
    assert_eq!(d.agents(&[team("a")])[0].state, AgentState::Online);
}

#[test]
fn late_and_wrong_answers_are_told_so() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 1), 0);
    d.apply(online("wu", &["a"], 1), 0);
    d.apply(waits(1, "a", 0), 0);
    assert!(d.apply(accept(1, "wu"), 1).contains(&gone(1, "wu", OfferEnd::Late)), "it is li who is asked");
    assert!(d.apply(accept(7, "wu"), 1).contains(&gone(7, "wu", OfferEnd::Gone)));
    let out = d.apply(accept(1, "li"), 30_000);
    assert!(out.contains(&gone(1, "li", OfferEnd::Late)), "the clock is seen to before the answer: {out:?}");
    d.apply(accept(1, "wu"), 30_001);
    d.apply(owns(1, "a", "wu"), 30_002);
    assert!(d.apply(accept(1, "li"), 30_003).contains(&gone(1, "li", OfferEnd::Taken)));
    assert!(d.apply(accept(1, "wu"), 30_004).is_empty(), "a second tab of the owner");
}

#[test]
fn taken_by_another_ends_the_offer_and_so_does_closing() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(waits(1, "a", 0), 0);
    d.apply(waits(2, "a", 0), 0);
    assert!(d.apply(owns(1, "a", "boss"), 1).contains(&gone(1, "li", OfferEnd::Taken)));
    assert!(d.apply(Event::Closed { conv: conv(2) }, 1).contains(&gone(2, "li", OfferEnd::Gone)));
    assert!(d.offers(&user("li")).is_empty());
}

#[test]
fn a_failed_assignment_goes_on_to_somebody_else() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 8), 0);
    d.apply(online("wu", &["a"], 8), 0);
    d.apply(waits(1, "a", 0), 0);
    d.apply(accept(1, "li"), 1);
    assert_eq!(offers(&d.apply(waits(1, "a", 0), 2)), [(conv(1), "wu".into())]);
    // and if chat never reports the outcome, the conversation is not lost either
    d.apply(accept(1, "wu"), 3);
    let at = d.next_deadline().unwrap();
    let out = d.apply(Event::Tick, at);
    assert_eq!(offers(&out), [(conv(1), "li".into())]);
}

#[test]
fn offers_fill_free_slots_and_no_more() {
    let mut d = Desk::new(Rules::default());
    d.apply(online("li", &["a"], 3), 0);
    d.apply(owns(90, "a", "li"), 0);
    for n in 1..=5 {
        d.apply(waits(n, "a", u64::from(n)), 10);
    }
    assert_eq!(d.offers(&user("li")).len(), 2);
    let out = d.apply(owns(91, "a", "li"), 11);
    assert_eq!(d.offers(&user("li")).len(), 1, "given one by transfer, they can take one offer less: {out:?}");
    assert_eq!(offers(&d.apply(Event::Closed { conv: conv(90) }, 12)).len(), 1, "a slot is free again");
}

#[test]
fn an_agent_of_two_teams_serves_both_in_order_of_arrival() {
    let mut d = Desk::new(Rules::default());
    for (n, t) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
        d.apply(waits(n, t, u64::from(n)), 10);
    }
    let asked = offers(&d.apply(online("li", &["a", "b"], 3), 11));
    assert_eq!(asked.iter().map(|(c, _)| *c).collect::<Vec<_>>(), [conv(1), conv(2), conv(3)]);
}
