//! From four layers to one configuration, collecting every problem on the way.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{Config, ConfigError, ConfigErrors, Origin, Problem, TEMPLATE, Webhook, check::check};

/// A key by section and name.
type Key = (String, String);

const ENV_PREFIX: &str = "KEFU_";
/// The one section of which there may be several.
const WEBHOOK: &str = "webhook";

impl Config {
    /// The default, then the file (it must exist if it is named), then the variables `KEFU_<SECTION>__<KEY>` of `env`,
    /// then `overrides` (`section.key`, value). Values outside the file are TOML, except that texts need no quotes and
    /// lists may be written `a,b`.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: Vec<(String, String)>,
    ) -> Result<Self, ConfigErrors> {
        Self::load_and_check(path, env, overrides, |_| Vec::new())
    }

    /// The same, with problems that higher modules find in values that only they can parse; reported with the others, at their
    /// lines.
    pub fn load_and_check(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: Vec<(String, String)>,
        more: impl FnOnce(&Self) -> Vec<Problem>,
    ) -> Result<Self, ConfigErrors> {
        let mut loader = Loader::new();
        if let Some(path) = path {
            loader.file(path);
        }
        for (name, value) in env {
            // a variable without the double underscore is no key: KEFU_DATA and the like belong to the command line
            if let Some((section, key)) = name.strip_prefix(ENV_PREFIX).and_then(|n| n.split_once("__")) {
                let key = (section.to_lowercase(), key.to_lowercase());
                loader.text(key, &value, Origin::Env(name.clone()));
            }
        }
        for (name, value) in overrides {
            let origin = Origin::CommandLine(name.clone());
            match name.split_once('.') {
                Some((section, key)) => loader.text((section.into(), key.into()), &value, origin),
                None => {
                    loader.problem(origin, format!("{name:?} is not a key: write section.key, such as server.listen"));
                }
            }
        }
        loader.finish(more)
    }
}

struct Loader {
    /// Every key there is, with its default: the one list of keys.
    known: BTreeMap<Key, Value>,
    /// What was set, by the strongest layer that set it.
    set: BTreeMap<Key, (Value, Origin)>,
    /// Lines of the file by path, such as `robot.sites.web.people_hours`.
    lines: BTreeMap<String, usize>,
    /// The tables `[[webhook]]`, which only a file has.
    webhooks: Vec<Webhook>,
    webhook_file: Option<PathBuf>,
    problems: Vec<ConfigError>,
}

impl Loader {
    fn new() -> Self {
        // a test parses the template, so an empty table never occurs
        let template: Table = toml::from_str(TEMPLATE).unwrap_or_default();
        let known = template
            .into_iter()
            .filter_map(|(section, keys)| match keys {
                Value::Table(keys) => Some(keys.into_iter().map(move |(key, v)| ((section.clone(), key), v))),
                _ => None,
            })
            .flatten()
            .collect();
        Self {
            known,
            set: BTreeMap::new(),
            lines: BTreeMap::new(),
            webhooks: Vec::new(),
            webhook_file: None,
            problems: Vec::new(),
        }
    }

    fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(ConfigError { origin, message });
    }

    fn file(&mut self, path: &Path) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                let message = match e.kind() {
                    io::ErrorKind::NotFound => "there is no such configuration file".to_owned(),
                    io::ErrorKind::PermissionDenied => "the user that kefu runs as may not read this file".to_owned(),
                    _ => format!("the configuration can't be read: {e}"),
                };
                return self.problem(at(path, 0), message);
            }
        };
        let line = |offset: usize| 1 + text.bytes().take(offset).filter(|b| *b == b'\n').count();
        let (table, errors) = DeTable::parse_recoverable(&text);
        for e in errors {
            let message = e.message().lines().collect::<Vec<_>>().join("; ");
            self.problem(at(path, e.span().map_or(0, |s| line(s.start))), message);
        }
        note(table.get_ref(), "", &line, &mut self.lines);
        for (section, value) in table.into_inner() {
            let origin = at(path, line(section.span().start));
            let section = section.into_inner().into_owned();
            if section == WEBHOOK {
                self.webhooks(path, value, origin, &line);
                continue;
            }
            let DeValue::Table(keys) = value.into_inner() else {
                self.stray(&section, origin);
                continue;
            };
            if !self.known.keys().any(|(s, _)| *s == section) {
                self.unknown_section(&section, origin);
                continue;
            }
            for (key, value) in keys {
                let origin = at(path, line(key.span().start));
                match Value::deserialize(ValueDeserializer::from(value)) {
                    Ok(value) => self.set((section.clone(), key.into_inner().into_owned()), value, origin),
                    Err(e) => self.problem(origin, e.message().to_owned()),
                }
            }
        }
    }

    fn webhooks(&mut self, path: &Path, value: Spanned<DeValue<'_>>, origin: Origin, line: &impl Fn(usize) -> usize) {
        let DeValue::Array(list) = value.into_inner() else {
            return self.problem(origin, "write [[webhook]], with two brackets, above the keys of each webhook".into());
        };
        for (n, entry) in list.into_iter().enumerate() {
            let start = line(entry.span().start);
            if let DeValue::Table(table) = entry.get_ref() {
                note(table, &format!("{WEBHOOK}.{n}."), line, &mut self.lines);
            }
            self.lines.insert(format!("{WEBHOOK}.{n}"), start);
            match Webhook::deserialize(ValueDeserializer::from(entry)) {
                Ok(webhook) => self.webhooks.push(webhook),
                Err(e) => self.problem(at(path, start), format!("[[webhook]]: {}", e.message())),
            }
        }
        self.webhook_file = Some(path.to_owned());
    }

    /// A value as text, from the environment or the command line.
    fn text(&mut self, key: Key, text: &str, origin: Origin) {
        let value = match self.known.get(&key) {
            Some(Value::String(_)) => Value::String(text.to_owned()),
            Some(Value::Array(_)) if !text.trim_start().starts_with('[') => Value::Array(
                text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| Value::String(s.into())).collect(),
            ),
            // an unknown key is reported by `set`, a text of the wrong type by its deserialisation
            _ => text.trim().parse().unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        self.set(key, value, origin);
    }

    fn set(&mut self, key: Key, value: Value, origin: Origin) {
        let (section, name) = &key;
        if !self.known.contains_key(&key) {
            if !self.known.keys().any(|(s, _)| s == section) {
                return self.unknown_section(section, origin);
            }
            let message = self.unknown_key(section, name);
            return self.problem(origin, message);
        }
        // each key alone against the types, so that one mistake does not hide the next
        let alone =
            Table::from_iter([(section.clone(), Value::Table(Table::from_iter([(name.clone(), value.clone())])))]);
        match Config::deserialize(alone) {
            Ok(_) => _ = self.set.insert(key, (value, origin)),
            Err(e) => self.problem(origin, format!("{name} in [{section}]: {}", e.message())),
        }
    }

    fn unknown_section(&mut self, section: &str, origin: Origin) {
        let sections = self.known.keys().map(|(s, _)| s.as_str());
        let hint = nearest(section, sections).map(|s| format!("; did you mean [{s}]?")).unwrap_or_default();
        self.problem(origin, format!("unknown section [{section}]{hint}"));
    }

    fn unknown_key(&self, section: &str, name: &str) -> String {
        let here = self.known.keys().filter(|(s, _)| s == section).map(|(_, k)| k.as_str());
        let hint = match nearest(name, here) {
            Some(k) => format!("; did you mean \"{k}\"?"),
            None => match self.known.keys().find(|(_, k)| k == name) {
                Some((s, _)) => format!("; it belongs to [{s}]"),
                None => String::new(),
            },
        };
        format!("unknown key \"{name}\" in [{section}]{hint}")
    }

    /// A key outside any section.
    fn stray(&mut self, name: &str, origin: Origin) {
        let home = nearest(name, self.known.keys().map(|(_, k)| k.as_str()));
        let hint = home.and_then(|near| self.known.keys().find(|(_, k)| k == near));
        let hint = hint.map(|(s, k)| format!("; did you mean {k} in [{s}]?")).unwrap_or_default();
        let message = format!("\"{name}\" is outside any section{hint}");
        self.problem(origin, message);
    }

    /// Where the value of a path comes from.
    fn origin(&self, path: &str) -> Origin {
        let mut parts = path.split('.').map(str::to_owned);
        let key = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // what a file leaves out gets the line of the table around it
        let line = std::iter::successors(Some(path), |p| Some(p.rsplit_once('.')?.0)).find_map(|p| self.lines.get(p));
        if let (WEBHOOK, Some(file), Some(line)) = (key.0.as_str(), &self.webhook_file, line) {
            return at(file, *line);
        }
        match (self.set.get(&key), line) {
            (Some((_, Origin::File { path, .. })), Some(line)) => at(path, *line),
            (Some((_, origin)), _) => origin.clone(),
            (None, _) => Origin::Default,
        }
    }

    fn finish(mut self, more: impl FnOnce(&Config) -> Vec<Problem>) -> Result<Config, ConfigErrors> {
        let mut table = Table::new();
        for ((section, key), (value, _)) in &self.set {
            if let Value::Table(t) = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new())) {
                t.insert(key.clone(), value.clone());
            }
        }
        // every key was tried alone, so together they fit
        match Config::deserialize(table) {
            Ok(mut config) => {
                // one that could not be read was a problem of its own, and is none of those that are checked
                if self.problems.is_empty() {
                    config.webhook = std::mem::take(&mut self.webhooks);
                }
                for Problem { path, message } in check(&config).into_iter().chain(more(&config)) {
                    let origin = self.origin(&path);
                    self.problem(origin, message);
                }
                if self.problems.is_empty() {
                    return Ok(config);
                }
            }
            Err(e) => self.problem(Origin::Default, e.message().to_owned()),
        }
        // as a person reads the file: from the top
        self.problems.sort_by_key(|p| match &p.origin {
            Origin::Default => (0, 0),
            Origin::File { line, .. } => (1, *line),
            Origin::Env(_) => (2, 0),
            Origin::CommandLine(_) => (3, 0),
        });
        Err(ConfigErrors(self.problems))
    }
}

/// Records the line of every key of a table, and of the tables in it.
fn note(table: &DeTable<'_>, within: &str, line: &impl Fn(usize) -> usize, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path = format!("{within}{}", key.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            note(inner, &format!("{path}."), line, lines);
        }
        lines.insert(path, line(key.span().start));
    }
}

fn at(path: &Path, line: usize) -> Origin {
    Origin::File { path: PathBuf::from(path), line }
}

/// The closest name, if it is close enough to be a typo.
fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    among
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len().min(name.len()) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
