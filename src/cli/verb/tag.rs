//! `tag`: words by which snapshots are found, changed after the backup.

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::select::FilterArgs;
use crate::cli::choose::select::Which;
use crate::cli::choose::snapshot;
use crate::cli::choose::snapshot::Snapshot;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::errors;
use crate::cli::language::table::keys as texts;
use crate::format::note::COMMENT_BYTES_MAX;
use crate::format::note::NOTE_WORDS_MAX;
use crate::format::note::NOTES_COUNT_MAX;
use crate::format::note::NotePublic;
use crate::format::note::NoteWords;
use crate::format::note::WORD_BYTES_MAX;
use crate::path::escape;
use crate::repository::manifest;
use crate::repository::notes::seal_note;
use crate::vault::chains::Copies;
use crate::vault::chains::Verifier;
use crate::vault::error::Fault;
use crate::vault::names::Chain;
use crate::vault::names::Place;
use crate::vault::notes::NoteFinding;
use crate::vault::notes::Notes;

/// Change by which words snapshots are found.
///
/// A snapshot itself never changes: a signed note is added beside it. It takes the passphrase.
#[derive(Debug, Args)]
pub struct TagArgs {
    /// Which snapshots: an id's first digits, or `latest`.
    #[arg(value_name = "SNAPSHOT", required = true)]
    pub snapshots: Vec<OsString>,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub words: WordArgs,
}

/// What changes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Words")]
pub struct WordArgs {
    /// Add a word; may be given several times or with commas.
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub add: Vec<String>,
    /// Take a word away.
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub remove: Vec<String>,
    /// Have these words and no others; `--set ''` takes all away.
    #[arg(long, value_name = "WORD", value_delimiter = ',', conflicts_with_all = ["add", "remove"])]
    pub set: Option<Vec<String>>,
    /// Why, for whoever reads `snapshots --json` or `cat notes`.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

#[derive(Serialize)]
struct Tagged {
    id: String,
    short_id: String,
    tags: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
    is_changed: bool,
}

pub fn run(context: &Context, args: &TagArgs) -> Result<Ended, Failure> {
    let wanted = Wanted::of(&args.words)?;
    let which = args.snapshots.iter().map(|id| Which::parse(id.as_encoded_bytes()));
    let which = which.collect::<Result<Vec<_>, _>>()?;
    let keys = opened::keys(context)?;
    let snapshots = opened::list(context, &keys)?;
    let chosen = which.iter().map(|which| snapshot::choose(&snapshots, which, &args.filter));
    let mut chosen = chosen.collect::<Result<Vec<_>, _>>()?;
    chosen.sort_by_key(|snapshot| (snapshot.time, snapshot.seq, snapshot.id));
    chosen.dedup_by_key(|snapshot| snapshot.id);
    for snapshot in chosen {
        tag(context, &keys, snapshot, &wanted)?;
    }
    Ok(Ended::done())
}

/// What was asked for, with words that a note may hold.
struct Wanted<'a> {
    add: Vec<&'a str>,
    remove: Vec<&'a str>,
    set: Option<Vec<&'a str>>,
    comment: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(args: &'a WordArgs) -> Result<Self, Failure> {
        let wanted = Self {
            add: words(&args.add)?,
            remove: words(&args.remove)?,
            set: args.set.as_deref().map(words).transpose()?,
            comment: args.comment.as_deref().unwrap_or_default(),
        };
        let Self { add, remove, set, comment } = &wanted;
        if add.is_empty() && remove.is_empty() && set.is_none() && comment.is_empty() {
            return Err(Failure::usage(texts::NOTHING_TO_TAG, texts::GIVE_WORDS));
        }
        if let Some(both) = add.iter().find(|word| remove.contains(word)) {
            let message = texts::BOTH_WAYS.with("word", escape(both.as_bytes()));
            return Err(Failure::usage(message, texts::GIVE_ONE_WAY));
        }
        if comment.len() > COMMENT_BYTES_MAX {
            let message = texts::COMMENT_LONG.with("max", COMMENT_BYTES_MAX);
            return Err(Failure::usage(message, texts::SHORTER_COMMENT));
        }
        Ok(wanted)
    }

    /// What a note has to say so that these tags become what is wanted.
    fn note(&self, tags: &[String]) -> NoteWords {
        let has = |word: &str| tags.iter().any(|tag| tag == word);
        let add = self.set.as_ref().unwrap_or(&self.add);
        let goes = |tag: &String| match &self.set {
            Some(set) => !set.contains(&tag.as_str()),
            None => self.remove.contains(&tag.as_str()),
        };
        NoteWords {
            added: add.iter().filter(|word| !has(word)).map(ToString::to_string).collect(),
            removed: tags.iter().filter(|tag| goes(tag)).cloned().collect(),
            comment: self.comment.to_owned(),
        }
    }
}

/// Each word once. Nothing between two commas is no word.
fn words(given: &[String]) -> Result<Vec<&str>, Failure> {
    let mut words: Vec<&str> = Vec::new();
    for word in given.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        if word.len() > WORD_BYTES_MAX || word.chars().any(char::is_control) {
            let shown = escape(word.get(..80).unwrap_or(word).as_bytes());
            let message = texts::BAD_WORD.with("word", shown).with("max", WORD_BYTES_MAX);
            return Err(Failure::usage(message, texts::OTHER_WORD));
        }
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

fn tag(
    context: &Context,
    keys: &Keys,
    snapshot: &Snapshot,
    wanted: &Wanted<'_>,
) -> Result<(), Failure> {
    let words = wanted.note(&snapshot.tags);
    let is_changed = words != NoteWords::default();
    let notes = own_notes(context, keys, snapshot)?;
    let mut tags = snapshot.tags.clone();
    if is_changed {
        add_note((context, keys), snapshot, &notes, &words)?;
        words.apply(&mut tags);
    }
    let line = Tagged {
        id: snapshot.id.to_string(),
        short_id: snapshot.id.short(),
        tags,
        added: words.added,
        removed: words.removed,
        is_changed,
    };
    context.output.report("tag", &line, || {
        let shown: Vec<String> = line.tags.iter().map(|tag| escape(tag.as_bytes())).collect();
        let text = match (is_changed, shown.is_empty()) {
            (false, _) => texts::TAGS_AS_WANTED,
            (true, true) => texts::NO_TAGS_NOW,
            (true, false) => texts::TAGS_NOW,
        };
        text.with("id", snapshot.id.short()).with("tags", shown.join(","))
    })
}

/// One word more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    Add(&'a str),
    Take(&'a str),
}

/// Changes one word of a snapshot, unless it is as wanted already.
///
/// # Errors
/// When the snapshot has all notes that it may have, or the storage fails.
pub fn mark(
    context: &Context,
    keys: &Keys,
    (snapshot, change, comment): (&Snapshot, Change<'_>, &str),
) -> Result<(), Failure> {
    let mut words = NoteWords { comment: comment.to_owned(), ..NoteWords::default() };
    let has = |word: &str| snapshot.tags.iter().any(|tag| tag == word);
    match change {
        Change::Add(word) if !has(word) => words.added.push(word.to_owned()),
        Change::Take(word) if has(word) => words.removed.push(word.to_owned()),
        _ => return Ok(()),
    }
    let notes = own_notes(context, keys, snapshot)?;
    add_note((context, keys), snapshot, &notes, &words)
}

fn place_of(snapshot: &Snapshot) -> Place {
    let chain = Chain { machine: snapshot.machine, source: snapshot.source };
    Place { chain, seq: snapshot.seq, id: snapshot.id }
}

/// The notes that there are, each with both copies from now on.
fn own_notes(context: &Context, keys: &Keys, snapshot: &Snapshot) -> Result<Notes, Failure> {
    // What is wrong with notes was told when the snapshots were listed.
    let asked: (_, &dyn Verifier) = (Copies::First, &keys.signers);
    let run = context.run.unwatched();
    let notes = keys.repository.vault().notes(&run, Some(&place_of(snapshot)), asked)?;
    refuse_newer(&notes)?;
    write_twins(context, keys, &notes)?;
    Ok(notes)
}

fn add_note(
    (context, keys): (&Context, &Keys),
    snapshot: &Snapshot,
    notes: &Notes,
    words: &NoteWords,
) -> Result<(), Failure> {
    let found = words.added.len() + words.removed.len();
    if found > NOTE_WORDS_MAX {
        let message = texts::MANY_WORDS.with("count", found).with("max", NOTE_WORDS_MAX);
        return Err(Failure::usage(message, texts::FEWER_WORDS));
    }
    let (run, vault) = (&context.run, keys.repository.vault());
    let place = place_of(snapshot);
    let number = notes.next_number(&place);
    if number > NOTES_COUNT_MAX {
        let message = texts::MANY_NOTES.with("id", snapshot.id.short());
        return Err(Failure::new(Exit::Failed, message, texts::KEEP_TAGS));
    }
    let signed = vault.read_manifest(run, &snapshot.id)?;
    let opened = manifest::open_with_key(&keys.unlocked.keyset, &signed)?;
    let admin = &keys.unlocked.keyset.admin;
    let public = NotePublic {
        repository: keys.unlocked.keyset.repository,
        machine: snapshot.machine,
        source: snapshot.source,
        seq: snapshot.seq,
        snapshot: snapshot.id,
        number,
        prev: notes.last_id(&place),
        time: run.clock.now(),
        signer: admin.verifying_key().key_id(),
    };
    let note = seal_note(admin, &opened.snapshot_key, public, words)?;
    vault.put_note(run, &note)?;
    Ok(())
}

/// A note of a later version may say anything: nothing is added to what is not understood.
pub(super) fn refuse_newer(notes: &Notes) -> Result<(), Failure> {
    match notes.findings.iter().find(|finding| finding.is_newer()) {
        Some(newer) => {
            let message = texts::NEWER_NOTE.with("place", newer.subject());
            Err(Failure::new(Exit::Newer, message, errors::UPDATE))
        }
        None => Ok(()),
    }
}

/// Writes the copies that an earlier `tag` did not get to.
fn write_twins(context: &Context, keys: &Keys, notes: &Notes) -> Result<(), Failure> {
    for finding in &notes.findings {
        let NoteFinding::BadTwin { name, fault: Fault::Missing } = finding else { continue };
        let is_it = |id: &str| name.as_str().ends_with(id);
        let whole = notes.notes.iter().find(|stored| is_it(&stored.place.to_string()));
        if let Some(stored) = whole {
            keys.repository.vault().put_note(&context.run, &stored.note)?;
        }
    }
    Ok(())
}
