//! `stats`: what snapshots hold and what they take.

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::stats as texts;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::cli::open;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::repository::browse::usage::Contents;
use crate::repository::browse::usage::CountContents;
use crate::repository::browse::usage::Counter;
use crate::repository::browse::usage::Entries;
use crate::repository::browse::usage::Stored;
use crate::run::monitor::Phase;
use crate::units::Bytes;
use crate::vault::tally;
use crate::vault::tally::Listing;
use crate::vault::tally::Tally;

/// Show what snapshots hold and what they take in the repository.
///
/// Each row has a snapshot as it is at the source, and what it added to the snapshots above it: its
/// new data after deduplication, and the bytes of packs for that, compressed, sealed, and with the
/// second copies of nodes. The sums below are of all rows together.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// Only these; without any, all.
    #[arg(value_name = "SNAPSHOT")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub how: CountArgs,
    /// Open nothing: only numbers and sizes of what lies in the repository.
    #[arg(long, conflicts_with_all = ["ids", "each", "contents", "host", "tag", "path"])]
    pub no_key: bool,
}

/// How it is counted.
#[derive(Debug, Args)]
pub struct CountArgs {
    /// Count each snapshot as if it were the only one.
    #[arg(long)]
    pub each: bool,
    /// Also count files that differ in content; takes memory for each.
    #[arg(long)]
    pub contents: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    short_id: String,
    time: String,
    #[serde(flatten)]
    source: SourceFields,
    #[serde(flatten)]
    stored: StoredFields,
}

#[derive(Serialize)]
struct SourceFields {
    files_count: u64,
    folders_count: u64,
    hard_links_count: u64,
    others_count: u64,
    content_bytes: u64,
}

#[derive(Serialize)]
struct StoredFields {
    data_count: u64,
    data_raw_bytes: u64,
    data_stored_bytes: u64,
    nodes_count: u64,
    nodes_raw_bytes: u64,
    nodes_stored_bytes: u64,
    copies_count: u64,
    copies_stored_bytes: u64,
}

#[derive(Serialize)]
struct Sums {
    snapshots_count: usize,
    #[serde(flatten)]
    source: SourceFields,
    #[serde(flatten)]
    stored: StoredFields,
    /// Source bytes for each byte of data after deduplication.
    #[serde(skip_serializing_if = "Option::is_none")]
    deduplication_ratio: Option<f64>,
    /// Bytes of data for each byte that they take compressed, padded and sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    compression_ratio: Option<f64>,
    /// Source bytes for each byte of packs.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents_bytes: Option<u64>,
    /// Of the whole repository, whatever snapshots were chosen.
    #[serde(flatten)]
    repository: RepositoryFields,
}

#[derive(Serialize)]
struct RepositoryFields {
    packs_count: u64,
    packs_bytes: u64,
    bad_packs_count: u64,
    objects_count: u64,
    objects_bytes: u64,
    object_copies_count: u64,
    object_copies_bytes: u64,
    padding_max_bytes: u64,
    index_files_count: u64,
    index_bytes: u64,
    manifests_count: u64,
    manifests_bytes: u64,
    records_count: u64,
    records_bytes: u64,
}

#[derive(Serialize)]
struct Keyless {
    packs_count: u64,
    packs_bytes: u64,
    index_files_count: u64,
    index_bytes: u64,
    manifests_count: u64,
    manifests_bytes: u64,
    records_count: u64,
    records_bytes: u64,
}

pub fn run(context: &Context, args: &StatsArgs) -> Result<Ended, Failure> {
    if args.no_key {
        return keyless(context);
    }
    let opened = opened::for_reading(context)?;
    let mut chosen = opened.several(&args.ids, &args.filter)?;
    chosen.sort_by_key(|snapshot| (snapshot.time, snapshot.seq, snapshot.id));
    chosen.dedup_by_key(|snapshot| snapshot.id);
    context.run.phase(Phase::Checking);
    let contents = if args.how.contents { CountContents::Yes } else { CountContents::No };
    let mut counter = Counter::new(&context.run, &opened.reader, contents);
    let (mut entries, mut stored) = (Entries::default(), Stored::default());
    let mut rows = Vec::with_capacity(chosen.len());
    for snapshot in chosen {
        if args.how.each {
            counter.forget();
        }
        let (holds, added) = counter.snapshot(&snapshot.root)?;
        entries.add(&holds);
        stored.add(&added);
        rows.push((snapshot, holds, added));
    }
    let tally = opened.reader.vault().tally(&context.run)?;
    let listing = tally::listing(&context.run, &**opened.reader.vault().storage())?;
    // Of one snapshot alone there is no sum that would mean anything.
    let different = (args.how.contents && !args.how.each).then(|| counter.different());
    if context.output.is_json() {
        for (snapshot, holds, added) in &rows {
            let row = Row {
                id: snapshot.id.to_string(),
                short_id: snapshot.id.short(),
                time: snapshot.time.to_rfc3339(),
                source: source_fields(holds),
                stored: stored_fields(added),
            };
            context.output.json("result", Some("snapshot"), &row)?;
        }
        let sums = sums(rows.len(), (&entries, &stored), different, (&tally, &listing));
        context.output.json("result", Some("stats"), &sums)?;
        return Ok(Ended::done());
    }
    let language = context.output.language();
    let mut text = String::new();
    if !rows.is_empty() {
        text = format!("{}\n\n", rows_text(&rows, language));
    }
    // With --each, the same object counts in several rows, and a sum says nothing.
    let mut lines = Vec::new();
    if !args.how.each {
        lines = sums_lines(rows.len(), (&entries, &stored), different);
    }
    lines.extend(repository_lines(&tally, &listing));
    text.push_str(&lines_text(&lines, language));
    context.output.raw(text.as_bytes())?;
    Ok(Ended::done())
}

fn keyless(context: &Context) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let Listing { packs, index, manifests, others } = tally::listing(&context.run, &*storage)?;
    let found = Keyless {
        packs_count: packs.count,
        packs_bytes: packs.bytes,
        index_files_count: index.count,
        index_bytes: index.bytes,
        manifests_count: manifests.count,
        manifests_bytes: manifests.bytes,
        records_count: others.count,
        records_bytes: others.bytes,
    };
    context.output.result("repository", &found, || {
        let language = context.output.language();
        let rows = [
            (texts::PACKS, packs),
            (texts::INDEX_FILES, index),
            (texts::MANIFESTS, manifests),
            (texts::OTHERS, others),
        ];
        let row = |(name, blobs): (Text, tally::Blobs)| {
            let values = [name.into(), blobs.count.into(), Bytes(blobs.bytes).into()];
            values.map(|value: Value| value.told_in(language)).to_vec()
        };
        let columns = [
            (texts::WHAT, Align::Left),
            (texts::NUMBER, Align::Right),
            (texts::SIZE, Align::Right),
        ];
        let columns = columns.map(|(title, align)| (title.words(language), align));
        table::render(&columns, &rows.into_iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(Ended::done())
}

const fn source_fields(entries: &Entries) -> SourceFields {
    SourceFields {
        files_count: entries.files_count,
        folders_count: entries.folders_count,
        hard_links_count: entries.hard_links_count,
        others_count: entries.others_count,
        content_bytes: entries.content_bytes,
    }
}

const fn stored_fields(stored: &Stored) -> StoredFields {
    StoredFields {
        data_count: stored.data_count,
        data_raw_bytes: stored.data_raw_bytes,
        data_stored_bytes: stored.data_bytes,
        nodes_count: stored.nodes_count,
        nodes_raw_bytes: stored.nodes_raw_bytes,
        nodes_stored_bytes: stored.nodes_bytes,
        copies_count: stored.copies_count,
        copies_stored_bytes: stored.copies_bytes,
    }
}

fn sums(
    snapshots_count: usize,
    (entries, stored): (&Entries, &Stored),
    different: Option<Contents>,
    (tally, listing): (&Tally, &Listing),
) -> Sums {
    Sums {
        snapshots_count,
        source: source_fields(entries),
        stored: stored_fields(stored),
        deduplication_ratio: ratio(entries.content_bytes, stored.data_raw_bytes),
        compression_ratio: ratio(stored.data_raw_bytes, stored.data_bytes),
        whole_ratio: ratio(entries.content_bytes, stored.all_bytes()),
        contents_count: different.map(|contents| contents.count),
        contents_bytes: different.map(|contents| contents.bytes),
        repository: RepositoryFields {
            packs_count: listing.packs.count,
            packs_bytes: listing.packs.bytes,
            bad_packs_count: tally.bad_packs_count,
            objects_count: tally.data.count + tally.nodes.count,
            objects_bytes: tally.data.bytes + tally.nodes.bytes,
            object_copies_count: tally.copies.count,
            object_copies_bytes: tally.copies.bytes,
            padding_max_bytes: tally.padding_max_bytes,
            index_files_count: listing.index.count,
            index_bytes: listing.index.bytes,
            manifests_count: listing.manifests.count,
            manifests_bytes: listing.manifests.bytes,
            records_count: listing.others.count,
            records_bytes: listing.others.bytes,
        },
    }
}

/// To three digits behind the point; none where nothing is stored.
fn ratio(whole: u64, part: u64) -> Option<f64> {
    let thousandths = u128::from(whole) * 1000 / u128::from(part.max(1));
    let thousandths = u32::try_from(thousandths).ok().filter(|_| part > 0)?;
    Some(f64::from(thousandths) / 1000.0)
}

fn times(whole: u64, part: u64) -> Value {
    let hundredths = (u128::from(whole) * 100 + u128::from(part / 2)) / u128::from(part.max(1));
    match u64::try_from(hundredths) {
        Ok(hundredths) if part > 0 => Value::Times(hundredths),
        _ => "-".into(),
    }
}

fn rows_text(rows: &[(&Snapshot, Entries, Stored)], language: Language) -> String {
    let columns = [
        (texts::SNAPSHOT, Align::Left),
        (texts::TIME, Align::Left),
        (texts::FILES, Align::Right),
        (texts::FOLDERS, Align::Right),
        (texts::SIZE, Align::Right),
        (texts::ADDED, Align::Right),
        (texts::STORED, Align::Right),
    ];
    let columns = columns.map(|(title, align)| (title.words(language), align));
    let row = |(snapshot, holds, added): &(&Snapshot, Entries, Stored)| {
        let values = [
            snapshot.id.short().into(),
            snapshot.time.into(),
            holds.files_count.into(),
            holds.folders_count.into(),
            Bytes(holds.content_bytes).into(),
            Bytes(added.data_raw_bytes).into(),
            Bytes(added.all_bytes()).into(),
        ];
        values.map(|value: Value| value.told_in(language)).to_vec()
    };
    table::render(&columns, &rows.iter().map(row).collect::<Vec<_>>())
}

/// What a line is about, nothing where it goes on, and what it says.
type SumLine = (Option<Text>, Said);

fn sums_lines(
    snapshots_count: usize,
    (entries, stored): (&Entries, &Stored),
    different: Option<Contents>,
) -> Vec<SumLine> {
    let Stored { data_raw_bytes, data_bytes, .. } = *stored;
    let content_bytes = entries.content_bytes;
    let source = texts::AT_SOURCE_IS
        .with("bytes", Bytes(content_bytes))
        .with("files", entries.files_count)
        .with("folders", entries.folders_count)
        .with("count", snapshots_count);
    let mut lines = vec![(Some(texts::AT_SOURCE), source)];
    if let Some(Contents { count, bytes }) = different {
        let said = texts::DIFFERENT_IS.with("bytes", Bytes(bytes)).with("count", count);
        lines.push((Some(texts::DIFFERENT), said));
    }
    let deduplicated = texts::DEDUPLICATED_IS
        .with("bytes", Bytes(data_raw_bytes))
        .with("count", stored.data_count)
        .with("times", times(content_bytes, data_raw_bytes));
    let compressed = texts::COMPRESSED_IS
        .with("bytes", Bytes(data_bytes))
        .with("times", times(data_raw_bytes, data_bytes));
    let kept = texts::STORED_IS
        .with("bytes", Bytes(stored.all_bytes()))
        .with("nodes_bytes", Bytes(stored.nodes_bytes))
        .with("nodes", stored.nodes_count)
        .with("copies_bytes", Bytes(stored.copies_bytes))
        .with("times", times(content_bytes, stored.all_bytes()));
    lines.push((Some(texts::DEDUPLICATED), deduplicated));
    lines.push((Some(texts::COMPRESSED), compressed));
    lines.push((Some(texts::STORED), kept));
    lines
}

fn repository_lines(tally: &Tally, listing: &Listing) -> Vec<SumLine> {
    let kept = texts::REPOSITORY_IS
        .with("bytes", Bytes(listing.packs.bytes))
        .with("packs", listing.packs.count)
        .with("objects", tally.data.count + tally.nodes.count)
        .with("copies_bytes", Bytes(tally.copies.bytes))
        .with("padding_bytes", Bytes(tally.padding_max_bytes));
    let records = texts::RECORDS
        .with("index_bytes", Bytes(listing.index.bytes))
        .with("manifests_bytes", Bytes(listing.manifests.bytes))
        .with("others_bytes", Bytes(listing.others.bytes));
    let mut lines = vec![(Some(texts::REPOSITORY), kept), (None, records)];
    if tally.bad_packs_count > 0 {
        lines.push((None, texts::BAD_PACKS.with("count", tally.bad_packs_count)));
    }
    lines
}

fn lines_text(lines: &[SumLine], language: Language) -> String {
    let names = [texts::AT_SOURCE, texts::DIFFERENT, texts::DEDUPLICATED, texts::COMPRESSED];
    let width = names.iter().map(|name| name.words(language).chars().count()).max();
    let width = width.unwrap_or_default() + 1;
    let line = |(name, said): &SumLine| {
        let name = name.map_or("", |name| name.words(language));
        format!("{name:<width$}{}\n", said.told_in(language))
    };
    lines.iter().map(line).collect()
}
