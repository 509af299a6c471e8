//! Numbers alone, as they are written: 1,000.50, 2万, 两百, two hundred.

/// A number without its unit.
pub(super) struct Number {
    pub value: f64,
    pub length: usize,
    pub digits: usize,
    /// 一 or 半 alone, 十, 百: a number only with a unit.
    pub alone: bool,
    /// A word, or 一.
    pub weak: bool,
}

/// 1,000.50, 2万.
pub(super) fn figures(rest: &str) -> Option<Number> {
    let bytes = rest.as_bytes();
    let mut digits = String::new();
    let mut n = 0;
    let mut point = false;
    while n < bytes.len() {
        let next = bytes.get(n + 1).is_some_and(u8::is_ascii_digit);
        match bytes[n] {
            b'0'..=b'9' => digits.push(char::from(bytes[n])),
            b'.' if next && !point => {
                point = true;
                digits.push('.');
            }
            // 1,000 but not 1,2
            b',' if !point
                && bytes.len() >= n + 4
                && bytes[n + 1..n + 4].iter().all(u8::is_ascii_digit)
                && bytes.get(n + 4).is_none_or(|b| !b.is_ascii_digit()) => {}
            _ => break,
        }
        n += 1;
    }
    let mut value: f64 = digits.parse().ok()?;
    let mut length = n;
    let scale =
        [("万", 1e4), ("千", 1e3), ("百", 1e2), ("亿", 1e8)].into_iter().find(|(s, _)| rest[n..].starts_with(s));
    // 5千克 are five kilograms
    if let Some((sign, factor)) = scale.filter(|(sign, _)| {
        !(*sign == "千"
            && rest[n..].starts_with(['千'])
            && ["千克", "千米", "千瓦", "千兆"].iter().any(|u| rest[n..].starts_with(u)))
    }) {
        value *= factor;
        length += sign.len();
    } else if rest[n..].starts_with('k') && !rest[n + 1..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
        value *= 1e3;
        length += 1;
    }
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    Some(Number { value, length, digits, alone: false, weak: false })
}

pub(super) fn chinese_digit(c: char) -> Option<f64> {
    Some(match c {
        '零' | '〇' => 0.0,
        '一' => 1.0,
        '二' | '两' => 2.0,
        '三' => 3.0,
        '四' => 4.0,
        '五' => 5.0,
        '六' => 6.0,
        '七' => 7.0,
        '八' => 8.0,
        '九' => 9.0,
        _ => return None,
    })
}

fn chinese_scale(c: char) -> Option<f64> {
    Some(match c {
        '十' => 10.0,
        '百' => 100.0,
        '千' => 1000.0,
        '万' => 10_000.0,
        '亿' => 1e8,
        _ => return None,
    })
}

/// Words that begin as numbers do.
const NO_NUMBERS: [&str; 23] = [
    "百分之",
    "万一",
    "千万",
    "一点",
    "一下",
    "一些",
    "一样",
    "一直",
    "一定",
    "一起",
    "一共",
    "一般",
    "一键",
    "一律",
    "一旦",
    "一切",
    "一边",
    "一会",
    "两者",
    "十分",
    "三包",
    "二手",
    "三星",
];

/// 七, 十五, 两百, 三千五百, 二零二六, 半.
pub(super) fn chinese(rest: &str) -> Option<Number> {
    if let Some(word) = NO_NUMBERS.iter().find(|w| rest.starts_with(*w)) {
        // 十分钟 is ten minutes, 三星级 a grade
        if !["十分钟", "三星级"].iter().any(|amount| amount.starts_with(word) && rest.starts_with(amount)) {
            return None;
        }
    }
    if rest.starts_with('半') {
        return Some(Number { value: 0.5, length: '半'.len_utf8(), digits: 0, alone: true, weak: false });
    }
    let (mut total, mut section, mut digit, mut length) = (0.0, 0.0, None::<f64>, 0);
    let (mut count, mut digits, mut scaled, mut last) = (0, String::new(), false, 1.0);
    for c in rest.chars() {
        // 五千克 are five kilograms
        if c == '千' && ["千克", "千米", "千瓦"].iter().any(|u| rest[length..].starts_with(u)) && count > 0 {
            break;
        }
        if let Some(d) = chinese_digit(c) {
            digits.push(char::from(b'0' + d as u8));
            digit = Some(d);
        } else if let Some(s) = chinese_scale(c) {
            if count == 0 && s > 10.0 {
                return None;
            }
            scaled = true;
            if s >= 10_000.0 {
                section += digit.take().unwrap_or(0.0);
                total += section.max(1.0) * s;
                section = 0.0;
            } else {
                section += digit.take().unwrap_or(1.0) * s;
            }
            last = s;
        } else {
            break;
        }
        count += 1;
        length += c.len_utf8();
    }
    if count == 0 {
        return None;
    }
    let value = if scaled {
        // 一千五 is 1500
        let short = digit.filter(|_| last >= 100.0 && !rest[..length].contains('零'));
        total + section + short.map_or(digit.unwrap_or(0.0), |d| d * last / 10.0)
    } else {
        digits.parse().ok()?
    };
    let one = count == 1;
    Some(Number { value, length, digits: count, alone: one, weak: one && (value - 1.0).abs() < 0.5 })
}

/// Seven, twenty-five, two hundred.
pub(super) fn english(rest: &str) -> Option<Number> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let (mut total, mut part, mut length, mut words) = (0.0, 0.0, 0, 0);
    let mut first = "";
    let mut at = 0;
    loop {
        let tail = &rest[at..];
        let size = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let word = &tail[..size];
        if let Some(n) = SMALL.iter().position(|w| *w == word) {
            part += n as f64;
        } else if let Some(n) = TENS.iter().position(|w| *w == word) {
            part += 10.0 * (n + 2) as f64;
        } else if words > 0 && word == "hundred" {
            part *= 100.0;
        } else if words > 0 && word == "thousand" {
            total += part * 1000.0;
            part = 0.0;
        } else if words == 0 && word == "dozen" {
            part = 12.0;
        } else {
            break;
        }
        if words == 0 {
            first = word;
        }
        words += 1;
        at += size;
        length = at;
        if !rest[at..].starts_with([' ', '-']) {
            break;
        }
        at += 1;
    }
    let weak = words == 1 && first == "one";
    (words > 0).then_some(Number { value: total + part, length, digits: words, alone: weak, weak })
}
