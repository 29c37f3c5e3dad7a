//! Every message, both languages beside each other. Places for values are named: `{path}`.
//!
//! The Vietnamese words are those of the glossary, which a test holds.

/// Texts by name: a text whose languages differ in their places does not compile.
macro_rules! texts {
    ($($name:ident: $en:expr => $vi:expr;)*) => {
        $(pub const $name: crate::cli::language::text::Text =
            crate::cli::language::text::Text::new($en, $vi);)*

        /// All of this table, by name.
        pub const ALL: &[(&str, crate::cli::language::text::Text)] =
            &[$((stringify!($name), $name)),*];
    };
}

pub mod backup;
pub mod common;
pub mod continuity;
pub mod daemon;
pub mod drill;
pub mod errors;
pub mod keeping;
pub mod keys;
pub mod options;
pub mod problems;
pub mod quickstart;
pub mod read;
pub mod restore;
pub mod sheet;
pub mod stats;

/// All texts with their tables' names.
#[cfg(test)]
pub const TABLES: &[(&str, &[(&str, crate::cli::language::text::Text)])] = &[
    ("backup", backup::ALL),
    ("common", common::ALL),
    ("continuity", continuity::ALL),
    ("continuity::kit", continuity::kit::ALL),
    ("continuity::plan", continuity::plan::ALL),
    ("continuity::runbook", continuity::runbook::ALL),
    ("daemon", daemon::ALL),
    ("daemon::service", daemon::service::ALL),
    ("daemon::telling", daemon::telling::ALL),
    ("drill", drill::ALL),
    ("errors", errors::ALL),
    ("keeping::copy", keeping::copy::ALL),
    ("keeping::drill", keeping::drill::ALL),
    ("keeping::drill::checks", keeping::drill::checks::ALL),
    ("keeping::forget", keeping::forget::ALL),
    ("keeping::nothing", keeping::nothing::ALL),
    ("keys", keys::ALL),
    ("options", options::ALL),
    ("problems", problems::ALL),
    ("problems::content", problems::content::ALL),
    ("problems::evidence", problems::evidence::ALL),
    ("problems::faults", problems::faults::ALL),
    ("problems::sources", problems::sources::ALL),
    ("problems::system", problems::system::ALL),
    ("keeping::prune", keeping::prune::ALL),
    ("keeping::repair", keeping::repair::ALL),
    ("keeping::rotation", keeping::rotation::ALL),
    ("keeping::storage", keeping::storage::ALL),
    ("quickstart", quickstart::ALL),
    ("read", read::ALL),
    ("restore", restore::ALL),
    ("sheet", sheet::ALL),
    ("stats", stats::ALL),
];
