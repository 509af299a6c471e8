//! Numbers as Excel writes them in decimal: from the 15 digits that it keeps of a number, halves rounded away from zero.

/// What Excel keeps of a number.
const DIGITS: i32 = 15;

/// A number without its sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits, without zeros at either end; none of zero.
    digits: Vec<u8>,
    /// How many of them stand before the point; may be negative, or more than there are.
    point: i32,
}

impl Decimal {
    /// Of a finite number.
    pub fn new(value: f64) -> Self {
        // one digit, the point, 14 digits, the exponent
        let text = format!("{:.*e}", DIGITS as usize - 1, value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect();
        Self { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }.trimmed()
    }

    /// Multiplied by a power of ten.
    pub fn shifted(mut self, places: i32) -> Self {
        if !self.digits.is_empty() {
            self.point += places;
        }
        self
    }

    /// Rounded to this many places behind the point.
    pub fn rounded(mut self, places: i32) -> Self {
        let keep = self.point + places;
        let Ok(keep) = usize::try_from(keep) else { return Self { digits: Vec::new(), point: 0 } };
        if keep >= self.digits.len() {
            return self;
        }
        let up = self.digits[keep] >= 5;
        self.digits.truncate(keep);
        if up {
            while self.digits.last() == Some(&9) {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.digits.push(1);
                    self.point += 1;
                }
            }
        }
        self.trimmed()
    }

    fn trimmed(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|d| **d == 0).count();
        self.digits.drain(..zeros);
        self.point -= zeros as i32;
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    /// The digits before the point; none if there are only zeros.
    pub fn whole(&self) -> Vec<u8> {
        (0..self.point.max(0)).map(|n| self.digits.get(n as usize).copied().unwrap_or(0)).collect()
    }

    /// The digits behind the point, up to the last that is no zero.
    pub fn fraction(&self) -> Vec<u8> {
        let end = self.digits.len() as i32;
        (self.point.min(end)..end).map(|n| usize::try_from(n).map_or(0, |n| self.digits[n])).collect()
    }

    /// Whether nothing is left of it.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Of the first digit, as a power of ten.
    pub fn exponent(&self) -> i32 {
        self.point - 1
    }
}

/// A number in a cell that has no format. `None` if Excel would show a power of ten where digits are lost.
pub fn general(value: f64) -> Option<String> {
    /// Most characters of a number without a format.
    const WIDTH: usize = 11;
    let number = Decimal::new(value);
    let before = number.whole().len().max(1);
    let exact = number.fraction().is_empty();
    // Excel shows a power of ten from the twelfth digit on, but all digits where it is edited; from the sixteenth on it has
    // replaced them by zeros
    if before > DIGITS as usize || (before > WIDTH && !exact) {
        return None;
    }
    let room = WIDTH.saturating_sub(before + 1) as i32;
    let shown = number.clone().rounded(room);
    // so small that Excel shows a power of ten
    if number.exponent() < -4 && shown != number {
        return None;
    }
    let text = |digits: Vec<u8>| digits.into_iter().map(|d| char::from(b'0' + d)).collect::<String>();
    let (whole, fraction) = (text(shown.whole()), text(shown.fraction()));
    let sign = if value < 0.0 && !shown.is_zero() { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole.as_str() };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_format_is_shown_as_excel_does() {
        for (value, shown) in [
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (10.0, Some("10")),
            (0.1 + 0.2, Some("0.3")),
            (7.0 * 0.01, Some("0.07")),
            (-12.5, Some("-12.5")),
            (std::f64::consts::PI, Some("3.141592654")),
            (0.000_01, Some("0.00001")),
            (0.000_012_345_678, None),
            (13_800_138_000.0, Some("13800138000")),
            (400_800_123_456_789.0, Some("400800123456789")),
            (6.222_021_234_567_89e18, None),
            (123_456_789_012.5, None),
            (1e300, None),
        ] {
            assert_eq!(general(value).as_deref(), shown, "{value}");
        }
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, places, whole, fraction) in [
            (1.005, 2, "1", "01"),
            (0.5, 0, "1", ""),
            (9.996, 2, "10", ""),
            (0.049, 1, "", ""),
            (0.05, 1, "", "1"),
            (1234.0, -2, "1200", ""),
        ] {
            let shown = Decimal::new(value).rounded(places);
            let text = |d: Vec<u8>| d.into_iter().map(|d| d.to_string()).collect::<String>();
            assert_eq!((text(shown.whole()).as_str(), text(shown.fraction()).as_str()), (whole, fraction), "{value}");
        }
    }
}
