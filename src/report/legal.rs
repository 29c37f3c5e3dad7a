//! Legal frames that documents cite: data, read from the file beside this one.

use serde::Deserialize;

use crate::report::Language;

const FRAMES: &str = include_str!("legal.toml");
const SCHEMA: &str = "lifeboat/legal-frames/1";

/// Frames that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LegalError {
    #[error("the legal frames that are built in cannot be read: {detail}")]
    Data { detail: String },
    #[error("no legal frame is called `{id}`; there are: {known}")]
    Unknown { id: String, known: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Frames {
    schema: String,
    profile: Vec<Profile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    id: String,
    title: Bilingual,
    includes: Vec<String>,
    #[serde(default)]
    rules: Option<String>,
    #[serde(default)]
    act: Vec<Act>,
    #[serde(default)]
    requirement: Vec<Requirement>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bilingual {
    vi: String,
    en: String,
}

impl Bilingual {
    fn of(self, language: Language) -> String {
        match language {
            Language::Vi => self.vi,
            Language::En => self.en,
        }
    }
}

/// How a clause was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// In a full text.
    Primary,
    /// In somebody else's words.
    Paraphrase,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    cite: String,
    verified: Verified,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    clause: String,
    asks: Bilingual,
    #[serde(default)]
    levels: Vec<u8>,
    verified: Verified,
}

/// A clause that a drill is evidence for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub clause: String,
    pub asks: String,
    /// Security levels that it speaks of; none: all.
    pub levels: Vec<u8>,
    pub verified: Verified,
}

/// What a frame gives a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub title: String,
    /// What the office's own rules are called.
    pub rules: String,
    /// Acts that are cited as grounds: only those whose text was read.
    pub acts: Vec<String>,
    pub clauses: Vec<Clause>,
}

/// The frame of this id, with those that it includes.
///
/// # Errors
/// When there is none.
pub fn frame(id: &str, language: Language) -> Result<Frame, LegalError> {
    let frames: Frames = toml::from_str(FRAMES)
        .map_err(|error| LegalError::Data { detail: error.message().to_owned() })?;
    if frames.schema != SCHEMA {
        return Err(LegalError::Data { detail: format!("they are not of {SCHEMA}") });
    }
    let Some(own) = frames.profile.iter().find(|it| it.id == id && it.rules.is_some()) else {
        let known = frames.profile.iter().filter(|it| it.rules.is_some());
        let known: Vec<&str> = known.map(|it| it.id.as_str()).collect();
        let id = crate::path::escape(id.as_bytes());
        return Err(LegalError::Unknown { id, known: known.join(", ") });
    };
    let included = frames.profile.iter().filter(|it| own.includes.contains(&it.id));
    let clauses = std::iter::once(own).chain(included).flat_map(|it| it.requirement.clone());
    let clause = |it: Requirement| Clause {
        clause: it.clause,
        asks: it.asks.of(language),
        levels: it.levels,
        verified: it.verified,
    };
    let was_read = |act: &&Act| act.verified == Verified::Primary;
    Ok(Frame {
        title: own.title.clone().of(language),
        rules: own.rules.clone().unwrap_or_default(),
        acts: own.act.iter().filter(was_read).map(|act| act.cite.clone()).collect(),
        clauses: clauses.map(clause).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_include_each_other() {
        let frame = frame("vn-2026", Language::Vi).unwrap();
        assert_eq!(frame.rules, "Quy chế bảo đảm an ninh mạng");
        assert!(frame.acts.iter().any(|act| act.starts_with("Nghị định số 331/2026/NĐ-CP")));
        // A law is cited without its number, and what nobody has read is no ground.
        assert!(!frame.acts.iter().any(|act| act.contains("QH15") || act.contains("TCVN")));
        assert!(frame.clauses.iter().any(|it| it.clause.contains("Mẫu 1.9")));
        assert!(frame.clauses.iter().any(|it| it.verified == Verified::Paraphrase));
        for id in ["none", "vn-2022", "iso-nist"] {
            assert!(super::frame(id, Language::En).is_ok(), "{id}");
        }
        for id in ["vn-common", "x"] {
            let error = super::frame(id, Language::Vi).unwrap_err().to_string();
            assert!(error.contains("vn-2026") && !error.contains(", vn-common"), "{error}");
        }
    }
}
