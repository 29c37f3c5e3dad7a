//! What documents cite of the legal frames.

use crate::continuity::legal::Act;
use crate::continuity::legal::Bilingual;
use crate::continuity::legal::Frames;
use crate::continuity::legal::Requirement;
use crate::continuity::legal::Verified;
use crate::report::Language;

/// Frames that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LegalError {
    #[error("the legal frames that are built in cannot be read: {detail}")]
    Data { detail: String },
    #[error("no legal frame is called `{id}`; there are: {known}")]
    Unknown { id: String, known: String },
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
    let frames = Frames::read().map_err(|detail| LegalError::Data { detail })?;
    let Some(own) = frames.of(id) else {
        let known = frames.profile.iter().filter(|it| it.rules.is_some());
        let known: Vec<&str> = known.map(|it| it.id.as_str()).collect();
        let id = crate::path::escape(id.as_bytes());
        return Err(LegalError::Unknown { id, known: known.join(", ") });
    };
    let of = |text: &Bilingual| match language {
        Language::Vi => text.vi.clone(),
        Language::En => text.en.clone(),
    };
    let clause = |it: &Requirement| Clause {
        clause: it.clause.clone(),
        asks: of(&it.asks),
        levels: it.levels.clone(),
        verified: it.verified,
    };
    let was_read = |act: &&Act| act.verified == Verified::Primary;
    Ok(Frame {
        title: of(&own.title),
        rules: own.rules.clone().unwrap_or_default(),
        acts: own.act.iter().filter(was_read).map(|act| act.cite.clone()).collect(),
        clauses: frames.requirements(own).filter(|it| it.minutes).map(clause).collect(),
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
