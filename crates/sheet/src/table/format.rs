//! What a cell of Excel shows: its value in its number format. A format that is not known here is refused, never guessed.

use super::{
    dates,
    decimal::{Decimal, general},
    format_code::{Refusal, Section, Token, refused, sections},
};

/// Excel's own number for a format without a code: dates in the writing of the Chinese Excel, which those in other languages
/// show in their own; the day is the same.
fn built_in(id: u32) -> Option<&'static str> {
    Some(match id {
        // the system's short date: shown in the one writing that nobody takes for another day
        14 => "yyyy-mm-dd",
        22 => "yyyy-mm-dd hh:mm",
        27 | 36 | 50 | 52 | 57 => "yyyy\"年\"m\"月\"",
        28 | 29 | 51 | 53 | 54 | 58 => "m\"月\"d\"日\"",
        30 => "m-d-yy",
        31 => "yyyy\"年\"m\"月\"d\"日\"",
        32 => "h\"时\"mm\"分\"",
        33 => "h\"时\"mm\"分\"ss\"秒\"",
        34 | 55 => "上午/下午h\"时\"mm\"分\"",
        35 | 56 => "上午/下午h\"时\"mm\"分\"ss\"秒\"",
        _ => return None,
    })
}

/// The code of a cell's format.
///
/// # Errors
/// Excel has a format of this number whose writing depends on the machine.
pub fn code_of(id: Option<u32>, code: &str) -> Result<&str, Refusal> {
    let id = id.unwrap_or(0);
    match (id, code) {
        // what calamine has for them is American; what Excel shows is the machine's
        (14, "mm-dd-yy") | (22, "m/d/yy h:mm") => Ok(built_in(id).unwrap_or(code)),
        (42 | 44, code) if code.starts_with("_($*") => Err("a currency that depends on the computer".into()),
        (0, _) => Ok(code),
        (_, "General") => built_in(id).ok_or_else(|| format!("format {id}, which depends on the computer")),
        _ => Ok(code),
    }
}

/// A number as a cell of this format shows it.
///
/// # Errors
/// The format says what this can't do, or Excel would show an error.
pub fn number(value: f64, code: &str, is_1904: bool) -> Result<String, Refusal> {
    let sections = sections(if code.is_empty() { "General" } else { code })?;
    let (section, magnitude) = choose(&sections, value)?;
    let Some(section) = section else { return Ok(String::new()) };
    if let Some(code) = section.system {
        return number(value, code, is_1904);
    }
    let is_date = |t: &Token| matches!(t, Token::Date(..) | Token::Elapsed(..) | Token::Noon(..));
    if section.tokens.iter().any(is_date) {
        return dates::show(value, &section.tokens, section.language, is_1904);
    }
    let shown = digits(magnitude.abs(), &section.tokens)?;
    Ok(if magnitude < 0.0 { format!("-{shown}") } else { shown })
}

/// A text as a cell of this format shows it.
///
/// # Errors
/// As of [`number`].
pub fn text(value: &str, code: &str) -> Result<String, Refusal> {
    if !code.contains(['@', ';']) || code == "@" {
        return Ok(value.to_owned());
    }
    let sections = sections(code)?;
    let of_text = match sections.get(3) {
        Some(section) => Some(section),
        None => sections.last().filter(|s| s.tokens.contains(&Token::Value)),
    };
    let Some(section) = of_text else { return Ok(value.to_owned()) };
    let part = |token: &Token| match token {
        Token::Text(text) => Ok(text.clone()),
        Token::Value => Ok(value.to_owned()),
        _ => Err(refused(code)),
    };
    section.tokens.iter().map(part).collect()
}

/// The section for a value, and what of the value it shows: its sign is the section's own if there is one for it.
fn choose(sections: &[Section], value: f64) -> Result<(Option<&Section>, f64), Refusal> {
    if sections.iter().any(|s| s.condition.is_some()) {
        let holds = |(op, limit): &(String, f64)| match op.as_str() {
            "<" => value < *limit,
            "<=" => value <= *limit,
            ">" => value > *limit,
            ">=" => value >= *limit,
            "=" => value == *limit,
            _ => value != *limit,
        };
        // what Excel does with a sign, or with sections of both kinds, has more rules than documents
        if value < 0.0 {
            return Err("a format with conditions and a negative number".into());
        }
        let found = sections.iter().take(3).find(|s| s.condition.as_ref().is_none_or(holds));
        return found.map(|s| (Some(s), value)).ok_or_else(|| "a format none of whose conditions holds".into());
    }
    let of_text = |s: &&Section| s.tokens.contains(&Token::Value);
    let count = sections.iter().take(3).filter(|s| sections.len() == 1 || !of_text(s)).count();
    let n = match (count, value) {
        (0, _) => return Err("a format for texts".into()),
        (2.., v) if v < 0.0 => 1,
        (3, 0.0) => 2,
        _ => 0,
    };
    let section = &sections[n];
    let shown = if n == 1 { value.abs() } else { value };
    Ok((Some(section).filter(|s| s.used), shown))
}

/// A number that is not negative.
fn digits(value: f64, tokens: &[Token]) -> Result<String, Refusal> {
    let is_digit = |t: &Token| matches!(t, Token::Digit(_));
    if !tokens.iter().any(is_digit)
        && (tokens.is_empty() || tokens.iter().any(|t| matches!(t, Token::General | Token::Value)))
    {
        if tokens.is_empty() {
            // a colour only
            return digits(value, &[Token::General]);
        }
        let shown = general(value).ok_or_else(|| {
            "more digits than Excel keeps (15) or shows; format the cell as text and write it again".to_owned()
        })?;
        let part = |t: &Token| match t {
            Token::Text(text) => Ok(text.clone()),
            Token::General | Token::Value => Ok(shown.clone()),
            Token::Percent | Token::Point | Token::Comma => Err("a format of General and more".to_owned()),
            _ => Ok(String::new()),
        };
        return tokens.iter().map(part).collect();
    }
    if tokens.contains(&Token::Slash) {
        return Err("a format of fractions".into());
    }
    let first = tokens.iter().position(is_digit);
    let point = tokens.iter().position(|t| *t == Token::Point);
    let power = tokens.iter().position(|t| matches!(t, Token::Power(_)));
    let whole_end = point.or(power).unwrap_or(tokens.len());
    let fraction_end = power.unwrap_or(tokens.len());
    let count =
        |from: usize, to: usize| tokens.get(from..to).unwrap_or_default().iter().filter(|t| is_digit(t)).count();
    let places = point.map_or(0, |p| count(p, fraction_end)) as i32;
    let mut number = Decimal::new(value);
    let percents = tokens.iter().filter(|t| **t == Token::Percent).count() as i32;
    number = number.shifted(2 * percents);
    // commas behind the last digit divide by a thousand each; between digits they group
    let last_whole = tokens[..whole_end].iter().rposition(is_digit);
    let commas = |from: usize, to: usize| {
        tokens.get(from..to).unwrap_or_default().iter().filter(|t| **t == Token::Comma).count()
    };
    let last = tokens[..fraction_end].iter().rposition(is_digit);
    let behind_point = point.and(last).filter(|last| *last > whole_end).map_or(0, |last| commas(last, fraction_end));
    let scaled = last_whole.map_or(0, |last| commas(last, whole_end)) + behind_point;
    let grouped = match (first, last_whole) {
        (Some(first), Some(last)) => first < last && commas(first, last) > 0,
        _ => false,
    };
    number = number.shifted(-3 * scaled as i32);
    let mut exponent = 0;
    if let Some(power) = power {
        if count(0, whole_end) != 1 || percents > 0 || count(power, tokens.len()) == 0 {
            return Err("a format of powers of ten of another kind than 0.00E+00".into());
        }
        exponent = if number.is_zero() { 0 } else { number.exponent() };
        let rounded = number.clone().shifted(-exponent).rounded(places);
        exponent += i32::from(rounded.whole().len() > 1);
        number = number.shifted(-exponent);
    }
    let number = number.rounded(places);
    let mut out = vec![String::new(); tokens.len()];
    let whole = number.whole();
    place_whole(&whole, &tokens[..whole_end], grouped, &mut out);
    if power.is_some() {
        let exponent_digits: Vec<u8> = exponent.unsigned_abs().to_string().bytes().map(|b| b - b'0').collect();
        let (before, behind) = tokens.split_at(fraction_end + 1);
        place_whole(&exponent_digits, behind, false, &mut out[before.len()..]);
    }
    let fraction = number.fraction();
    let mut nth = 0;
    for (n, token) in tokens.iter().enumerate() {
        match token {
            Token::Text(text) => out[n].clone_from(text),
            Token::Percent => out[n].push('%'),
            Token::Point if Some(n) == point => out[n].push('.'),
            Token::Power(plus) => {
                out[n].push('E');
                out[n].push_str(if exponent < 0 {
                    "-"
                } else if *plus {
                    "+"
                } else {
                    ""
                });
            }
            Token::Digit(kind) if n > whole_end && n < fraction_end => {
                match (fraction.get(nth), kind) {
                    (Some(d), _) => out[n].push(char::from(b'0' + d)),
                    (None, '0') => out[n].push('0'),
                    (None, '?') => out[n].push(' '),
                    _ => {}
                }
                nth += 1;
            }
            Token::Point | Token::General | Token::Value => return Err("a format of several numbers".into()),
            _ => {}
        }
    }
    Ok(out.concat())
}

/// The digits before the point into their places, from the right; the first place takes all that are left.
fn place_whole(digits: &[u8], tokens: &[Token], grouped: bool, out: &mut [String]) {
    let places: Vec<(usize, char)> = tokens
        .iter()
        .enumerate()
        .filter_map(|(n, t)| if let Token::Digit(k) = t { Some((n, *k)) } else { None })
        .collect();
    let mut left = digits.to_vec();
    // so many digits were placed, for the groups of three
    let mut placed = 0;
    for (nth, (n, kind)) in places.iter().enumerate().rev() {
        let mut text = String::new();
        let mut put = |c: char, placed: &mut usize| {
            if grouped && *placed > 0 && placed.is_multiple_of(3) && c != ' ' {
                text.insert(0, ',');
            }
            text.insert(0, c);
            *placed += 1;
        };
        match (left.pop(), kind) {
            (Some(d), _) => put(char::from(b'0' + d), &mut placed),
            (None, '0') => put('0', &mut placed),
            (None, '?') => put(' ', &mut placed),
            (None, _) => {}
        }
        if nth == 0 {
            while let Some(d) = left.pop() {
                put(char::from(b'0' + d), &mut placed);
            }
        }
        out[*n] = text;
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
