//! Which of 3-2-1-1-0 holds for each dataset, as far as a copy can know.
//!
//! Three copies, on two kinds of media, one elsewhere, one offline or immutable, no errors. What
//! nobody told this program is unknown, and never taken for good.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::copy as texts;
use crate::cli::language::text::Text;
use crate::cli::output::Level;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::cli::settings::place::Place;
use crate::cli::verb::copy::ends::Places;
use crate::vault::names::Chain;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Holds {
    Yes,
    No,
    Unknown,
}

#[derive(Debug, Serialize)]
struct Dataset {
    machine_id: String,
    dataset_id: String,
    /// The data itself and both repositories, up to the newest snapshot.
    three_copies: Holds,
    two_media: Holds,
    one_off_site: Holds,
    one_offline_or_immutable: Holds,
    zero_errors: Holds,
}

/// What this run saw of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Every byte of both was read, and is good now.
    AllGood,
    /// What was copied was good; the rest was not read.
    Some,
    Errors,
}

impl Holds {
    const fn text(self) -> Text {
        match self {
            Self::Yes => texts::YES,
            Self::No => texts::NO,
            Self::Unknown => texts::UNKNOWN,
        }
    }
}

/// # Errors
/// When it cannot be printed.
pub(super) fn tell(
    context: &Context,
    places: &Places,
    datasets: &[(Chain, bool)],
    seen: Seen,
) -> Result<(), Failure> {
    // One file system is one medium in one place; of two nobody knows.
    let apart = match is_one_file_system(&places.source, &places.target) {
        Some(true) => Holds::No,
        _ => Holds::Unknown,
    };
    let row = |(chain, is_there): &(Chain, bool)| Dataset {
        machine_id: chain.machine.to_string(),
        dataset_id: chain.source.to_string(),
        three_copies: if *is_there { Holds::Yes } else { Holds::No },
        two_media: apart,
        one_off_site: apart,
        one_offline_or_immutable: Holds::Unknown,
        zero_errors: match seen {
            Seen::AllGood => Holds::Yes,
            Seen::Some => Holds::Unknown,
            Seen::Errors => Holds::No,
        },
    };
    let rows: Vec<Dataset> = datasets.iter().map(row).collect();
    let output = &context.output;
    if output.is_json() {
        return rows.iter().try_for_each(|row| output.json("result", Some("dataset"), row));
    }
    if output.level() == Level::Quiet || rows.is_empty() {
        return Ok(());
    }
    let language = output.language();
    let columns = [
        texts::DATASET,
        texts::COPIES,
        texts::MEDIA,
        texts::OFF_SITE,
        texts::OFFLINE,
        texts::ERRORS,
    ];
    let columns = columns.map(|title| (title.words(language), Align::Left));
    let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
    let cells = |row: &Dataset| {
        let holds = [
            row.three_copies,
            row.two_media,
            row.one_off_site,
            row.one_offline_or_immutable,
            row.zero_errors,
        ];
        let told = holds.map(|holds| holds.text().words(language).to_owned());
        std::iter::once(short(&row.dataset_id)).chain(told).collect()
    };
    let text = table::render(&columns, &rows.iter().map(cells).collect::<Vec<_>>());
    output.raw(format!("{text}\n").as_bytes())
}

#[cfg(unix)]
fn is_one_file_system(one: &Place, other: &Place) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &std::path::Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    match (one.as_folder(), other.as_folder()) {
        (Some(one), Some(other)) => Some(device(one)? == device(other)?),
        _ => None,
    }
}

#[cfg(not(unix))]
const fn is_one_file_system(_one: &Place, _other: &Place) -> Option<bool> {
    None
}
