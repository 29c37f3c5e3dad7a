//! `find`: entries by name, kind, size or time, across snapshots.

use clap::Args;
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::options;
use crate::cli::language::table::read as texts;
use crate::cli::output::entry;
use crate::format::entry::Content;
use crate::format::entry::Entry;
use crate::format::entry::Extent;
use crate::ids::Sid;
use crate::meta::Kind;
use crate::path::SnapshotPath;
use crate::repository::browse::wanted::Case;
use crate::repository::browse::wanted::Pattern;
use crate::repository::browse::wanted::Wanted;
use crate::repository::tree::map::MapReader;
use crate::repository::tree::reader::TreeReader;
use crate::units::Bytes;
use crate::units::FileTime;

/// Search entries across snapshots.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// Names with `*` and `?`; with `/` whole paths, where `**` crosses folders.
    #[arg(value_name = "PATTERN")]
    pub patterns: Vec<String>,
    #[command(flatten)]
    pub wanted: WantedArgs,
    #[command(flatten)]
    pub range: RangeArgs,
    /// Only these snapshots.
    #[arg(short, long, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// What is wanted and how it is shown.
#[derive(Debug, Args)]
pub struct WantedArgs {
    /// Upper and lower case are the same.
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Show rights, owner, size and time.
    #[arg(short, long)]
    pub long: bool,
    /// Only this kind.
    #[arg(long = "type", value_enum, value_name = "KIND")]
    pub kind: Option<FindKind>,
    /// Only what has its content or its place in the tree in this object, as `check` names them.
    #[arg(long, value_name = "SID")]
    pub object: Option<Sid>,
}

/// Sizes and times.
#[derive(Debug, Args)]
pub struct RangeArgs {
    /// At least this large, such as `10MiB`.
    #[arg(long, value_name = "SIZE")]
    pub size_min: Option<Bytes>,
    /// At most this large.
    #[arg(long, value_name = "SIZE")]
    pub size_max: Option<Bytes>,
    /// Modified at or after this time, such as `2026-01-31` or `2026-01-31T08:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub newer: Option<FileTime>,
    /// Modified at or before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub older: Option<FileTime>,
}

/// Kinds that can be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindKind {
    File,
    Directory,
    Symlink,
    HardLink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
}

#[derive(Serialize)]
struct Found {
    snapshots_count: usize,
    matches_count: u64,
}

pub fn run(context: &Context, args: &FindArgs) -> Result<Ended, Failure> {
    let wanted = wanted(args)?;
    let opened = opened::for_objects(context)?;
    let chosen = opened.several(&args.snapshot, &args.filter)?;
    let mut matches_count = 0;
    for snapshot in &chosen {
        matches_count += search(context, &opened, snapshot, (&wanted, &args.wanted))?;
    }
    let found = Found { snapshots_count: chosen.len(), matches_count };
    if context.output.is_json() {
        context.output.json("result", Some("find"), &found)?;
    }
    if matches_count == 0 {
        return Err(Failure::new(Exit::Failed, texts::NOTHING_FOUND, texts::WIDEN));
    }
    Ok(Ended::done())
}

fn wanted(args: &FindArgs) -> Result<Wanted, Failure> {
    let case = if args.wanted.ignore_case { Case::Insensitive } else { Case::Sensitive };
    let patterns = args.patterns.iter().map(|text| Pattern::new(text, case));
    let patterns = patterns.collect::<Result<Vec<_>, _>>().map_err(|error| {
        let message = options::BAD_PATTERN.with("detail", Said::heard(error));
        Failure::usage(message, options::CORRECT_PATTERN)
    })?;
    Ok(Wanted {
        patterns,
        kind: args.wanted.kind.map(kind),
        size_min_bytes: args.range.size_min.map(|size| size.0),
        size_max_bytes: args.range.size_max.map(|size| size.0),
        modified_from: args.range.newer,
        modified_until: args.range.older,
    })
}

fn search(
    context: &Context,
    opened: &Opened,
    snapshot: &Snapshot,
    (wanted, args): (&Wanted, &WantedArgs),
) -> Result<u64, Failure> {
    let mut matches_count = 0;
    let root = SnapshotPath::root();
    for leaf in TreeReader::new(&context.run, &opened.reader, &snapshot.root, &root) {
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(error) => {
                opened::node_problem(context, snapshot, error)?;
                continue;
            }
        };
        for entry in leaf.entries.iter().filter(|entry| wanted.wants(entry)) {
            let is_in = |sid: &Sid| leaf.node.sid == *sid || uses(context, opened, entry, sid);
            if !args.object.as_ref().is_none_or(is_in) {
                continue;
            }
            matches_count += 1;
            let path = entry::slashed(entry);
            let line = entry::line(entry, &path, Some(&snapshot.id));
            context.output.result("entry", &line, || {
                let language = context.output.language();
                let entry =
                    if args.long { entry::long(entry, language) } else { entry.path.to_string() };
                format!("{}  {entry}", snapshot.id.short())
            })?;
        }
    }
    Ok(matches_count)
}

/// Whether an entry's content is in this object. A map that cannot be read holds nothing here;
/// whoever reads the file is told.
fn uses(context: &Context, opened: &Opened, entry: &Entry, sid: &Sid) -> bool {
    let is_it = |extent: &Extent| match extent {
        Extent::Hole { .. } => false,
        Extent::Chunk { chunk, .. } => chunk.sid == *sid,
    };
    match &entry.content {
        Content::None => false,
        Content::Slice { bundle, .. } => bundle.sid == *sid,
        Content::Extents { extents, .. } => extents.iter().any(is_it),
        Content::Map { root, .. } => {
            let mut extents = MapReader::new(&context.run, &opened.reader, root);
            root.sid == *sid || extents.any(|extent| extent.is_ok_and(|extent| is_it(&extent)))
        }
    }
}

const fn kind(kind: FindKind) -> Kind {
    match kind {
        FindKind::File => Kind::File,
        FindKind::Directory => Kind::Directory,
        FindKind::Symlink => Kind::Symlink,
        FindKind::HardLink => Kind::HardLink,
        FindKind::Fifo => Kind::Fifo,
        FindKind::Socket => Kind::Socket,
        FindKind::CharDevice => Kind::CharDevice,
        FindKind::BlockDevice => Kind::BlockDevice,
    }
}

/// A point in time, or the first moment of a day in UTC.
fn moment(text: &str) -> Result<FileTime, String> {
    let wrong = || format!("expected a time such as `2026-01-31T08:00:00Z`, found `{text}`");
    let time = match text.parse::<jiff::Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let day: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
            format!("{day}T00:00:00Z").parse().map_err(|_| wrong())?
        }
    };
    let nanos = time.as_nanosecond().rem_euclid(1_000_000_000);
    let secs = time.as_nanosecond().div_euclid(1_000_000_000);
    let secs = i64::try_from(secs).map_err(|_| wrong())?;
    Ok(FileTime { secs, nanos: u32::try_from(nanos).map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments() {
        assert_eq!(moment("1970-01-02"), Ok(FileTime { secs: 86_400, nanos: 0 }));
        let before = FileTime { secs: -1, nanos: 500_000_000 };
        assert_eq!(moment("1969-12-31T23:59:59.5Z"), Ok(before));
        assert!(moment("yesterday").is_err());
    }
}
