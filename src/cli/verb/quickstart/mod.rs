//! `quickstart`: a repository, a backup, and the proof that it comes back, in one command.

pub mod compare;
pub mod configured;
pub mod folders;
pub mod rehearse;

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::backup::snapshot::BackupReport;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::table::quickstart as texts;
use crate::cli::language::value::Value;
use crate::cli::local::Local;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::cli::verb::backup;
use crate::cli::verb::backup::BackupArgs;
use crate::cli::verb::backup::ExcludeArgs;
use crate::cli::verb::backup::HowArgs;
use crate::cli::verb::backup::InputArgs;
use crate::cli::verb::backup::LabelArgs;
use crate::cli::verb::backup::Parent;
use crate::cli::verb::backup::StreamArgs;
use crate::cli::verb::backup::input;
use crate::cli::verb::drill::told;
use crate::cli::verb::drill::told::skipped;
use crate::cli::verb::init;
use crate::drill::verdict::Level;
use crate::drill::verdict::Verdict;
use crate::path::escape;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::Unlocked;
use crate::repository::trust::Enrolled;
use crate::run::Stopped;
use crate::run::monitor::Problem;
use crate::run::monitor::Severity;
use crate::storage::Storage;
use crate::units::Bytes;

use self::compare::Compared;
use self::configured::Facts;
use self::configured::Outcome;
use self::rehearse::Rehearsed;

/// Make a repository, back up, and hold a drill: restore into a throw-away folder, compare every
/// file, open documents, judge, keep a signed record, and print minutes (PDF, DOCX, HTML, JSON).
///
/// A second run on the same folders uses the repository of the first. The throw-away folder needs
/// 1.3 times the room of the folders themselves, beside the repository, until the end of the run.
///
/// Exit codes: as those of `drill run`, and 3 if something was not backed up or differs.
#[derive(Debug, Args)]
pub struct QuickstartArgs {
    /// What to back up.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder of the repository; without it `--repo`, else one in the user's folder for data.
    #[arg(long, value_name = "FOLDER")]
    pub storage: Option<PathBuf>,
}

#[derive(Serialize)]
struct Proven {
    is_proven: bool,
    repository: String,
    snapshot_id: String,
    password_file: Option<String>,
    /// The file for `--config`, if it is there and says the same.
    configuration: Option<String>,
    /// What makes a service of it.
    service: Vec<String>,
    entries_count: u64,
    files_count: u64,
    content_bytes: u64,
    stored_bytes: u64,
    restored_bytes: u64,
    /// What the drill concluded, and how far the data is proven.
    verdict: Verdict,
    proof_level: Option<Level>,
    drill: String,
    ledger_code: String,
    documents: Vec<String>,
    differences_count: u64,
    changed_since_count: u64,
    backup_ms: u64,
    drill_ms: u64,
    compare_ms: u64,
}

/// How long each part took.
struct Times {
    backup: Duration,
    drill: Duration,
    compare: Duration,
}

/// A repository that can be written and read.
struct Ready {
    writer: open::Writer,
    unlocked: Unlocked,
    secret: SecretSource,
    password_file: Option<PathBuf>,
}

/// Where everything is.
struct Places<'a> {
    repository: &'a Path,
    password_file: Option<&'a Path>,
    configuration: &'a Outcome,
    documents: Vec<String>,
}

pub fn run(context: &Context, args: &QuickstartArgs) -> Result<Ended, Failure> {
    let paths = folders::sources(&args.paths)?;
    let folder = folders::storage(context, args.storage.as_deref(), &paths)?;
    let backup_args = backup_args(&paths);
    let mut input = input::resolve(context, &backup_args)?;
    input.recorded = Some(rehearse::DATASET.to_owned());
    let Ready { writer, unlocked, secret, password_file } = ready(context, &folder)?;
    let clock = &context.run.clock;
    let began = clock.elapsed();
    let (ended, made) = backup::make(context, (&backup_args, &input), &writer)?;
    let backed_up = clock.elapsed();
    let Some(made) = made else { return Ok(ended) };
    // Opened anew, as anybody would who comes later: nothing of the backup's memory helps.
    let keys = keys(context, &writer.storage, unlocked)?;
    let compare = |restored: &Path| compare_all(context, &paths, restored, &made);
    let rehearsed = rehearse::rehearse(context, &keys, (&paths, &folder, &made), &compare)?;
    let times = Times {
        backup: backed_up.saturating_sub(began),
        drill: clock.elapsed().saturating_sub(backed_up).saturating_sub(rehearsed.compare),
        compare: rehearsed.compare,
    };
    let facts = Facts { paths: &paths, storage: &folder, secret: &secret };
    let configuration = configured::write(context, &facts);
    let documents = match rehearse::documents(context, &rehearsed, configuration.folder()) {
        Ok(documents) => documents,
        Err(failure) => {
            context.problem(Severity::Problem, texts::DOCUMENTS, failure.message);
            Vec::new()
        }
    };
    let places = Places {
        repository: &folder,
        password_file: password_file.as_deref(),
        configuration: &configuration,
        documents,
    };
    let proven = proven(&places, &made, &rehearsed, &times);
    context.output.report("quickstart", &proven, || {
        let lines = text(&proven, (&configuration, &rehearsed), context.output.language());
        Value::from(lines).told_in(context.output.language())
    })?;
    let exit = match rehearsed.carried.record.verdict {
        Verdict::Fail => Exit::NotProven,
        Verdict::Inconclusive => Exit::Inconclusive,
        _ if proven.is_proven => ended.exit,
        _ => Exit::Problems,
    };
    Ok(Ended { exit, skipped_count: skipped(&rehearsed.carried.record) })
}

fn backup_args(paths: &[PathBuf]) -> BackupArgs {
    BackupArgs {
        job: None,
        paths: paths.to_vec(),
        exclude: ExcludeArgs {
            exclude: Vec::new(),
            iexclude: Vec::new(),
            exclude_file: Vec::new(),
            exclude_if_present: Vec::new(),
            exclude_caches: false,
            exclude_larger_than: None,
            one_file_system: false,
        },
        input: InputArgs {
            files_from: Vec::new(),
            files_from0: Vec::new(),
            fs_snapshot: None,
            stream: StreamArgs {
                stdin: false,
                stdin_from_command: false,
                stdin_filename: "stdin".into(),
                bytes_min: None,
                last_line: None,
            },
        },
        label: LabelArgs { tag: Vec::new(), host: None },
        how: HowArgs {
            skip_if_unchanged: false,
            parent: Parent::Latest,
            shrink_max: None,
            dry_run: false,
        },
    }
}

/// Opens the repository of an earlier run, or makes it.
fn ready(context: &Context, folder: &Path) -> Result<Ready, Failure> {
    let local = Local::new(context.settings.cache_dir.as_deref(), &context.environment)?;
    let location = crate::storage::open::Location::Folder(folder.to_owned());
    let base = crate::storage::open::create(&context.run, &location)?;
    let storage = open::stacked(context, base, &location);
    let found = match publish::load_config(&context.run, &storage) {
        Ok(config) => Some(config),
        Err(KeysError::NoRepository { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let asked = if found.is_some() { Asked::Existing } else { Asked::New };
    let (source, password_file) = folders::passphrase(context, folder, asked)?;
    let secret = source.fetch(&context.output, asked)?;
    let unlocked = match found {
        Some(_) => unlock::unlock(&context.run, &storage, &secret)?,
        None => init::make(context, &storage, (&local, &secret))?,
    };
    let keyset = match open::own_keyset(&local, &unlocked.config)? {
        Some((keyset, _)) => keyset,
        None => open::join(context, &storage, &unlocked, (&local, &secret))?,
    };
    let config = unlocked.config.clone();
    let writer = open::Writer { storage, config, keyset, local };
    Ok(Ready { writer, unlocked, secret: source, password_file })
}

fn keys(
    context: &Context,
    storage: &Arc<dyn Storage>,
    unlocked: Unlocked,
) -> Result<Keys, Failure> {
    let signers = Enrolled::load(&context.run, storage, &unlocked.keyset)?;
    let store = unlocked.keyset.store.clone();
    let repository = open::repository(context, (storage, &unlocked.config), store)?;
    Ok(Keys { unlocked, signers, repository, ledger: None })
}

fn compare_all(
    context: &Context,
    paths: &[PathBuf],
    restored: &Path,
    made: &BackupReport,
) -> Result<Compared, Stopped> {
    let mut all = Compared::default();
    for path in paths {
        // What was named with an absolute path stands in the snapshot with all its names.
        let inside: PathBuf = path
            .components()
            .filter(|part| matches!(part, std::path::Component::Normal(_)))
            .collect();
        let one = compare::compare(&context.run, path, &restored.join(inside), made.started)?;
        for (path, what) in &one.named {
            let subject = path.as_os_str().as_encoded_bytes();
            context.run.problem(&Problem::new(subject, format!("did not come back: {what}")));
        }
        all.entries_count += one.entries_count;
        all.files_count += one.files_count;
        all.bytes += one.bytes;
        all.differences_count += one.differences_count;
        all.changed_since_count += one.changed_since_count;
    }
    Ok(all)
}

fn proven(
    places: &Places<'_>,
    made: &BackupReport,
    rehearsed: &Rehearsed,
    times: &Times,
) -> Proven {
    let Rehearsed { carried, compared, .. } = rehearsed;
    let record = &carried.record;
    let item = record.items.first();
    let is_same = compared.differences_count == 0 && made.tree.flagged_count == 0;
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let shown = |path: &Path| escape(path.as_os_str().as_encoded_bytes());
    let (configuration, service) = match places.configuration {
        Outcome::There(path) => {
            (Some(shown(path)), configured::service(path, places.repository).unwrap_or_default())
        }
        Outcome::Other(_) | Outcome::Not(_) => (None, Vec::new()),
    };
    Proven {
        is_proven: is_same && record.verdict >= Verdict::Conditional,
        repository: shown(places.repository),
        snapshot_id: made.snapshot.map(|place| place.id.to_string()).unwrap_or_default(),
        password_file: places.password_file.map(shown),
        configuration,
        service,
        entries_count: compared.entries_count,
        files_count: compared.files_count,
        content_bytes: compared.bytes,
        stored_bytes: made.stored_bytes,
        restored_bytes: item.map_or(0, |item| item.read_bytes),
        verdict: record.verdict,
        proof_level: item.and_then(|item| item.proof_level),
        drill: record.drill.code.clone(),
        ledger_code: carried.code.clone(),
        documents: places.documents.clone(),
        differences_count: compared.differences_count,
        changed_since_count: compared.changed_since_count,
        backup_ms: ms(times.backup),
        drill_ms: ms(times.drill),
        compare_ms: ms(times.compare),
    }
}

fn text(
    proven: &Proven,
    (configuration, rehearsed): (&Outcome, &Rehearsed),
    language: Language,
) -> Vec<Said> {
    let verdict = if proven.is_proven { texts::PROVEN } else { texts::NOT_PROVEN };
    let took = |ms: u64| {
        let text = Value::from(Duration::from_millis(ms)).told_in(language);
        format!("{text:>8}")
    };
    let mut lines: Vec<Said> = vec![
        Said::plain(""),
        verdict.into(),
        texts::BACKUP
            .with("took", took(proven.backup_ms))
            .with("bytes", Bytes(proven.content_bytes))
            .with("files", proven.files_count)
            .with("stored", Bytes(proven.stored_bytes)),
        texts::RESTORE
            .with("took", took(proven.drill_ms))
            .with("bytes", Bytes(proven.restored_bytes)),
        texts::COMPARE
            .with("took", took(proven.compare_ms))
            .with("entries", proven.entries_count)
            .with("differ", proven.differences_count),
    ];
    if proven.changed_since_count > 0 {
        lines.push(texts::CHANGED.with("count", proven.changed_since_count));
    }
    let record = &rehearsed.carried.record;
    lines.extend(told::findings(record));
    let level = proven.proof_level.map_or_else(|| "-".to_owned(), |level| format!("{level:?}"));
    let verdict = texts::VERDICT.with("verdict", told::verdict(proven.verdict));
    lines.push(verdict.with("code", proven.drill.as_str()).with("level", level));
    let documents = proven.documents.iter();
    lines.extend(documents.map(|path| texts::DOCUMENT.with("path", path.as_str())));
    lines.push(texts::LEDGER.with("code", proven.ledger_code.as_str()));
    lines.push(texts::REPOSITORY.with("path", proven.repository.as_str()));
    if let Some(file) = &proven.password_file {
        lines.push(texts::PASSPHRASE.with("path", file.as_str()));
    }
    lines.extend(by_itself(proven, configuration));
    lines.push(texts::MISSING.into());
    lines.push(texts::SECOND_PLACE.into());
    if proven.password_file.is_some() {
        lines.push(texts::ELSEWHERE.into());
    }
    lines.push(texts::ON_PAPER.into());
    lines
}

/// How the same is made on time.
fn by_itself(proven: &Proven, configuration: &Outcome) -> Vec<Said> {
    let path = match configuration {
        Outcome::Not(why) => return vec![texts::NO_CONFIGURATION.with("why", why.clone())],
        Outcome::Other(path) => {
            let path = escape(path.as_os_str().as_encoded_bytes());
            return vec![texts::OTHER_CONFIGURATION.with("path", path)];
        }
        Outcome::There(path) => path.to_string_lossy(),
    };
    let quoted = shlex::try_quote(&path).map_or_else(|_| path.to_string(), |text| text.to_string());
    let mut lines = vec![
        texts::CONFIGURATION.with("path", proven.configuration.as_deref().unwrap_or_default()),
        texts::BY_ITSELF.into(),
        Said::plain(format!("  lifeboat daemon --config {quoted}")),
        texts::AS_SERVICE.into(),
    ];
    lines.extend(proven.service.iter().map(|command| Said::plain(format!("  {command}"))));
    lines
}
