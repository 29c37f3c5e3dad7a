//! `drill canary`: files that are placed where the office works, so that drills can look for them.
//!
//! One never changes. Of the others each backup adds one and takes the day's earlier ones and those
//! of last week away again. They are placed once, by hand: whoever finds the folder without them
//! later stands before another folder, or a disk that is not there, and places none.

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde::Serialize;

use crate::capsule::canary;
use crate::capsule::canary::Canaries;
use crate::capsule::canary::FIXED;
use crate::capsule::canary::TOKENS_MAX;
use crate::capsule::canary::Token;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::drill as texts;
use crate::cli::local;
use crate::cli::local::Local;
use crate::cli::secrets::read_bounded;
use crate::config::job::Backup;
use crate::config::job::truth::Canary;
use crate::crypto::random_bytes;
use crate::path::escape;
use crate::run::monitor::Severity;
use crate::units::Timestamp;

/// Folder of local state.
const CANARIES: &str = "canaries";
const KEPT_BYTES_MAX: usize = 1024 * 1024;
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// How long a token stays.
const DAYS: i64 = 7;
const DAY_S: i64 = 24 * 3600;

/// Place files in folders of the office, so that drills can look for them in what comes back.
///
/// Each `[[backup]]` with a `canary` gets one that never changes and one of today; each backup
/// renews those of the day. A drill finds by them a disk that was not there, a folder that is no
/// longer the one in use, and files that somebody has changed.
#[derive(Debug, Clone, Args)]
pub struct CanaryArgs {
    /// Names of the `[[backup]]`s; none: all that have canaries.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Place the first ones, in a folder that has none. Without it those of the day are renewed.
    #[arg(long)]
    pub place: bool,
}

/// What is remembered of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Digest of the file that never changes.
    fixed: String,
    /// The newest first.
    tokens: Vec<Placed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    name: String,
    token: Token,
}

/// Why a folder has no canaries.
enum Trouble {
    NotPlaced,
    Gone(PathBuf),
    Changed(PathBuf),
    Io(PathBuf, io::Error),
}

impl Trouble {
    fn told(&self, name: &str) -> Said {
        let shown = |path: &Path| escape(path.as_os_str().as_encoded_bytes());
        match self {
            Self::NotPlaced => texts::NO_CANARY.with("name", name),
            Self::Gone(path) => texts::CANARY_GONE.with("path", shown(path)),
            Self::Changed(path) => texts::CANARY_CHANGED.with("path", shown(path)),
            Self::Io(path, error) => {
                texts::CANARY_FAILED.with("path", shown(path)).with("detail", Said::heard(error))
            }
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Trouble + '_ {
    |error| Trouble::Io(path.to_owned(), error)
}

#[derive(Serialize)]
struct Line<'a> {
    dataset: &'a str,
    path: String,
    tokens_count: usize,
}

pub fn run(context: &Context, args: &CanaryArgs) -> Result<Ended, Failure> {
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let has_canary = |backup: &&Backup| backup.canary.is_some();
    let is_meant = |backup: &&Backup| args.names.is_empty() || args.names.contains(&backup.name);
    let all: Vec<&Backup> = config.backups.iter().filter(has_canary).collect();
    let unknown = args.names.iter().find(|name| all.iter().all(|it| it.name != **name));
    if let Some(name) = unknown {
        let message = texts::NO_SUCH_CANARY.with("name", escape(name.as_bytes()));
        return Err(Failure::usage(message, texts::GIVE_CANARY));
    }
    let mut is_whole = true;
    for backup in all.into_iter().filter(is_meant) {
        let Some(canary) = &backup.canary else { continue };
        let file = file(context, &backup.name)?;
        let now = context.run.clock.now();
        let done = match args.place {
            true => place(&file, (&backup.name, canary), now),
            false => renew(&file, (&backup.name, canary), now),
        };
        match done {
            Ok(kept) => {
                let path = escape(canary.by.as_os_str().as_encoded_bytes());
                let tokens_count =
                    kept.tokens.iter().filter(|it| it.token.removed_s.is_none()).count();
                let said = texts::CANARY_PLACED.with("path", path.as_str());
                let line = Line { dataset: &backup.name, path, tokens_count };
                context.output.report("canary", &line, || said)?;
            }
            Err(trouble) => {
                is_whole = false;
                tell(context, &backup.name, &trouble);
            }
        }
    }
    let exit = if is_whole { Exit::Done } else { Exit::Problems };
    Ok(Ended { exit, skipped_count: 0 })
}

fn tell(context: &Context, name: &str, trouble: &Trouble) {
    let subject = texts::A_CANARY.with("name", name);
    context.problem(Severity::Problem, subject, trouble.told(name));
}

/// Renews those of a backup that begins; what is to be found in it. What cannot be renewed is a
/// problem of the backup, and what was there before is still looked for.
pub fn renewed(context: &Context, backup: &Backup) -> Option<Canaries> {
    let canary = backup.canary.as_ref()?;
    let file = file(context, &backup.name).ok()?;
    match renew(&file, (&backup.name, canary), context.run.clock.now()) {
        Ok(kept) => Some(kept.known()),
        Err(trouble) => {
            tell(context, &backup.name, &trouble);
            read(&file).ok().flatten().map(|kept| kept.known())
        }
    }
}

fn file(context: &Context, name: &str) -> Result<PathBuf, Failure> {
    let dir = context.settings.cache_dir.as_deref();
    let local = Local::new(dir, &context.environment)?;
    Ok(local.root().join(CANARIES).join(format!("{name}.json")))
}

fn read(file: &Path) -> io::Result<Option<Kept>> {
    match read_bounded(file, KEPT_BYTES_MAX) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(file: &Path, kept: &Kept) -> Result<(), Trouble> {
    let folder = file.parent().unwrap_or(file);
    local::make_private_folder(folder).map_err(failed(folder))?;
    let bytes = serde_json::to_vec_pretty(kept).map_err(io::Error::other);
    bytes.and_then(|bytes| local::write_private(file, &[&bytes])).map_err(failed(file))
}

/// A file of words and of bytes that nobody can guess; its digest.
fn put(path: &Path, what: &str, name: &str, now: Timestamp) -> Result<String, Trouble> {
    let random = random_bytes::<16>()
        .map_err(|error| Trouble::Io(path.to_owned(), io::Error::other(error)))?;
    let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!(
        "{what} of Lifeboat, for {name}\n{}\n{random}\nDrills look for this file. Leave it here.\n",
        now.to_rfc3339()
    );
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(failed(path))?;
    Ok(canary::digest(text.as_bytes()))
}

/// Places the first ones; where there are some already, renews them.
fn place(file: &Path, (name, canary): (&str, &Canary), now: Timestamp) -> Result<Kept, Trouble> {
    match std::fs::create_dir(&canary.by) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Trouble::Io(canary.by.clone(), error));
        }
        _ => {}
    }
    let path = canary.by.join(FIXED);
    let known = read(file).map_err(failed(file))?;
    let is_there = path.symlink_metadata().is_ok();
    if known.is_none() || !is_there {
        let fixed = put(&path, "A canary", name, now)?;
        write(file, &Kept { fixed, tokens: Vec::new() })?;
    }
    renew(file, (name, canary), now)
}

/// Adds the token of this moment, and removes those of the day before it and of last week.
fn renew(file: &Path, (name, canary): (&str, &Canary), now: Timestamp) -> Result<Kept, Trouble> {
    let mut kept = read(file).map_err(failed(file))?.ok_or(Trouble::NotPlaced)?;
    let path = canary.by.join(FIXED);
    match digest_of(&path) {
        Ok(digest) if digest == kept.fixed => {}
        Ok(_) => return Err(Trouble::Changed(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Trouble::Gone(path)),
        Err(error) => return Err(Trouble::Io(path, error)),
    }
    let now_s = now.unix_ms.div_euclid(1000);
    let stem = now.to_rfc3339().replace([':', '.'], "-");
    let token_name = format!("lifeboat-token-{stem}.txt");
    let digest = put(&canary.by.join(&token_name), "A token", name, now)?;
    let token = Token { digest, placed_s: now_s, removed_s: None };
    kept.tokens.insert(0, Placed { name: token_name, token });
    write(file, &kept)?;
    for placed in kept.tokens.iter_mut().skip(1) {
        let placed_s = placed.token.placed_s;
        let is_over = placed_s.div_euclid(DAY_S) == now_s.div_euclid(DAY_S)
            || placed_s < now_s.saturating_sub(DAYS * DAY_S);
        if placed.token.removed_s.is_some() || !is_over {
            continue;
        }
        let path = canary.by.join(&placed.name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Trouble::Io(path, error));
            }
            _ => placed.token.removed_s = Some(now_s),
        }
    }
    kept.tokens.truncate(TOKENS_MAX);
    write(file, &kept)?;
    Ok(kept)
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(canary::digest(&bytes))
}

impl Kept {
    /// As capsules have it, without names.
    fn known(self) -> Canaries {
        let tokens = self.tokens.into_iter().map(|placed| placed.token).collect();
        Canaries { fixed: self.fixed, tokens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64) -> Timestamp {
        Timestamp::from_unix_ms((day * DAY_S + hour * 3600) * 1000)
    }

    fn names(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    fn write(path: &Path, bytes: &[u8]) {
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn tokens_come_each_time_and_go_after_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let (file, by) = (dir.path().join("state/x.json"), dir.path().join("canary"));
        let canary = Canary { path: by.clone(), by: by.clone() };
        let of = ("x", &canary);
        assert!(matches!(renew(&file, of, at(1, 8)), Err(Trouble::NotPlaced)));
        place(&file, of, at(1, 8)).ok().unwrap();
        assert_eq!(names(&by), 2);
        // Another one of the same day takes the first one's place.
        renew(&file, of, at(1, 20)).ok().unwrap();
        assert_eq!(names(&by), 2);
        for day in 2..=12 {
            let kept = renew(&file, of, at(day, 20)).ok().unwrap();
            let live = kept.tokens.iter().filter(|it| it.token.removed_s.is_none()).count();
            assert_eq!(names(&by), live + 1, "{day}");
            assert!(live <= 8, "{live}");
        }
        // Placing again changes nothing but the day's token.
        let before = std::fs::read(by.join(FIXED)).unwrap();
        let kept = place(&file, of, at(13, 1)).ok().unwrap();
        assert_eq!((std::fs::read(by.join(FIXED)).unwrap(), kept.fixed), {
            let digest = canary::digest(&before);
            (before, digest)
        });
    }

    #[test]
    fn where_the_first_one_is_not_none_is_added() {
        let dir = tempfile::tempdir().unwrap();
        let (file, by) = (dir.path().join("x.json"), dir.path().join("canary"));
        let canary = Canary { path: by.clone(), by: by.clone() };
        let of = ("x", &canary);
        place(&file, of, at(1, 8)).ok().unwrap();
        write(&by.join(FIXED), b"encrypted");
        assert!(matches!(renew(&file, of, at(2, 8)), Err(Trouble::Changed(_))));
        std::fs::remove_dir_all(&by).unwrap();
        std::fs::create_dir(&by).unwrap();
        assert!(matches!(renew(&file, of, at(2, 8)), Err(Trouble::Gone(_))));
        assert_eq!(names(&by), 0);
        // What somebody else put there is not replaced.
        std::fs::remove_file(&file).unwrap();
        write(&by.join(FIXED), b"another");
        assert!(matches!(place(&file, of, at(3, 8)), Err(Trouble::Io(..))));
        assert_eq!(std::fs::read(by.join(FIXED)).unwrap(), b"another");
    }
}
