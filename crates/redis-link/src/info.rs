//! What `INFO` and `CONFIG GET` return: names and values.

use std::collections::HashMap;

/// Names and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info(HashMap<String, String>);

impl Info {
    /// Lines of `name:value`; headings begin with `#`.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        Self(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    #[cfg(test)]
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// A value that is a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }
}

impl From<HashMap<String, String>> for Info {
    fn from(map: HashMap<String, String>) -> Self {
        Self(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_colons() {
        let info = Info::parse("# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\nport:1\r\n");
        assert_eq!((info.get("redis_version"), info.get("executable")), (Some("7.0.15"), Some("/a:b")));
        assert_eq!((info.number::<u16>("port"), info.number::<u16>("executable")), (Some(1), None));
    }
}
