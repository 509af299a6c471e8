//! Origins, written as browsers write them: what people type is compared with what browsers send letter by letter.

use std::net::Ipv6Addr;

/// Why a text is not an origin, in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginError(pub &'static str);

/// `scheme://host[:port]` as browsers send it: lower case, without the scheme's own port, a path or a star. A slash at the
/// end is taken away.
pub fn normalised(text: &str) -> Result<String, OriginError> {
    let lower = text.trim().to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").ok_or(OriginError("no scheme"))?;
    let usual_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(OriginError("the scheme must be https or http")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err(OriginError("it has a path, a query or a user"));
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or(OriginError("the host is not a valid address"))?;
            let port =
                (!after.is_empty()).then(|| after.strip_prefix(':').ok_or(OriginError("no port"))).transpose()?;
            (ipv6(host)?, port)
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (rest.to_owned(), None),
        },
    };
    let letters = host.starts_with('[') || host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    if host.is_empty() || !letters {
        return Err(OriginError("the host must be written in ASCII letters (punycode for others)"));
    }
    match port.map(str::parse::<u16>) {
        None => Ok(format!("{scheme}://{host}")),
        Some(Ok(port)) if port == usual_port => Ok(format!("{scheme}://{host}")),
        Some(Ok(port)) if port > 0 => Ok(format!("{scheme}://{host}:{port}")),
        Some(_) => Err(OriginError("the port is not a number from 1 to 65535")),
    }
}

/// In brackets, as browsers shorten it: they write an IPv4 address inside it in hexadecimal, which Rust does not.
fn ipv6(text: &str) -> Result<String, OriginError> {
    let address: Ipv6Addr = text.parse().map_err(|_| OriginError("the host is not a valid address"))?;
    Ok(match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
        (None, _) => format!("[{address}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for (typed, origin) in [
            ("https://shop.example", "https://shop.example"),
            (" HTTPS://Shop.Example:443/ ", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("https://shop.example:08443", "https://shop.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[2001:DB8:0:0::1]", "http://[2001:db8::1]"),
            ("http://[::ffff:10.0.0.1]", "http://[::ffff:a00:1]"),
        ] {
            assert_eq!(normalised(typed).as_deref(), Ok(origin));
        }
        for bad in [
            "",
            "shop.example",
            "ftp://x",
            "https://",
            "https://x/y",
            "https://*.x",
            "https://x:0",
            "https://x:",
            "https://客服",
            "https://u@x",
            "https://[zz]",
            "https://x:99999",
            "null",
        ] {
            assert!(normalised(bad).is_err(), "{bad}");
        }
    }
}
