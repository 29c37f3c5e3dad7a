//! `check`: whether everything restores.

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::path::escape;
use crate::units::Bytes;
use crate::verify;
use crate::verify::Depth;
use crate::verify::Options;
use crate::verify::Report;
use crate::verify::Subset;

/// Find out whether everything restores.
///
/// Says OK if and only if all of what it looks at is whole: manifests and trees opened and every
/// object there, or with --read-data every byte read, opened and compared.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Read, open and compare every byte.
    #[arg(long, conflicts_with = "read_data_subset")]
    pub read_data: bool,
    /// Read a part: `2/7` (the second of seven), `5%` or `10GiB`.
    #[arg(long, value_name = "PART", value_parser = subset)]
    pub read_data_subset: Option<Subset>,
    /// Only these snapshots.
    #[arg(long, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,
}

#[derive(Serialize)]
struct Lost {
    snapshot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    why: String,
}

#[derive(Serialize)]
struct Checked {
    is_ok: bool,
    level: &'static str,
    snapshots_count: u64,
    entries_count: u64,
    objects_count: u64,
    packs_count: u64,
    packs_read_count: u64,
    read_bytes: u64,
    lost_files_count: usize,
    lost_objects_count: usize,
    healable_objects_count: usize,
}

pub fn run(context: &Context, args: &CheckArgs) -> Result<Ended, Failure> {
    let keys = opened::keys(context)?;
    let mut snapshots = Vec::new();
    if !args.snapshot.is_empty() {
        let listed = opened::list(context, &keys)?;
        let chosen = opened::several(&listed, &args.snapshot, &Default::default())?;
        snapshots.extend(chosen.iter().map(|snapshot| snapshot.id));
    }
    let depth = match (args.read_data, args.read_data_subset) {
        (true, _) => Depth::Data(Subset::All),
        (false, Some(subset)) => Depth::Data(subset),
        (false, None) => Depth::Structure,
    };
    let threads_count = std::thread::available_parallelism().map_or(2, usize::from);
    let options = Options { depth, snapshots, threads_count };
    let trust = (&keys.unlocked.keyset, &keys.signers as &dyn crate::vault::chains::Verifier);
    let report = verify::check(&context.run, &keys.repository, trust, &options)?;
    for lost in &report.lost_files {
        let line = Lost {
            snapshot_id: lost.snapshot.to_string(),
            path: lost.path.as_ref().map(ToString::to_string),
            why: lost.why.clone(),
        };
        context.output.result("lost", &line, || {
            let path = line.path.as_deref().unwrap_or("a part of it");
            format!(
                "lost: snapshot {} {path}: {}",
                lost.snapshot.short(),
                escape(line.why.as_bytes())
            )
        })?;
    }
    show(context, &report, depth)?;
    let exit = if report.is_ok() { Exit::Done } else { Exit::Damage };
    Ok(Ended { exit, skipped_count: 0 })
}

fn show(context: &Context, report: &Report, depth: Depth) -> Result<(), Failure> {
    let level = match depth {
        Depth::Structure => "linked",
        Depth::Data(_) => "opened",
    };
    let checked = Checked {
        is_ok: report.is_ok(),
        level,
        snapshots_count: report.snapshots_count,
        entries_count: report.entries_count,
        objects_count: report.objects_count,
        packs_count: report.packs_count,
        packs_read_count: report.packs_read_count,
        read_bytes: report.bytes_read,
        lost_files_count: report.lost_files.len(),
        lost_objects_count: report.lost_objects.len(),
        healable_objects_count: report.healable_objects.len(),
    };
    context.output.report("check", &checked, || {
        let verdict = if checked.is_ok { "OK" } else { "DAMAGED" };
        let looked = match depth {
            Depth::Structure => "every object is there; no content was read".to_owned(),
            Depth::Data(_) => format!(
                "{} of {} packs read ({})",
                checked.packs_read_count,
                checked.packs_count,
                Bytes(checked.read_bytes)
            ),
        };
        let Checked { snapshots_count, entries_count, objects_count, .. } = checked;
        let looked = if checked.is_ok { looked } else { "see what is lost above".to_owned() };
        format!(
            "{verdict} ({level}): {snapshots_count} snapshots, {entries_count} entries, \
             {objects_count} objects; {looked}"
        )
    })
}

/// `n/t`, `x%` or a size.
fn subset(text: &str) -> Result<Subset, String> {
    let wrong = || format!("expected a part such as `2/7`, `5%` or `10GiB`, found `{text}`");
    if let Some((n, t)) = text.split_once('/') {
        let (n, t) = (n.parse().map_err(|_| wrong())?, t.parse().map_err(|_| wrong())?);
        return if (1..=t).contains(&n) { Ok(Subset::Part { n, t }) } else { Err(wrong()) };
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
        let is_share = percent > 0.0 && percent <= 100.0;
        return if is_share { Ok(Subset::Share(percent / 100.0)) } else { Err(wrong()) };
    }
    text.parse::<Bytes>().map(|size| Subset::Bytes(size.0)).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_data() {
        assert_eq!(subset("2/7"), Ok(Subset::Part { n: 2, t: 7 }));
        assert_eq!(subset("50%"), Ok(Subset::Share(0.5)));
        assert_eq!(subset("1KiB"), Ok(Subset::Bytes(1024)));
        for text in ["0/7", "8/7", "0%", "101%", "nan%", "x", ""] {
            assert!(subset(text).is_err(), "{text}");
        }
    }
}
