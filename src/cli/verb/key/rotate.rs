//! `key rotate`, `key renew`: new generations of keys, and keysets that have them.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::rotation as texts;
use crate::cli::language::table::keys;
use crate::cli::local;
use crate::cli::local::Local;
use crate::cli::open;
use crate::cli::secrets::Asked;
use crate::cli::secrets::read_bounded;
use crate::crypto::sealed::keyset::RestoreKeyset;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotSecret;
use crate::format::config::ConfigRecord;
use crate::path::escape;
use crate::repository::keys::convert;
use crate::repository::keys::machine;
use crate::repository::keys::publish;
use crate::repository::keys::rotate;
use crate::repository::keys::rotate::Part;
use crate::repository::keys::rotate::Plan;
use crate::repository::keys::rotate::Step;
use crate::repository::keys::slots::NewSlot;
use crate::repository::keys::unlock;
use crate::repository::keys::unlock::Unlocked;
use crate::secret::SecretBytes;
use crate::storage::Storage;

/// Most bytes of a keyset file.
const KEYSET_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    pub part: PartArgs,
    /// Say what would be done; write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Which key.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "options that exclude each other")]
pub struct PartArgs {
    /// The secret that machines share deduplication by. What is stored stays readable; the next
    /// backup of each folder stores all of it again.
    #[arg(long)]
    pub domain: bool,
    /// The key of tables and lists that every machine holds. What is stored stays readable.
    #[arg(long)]
    pub storage_secret: bool,
    /// The key that opens snapshots. Backups seal to a new one from then on, and every passphrase
    /// and key file but the one in use has to be added again.
    #[arg(long)]
    pub restore: bool,
}

impl PartArgs {
    const fn part(&self) -> Part {
        if self.domain {
            Part::Domain
        } else if self.storage_secret {
            Part::Store
        } else {
            Part::Restore
        }
    }
}

#[derive(Serialize)]
struct Line {
    part: &'static str,
    from_generation: u32,
    to_generation: u32,
    keyring_generation: u32,
    was_rotated_before: bool,
    removed_slot_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot_id: Option<String>,
}

#[derive(Serialize)]
struct Renewed {
    machine_id: String,
    keyset_file: String,
}

pub fn run(context: &Context, args: &RotateArgs) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    publish::load_config(&context.run, &storage)?;
    let secret = context.settings.secret.fetch(&context.output, Asked::Existing)?;
    let unlocked = unlock::unlock(&context.run, &storage, &secret)?;
    let plan = rotate::plan(&context.run, &storage, &unlocked, args.part.part())?;
    if args.dry_run {
        let line = line(&plan, None);
        context.output.plan("rotation", &line, || texts::WOULD.with("told", from_to(&plan)))?;
        return Ok(Ended::done());
    }
    let slot = same_slot(&unlocked, &plan, &secret);
    let rotated = rotate::execute(&context.run, &storage, (&unlocked, &plan), &slot)?;
    let line = line(&plan, Some(rotated.slot.to_string()));
    context.output.report("rotation", &line, || told(&plan, &rotated.slot.short()))?;
    renew_own(context, &storage, (&unlocked.config, &rotated.keyset), &secret);
    match plan.part {
        Part::Restore if plan.removed.len() > 1 => context.output.note(texts::ADD_OTHERS),
        Part::Restore => {}
        Part::Domain | Part::Store => context.output.note(texts::RENEW_OTHERS),
    }
    Ok(Ended::done())
}

/// The slot in use once more: the same secret, the same name.
fn same_slot(unlocked: &Unlocked, plan: &Plan, secret: &SlotSecret) -> NewSlot {
    let used = plan.removed.iter().find(|slot| slot.slot == unlocked.slot);
    let label = used.map(|slot| slot.label.clone()).unwrap_or_default();
    NewSlot { secret: secret.clone(), argon2: Argon2Parameters::OF_COMMANDS, label }
}

fn line(plan: &Plan, slot_id: Option<String>) -> Line {
    Line {
        part: match plan.part {
            Part::Domain => "domain secret",
            Part::Store => "store key",
            Part::Restore => "restore key",
        },
        from_generation: plan.from,
        to_generation: plan.to,
        keyring_generation: plan.keyring,
        was_rotated_before: plan.step == Step::SlotOnly,
        removed_slot_ids: plan.removed.iter().map(|slot| slot.slot.to_string()).collect(),
        slot_id,
    }
}

fn from_to(plan: &Plan) -> Said {
    let what = match plan.part {
        Part::Domain => texts::DOMAIN,
        Part::Store => texts::STORE_KEY,
        Part::Restore => texts::RECIPIENTS,
    };
    let said = texts::FROM_TO.with("what", what);
    said.with("from", u64::from(plan.from)).with("to", u64::from(plan.to))
}

fn told(plan: &Plan, slot: &str) -> Said {
    let told = from_to(plan);
    match (plan.step, plan.part) {
        (Step::SlotOnly, _) => texts::REST_OF_IT.with("told", told).with("slot", slot.to_owned()),
        (Step::All, Part::Domain) => texts::DOMAIN_ROTATED.with("told", told),
        (Step::All, Part::Store) => texts::STORE_ROTATED.with("told", told),
        (Step::All, Part::Restore) => {
            let removed = plan.removed.len() as u64;
            texts::RESTORE_ROTATED.with("told", told).with("removed", removed)
        }
    }
}

/// This machine's own keyset takes the new keys along. Without it the next backup asks for the
/// passphrase and does the same.
fn renew_own(
    context: &Context,
    storage: &Arc<dyn Storage>,
    (config, keyset): (&ConfigRecord, &RestoreKeyset),
    secret: &SlotSecret,
) {
    let renewed = Local::new(context.settings.cache_dir.as_deref(), &context.environment)
        .and_then(|local| open::renew_own(context, storage, (&local, config, keyset), secret));
    match renewed {
        Ok(true) => context.output.note(texts::LOCAL_RENEWED),
        Ok(false) => {}
        Err(failure) => {
            let detail = failure.told_in(context.output.language());
            context.output.warn(texts::LOCAL_NOT_RENEWED.with("detail", detail));
        }
    }
}

/// A keyset of another machine with the newest keys, in a new file.
///
/// # Errors
/// When the file is no keyset of a machine of this repository that may add snapshots.
pub fn renew(context: &Context, old: &Path, path: &Path) -> Result<Ended, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        let shown = escape(path.as_os_str().as_encoded_bytes());
        let message = keys::KEYSET_FILE.with("path", shown).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, keys::NAME_NEW_FILE)
    };
    let bytes = read_bounded(old, KEYSET_BYTES_MAX).map_err(|error| failed(old, error))?;
    let old = convert::decode_agent(&SecretBytes::new(bytes.to_vec()))?;
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let renewed = machine::renew(&context.run, &storage, &unlocked.keyset, &old)?;
    let mut file = local::private_file(path).map_err(|error| failed(path, error))?;
    let bytes = convert::encode_agent(&renewed);
    if let Err(error) = file.write_all(bytes.expose()).and_then(|()| file.sync_all()) {
        let _half_written = std::fs::remove_file(path);
        return Err(failed(path, error));
    }
    let line = Renewed {
        machine_id: renewed.machine.to_string(),
        keyset_file: path.display().to_string(),
    };
    let shown = escape(path.as_os_str().as_encoded_bytes());
    context.output.report("machine", &line, || texts::RENEWED.with("path", shown))?;
    Ok(Ended::done())
}
