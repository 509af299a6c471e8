//! Big digits for a screen on the wall: three lines high, made of half blocks.

/// Five rows of three pixels each, the highest bit on the left.
const GLYPHS: [(char, [u8; 5]); 14] = [
    ('0', [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', [0b111, 0b001, 0b111, 0b100, 0b111]),
    ('3', [0b111, 0b001, 0b111, 0b001, 0b111]),
    ('4', [0b101, 0b101, 0b111, 0b001, 0b001]),
    ('5', [0b111, 0b100, 0b111, 0b001, 0b111]),
    ('6', [0b111, 0b100, 0b111, 0b101, 0b111]),
    ('7', [0b111, 0b001, 0b001, 0b001, 0b001]),
    ('8', [0b111, 0b101, 0b111, 0b101, 0b111]),
    ('9', [0b111, 0b101, 0b111, 0b001, 0b111]),
    (':', [0b000, 0b010, 0b000, 0b010, 0b000]),
    ('.', [0b000, 0b000, 0b000, 0b000, 0b010]),
    ('-', [0b000, 0b000, 0b111, 0b000, 0b000]),
    (' ', [0; 5]),
];

/// The text in three lines. Characters without a glyph become blanks.
pub fn lines(text: &str) -> [String; 3] {
    let mut out = [String::new(), String::new(), String::new()];
    for c in text.chars() {
        let glyph = GLYPHS.iter().find(|(g, _)| *g == c).map_or([0; 5], |(_, rows)| *rows);
        for (i, line) in out.iter_mut().enumerate() {
            let (above, below) = (glyph[i * 2], glyph.get(i * 2 + 1).copied().unwrap_or(0));
            // dots and colons are one pixel wide
            let columns: &[u8] = if ".:".contains(c) { &[1] } else { &[2, 1, 0] };
            for bit in columns {
                line.push(match (above >> bit & 1, below >> bit & 1) {
                    (0, 0) => ' ',
                    (1, 0) => '▀',
                    (0, _) => '▄',
                    _ => '█',
                });
            }
            line.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_drawn_and_lines_are_of_one_width() {
        assert_eq!(lines("1"), ["▄█  ", " █  ", "▀▀▀ "].map(String::from));
        let all = lines("0123456789:.- ?");
        assert!(all.iter().all(|l| l.chars().count() == all[0].chars().count()));
    }

    #[test]
    fn no_two_digits_look_alike() {
        let mut seen: Vec<_> = ('0'..='9').map(|c| lines(&c.to_string())).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 10);
    }
}
