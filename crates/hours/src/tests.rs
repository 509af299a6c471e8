//! Against dates worked out by hand, and properties.

use proptest::prelude::*;

use super::*;

fn hours(zone: &str, week: &str, holidays: Holidays) -> Hours {
    let hours = Hours { zone: zone.into(), week: week.parse().unwrap(), holidays, days: BTreeMap::new() };
    hours.check().unwrap();
    hours
}

/// A time in a zone, ms.
fn at(text: &str) -> u64 {
    let zoned: jiff::Zoned = text.parse().unwrap();
    zoned.timestamp().as_millisecond() as u64
}

const SHANGHAI: &str = "[Asia/Shanghai]";

fn shanghai(text: &str) -> u64 {
    at(&format!("{text}+08:00{SHANGHAI}"))
}

#[test]
fn a_week_is_read_and_written() {
    for text in ["mon-fri 09:00-12:00,13:30-18:00; sat 10:00-16:00", "sun 00:00-24:00", "never", "mon-sun 00:00-24:00"]
    {
        let week: Week = if text == "never" { Week::default() } else { text.parse().unwrap() };
        assert_eq!(week.to_string(), text);
        let json = serde_json::to_string(&week).unwrap();
        assert_eq!(serde_json::from_str::<Week>(&json).unwrap(), week);
    }
    assert_eq!("fri-mon 10:00-11:00".parse::<Week>().unwrap().to_string(), "mon 10:00-11:00; fri-sun 10:00-11:00");
    for (text, says) in [
        ("mon", "no part of a week"),
        ("mon 9:00-18:00", "no time of day"),
        ("mon 09:00-25:00", "no time of day"),
        ("mon 18:00-09:00", "ends before it begins"),
        ("mon 09:00-12:00,11:00-13:00", "begins before the one before it ends"),
        ("mon-wed 09:00-12:00; tue 09:00-10:00", "tue is named twice"),
        ("mittwoch 09:00-12:00", "no part of a week"),
    ] {
        let e = text.parse::<Week>().unwrap_err().to_string();
        assert!(e.contains(says), "{text}: {e}");
    }
}

#[test]
fn a_zone_that_does_not_exist_is_said() {
    let hours =
        Hours { zone: "Asia/Peking".into(), week: Week::default(), holidays: Holidays::None, days: BTreeMap::new() };
    assert!(hours.check().unwrap_err().to_string().contains("Asia/Peking"));
}

#[test]
fn it_opens_after_the_weekend_and_after_a_holiday() {
    let h = hours("Asia/Shanghai", "mon-fri 09:00-18:00", Holidays::Cn);
    assert_eq!(h.opens(shanghai("2026-11-30T10:00:00")).unwrap(), None, "open on a Monday morning");
    assert_eq!(h.opens(shanghai("2026-11-27T18:00:00")).unwrap(), Some(shanghai("2026-11-30T09:00:00")));
    // the National Day holiday of 2026 ends on Wednesday the 7th; Saturday the 10th makes up for it
    assert_eq!(h.opens(shanghai("2026-09-30T19:00:00")).unwrap(), Some(shanghai("2026-10-08T09:00:00")));
    assert_eq!(h.opens(shanghai("2026-10-09T19:00:00")).unwrap(), Some(shanghai("2026-10-10T09:00:00")));
    assert_eq!(h.opens(shanghai("2026-10-10T18:00:00")).unwrap(), Some(shanghai("2026-10-12T09:00:00")));
    let never = hours("Asia/Shanghai", "", Holidays::None);
    assert_eq!(never.opens(shanghai("2026-10-10T18:00:00")).unwrap(), None);
}

#[test]
fn a_single_day_counts_more_than_week_and_holiday() {
    let mut h = hours("Asia/Shanghai", "mon-fri 09:00-18:00", Holidays::Cn);
    h.days.insert("2026-10-01".parse().unwrap(), spans("10:00-12:00").unwrap());
    h.days.insert("2026-10-08".parse().unwrap(), spans("closed").unwrap());
    assert_eq!(h.opens(shanghai("2026-09-30T19:00:00")).unwrap(), Some(shanghai("2026-10-01T10:00:00")));
    assert_eq!(h.opens(shanghai("2026-10-01T12:00:00")).unwrap(), Some(shanghai("2026-10-09T09:00:00")));
    h.forget_before(shanghai("2026-10-02T00:00:00"));
    assert_eq!(h.days.len(), 1);
}

#[test]
fn a_night_is_one_time() {
    let h = hours("Asia/Shanghai", "mon 22:00-24:00; tue 00:00-06:00", Holidays::None);
    let open = h.open_between(shanghai("2026-11-30T00:00:00"), shanghai("2026-12-02T00:00:00")).unwrap();
    assert_eq!(open, [(shanghai("2026-11-30T22:00:00"), shanghai("2026-12-01T06:00:00"))]);
}

#[test]
fn days_on_which_the_clock_changes_are_shorter_and_longer() {
    let h = hours("Europe/Berlin", "sun 00:00-24:00", Holidays::None);
    let sunday = |from: &str, to: &str| within(&h.open_between(at(from), at(to)).unwrap(), 0, u64::MAX) / 3_600_000;
    let spring = ("2026-03-28T12:00:00+01:00[Europe/Berlin]", "2026-03-30T12:00:00+02:00[Europe/Berlin]");
    assert_eq!(sunday(spring.0, spring.1), 23);
    let autumn = ("2026-10-24T12:00:00+02:00[Europe/Berlin]", "2026-10-26T12:00:00+01:00[Europe/Berlin]");
    assert_eq!(sunday(autumn.0, autumn.1), 25);
    // an hour that does not exist on that day
    let gap = hours("Europe/Berlin", "sun 02:00-03:00", Holidays::None);
    assert_eq!(gap.open_between(at(spring.0), at(spring.1)).unwrap(), []);
}

#[test]
fn a_wait_over_the_night_counts_what_was_open() {
    let h = hours("Asia/Shanghai", "mon-fri 09:00-18:00", Holidays::None);
    let (from, to) = (shanghai("2026-11-27T17:50:00"), shanghai("2026-11-30T09:05:00"));
    let open = h.open_between(from, to).unwrap();
    assert_eq!(within(&open, from, to), 15 * 60_000);
}

proptest! {
    /// Minute by minute the same as what is said of a day.
    #[test]
    fn times_are_those_of_the_days(day in 0i64..800, minute in 0u64..1440, cut in 1u64..5_000) {
        let h = hours("Asia/Shanghai", "mon-thu 08:30-12:00,13:00-24:00; fri 00:00-02:15; sun 23:00-24:00", Holidays::Cn);
        let from = (shanghai("2025-01-01T00:00:00") as i64 + day * 86_400_000) as u64 + minute * 60_000;
        let open = h.open_between(from, from + cut * 60_000).unwrap();
        prop_assert!(open.windows(2).all(|pair| pair[0].1 < pair[1].0) && open.iter().all(|(a, b)| a < b));
        for n in (0..cut).step_by(7) {
            let now = from + n * 60_000;
            let is = open.iter().any(|(a, b)| (*a..*b).contains(&now));
            let date = h.date(now).unwrap();
            let of_day = ((now - shanghai(&format!("{date}T00:00:00"))) / 60_000) as u16;
            let spans: Vec<String> = h.spans_of(date).iter().map(Span::to_string).collect();
            let number = |s: &str| s[..2].parse::<u16>().unwrap() * 60 + s[3..5].parse::<u16>().unwrap();
            let said = spans.iter().any(|s| (number(&s[..5])..number(&s[6..])).contains(&of_day));
            prop_assert_eq!(is, said, "{} {}", date, of_day);
        }
    }
}
