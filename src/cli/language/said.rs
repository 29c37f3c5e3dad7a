//! A message with its values, before it is known in which language it will be read.

use std::fmt;

use crate::cli::language::Language;
use crate::cli::language::heard;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;

/// A message with its values. In a box, since every failure carries three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    words: Words,
    values: Vec<(&'static str, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Words {
    Table(Text),
    /// Told in every language as it is: a name, or the words of a system or a room.
    Plain(String),
    /// What a room or a system said: told in the reader's language as far as it is known.
    Heard(String),
}

impl Said {
    #[must_use]
    pub fn plain(text: impl fmt::Display) -> Self {
        Self::new(Words::Plain(text.to_string()))
    }

    /// What a room or a system says in English.
    #[must_use]
    pub fn heard(text: impl fmt::Display) -> Self {
        Self::new(Words::Heard(text.to_string()))
    }

    /// One below the other.
    #[must_use]
    pub fn list(lines: Vec<Self>) -> Value {
        lines.into()
    }

    fn new(words: Words) -> Self {
        Self(Box::new(Inner { words, values: Vec::new() }))
    }

    #[must_use]
    pub fn with(mut self, place: &'static str, value: impl Into<Value>) -> Self {
        self.0.values.push((place, value.into()));
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0.words, Words::Plain(text) | Words::Heard(text) if text.is_empty())
    }

    /// In words.
    #[must_use]
    pub fn told_in(&self, language: Language) -> String {
        let mut rest = match &self.0.words {
            Words::Plain(text) => return text.clone(),
            Words::Heard(text) => return heard::told_in(language, text),
            Words::Table(text) => text.words(language),
        };
        let mut told = String::with_capacity(rest.len() + 64);
        // A value may look like a place itself: what was put in is not looked at again.
        while let Some((before, after)) = rest.split_once('{') {
            told.push_str(before);
            let (place, behind) = after.split_once('}').unwrap_or((after, ""));
            match self.0.values.iter().find(|(name, _)| *name == place) {
                Some((_, value)) => told.push_str(&value.told_in(language)),
                None => told.push_str(&format!("{{{place}}}")),
            }
            rest = behind;
        }
        told.push_str(rest);
        told
    }
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self::new(Words::Table(text))
    }
}

/// Whatever can be told: a text of the table, with values or without, or words as they are.
pub trait Tell {
    fn said(self) -> Said;
}

impl Tell for Said {
    fn said(self) -> Said {
        self
    }
}

impl Tell for Text {
    fn said(self) -> Said {
        self.into()
    }
}

impl<T: fmt::Display> Tell for T {
    fn said(self) -> Said {
        Said::plain(self)
    }
}
