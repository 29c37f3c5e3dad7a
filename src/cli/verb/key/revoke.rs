//! `key revoke`: a machine whose keyset was lost.

use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::rotation as texts;
use crate::cli::language::text::Text;
use crate::format::machine::MachineState;
use crate::format::machine::Suspicion;
use crate::ids::MachineId;
use crate::path::escape;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Machine;
use crate::repository::keys::machine::revoke;
use crate::repository::keys::machine::revoke::Loss;
use crate::units::Timestamp;
use crate::vault::chains::Copies;
use crate::vault::chains::Scope;

#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Name of the machine, or the first digits of its id.
    #[arg(value_name = "MACHINE")]
    pub machine: String,
    /// When its keyset was lost, by the storage's clock, such as `2026-11-20` or
    /// `2026-11-20T08:30:00+07:00`; now if not given.
    #[arg(long, value_name = "TIME", conflicts_with = "undo")]
    pub since: Option<String>,
    /// Trust the machine again, and all that it made.
    #[arg(long)]
    pub undo: bool,
    /// Say what would be done; write nothing at all.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

#[derive(Serialize)]
struct Line {
    machine_id: String,
    machine: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspect_since: Option<String>,
    suspect_count: u64,
}

pub fn run(context: &Context, args: &RevokeArgs) -> Result<Ended, Failure> {
    let since = args.since.as_deref().map(time).transpose()?;
    let keys = opened::keys(context)?;
    let storage = keys.repository.vault().storage();
    let all = machine::list(&context.unwatched().run, storage, &keys.unlocked.keyset)?;
    let machine = named(&all, &args.machine)?;
    let is_revoked = machine.record.state == MachineState::Revoked;
    if args.undo {
        return match is_revoked {
            false => said(context, (texts::NOT_REVOKED, machine), None),
            true => change(context, (&keys, machine), args, None),
        };
    }
    // What came since the first word of it must not become trusted by a second one.
    if is_revoked && since.is_none() {
        return said(context, (texts::ALREADY_REVOKED, machine), machine.record.suspicion.as_ref());
    }
    let loss = Loss { machine: machine.record.machine, since };
    let vault = keys.repository.vault();
    let suspicion = revoke::suspicion(&context.run, vault, &keys.signers, loss)?;
    change(context, (&keys, machine), args, Some(suspicion))
}

fn change(
    context: &Context,
    (keys, machine): (&Keys, &Machine),
    args: &RevokeArgs,
    suspicion: Option<Suspicion>,
) -> Result<Ended, Failure> {
    let suspects = match &suspicion {
        Some(suspicion) => suspects_by(context, keys, (machine.record.machine, suspicion))?,
        None => 0,
    };
    let line = line(machine, suspicion.as_ref(), suspects);
    let is_loss = suspicion.is_some();
    let told = |text: Text| {
        text.with("name", escape(machine.label.as_bytes()))
            .with("id", machine.record.machine.short())
            .with("suspect", suspects)
    };
    if args.dry_run {
        let text = if is_loss { texts::WOULD_REVOKE } else { texts::WOULD_TRUST };
        context.output.plan("machine", &line, || told(text))?;
        return Ok(Ended::done());
    }
    let storage = keys.repository.vault().storage();
    let keyset = &keys.unlocked.keyset;
    revoke::record(&context.run, storage, keyset, (machine, suspicion))?;
    let text = if is_loss { texts::MACHINE_REVOKED } else { texts::MACHINE_TRUSTED };
    context.output.report("machine", &line, || told(text))?;
    if is_loss {
        context.output.note(texts::ROTATE_NEXT);
    }
    Ok(Ended::done())
}

/// Nothing to change: it is said, and that is all.
fn said(
    context: &Context,
    (text, machine): (Text, &Machine),
    suspicion: Option<&Suspicion>,
) -> Result<Ended, Failure> {
    let line = line(machine, suspicion, 0);
    let name = escape(machine.label.as_bytes());
    context.output.report("machine", &line, || {
        let said = text.with("name", name).with("id", machine.record.machine.short());
        match suspicion {
            Some(suspicion) => said.with("since", suspicion.since),
            None => said,
        }
    })?;
    Ok(Ended::done())
}

fn line(machine: &Machine, suspicion: Option<&Suspicion>, suspect_count: u64) -> Line {
    Line {
        machine_id: machine.record.machine.to_string(),
        machine: machine.label.clone(),
        state: if suspicion.is_some() { "revoked" } else { "active" },
        suspect_since: suspicion.map(|suspicion| suspicion.since.to_rfc3339()),
        suspect_count,
    }
}

/// How many snapshots are suspect by it.
fn suspects_by(
    context: &Context,
    keys: &Keys,
    (machine, suspicion): (MachineId, &Suspicion),
) -> Result<u64, Failure> {
    let vault = keys.repository.vault();
    let quiet = context.unwatched();
    let found = vault.manifests(&quiet.run, Scope::All, Copies::First, &keys.signers)?;
    let signers = keys.signers.clone().suspecting(machine, suspicion.clone());
    let suspects = signers.suspects(&found);
    let own = found.manifests.iter().filter(|it| it.place.chain.machine == machine);
    Ok(own.filter(|it| suspects.contains_key(&it.place.id)).count() as u64)
}

fn named<'a>(all: &'a [Machine], name: &str) -> Result<&'a Machine, Failure> {
    let by_name: Vec<&Machine> = all.iter().filter(|machine| machine.label == name).collect();
    let by_id = || {
        let has = |it: &&Machine| it.record.machine.to_string().starts_with(name);
        all.iter().filter(has).collect::<Vec<_>>()
    };
    let found = if by_name.is_empty() && !name.is_empty() { by_id() } else { by_name };
    let shown = escape(name.as_bytes());
    match found[..] {
        [machine] => Ok(machine),
        [] => {
            Err(Failure::new(Exit::Failed, texts::NO_MACHINE.with("name", shown), texts::GIVE_ID))
        }
        _ => Err(Failure::usage(texts::SEVERAL_MACHINES.with("name", shown), texts::GIVE_ID)),
    }
}

/// A time with its zone, or a day or time of the system's zone.
fn time(text: &str) -> Result<Timestamp, Failure> {
    let exact = text.parse::<jiff::Timestamp>().ok();
    let local = || {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(civil.to_zoned_datetime(TimeZone::system()).ok()?.timestamp())
    };
    let found = exact.or_else(local).map(|at| Timestamp::from_unix_ms(at.as_millisecond()));
    found.ok_or_else(|| {
        let message = texts::BAD_TIME.with("text", escape(text.as_bytes()));
        Failure::usage(message, texts::GIVE_TIME)
    })
}
