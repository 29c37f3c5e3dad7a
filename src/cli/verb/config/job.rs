//! `--job`: a backup of the configuration, made and kept from the command line.

use std::ffi::OsString;
use std::process::Command;
use std::process::Stdio;

use crate::backup::snapshot::shrink::Shrink;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::backup::GIVE_STREAM;
use crate::cli::language::table::backup::STREAM_ONLY;
use crate::cli::language::table::daemon as texts;
use crate::cli::settings::Settings;
use crate::cli::settings::configured;
use crate::cli::verb::backup::BackupArgs;
use crate::cli::verb::backup::FsSnapshot;
use crate::config::Config;
use crate::config::job::Backup;
use crate::config::job::FileSystem;
use crate::config::job::Source;
use crate::config::table::Flag;
use crate::retention::rule::Rule;
use crate::run::monitor::Severity;
use crate::source::host::host_name;
use crate::units::Bytes;

/// What a `[[backup]]` says, as the settings and options that say the same.
///
/// # Errors
/// When the file has mistakes or no such backup (2), or this version cannot make it (1).
pub fn resolve(
    context: &Context,
    args: BackupArgs,
) -> Result<(Settings, BackupArgs, Backup), Failure> {
    let name = args.job.clone().unwrap_or_default();
    let loaded = context.configuration()?;
    let (settings, backup) = find(context, loaded.config()?, &name)?;
    Ok((settings, options(args, backup)?, backup.clone()))
}

/// What `forget` is to do for a backup.
pub struct Kept {
    pub settings: Settings,
    pub rules: Vec<Rule>,
    pub time_zone: String,
    pub tag: String,
    pub host: OsString,
}

/// The rules of a `[[backup]]`.
///
/// # Errors
/// As [`resolve`]; and when it has no rules (2).
pub fn retention(context: &Context, name: &str) -> Result<Kept, Failure> {
    let loaded = context.configuration()?;
    let config = loaded.config()?;
    let (settings, backup) = find(context, config, name)?;
    let named = backup.retention.as_ref().and_then(|name| config.retentions.get(name));
    let Some(retention) = named else {
        let message = texts::NO_RETENTION.with("name", backup.name.as_str());
        return Err(Failure::usage(message, texts::NAME_RETENTION));
    };
    let host = settings.host.clone();
    Ok(Kept {
        rules: retention.rules.clone(),
        time_zone: backup.schedule.time_zone.clone(),
        tag: backup.name.clone(),
        host: host.unwrap_or_else(|| String::from_utf8_lossy(&host_name()).into_owned().into()),
        settings,
    })
}

/// The backup of this name, and settings for its storage.
fn find<'c>(
    context: &Context,
    config: &'c Config,
    name: &str,
) -> Result<(Settings, &'c Backup), Failure> {
    let Some(backup) = config.backup(name.strip_prefix("backup:").unwrap_or(name)) else {
        let all = config.backups.iter().map(|backup| Said::plain(&backup.name)).collect();
        let name = crate::path::escape(name.as_bytes());
        let message = texts::NO_BACKUP.with("name", name).with("jobs", Said::list(all));
        return Err(Failure::usage(message, texts::NAME_JOB));
    };
    let mut settings = context.settings.clone();
    // An option or variable stands before the file.
    if settings.repository.is_none()
        && let Some(found) = configured::named(config, &backup.storage)
    {
        settings.take(found, &context.environment);
    }
    Ok((settings, backup))
}

fn options(mut args: BackupArgs, backup: &Backup) -> Result<BackupArgs, Failure> {
    match &backup.source {
        Source::Files(files) => {
            args.paths.clone_from(&files.paths);
            let exclude = &mut args.exclude;
            exclude.exclude.extend(files.exclude.iter().cloned());
            exclude.iexclude.extend(files.iexclude.iter().cloned());
            let marks = files.exclude_if_present.iter().map(Into::into);
            exclude.exclude_if_present.extend(marks);
            exclude.exclude_caches |= files.exclude_caches == Flag::Yes;
            exclude.one_file_system |= files.one_file_system == Flag::Yes;
            let from = files.snapshot.map(|FileSystem::Btrfs| FsSnapshot::Btrfs);
            args.input.fs_snapshot = args.input.fs_snapshot.or(from);
            let larger = exclude.exclude_larger_than;
            exclude.exclude_larger_than = larger.or(files.exclude_larger_than_bytes.map(Bytes));
        }
        Source::Command { argv, file_name, bytes_min, last_line, truth: _ } => {
            args.paths = argv.iter().map(Into::into).collect();
            let stream = &mut args.input.stream;
            stream.stdin_from_command = true;
            stream.stdin_filename = file_name.into();
            stream.bytes_min = stream.bytes_min.or(bytes_min.map(Bytes));
            stream.last_line = stream.last_line.take().or_else(|| last_line.clone());
        }
        // The configuration alone says what they are.
        Source::Postgresql(_) | Source::Mariadb(_) | Source::Sqlite { .. } => {
            let stream = &args.input.stream;
            if stream.bytes_min.is_some() || stream.last_line.is_some() {
                return Err(Failure::usage(STREAM_ONLY, GIVE_STREAM));
            }
        }
    }
    args.label.tag.push(backup.name.clone());
    args.label.tag.extend(backup.tags.iter().cloned());
    let percent = backup.expect.shrink_max_percent;
    args.how.shrink_max = args.how.shrink_max.or(Some(Shrink::AtMost { percent }));
    Ok(args)
}

/// The command before a backup.
///
/// # Errors
/// When it fails: then there is no backup (1).
pub fn before(context: &Context, backup: &Backup) -> Result<(), Failure> {
    let Some(argv) = &backup.before else { return Ok(()) };
    hook(context, argv).map_err(|detail| {
        let program = argv.first().map_or("", String::as_str);
        let message = texts::HOOK_FAILED
            .with("name", crate::path::escape(program.as_bytes()))
            .with("job", backup.name.as_str())
            .with("detail", Said::heard(detail));
        Failure::new(Exit::Failed, message, crate::cli::language::table::options::RUN_BY_HAND)
    })
}

/// The command after it, whether it went well or not: its failure is a problem.
pub fn after(context: &Context, backup: &Backup) {
    let Some(argv) = &backup.after else { return };
    if let Err(detail) = hook(context, argv) {
        context.problem(Severity::Problem, texts::HOOK_AFTER, Said::heard(detail));
    }
}

/// Without a shell, and without variables that are meant for this program alone.
fn hook(context: &Context, argv: &[String]) -> Result<(), String> {
    let (program, rest) = argv.split_first().ok_or_else(|| "it has no name".to_owned())?;
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).stdout(Stdio::null());
    for name in context.environment.own_names() {
        command.env_remove(name);
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
