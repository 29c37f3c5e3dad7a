//! One table of the file, read key by key.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::drill;
use crate::config::mistake::did_you_mean;
use crate::config::read::Item;
use crate::config::read::Named;
use crate::config::read::Noun;
use crate::config::read::Origin;
use crate::config::read::Reader;
use crate::config::read::Showing;
use crate::config::secret::SecretFrom;
use crate::config::value;
use crate::config::value::Parsed;

/// One table; [`Table::finish`] tells the keys that nobody asked for.
pub(super) struct Table<'r> {
    pub reader: &'r Reader<'r>,
    pub key: String,
    pub at: usize,
    map: &'r DeTable<'r>,
    known: BTreeSet<&'static str>,
}

impl<'r> Table<'r> {
    pub(super) fn new(
        reader: &'r Reader<'r>,
        (key, at): (String, usize),
        map: &'r DeTable<'r>,
    ) -> Self {
        reader.tables.borrow_mut().insert(key.clone(), at);
        Self { reader, key, at, map, known: BTreeSet::new() }
    }

    pub(super) fn full(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'r>> {
        self.known.insert(key);
        let value = self.map.get(key)?;
        let at = value.span().start;
        Some(Item { reader: self.reader, key: self.full(key), at, value: value.get_ref() })
    }

    /// Tells that it must be there.
    pub(super) fn needs<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.map.contains_key(key) {
            self.reader.mistake(self.at, &self.key, format!("`{key}` is missing"));
        }
        value
    }

    pub(super) fn wrong(&self, key: &str, what: impl Into<String>) {
        let at = self.map.get(key).map_or(self.at, |value| value.span().start);
        self.reader.mistake(at, &self.full(key), what);
    }

    pub(super) fn keep<T>(
        &self,
        item: &Item<'r>,
        value: Option<T>,
        shown: impl Fn(&T) -> Value,
    ) -> Option<T> {
        let value = value?;
        if self.reader.showing == Showing::Nothing {
            return Some(value);
        }
        let line = self.reader.lines.place(item.at).line;
        self.reader.show(&item.key, shown(&value), Origin::Line(line));
        Some(value)
    }

    /// Notes what stands where nothing was said.
    pub(super) fn default(&self, key: &str, value: impl Into<Value>) {
        if self.reader.showing == Showing::All && !self.map.contains_key(key) {
            self.reader.show(&self.full(key), value.into(), Origin::Default);
        }
    }

    fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Parsed<T>,
        expected: &str,
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = item.parsed(parse, expected);
        self.keep(&item, value, |_| match item.value {
            DeValue::String(text) => text.as_ref().into(),
            _ => Value::Null,
        })
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.parsed(key, value::not_empty, "some text in quotes")
    }

    pub(super) fn parse<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let DeValue::String(text) = item.value else {
            item.wrong("some text in quotes");
            return None;
        };
        let parsed = parse(text);
        let wrong = |error: E| self.reader.mistake(item.at, &item.key, error.to_string());
        let value = parsed.map_err(wrong).ok();
        self.keep(&item, value, |_| text.as_ref().into())
    }

    pub(super) fn name(&mut self, key: &'static str) -> Option<String> {
        self.parsed(key, value::name, "a name in quotes")
    }

    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        self.parsed(key, value::size, "a size with its unit, such as \"20MiB\"")
    }

    pub(super) fn rate(&mut self, key: &'static str) -> Option<u64> {
        self.parsed(key, value::rate, "a size each second, such as \"20MiB/s\"")
    }

    /// A time of day, in minutes.
    pub(super) fn minute_of_day(&mut self, key: &'static str) -> Option<u16> {
        self.parsed(key, value::minute_of_day, "a time of day in quotes, such as \"07:30\"")
    }

    pub(super) fn time(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, value::time, "a time with its unit, such as \"12h\"")
    }

    pub(super) fn percent(&mut self, key: &'static str) -> Option<u8> {
        self.parsed(key, value::percent, "a share, such as \"20%\"")
    }

    pub(super) fn age(&mut self, key: &'static str) -> Option<crate::retention::rule::Age> {
        self.parsed(key, value::age, "an age, such as \"14d\"")
    }

    pub(super) fn url(&mut self, key: &'static str, schemes: &[&str]) -> Option<String> {
        // What is wrong is not repeated: it may hold a password.
        self.parse(key, |text| {
            value::url(text, schemes).map_err(|expected| format!("expected {expected}"))
        })
    }

    /// An absolute path; `~/` is the home folder of whoever runs the program.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let item = self.item(key)?;
        let value = self.absolute(&item);
        self.keep(&item, value, |path| path.to_string_lossy().into())
    }

    fn absolute(&self, item: &Item<'r>) -> Option<PathBuf> {
        let parse = |text: &str| self.in_home(text).ok_or("a path from `/` on");
        item.parsed(parse, "a path in quotes")
    }

    fn in_home(&self, text: &str) -> Option<PathBuf> {
        let home = self.reader.outside.variable("HOME");
        match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Some(PathBuf::from(home).join(rest)),
            _ if PathBuf::from(text).is_absolute() && !text.contains('\0') => Some(text.into()),
            _ => None,
        }
    }

    /// Where a secret is; a mistake does not repeat it, since it may be the secret.
    pub(super) fn hidden_text(
        &mut self,
        key: &'static str,
        fits: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Option<String> {
        let item = self.item(key)?;
        let text = match item.value {
            DeValue::String(text) if fits(text) => Some(text.to_string()),
            _ => None,
        };
        if text.is_none() {
            self.reader.mistake(item.at, &item.key, format!("expected {expected}"));
        }
        self.keep(&item, text, |text| text.as_str().into())
    }

    pub(super) fn hidden_path(&mut self, key: &'static str) -> Option<PathBuf> {
        let outside = self.reader.outside;
        let fits = |text: &str| {
            let is_home = text.starts_with("~/") && outside.variable("HOME").is_some();
            is_home || PathBuf::from(text).is_absolute() && !text.contains('\0')
        };
        let text = self.hidden_text(key, fits, "a path from `/` on")?;
        self.in_home(&text)
    }

    pub(super) fn paths(&mut self, key: &'static str) -> Option<Vec<PathBuf>> {
        self.list(key, |table, item| table.absolute(item), |path| path.to_string_lossy().into())
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.list(
            key,
            |_, item| item.parsed(value::not_empty, "some text in quotes"),
            |text| text.as_str().into(),
        )
    }

    /// Each `HOST:PORT`.
    pub(super) fn addresses(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.list(
            key,
            |_, item| item.parsed(drill::host_port, "addresses such as \"10.0.0.5:5432\""),
            |text| text.as_str().into(),
        )
    }

    pub(super) fn hidden_texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let item = self.item(key)?;
        let texts = |items: Vec<Item<'r>>| {
            let text = |item: Item<'r>| match item.value {
                DeValue::String(text) if !text.is_empty() => Some(text.to_string()),
                _ => None,
            };
            items.into_iter().map(text).collect::<Option<Vec<_>>>()
        };
        let argv = item.items().and_then(texts).filter(|argv| !argv.is_empty());
        if argv.is_none() {
            let what = "expected a program and its arguments, as a list of texts";
            self.reader.mistake(item.at, &item.key, what);
        }
        self.keep(&item, argv, |argv| format!("{} …", argv.first().map_or("", |s| s)).into())
    }

    pub(super) fn argv(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.texts(key).filter(|argv| {
            if argv.is_empty() {
                self.wrong(key, "expected a program and its arguments, found an empty list");
            }
            !argv.is_empty()
        })
    }

    /// A list in which nothing stands twice.
    pub(super) fn list<T: PartialEq>(
        &mut self,
        key: &'static str,
        read: impl Fn(&Self, &Item<'r>) -> Option<T>,
        shown: impl Fn(&T) -> Value,
    ) -> Option<Vec<T>> {
        let item = self.item(key)?;
        let Some(items) = item.items() else {
            item.wrong("a list in brackets");
            return None;
        };
        let mut values = Vec::new();
        let count = items.len();
        for item in &items {
            values.extend(read(self, item));
        }
        let is_whole = values.len() == count;
        self.keep(&item, is_whole.then_some(values), |values| {
            values.iter().map(&shown).collect::<Vec<_>>().into()
        })
    }

    pub(super) fn flag(&mut self, key: &'static str, default: Flag) -> Flag {
        let Some(item) = self.item(key) else {
            self.default(key, default == Flag::Yes);
            return default;
        };
        let flag = match item.value {
            DeValue::Boolean(true) => Some(Flag::Yes),
            DeValue::Boolean(false) => Some(Flag::No),
            _ => {
                item.wrong("true or false");
                None
            }
        };
        self.keep(&item, flag, |flag| (*flag == Flag::Yes).into()).unwrap_or(default)
    }

    pub(super) fn count(&mut self, key: &'static str, most: u32) -> Option<u32> {
        let item = self.item(key)?;
        let count = match item.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => None,
        };
        let count = count.filter(|count| (1..=most).contains(count));
        if count.is_none() {
            item.wrong(&format!("a whole number from 1 to {most}"));
        }
        self.keep(&item, count, |count| (*count).into())
    }

    /// Any whole number.
    pub(super) fn number(&mut self, key: &'static str) -> Option<i64> {
        let item = self.item(key)?;
        let number = match item.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            item.wrong("a whole number");
        }
        self.keep(&item, number, |number| (*number).into())
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = self.chosen(&item, choices);
        self.keep(&item, value, |_| match item.value {
            DeValue::String(text) => text.as_ref().into(),
            _ => Value::Null,
        })
    }

    fn chosen<T: Copy>(&self, item: &Item<'r>, choices: &[(&'static str, T)]) -> Option<T> {
        let names = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let expected = format!("one of {}", names.join(", "));
        let DeValue::String(text) = item.value else {
            item.wrong(&expected);
            return None;
        };
        let found = choices.iter().find(|(name, _)| *name == text.as_ref()).map(|(_, it)| *it);
        if found.is_none() {
            let start: String = text.chars().take(80).collect();
            let start = crate::path::escape(start.as_bytes());
            let meant = did_you_mean(text, names.into_iter());
            let what = format!("expected {expected}, found \"{start}\"{meant}");
            self.reader.mistake(item.at, &item.key, what);
        }
        found
    }

    pub(super) fn choices<T: Copy + PartialEq + Serialize>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<Vec<T>> {
        self.list(
            key,
            |table, item| table.chosen(item, choices),
            |value| serde_json::to_value(value).unwrap_or(Value::Null),
        )
    }

    /// The name of something that stands elsewhere in the file.
    pub(super) fn named(&mut self, key: &'static str, noun: Noun) -> Option<String> {
        let name = self.text(key)?;
        let at = self.map.get(key).map_or(self.at, |value| value.span().start);
        let named = Named { noun, name: name.clone(), key: self.full(key), at };
        self.reader.named.borrow_mut().push(named);
        Some(name)
    }

    pub(super) fn named_list(&mut self, key: &'static str, noun: Noun) -> Option<Vec<String>> {
        let names = self.texts(key)?;
        let items = self.item(key).and_then(|item| item.items()).unwrap_or_default();
        for (at, (name, item)) in names.iter().zip(items).enumerate() {
            if names.iter().take(at).any(|earlier| earlier == name) {
                self.reader.mistake(item.at, &item.key, format!("`{name}` stands here twice"));
            }
            let named = Named { noun, name: name.clone(), key: item.key, at: item.at };
            self.reader.named.borrow_mut().push(named);
        }
        Some(names)
    }

    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretFrom> {
        self.item(key)?.secret()
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'r>> {
        self.item(key)?.table()
    }

    /// `[key.NAME]`, each with its name.
    pub(super) fn named_tables(
        &mut self,
        key: &'static str,
        noun: Noun,
    ) -> Vec<(String, Table<'r>)> {
        let Some(table) = self.table(key) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, value) in table.map {
            let (at, text) = (name.span().start, name.get_ref());
            let key = table.full(text);
            if let Err(expected) = value::name(text) {
                self.reader.mistake(
                    at,
                    &crate::path::escape(key.as_bytes()),
                    format!("expected {expected}"),
                );
                continue;
            }
            self.reader.define(noun, text);
            let item = Item { reader: self.reader, key, at, value: value.get_ref() };
            tables.extend(item.table().map(|table| (text.to_string(), table)));
        }
        tables
    }

    /// `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table<'r>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let Some(items) = item.items() else {
            item.wrong(&format!("a list of tables, each under `[[{key}]]`"));
            return Vec::new();
        };
        items.iter().filter_map(Item::table).collect()
    }

    /// Tells keys that are none of ours.
    pub(super) fn finish(self) {
        for name in self.map.keys() {
            let found = name.get_ref().as_ref();
            if !self.known.contains(found) {
                let meant = did_you_mean(found, self.known.iter().copied());
                let key = crate::path::escape(self.full(found).as_bytes());
                self.reader.mistake(name.span().start, &key, format!("unknown{meant}"));
            }
        }
    }
}

/// Yes or no, said in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    Yes,
    No,
}
