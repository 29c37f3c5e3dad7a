//! Tables with spans: every reader notes its mistakes and goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use crate::config::mistake::Lines;
use crate::config::mistake::Mistake;
use crate::config::secret::Outside;
use crate::config::secret::Reach;
use crate::config::secret::SecretFrom;
use crate::config::table::Table;
use crate::config::value;
use crate::config::value::Parsed;

/// More are not told at once.
const MISTAKES_MAX: usize = 200;

/// A value and where it comes from, for `show`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    pub key: String,
    pub value: Value,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Line of the file.
    Line(usize),
    Default,
    Environment,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Noun {
    Storage,
    Retention,
    Channel,
    Dataset,
    /// Of a plan.
    Person,
    Service,
    /// Of the configuration file, named by a plan.
    ConfiguredStorage,
    ConfiguredDataset,
    /// What nothing else names.
    Own,
}

/// A name that something else has to have.
pub(super) struct Named {
    pub noun: Noun,
    pub name: String,
    pub key: String,
    pub at: usize,
}

/// Whether values are kept with their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Showing {
    All,
    Nothing,
}

/// Collects what is found while a file is read.
pub(super) struct Reader<'a> {
    pub lines: Lines<'a>,
    pub outside: &'a dyn Outside,
    pub showing: Showing,
    pub mistakes: RefCell<Vec<Mistake>>,
    pub warnings: RefCell<Vec<Mistake>>,
    pub shown: RefCell<Vec<Shown>>,
    pub named: RefCell<Vec<Named>>,
    /// Names that are there, whether or not what they name could be read.
    pub defined: RefCell<Vec<(Noun, String)>>,
    /// Secrets of which a program's arguments stand in the file.
    pub arguments: RefCell<Vec<String>>,
    /// Where each table begins.
    pub tables: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, outside: &'a dyn Outside, showing: Showing) -> Self {
        Self {
            lines: Lines::of(text),
            outside,
            showing,
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
            shown: RefCell::default(),
            named: RefCell::default(),
            defined: RefCell::default(),
            arguments: RefCell::default(),
            tables: RefCell::default(),
        }
    }

    /// Where the table of this key begins.
    pub(super) fn at(&self, key: &str) -> usize {
        self.tables.borrow().get(key).copied().unwrap_or(0)
    }

    pub(super) fn define(&self, noun: Noun, name: &str) {
        self.defined.borrow_mut().push((noun, name.to_owned()));
    }

    pub(super) fn mistake(&self, at: usize, key: &str, what: impl Into<String>) {
        let mistake = self.finding(at, key, what.into());
        let mut mistakes = self.mistakes.borrow_mut();
        if mistakes.len() < MISTAKES_MAX {
            mistakes.push(mistake);
        }
    }

    pub(super) fn warn(&self, at: usize, key: &str, what: impl Into<String>) {
        let warning = self.finding(at, key, what.into());
        self.warnings.borrow_mut().push(warning);
    }

    fn finding(&self, at: usize, key: &str, what: String) -> Mistake {
        // What was found stands in it, and may be anything.
        let (key, what) = (shown(key), shown(&what));
        Mistake { place: self.lines.place(at), key, what }
    }

    pub(super) fn show(&self, key: &str, value: Value, origin: Origin) {
        if self.showing == Showing::All {
            self.shown.borrow_mut().push(Shown { key: key.to_owned(), value, origin });
        }
    }
}

/// A value, its key and its place.
#[derive(Clone)]
pub(super) struct Item<'r> {
    pub reader: &'r Reader<'r>,
    pub key: String,
    pub at: usize,
    pub value: &'r DeValue<'r>,
}

impl<'r> Item<'r> {
    pub(super) fn wrong(&self, expected: &str) {
        let found = match self.value {
            DeValue::String(text) => {
                let start: String = text.chars().take(80).collect();
                format!("\"{}\"", crate::path::escape(start.as_bytes()))
            }
            DeValue::Integer(number) => number.to_string().chars().take(40).collect(),
            other => format!("a {}", kind(other)),
        };
        self.reader.mistake(self.at, &self.key, format!("expected {expected}, found {found}"));
    }

    pub(super) fn parsed<T>(&self, parse: impl Fn(&str) -> Parsed<T>, expected: &str) -> Option<T> {
        let DeValue::String(text) = self.value else {
            self.wrong(expected);
            return None;
        };
        parse(text).map_err(|expected| self.wrong(expected)).ok()
    }

    pub(super) fn items(&self) -> Option<Vec<Item<'r>>> {
        let DeValue::Array(array) = self.value else { return None };
        let item = |(number, value): (usize, &'r Spanned<DeValue<'r>>)| Item {
            reader: self.reader,
            key: format!("{}[{}]", self.key, number + 1),
            at: value.span().start,
            value: value.get_ref(),
        };
        Some(array.iter().enumerate().map(item).collect())
    }

    pub(super) fn table(&self) -> Option<Table<'r>> {
        let DeValue::Table(map) = self.value else {
            self.wrong("a table");
            return None;
        };
        Some(Table::new(self.reader, (self.key.clone(), self.at), map))
    }

    /// Plain text goes into no mistake here: it may be the secret itself.
    pub(super) fn secret(&self) -> Option<SecretFrom> {
        const EXPECTED: &str = "a secret does not stand in this file: expected a table with one \
                                of credential, file, command, env";
        let DeValue::Table(map) = self.value else {
            self.reader.mistake(self.at, &self.key, EXPECTED);
            return None;
        };
        let mut table = Table::new(self.reader, (self.key.clone(), self.at), map);
        let mut found = Vec::new();
        let is_name = |text: &str| value::name(text).is_ok();
        if let Some(name) = table.hidden_text("credential", is_name, "a name") {
            found.push(SecretFrom::Credential(name));
        }
        if let Some(path) = table.hidden_path("file") {
            self.look_at(&path);
            found.push(SecretFrom::File(path));
        }
        if map.contains_key("command") {
            let argv = table.hidden_texts("command");
            if argv.as_ref().is_some_and(|argv| argv.len() > 1) {
                self.reader.arguments.borrow_mut().push(self.key.clone());
            }
            found.extend(argv.map(SecretFrom::Command));
        }
        let is_variable = |text: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !text.is_empty() && text.chars().all(is_plain)
        };
        if let Some(name) = table.hidden_text("env", is_variable, "the name of a variable") {
            found.push(SecretFrom::Env(name));
        }
        let named = ["credential", "file", "command", "env"];
        let count = named.iter().filter(|key| map.contains_key(**key)).count();
        table.finish();
        if count != 1 {
            let what = "expected exactly one of credential, file, command, env, found";
            self.reader.mistake(self.at, &self.key, format!("{what} {count}"));
            return None;
        }
        found.pop()
    }

    fn look_at(&self, path: &std::path::Path) {
        match self.reader.outside.reach(path) {
            Reach::Few => {}
            Reach::Others => self.reader.mistake(
                self.at,
                &self.key,
                format!("everybody can read `{}`: run `chmod 600` on it", path.display()),
            ),
            Reach::Missing => self.reader.warn(
                self.at,
                &self.key,
                format!(
                    "there is no file `{}` on this machine, or it cannot be looked at",
                    path.display()
                ),
            ),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "date",
        DeValue::Float(_) => "number with a fraction",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
        DeValue::String(_) | DeValue::Integer(_) => "value",
    }
}

/// A text for people: control characters as numbers, all else as it is.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}
