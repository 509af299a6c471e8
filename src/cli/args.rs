//! Values of arguments that need more than a type: spans of time, names, origins.

/// Most characters of a display name.
const NAME: usize = 64;

/// `90s`, `15m`, `72h`, `30d` as milliseconds.
pub fn parse_span(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a time: write a number and s, m, h or d, such as 72h");
    let unit = text.chars().last().ok_or_else(bad)?;
    let size = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return Err(bad()),
    };
    let n: u64 = text[..text.len() - 1].parse().map_err(|_| bad())?;
    match n.checked_mul(size) {
        Some(ms @ 1..=15_552_000_000) => Ok(ms),
        _ => Err(format!("{text} is out of range: at least 1s, at most 180d")),
    }
}

/// A name that people see.
pub fn display_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("a name must not be empty".into()),
        n if n > NAME => Err(format!("a name has at most {NAME} characters, this has {n}")),
        _ if name.chars().any(char::is_control) => Err("a name must not contain control characters".into()),
        _ => Ok(name.to_owned()),
    }
}

/// What browsers send as `Origin`: `scheme://host[:port]`, lower case, without the port that goes without saying.
pub fn origin(text: &str) -> Result<String, String> {
    let hint = "write it as the browser does, such as https://www.example.com or http://10.0.0.7:8080";
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("an origin begins with https:// — {hint}"))?;
    if !matches!(scheme, "http" | "https") {
        return Err(format!("{scheme}:// is not http:// or https:// — {hint}"));
    }
    if rest.contains(['/', '?', '#', '@', ' ', '*', ',']) {
        return Err(format!("an origin is only scheme, host and port — {hint}"));
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let v6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_good = match v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    if !host_good {
        return Err(format!("{host:?} is not a host name (names in Chinese are written in their xn-- form) — {hint}"));
    }
    let default = if scheme == "https" { "443" } else { "80" };
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(format!("{port:?} is not a port — {hint}")),
        Some(port) if port != default => Ok(format!("{scheme}://{host}:{port}")),
        _ => Ok(format!("{scheme}://{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        assert_eq!(parse_span("72h"), Ok(259_200_000));
        assert_eq!(parse_span("30d"), Ok(2_592_000_000));
        for bad in ["", "h", "72", "-1h", "0s", "181d", "72 h", "7日", "99999999999999999999d"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_trimmed_and_clean() {
        assert_eq!(display_name(" 李娜 ").as_deref(), Ok("李娜"));
        for bad in ["", "  ", "a\u{1b}[31m", &"长".repeat(65)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn origins_come_out_as_browsers_send_them() {
        assert_eq!(origin("https://WWW.Example.com:443/").as_deref(), Ok("https://www.example.com"));
        assert_eq!(origin("http://[::1]:8080").as_deref(), Ok("http://[::1]:8080"));
        assert_eq!(origin("http://[::1]").as_deref(), Ok("http://[::1]"));
        let bad = [
            "example.com",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://*.a.com",
            "https://a:x",
            "https://银行.cn",
            "http://[1]",
        ];
        for bad in bad {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
