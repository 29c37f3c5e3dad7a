//! Documents about drills, in the form of Vietnamese offices.
//!
//! What it is: the record of a drill as minutes (Biên bản, Mẫu 1.9 of Nghị định 30/2020/NĐ-CP) with
//! three annexes; a month or a year as a report (Báo cáo, Mẫu 1.4) with four; both as pages of a
//! PDF, as one page of HTML and as a DOCX, in Vietnamese and in English; the runbook.
//! Never: invents what the record does not say (dots are left to write on); reads a file or the
//! clock; leaves out a check that was not carried out; calls something good that nobody looked at.
//! Invariants: the same record gives the same bytes; all forms and both languages have the same
//! parts in the same order; the body comes first and long tables stand in annexes.
//! Start reading at: [`minutes::compose`], [`period::compose`], then [`form`].

pub mod annex;
pub mod checks;
pub mod form;
pub mod legal;
pub mod minutes;
pub mod model;
pub mod period;
pub mod results;
pub mod runbook;
#[cfg(test)]
mod tests;
pub mod value;
pub mod words;

use crate::drill::follow::Followed;
use crate::drill::record::Closing;
use crate::drill::record::Record;
use crate::report::legal::LegalError;

/// A language that documents are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Vi,
    En,
}

impl Language {
    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// What minutes are made of.
pub struct Input<'a> {
    pub record: &'a Record,
    /// What became of the sandbox, if that is known.
    pub closing: Option<&'a Closing>,
    /// What was done after it.
    pub followed: &'a [Followed],
    /// SHA-256 of the record's file, in hex.
    pub record_hash: &'a str,
    /// Code of the ledger's checkpoint, as it stands on paper.
    pub code: Option<&'a str>,
    /// Name and title of somebody whom the record has by an id of the continuity plan.
    pub named: &'a dyn Fn(&str) -> Option<String>,
    /// What a room said in English, in the document's language.
    pub told: &'a dyn Fn(&str) -> String,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("record", &self.record.record_id).finish_non_exhaustive()
    }
}

/// Minutes that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Legal(#[from] LegalError),
    #[error(transparent)]
    Document(#[from] crate::document::page::DocumentError),
    #[error(transparent)]
    Word(#[from] crate::report::form::word::WordError),
}
