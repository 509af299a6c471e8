//! What a question and an entry of the knowledge contradict each other about.

use super::{Compared, Conflict, Reading, Token, names::Name, numbers::Quantity, units};
use crate::text_file::is_cjk;

/// What of `asked` the phrases of an entry contradict. The first of them is the one that fits best.
pub(in crate::knowledge) fn compare(asked: &Reading, phrases: &[Reading], answer: &Reading) -> Compared {
    let mut out = Compared::default();
    numbers_compared(asked, phrases, answer, &mut out);
    names_compared(asked, phrases, answer, &mut out);
    members_compared(asked, phrases, answer, &mut out);
    if let Some(first) = phrases.first() {
        denials(asked, first, &mut out);
        out.denials = asked.denials.abs_diff(first.denials).min(2) as f32;
    }
    out
}

fn numbers_compared(asked: &Reading, phrases: &[Reading], answer: &Reading, out: &mut Compared) {
    let all = || phrases.iter().flat_map(|p| p.quantities.iter().map(move |q| (p, q)));
    let in_name = |value: f64, of: &Reading| of.names.iter().any(|n| n.number.parse() == Ok(value));
    for q in &asked.quantities {
        let bare = q.kind.is_none() || q.kind == Some(units::Kind::Year);
        if all().any(|(_, e)| e.comparable(q) && e.equals(q)) || bare && phrases.iter().any(|p| in_name(q.value, p)) {
            out.numbers.both += 1.0;
            continue;
        }
        let against = |e: &Quantity| e.comparable(q) && !(e.weak && q.kind.is_none()) && !in_name(e.value, asked);
        if let Some((p, e)) = all().find(|(_, e)| against(e)) {
            out.conflicts.push(Conflict { entry: p.said(e.from, e.to), asked: asked.said(q.from, q.to) });
        } else if !q.weak && !answer.quantities.iter().any(|a| a.comparable(q) && a.equals(q)) {
            out.numbers.asked += 1.0;
        }
    }
    let alone = |e: &Quantity| !e.weak && !asked.quantities.iter().any(|q| q.comparable(e));
    out.numbers.entry = phrases.first().map_or(0, |p| p.quantities.iter().filter(|e| alone(e)).count()) as f32;
}

fn names_compared(asked: &Reading, phrases: &[Reading], answer: &Reading, out: &mut Compared) {
    let all = || phrases.iter().flat_map(|p| p.names.iter().map(move |n| (p, n)));
    for q in &asked.names {
        if all().any(|(_, e)| e.same(q)) {
            out.names.both += 1.0;
            continue;
        }
        let model = |n: &Name| !n.number.is_empty();
        // "version 4" for v4
        let number = q.number.parse::<f64>().ok();
        if number.is_some_and(|n| {
            phrases.iter().any(|p| p.quantities.iter().any(|e| e.kind.is_none() && (e.value - n).abs() < 1e-6))
        }) {
            out.names.both += 1.0;
            continue;
        }
        let other = all().find(|(_, e)| e.base == q.base).or_else(|| all().find(|(_, e)| model(e) && model(q)));
        match other {
            Some((p, e)) if model(e) || model(q) => {
                out.conflicts.push(Conflict { entry: p.said(e.from, e.to), asked: asked.said(q.from, q.to) });
            }
            _ if answer.names.iter().any(|a| a.same(q)) => {}
            _ => out.names.asked += 1.0,
        }
    }
    let alone = |e: &Name| !asked.names.iter().any(|q| q.base == e.base);
    out.names.entry = phrases.first().map_or(0, |p| p.names.iter().filter(|e| alone(e)).count()) as f32;
}

fn members_compared(asked: &Reading, phrases: &[Reading], answer: &Reading, out: &mut Compared) {
    let all = |group: u16| {
        phrases.iter().flat_map(move |p| p.members.iter().filter(move |m| m.group == group).map(move |m| (p, m)))
    };
    let mut seen: Vec<u16> = Vec::new();
    for q in &asked.members {
        if seen.contains(&q.group) {
            continue;
        }
        seen.push(q.group);
        let mine = || asked.members.iter().filter(|m| m.group == q.group);
        let shared = mine().any(|m| all(q.group).any(|(_, e)| e.number == m.number));
        let agreement = if q.strict { &mut out.members } else { &mut out.kind };
        if shared {
            agreement.both += 1.0;
            continue;
        }
        match all(q.group).next() {
            Some((p, e)) if q.strict => {
                out.conflicts.push(Conflict { entry: p.said(e.from, e.to), asked: asked.said(q.from, q.to) });
            }
            Some(_) => {
                agreement.asked += 1.0;
                agreement.entry += 1.0;
            }
            None if mine().any(|m| answer.members.iter().any(|a| a.number == m.number)) => {}
            None => {
                agreement.asked += 1.0;
                out.narrows += f32::from(u8::from(q.narrow));
            }
        }
    }
    let Some(first) = phrases.first() else { return };
    let mut alone: Vec<(u16, bool)> =
        first.members.iter().filter(|e| !seen.contains(&e.group)).map(|e| (e.group, e.strict)).collect();
    alone.sort_unstable();
    alone.dedup();
    out.members.entry += alone.iter().filter(|(_, strict)| *strict).count() as f32;
    out.kind.entry += alone.iter().filter(|(_, strict)| !*strict).count() as f32;
}

/// What one of the two denies and the other does not.
fn denials(asked: &Reading, entry: &Reading, out: &mut Compared) {
    let weighty = |t: &&Token| t.weight >= 1.0;
    let opposed = |a: &Token, of: &Reading| {
        let mut same = of.tokens.iter().filter(|t| t.key == a.key).peekable();
        same.peek().is_some() && same.all(|t| t.negated != a.negated)
    };
    let denied = asked.tokens.iter().filter(weighty).find(|t| t.negated && opposed(t, entry));
    let denies = entry.tokens.iter().filter(weighty).find(|t| t.negated && opposed(t, asked));
    let said = |r: &Reading, t: &Token, no: bool| {
        let word = r.said(t.from, t.to);
        let not = if word.chars().any(is_cjk) { "不" } else { "not " };
        if no { format!("{not}{word}") } else { word }
    };
    if let Some(t) = denied {
        out.conflicts.push(Conflict { entry: said(asked, t, false), asked: said(asked, t, true) });
    } else if let Some(t) = denies {
        out.conflicts.push(Conflict { entry: said(entry, t, true), asked: said(entry, t, false) });
    }
}
