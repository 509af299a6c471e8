//! Numbers in figures and in words, Chinese and English, with what they measure: 7天, 七天, seven days, 两百, $1,000.50.

use super::{
    numerals::{Number, chinese, chinese_digit, english, figures},
    times::{after_text, clock, day_after, month_before},
    units::{self, Kind, Unit},
};
use crate::text_file::is_cjk;

/// A number of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    /// In the smallest unit of its kind.
    pub value: f64,
    /// What it measures; none: a bare number.
    pub kind: Option<Kind>,
    /// Where it stands, with its unit, in bytes.
    pub from: usize,
    pub to: usize,
    /// 一个 and "one" often only say "a".
    pub weak: bool,
}

impl Quantity {
    /// Whether the two can be told apart by their values alone.
    pub fn comparable(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (None, None) => true,
            // a bare number may be an amount of anything but of time
            (None, Some(kind)) | (Some(kind), None) => {
                !matches!(kind, Kind::Time | Kind::Clock | Kind::Date | Kind::Day | Kind::Year)
            }
            (Some(Kind::Money(_)), Some(Kind::Money(_))) => true,
            (a, b) => a == b,
        }
    }

    /// Whether they say the same.
    pub fn equals(&self, other: &Self) -> bool {
        let near = (self.value - other.value).abs() <= 0.02 * self.value.abs().max(other.value.abs());
        let currency = match (self.kind, other.kind) {
            (Some(Kind::Money(a)), Some(Kind::Money(b))) => a == b,
            _ => true,
        };
        // 30 days are a month, but 100 yuan are not 101
        let converted = matches!(self.kind, Some(Kind::Time | Kind::Mass | Kind::Length));
        currency && if converted && self.kind == other.kind { near } else { (self.value - other.value).abs() < 1e-6 }
    }
}

/// A digit run this long names an order or a telephone, not an amount.
const LONG: usize = 7;

/// The numbers of `text`, which is in compatibility form and small letters.
pub(super) fn quantities(text: &str) -> Vec<Quantity> {
    let mut found: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let previous = text[..at].chars().next_back();
        let inner = previous.is_some_and(|p| p.is_ascii_alphabetic());
        let number = if first.is_ascii_digit() {
            figures(rest).map(|n| (n, inner))
        } else if is_cjk(first) {
            chinese(rest).map(|n| (n, false))
        } else if first.is_ascii_alphabetic() && !inner && previous.is_none_or(|p| !p.is_ascii_digit()) {
            english(rest).map(|n| (n, false))
        } else {
            None
        };
        let Some((number, in_name)) = number else {
            at += first.len_utf8();
            continue;
        };
        let end = at + number.length;
        if in_name || number.digits >= LONG {
            at = end;
            continue;
        }
        let before = &text[..at];
        let (unit, to) = unit(before, text, end);
        if let Some(quantity) = settled(&number, unit.as_ref(), before, &text[to..], at, to) {
            at = quantity.to.max(end);
            if quantity.kind.is_some() {
                share(&mut found, text, &quantity, unit.as_ref());
            }
            found.push(quantity);
        } else {
            at = end;
        }
    }
    found
}

/// 3-5天: the first gets the unit of the second.
fn share(found: &mut [Quantity], text: &str, second: &Quantity, unit: Option<&Unit>) {
    let (Some(first), Some(unit)) = (found.last_mut(), unit) else { return };
    let between = text[first.to..second.from].trim();
    if first.kind.is_none() && ["-", "–", "—", "~", "到", "至", "to", "and", "或", "、"].contains(&between) {
        first.value *= unit.factor;
        first.kind = second.kind;
    }
}

/// The unit of a number: a sign before it, or what follows, perhaps after a blank or a hyphen.
fn unit(before: &str, text: &str, end: usize) -> (Option<Unit>, usize) {
    if before.ends_with("百分之") {
        return (Some(Unit { kind: Kind::Share, factor: 1.0 }), end);
    }
    let rest = &text[end..];
    let gap = rest.len() - rest.trim_start_matches([' ', '-']).len();
    let after = &rest[gap..];
    let after = after.strip_prefix("多").or_else(|| after.strip_prefix("来")).unwrap_or(after);
    let skipped = rest.len() - after.len();
    // 满200包邮 has no packets
    let found = units::at(after)
        .filter(|_| !after.starts_with("包邮"))
        .filter(|(_, length)| gap == 0 || !(gap > 0 && *length == 1 && after.starts_with(['t', 'm', 'l', 'h', '"'])));
    match (units::before(before), found) {
        (Some(sign), _) => (Some(sign), end),
        (None, Some((unit, length))) => (Some(unit), end + skipped + length),
        (None, None) => (None, end),
    }
}

/// What a number with its unit is; none if it is no amount after all.
fn settled(
    number: &Number,
    unit: Option<&Unit>,
    before: &str,
    after: &str,
    from: usize,
    to: usize,
) -> Option<Quantity> {
    let quantity = |value: f64, kind: Option<Kind>, from: usize, to: usize| {
        Some(Quantity { value, kind, from, to, weak: number.weak })
    };
    let trimmed = after.trim_start();
    // 9:30, 9点, 9 pm
    if let Some((minutes, length)) = clock(number, before, if unit.is_none() { after } else { "" }) {
        return quantity(minutes, Some(Kind::Clock), from, to + length);
    }
    // 10月1日
    if let Some(unit) = unit
        && unit.kind == Kind::Time
        && (1.0..=12.0).contains(&number.value)
        && after.starts_with(|c: char| c.is_ascii_digit() || is_cjk(c))
        && before_ends_month(&after_text(after))
    {
        let (day, length) = day_after(after)?;
        return quantity(number.value * 100.0 + day, Some(Kind::Date), from, to + length);
    }
    // October 1st
    if let Some(month) = month_before(before)
        && (1.0..=31.0).contains(&number.value)
        && unit.is_none()
    {
        let suffix = ["st", "nd", "rd", "th"].into_iter().find(|s| trimmed.starts_with(s)).map_or(0, str::len);
        return quantity(f64::from(month) * 100.0 + number.value, Some(Kind::Date), from, to + suffix);
    }
    let Some(unit) = unit else {
        if number.alone {
            return None;
        }
        if number.digits == 4 && (1950.0..2100.0).contains(&number.value) {
            return quantity(number.value, Some(Kind::Year), from, to);
        }
        if before.trim_end().ends_with("size") {
            return quantity(number.value, Some(Kind::Size), from, to);
        }
        return quantity(number.value, None, from, to);
    };
    if unit.kind == Kind::Time && unit.factor > 3e7 && number.digits == 4 {
        return quantity(number.value, Some(Kind::Year), from, to);
    }
    // a single 一 or "one" before a counter says "a"; before a day or a kilogram it counts
    let counter = matches!(unit.kind, Kind::Count(_) | Kind::Day | Kind::Size | Kind::Share | Kind::Heat);
    if counter && (if number.alone { number.value <= 1.0 } else { number.weak }) {
        return Some(Quantity { value: number.value, kind: Some(unit.kind), from, to, weak: true });
    }
    // 一米七, 1米70
    if unit.kind == Kind::Length
        && before_end(after)
        && let Some(rest) = figures(after).or_else(|| chinese(after))
        && rest.value < 100.0
    {
        let part = if rest.value < 10.0 { rest.value * 100.0 } else { rest.value * 10.0 };
        return quantity(number.value * unit.factor + part, Some(unit.kind), from, to + rest.length);
    }
    quantity(number.value * unit.factor, Some(unit.kind), from, to)
}

/// A number follows at once, so the metres before it have centimetres.
fn before_end(after: &str) -> bool {
    after.starts_with(|c: char| c.is_ascii_digit() || chinese_digit(c).is_some())
}

/// `月` was the unit: whether a day follows.
fn before_ends_month(after: &str) -> bool {
    day_after(after).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(f64, Option<Kind>)> {
        quantities(text).into_iter().map(|q| (q.value, q.kind)).collect()
    }

    #[test]
    fn the_same_amount_is_the_same_in_figures_and_words() {
        for (texts, value, kind) in [
            (&["7天", "七天", "7 days", "seven days", "7-day", "一周", "one week", "1星期"][..], 604_800.0, Kind::Time),
            (&["200元", "两百块", "二百元", "¥200", "200块钱", "rmb 200"][..], 200.0, Kind::Money("CNY")),
            (&["5公斤", "5kg", "五公斤", "五千克", "5 kilos", "10斤", "five kg", "5千克"][..], 5000.0, Kind::Mass),
            (&["2万元", "20,000元", "两万块"][..], 20_000.0, Kind::Money("CNY")),
            (&["十五分钟", "15 minutes", "fifteen min"][..], 900.0, Kind::Time),
            (&["百分之十", "10%", "10 percent"][..], 10.0, Kind::Share),
            (&["10月1日", "十月一号", "october 1st", "oct 1"][..], 1001.0, Kind::Date),
            (&["9点", "9:00", "9 am", "早上9点", "9am"][..], 540.0, Kind::Clock),
            (&["晚上9点半", "9:30 pm", "21:30"][..], 1290.0, Kind::Clock),
            (&["$1,000.50", "1000.5 dollars"][..], 1000.5, Kind::Money("USD")),
            (&["半年", "half a year"][..1], 0.5 * 31_536_000.0, Kind::Time),
            (&["两百五十毫升", "250ml", "两百五毫升"][..], 250.0, Kind::Volume),
            (&["16岁", "十六周岁", "16 years old"][..], 16.0, Kind::Age),
            (&["8折", "八折"][..], 8.0, Kind::Tenths),
            (&["2026年", "二零二六年"][..], 2026.0, Kind::Year),
            (&["170厘米", "一米七", "1米70", "1.7米"][..], 1700.0, Kind::Length),
        ] {
            for text in texts {
                assert_eq!(read(text), [(value, Some(kind))], "{text}");
            }
        }
        assert_eq!(read("3-5天"), [(3.0 * 86_400.0, Some(Kind::Time)), (5.0 * 86_400.0, Some(Kind::Time))]);
        assert_eq!(read("满200包邮吗"), [(200.0, None)]);
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "一起退货",
            "万一坏了",
            "订单20231123456789",
            "iphone15",
            "三星手机",
            "十分满意",
            "someone",
            "千万别",
            "一点都不好",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
        assert!(quantities("一个订单")[0].weak && quantities("一公斤")[0].kind.is_some());
    }

    #[test]
    fn amounts_are_told_apart() {
        let one = |text: &str| quantities(text)[0].clone();
        assert!(one("30天").equals(&one("一个月")) && one("12个月").equals(&one("1年")));
        assert!(!one("100元").equals(&one("101元")) && !one("100元").equals(&one("$100")));
        assert!(one("100元").comparable(&one("$100")) && one("满200").comparable(&one("20元")));
        assert!(!one("5公斤").comparable(&one("5天")) && !one("5 kg").equals(&one("5 lb")));
    }
}
