//! `snapshots`: what there is.

use std::collections::BTreeMap;

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::choose::snapshot::SnapshotLine;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::read as texts;
use crate::cli::language::value::Value;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::cli::verb::read::trash;
use crate::path::escape;
use crate::units::Bytes;

/// List snapshots.
///
/// A `+` stands before words that `tag` added.
#[derive(Debug, Args)]
pub struct SnapshotsArgs {
    /// Only these.
    #[arg(value_name = "SNAPSHOT")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Put together what is alike.
    #[arg(short, long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    pub group_by: Vec<GroupBy>,
    /// Only the newest of each dataset.
    #[arg(long)]
    pub latest: bool,
    /// Those that were removed and can still be taken back.
    #[arg(long, conflicts_with_all = ["ids", "latest", "group_by", "host", "tag", "path"])]
    pub trash: bool,
}

/// What snapshots may have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    Host,
    Paths,
    Tags,
}

#[derive(Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(flatten)]
    snapshot: SnapshotLine,
}

pub fn run(context: &Context, args: &SnapshotsArgs) -> Result<Ended, Failure> {
    if args.trash {
        return trash::run(context);
    }
    let opened = opened::for_reading(context)?;
    let mut chosen = opened.several(&args.ids, &args.filter)?;
    chosen.sort_by_key(|snapshot| (snapshot.time, snapshot.seq, snapshot.id));
    if args.latest {
        chosen = newest_of_each(chosen);
    }
    // Programs read the names of groups too.
    let language = if context.output.is_json() { Language::En } else { context.output.language() };
    let mut groups: BTreeMap<String, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in chosen {
        let group = group_of(snapshot, &args.group_by, language);
        groups.entry(group).or_default().push(snapshot);
    }
    for (name, members) in groups {
        if context.output.is_json() {
            for snapshot in members {
                let group = (!args.group_by.is_empty()).then(|| name.clone());
                let row = Row { group, snapshot: snapshot.line() };
                context.output.json("result", Some("snapshot"), &row)?;
            }
            continue;
        }
        let title = if name.is_empty() { name } else { format!("{name}\n") };
        context.output.raw(format!("{title}{}\n", text(&members, language)).as_bytes())?;
    }
    Ok(Ended::done())
}

fn newest_of_each(sorted: Vec<&Snapshot>) -> Vec<&Snapshot> {
    let mut newest = BTreeMap::new();
    for snapshot in sorted {
        newest.insert((snapshot.machine, snapshot.source), snapshot);
    }
    newest.into_values().collect()
}

fn group_of(snapshot: &Snapshot, by: &[GroupBy], language: Language) -> String {
    let part = |by: &GroupBy| match by {
        GroupBy::Host => (texts::GROUP_HOST, escape(&snapshot.host)),
        GroupBy::Paths => (texts::GROUP_PATHS, snapshot.paths_text()),
        GroupBy::Tags => {
            let mut tags = snapshot.tags.clone();
            tags.sort_unstable();
            (texts::GROUP_TAGS, escape(tags.join(",").as_bytes()))
        }
    };
    let part = |by: &GroupBy| {
        let (text, value) = part(by);
        text.with("value", value).told_in(language)
    };
    by.iter().map(part).collect::<Vec<_>>().join("  ")
}

fn text(members: &[&Snapshot], language: Language) -> String {
    let columns = [
        (texts::ID, Align::Left),
        (texts::TIME, Align::Left),
        (texts::HOST, Align::Left),
        (texts::TAGS, Align::Left),
        (texts::PATHS, Align::Left),
        (texts::ENTRIES, Align::Right),
        (texts::SIZE, Align::Right),
        (texts::PROBLEMS, Align::Right),
    ];
    let mut columns: Vec<_> =
        columns.iter().map(|(title, align)| (title.words(language), *align)).collect();
    let has_suspects = members.iter().any(|snapshot| snapshot.suspect_since.is_some());
    if has_suspects {
        columns.push((rotation::TRUST.words(language), Align::Left));
    }
    let value = |value: Value| value.told_in(language);
    let row = |snapshot: &&Snapshot| {
        let mut row = vec![
            snapshot.id.short(),
            value(snapshot.time.into()),
            escape(&snapshot.host),
            snapshot.tags_text(),
            snapshot.paths_text(),
            value(snapshot.entries_count.into()),
            value(Bytes(snapshot.content_bytes).into()),
            value(snapshot.problems_count.into()),
        ];
        if has_suspects {
            let mark = |since| rotation::SUSPECT_MARK.with("since", since).told_in(language);
            row.push(snapshot.suspect_since.map(mark).unwrap_or_default());
        }
        row
    };
    table::render(&columns, &members.iter().map(row).collect::<Vec<_>>())
}
