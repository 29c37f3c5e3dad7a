//! Snapshots as they are listed and chosen.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Which;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell;
use crate::cli::language::table::options;
use crate::cli::output::names::base64;
use crate::format::object::Ref;
use crate::ids::MachineId;
use crate::ids::SnapshotId;
use crate::ids::SourceId;
use crate::path::escape;
use crate::units::Timestamp;

/// Most datasets or snapshots that an error names.
const NAMED_MAX: usize = 20;

/// One snapshot, opened as far as its list of counts.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub id: SnapshotId,
    pub time: Timestamp,
    pub machine: MachineId,
    pub source: SourceId,
    pub seq: u64,
    pub host: Vec<u8>,
    pub paths: Vec<Vec<u8>>,
    /// As they stand after all notes.
    pub tags: Vec<String>,
    /// Those of them that came by notes.
    pub tags_later: Vec<String>,
    /// The newest; empty if there is none.
    pub comment: String,
    pub root: Ref,
    /// What was recorded at the source.
    pub capsules: Vec<Ref>,
    pub entries_count: u64,
    pub files_count: u64,
    pub files_changed: u64,
    pub files_unchanged: u64,
    pub content_bytes: u64,
    pub problems_count: u64,
    /// Since when its machine is not trusted, if it came after that.
    pub suspect_since: Option<Timestamp>,
}

/// A snapshot as JSON fields.
#[derive(Serialize)]
pub struct SnapshotLine {
    id: String,
    short_id: String,
    time: String,
    machine_id: String,
    dataset_id: String,
    seq: u64,
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_b64: Option<String>,
    paths: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paths_b64: Option<Vec<String>>,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags_later: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
    entries_count: u64,
    content_bytes: u64,
    snapshot_problems_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspect_since: Option<String>,
}

impl Snapshot {
    #[must_use]
    pub fn line(&self) -> SnapshotLine {
        let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        let text = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => escape(bytes),
        };
        let all_text = self.paths.iter().all(|path| is_text(path));
        SnapshotLine {
            id: self.id.to_string(),
            short_id: self.id.short(),
            time: self.time.to_rfc3339(),
            machine_id: self.machine.to_string(),
            dataset_id: self.source.to_string(),
            seq: self.seq,
            host: text(&self.host),
            host_b64: (!is_text(&self.host)).then(|| base64(&self.host)),
            paths: self.paths.iter().map(text).collect(),
            paths_b64: (!all_text).then(|| self.paths.iter().map(|path| base64(path)).collect()),
            tags: self.tags.clone(),
            tags_later: self.tags_later.clone(),
            comment: self.comment.clone(),
            entries_count: self.entries_count,
            content_bytes: self.content_bytes,
            snapshot_problems_count: self.problems_count,
            suspect_since: self.suspect_since.map(|since| since.to_rfc3339()),
        }
    }

    /// Tags for people; `+` stands before those that came later.
    #[must_use]
    pub fn tags_text(&self) -> String {
        let told = |tag: &String| match self.tags_later.contains(tag) {
            true => format!("+{}", escape(tag.as_bytes())),
            false => escape(tag.as_bytes()),
        };
        self.tags.iter().map(told).collect::<Vec<_>>().join(",")
    }

    /// Paths for people.
    #[must_use]
    pub fn paths_text(&self) -> String {
        self.paths.iter().map(|path| escape(path)).collect::<Vec<_>>().join(", ")
    }
}

/// Those that the filters leave, in the order given.
#[must_use]
pub fn narrow<'a>(all: &'a [Snapshot], filter: &FilterArgs) -> Vec<&'a Snapshot> {
    all.iter().filter(|snapshot| passes(snapshot, filter)).collect()
}

fn passes(snapshot: &Snapshot, filter: &FilterArgs) -> bool {
    let has_all_tags = |tags: &String| {
        tags.split(',').all(|tag| snapshot.tags.iter().any(|has| has == tag.trim()))
    };
    let has_path =
        |path: &std::ffi::OsString| snapshot.paths.iter().any(|has| has == path.as_encoded_bytes());
    let is_host = |host: &std::ffi::OsString| snapshot.host == host.as_encoded_bytes();
    (filter.host.is_empty() || filter.host.iter().any(is_host))
        && (filter.tag.is_empty() || filter.tag.iter().any(has_all_tags))
        && filter.path.iter().all(has_path)
}

/// The one that is meant.
///
/// # Errors
/// When there is none (code 1), or more than one might be meant (code 2).
pub fn choose<'a>(
    all: &'a [Snapshot],
    which: &Which,
    filter: &FilterArgs,
) -> Result<&'a Snapshot, Failure> {
    match which {
        Which::Prefix(digits) => by_prefix(all, digits),
        Which::Latest => latest(narrow(all, filter)),
    }
}

fn by_prefix<'a>(all: &'a [Snapshot], digits: &str) -> Result<&'a Snapshot, Failure> {
    let matching: Vec<&Snapshot> =
        all.iter().filter(|snapshot| snapshot.id.to_string().starts_with(digits)).collect();
    match &matching[..] {
        [] => Err(none(options::NO_SUCH_ID.with("digits", digits))),
        [one] => Ok(one),
        several => {
            let ids = several.iter().take(NAMED_MAX).map(|snapshot| Said::plain(snapshot.id));
            let message = options::SEVERAL_IDS
                .with("count", several.len())
                .with("digits", digits)
                .with("ids", ids.collect::<Vec<_>>());
            Err(Failure::usage(message, options::MORE_DIGITS))
        }
    }
}

fn latest(matching: Vec<&Snapshot>) -> Result<&Snapshot, Failure> {
    let mut newest: BTreeMap<(MachineId, SourceId), &Snapshot> = BTreeMap::new();
    for snapshot in matching {
        let dataset = newest.entry((snapshot.machine, snapshot.source)).or_insert(snapshot);
        if (snapshot.seq, snapshot.time) > (dataset.seq, dataset.time) {
            *dataset = snapshot;
        }
    }
    let datasets: Vec<&Snapshot> = newest.into_values().collect();
    match &datasets[..] {
        [] => Err(none(options::NONE_MATCHES)),
        [one] => Ok(one),
        several => {
            let row = |snapshot: &&Snapshot| {
                let Snapshot { id, host, .. } = snapshot;
                let (id, host) = (id.short(), escape(host));
                Said::plain(format_args!("{id}  {host}  {}", snapshot.paths_text()))
            };
            let rows: Vec<Said> = several.iter().take(NAMED_MAX).map(row).collect();
            let message = options::SEVERAL_DATASETS.with("count", several.len()).with("rows", rows);
            Err(Failure::usage(message, options::NARROW))
        }
    }
}

fn none(message: impl Tell) -> Failure {
    Failure::new(Exit::Failed, message, options::SEE_SNAPSHOTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Sid;
    use crate::secret::ObjectKey;

    fn snapshot(id: u8, source: u8, seq: u64) -> Snapshot {
        let root = Ref { sid: Sid::new([0; 32]), key: ObjectKey::new([0; 32]), raw_len: 0 };
        Snapshot {
            capsules: Vec::new(),
            id: SnapshotId::new([id; 32]),
            time: Timestamp::from_unix_ms(i64::from(id)),
            machine: MachineId::new([1; 16]),
            source: SourceId::new([source; 16]),
            seq,
            host: b"office\xff".to_vec(),
            paths: vec![format!("/srv/{source}").into_bytes()],
            tags: vec!["a".to_owned(), "b".to_owned()],
            tags_later: Vec::new(),
            comment: String::new(),
            root,
            entries_count: 0,
            files_count: 0,
            files_changed: 0,
            files_unchanged: 0,
            content_bytes: 0,
            problems_count: 0,
            suspect_since: None,
        }
    }

    #[test]
    fn the_newest_of_the_only_dataset() {
        let all = [snapshot(0x11, 1, 2), snapshot(0x12, 1, 3), snapshot(0x13, 1, 1)];
        let chosen = choose(&all, &Which::Latest, &FilterArgs::default()).unwrap();
        assert_eq!(chosen.seq, 3);
    }

    #[test]
    fn several_datasets_are_listed_and_not_guessed() {
        let all = [snapshot(0x11, 1, 1), snapshot(0x22, 2, 1)];
        let failure = choose(&all, &Which::Latest, &FilterArgs::default()).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        for word in ["11111111", "22222222", "/srv/2", "office\\xff"] {
            assert!(failure.to_string().contains(word), "{failure}");
        }
        let narrowed = FilterArgs { path: vec!["/srv/2".into()], ..FilterArgs::default() };
        assert_eq!(choose(&all, &Which::Latest, &narrowed).unwrap().id.short(), "22222222");
    }

    #[test]
    fn a_prefix_has_to_mean_one() {
        let all = [snapshot(0x11, 1, 1), snapshot(0x12, 2, 1)];
        let by = |digits: &str| {
            let which = Which::Prefix(digits.to_owned());
            choose(&all, &which, &FilterArgs::default()).map(|found| found.seq)
        };
        assert_eq!(by("12"), Ok(1));
        assert_eq!(by("1").unwrap_err().exit, Exit::Usage);
        assert_eq!(by("2").unwrap_err().exit, Exit::Failed);
    }

    #[test]
    fn tags_with_commas_have_to_be_there_together() {
        let all = [snapshot(1, 1, 1)];
        let with = |tags: &[&str]| {
            let tag = tags.iter().map(ToString::to_string).collect();
            narrow(&all, &FilterArgs { tag, ..FilterArgs::default() }).len()
        };
        assert_eq!((with(&["a,b"]), with(&["a,c"]), with(&["c", "b"])), (1, 0, 1));
    }
}
