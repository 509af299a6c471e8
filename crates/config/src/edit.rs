//! Changing one value in a configuration file that people wrote: everything else in it, comments included, stays as it is.

/// The text with `key = "value"` in `[section]`. The line is replaced where it is; without one it becomes the first of its section,
/// and without the section that becomes the last of the file. Not for values over several lines.
pub fn with_value(text: &str, section: &str, key: &str, value: &str) -> String {
    with_literal(text, section, key, &quoted(value))
}

/// The same with a value as it is written in TOML.
pub(crate) fn with_literal(text: &str, section: &str, key: &str, value: &str) -> String {
    let line = format!("{key} = {value}");
    let (mut lines, mut within, mut place) = (Vec::new(), false, None);
    for (at, old) in text.lines().enumerate() {
        let bare = old.trim();
        if bare.starts_with('[') {
            within = table_name(bare) == Some(section);
            if within {
                // below its heading, unless the key is found
                place = Some((at, false));
            }
        } else if within
            && bare.split('=').next().is_some_and(|name| name.trim().trim_matches('"') == key)
            && bare.contains('=')
        {
            place = Some((at, true));
            within = false;
        }
        lines.push(old.to_owned());
    }
    match place {
        Some((at, true)) => {
            let comment = comment_of(&lines[at]).map(|comment| format!(" {comment}")).unwrap_or_default();
            lines[at] = format!("{line}{comment}");
        }
        Some((at, false)) => lines.insert(at + 1, line),
        None => {
            if lines.last().is_some_and(|last| !last.trim().is_empty()) {
                lines.push(String::new());
            }
            lines.extend([format!("[{section}]"), line]);
        }
    }
    lines.join("\n") + "\n"
}

/// As a string of TOML.
fn quoted(value: &str) -> String {
    let escaped = value.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// The name in a heading.
fn table_name(heading: &str) -> Option<&str> {
    let name = heading.strip_prefix('[')?.split(']').next()?;
    Some(name.trim())
}

/// The comment at the end of a line, which begins outside a string.
fn comment_of(line: &str) -> Option<&str> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return Some(&line[at..]),
            (None, '"' | '\'') => quote = Some(c),
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !escaped => quote = None,
            _ => {}
        }
        escaped = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "redis://:a\"\\b\u{7}@host:6379";

    fn set(text: &str) -> String {
        let new = with_value(text, "storage", "url", URL);
        let read: toml::Table = toml::from_str(&new).unwrap();
        assert_eq!(read["storage"]["url"].as_str(), Some(URL), "{new}");
        new
    }

    #[test]
    fn one_line_changes_and_nothing_else() {
        let new = set(crate::TEMPLATE);
        let differs = crate::TEMPLATE.lines().zip(new.lines()).filter(|(a, b)| a != b).count();
        assert_eq!((differs, new.lines().count()), (1, crate::TEMPLATE.lines().count()));
        assert_eq!(with_value(&new, "storage", "url", "redb:"), crate::TEMPLATE);
    }

    #[test]
    fn a_line_or_section_that_is_missing_is_added() {
        let line = format!("url = {}\n", quoted(URL));
        assert_eq!(set(""), format!("[storage]\n{line}"));
        assert_eq!(set("[log]\nformat = \"json\""), format!("[log]\nformat = \"json\"\n\n[storage]\n{line}"));
        assert_eq!(
            set("[ storage ] # here\ncache_mb = 9\n[tls]\n# url\n"),
            format!("[ storage ] # here\n{line}cache_mb = 9\n[tls]\n# url\n")
        );
        assert_eq!(set("[storage]\n# url = 1\n"), format!("[storage]\n{line}# url = 1\n"));
        assert_eq!(
            set("[storage]\n url=\"redb:/a#b\"  # on the large disk\n"),
            format!("[storage]\n{} # on the large disk\n", line.trim_end())
        );
    }
}
