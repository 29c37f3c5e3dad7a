//! `key list`: passphrases and key files, generations of keys, machines.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;
use crate::cli::language::table::keeping::rotation;
use crate::cli::language::table::keys;
use crate::cli::language::table::read;
use crate::cli::language::text::Text;
use crate::cli::language::value::Value;
use crate::cli::open;
use crate::cli::output::table;
use crate::cli::output::table::Align;
use crate::format::machine::Suspicion;
use crate::format::slot::SlotKind;
use crate::format::slot::SlotPublic;
use crate::ids::SlotId;
use crate::path::escape;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Machine;
use crate::repository::keys::rotate;
use crate::repository::keys::rotate::Generations;
use crate::repository::keys::slots;

#[derive(Serialize)]
struct SlotLine {
    id: String,
    kind: &'static str,
    label: String,
    created: String,
    is_current: bool,
}

#[derive(Serialize)]
struct GenerationsLine {
    keyring_generation: u32,
    store_generation: u32,
    domain_id: String,
    domain_generation: u32,
    recipients_version: u32,
    replaced_restore_keys_count: u64,
}

#[derive(Serialize)]
struct MachineLine {
    machine_id: String,
    machine: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspect_since: Option<String>,
}

pub fn list(context: &Context) -> Result<Ended, Failure> {
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    let all = slots::list(&context.run, &storage, unlocked.config.repository)?;
    let generations = rotate::generations(&context.run, &storage, &unlocked.keyset)?;
    let machines = machine::list(&context.unwatched().run, &storage, &unlocked.keyset)?;
    if context.output.is_json() {
        for slot in &all {
            context.output.json("result", Some("slot"), &line(slot, unlocked.slot))?;
        }
        context.output.json("result", Some("generations"), &generations_line(&generations))?;
        for machine in &machines {
            context.output.json("result", Some("machine"), &machine_line(machine))?;
        }
        return Ok(Ended::done());
    }
    let parts = [
        slots_text(context, &all, unlocked.slot),
        generations_text(context, &generations),
        machines_text(context, &machines),
    ];
    context.output.raw(format!("{}\n", parts.join("\n\n")).as_bytes())?;
    Ok(Ended::done())
}

fn titles<const N: usize>(context: &Context, titles: [Text; N]) -> [(&'static str, Align); N] {
    titles.map(|title| (title.words(context.output.language()), Align::Left))
}

fn slots_text(context: &Context, all: &[SlotPublic], current: SlotId) -> String {
    let language = context.output.language();
    let columns = titles(context, [read::ID, keys::OPENS_WITH, keys::MADE_AT, keys::LABEL]);
    let row = |slot: &SlotPublic| {
        let label = escape(slot.label.as_bytes());
        let label = match slot.slot == current {
            true => keys::USED_NOW.with("label", label).told_in(language).trim().to_owned(),
            false => label,
        };
        let kind = match slot.kind {
            SlotKind::Passphrase { .. } => keys::PASSPHRASE,
            SlotKind::KeyFile { .. } => keys::KEY_FILE,
        };
        let created = Value::from(slot.created).told_in(language);
        vec![slot.slot.short(), kind.words(language).to_owned(), created, label]
    };
    table::render(&columns, &all.iter().map(row).collect::<Vec<_>>())
}

fn generations_text(context: &Context, generations: &Generations) -> String {
    let language = context.output.language();
    let columns = titles(context, [rotation::WHAT, rotation::GENERATION]);
    let rows = [
        (rotation::STORE_KEY, generations.store),
        (rotation::DOMAIN, generations.domain.1),
        (rotation::KEYRING, generations.keyring),
        (rotation::RECIPIENTS, generations.recipients),
    ];
    let row = |(what, number): (Text, u32)| {
        vec![what.words(language).to_owned(), Value::from(u64::from(number)).told_in(language)]
    };
    table::render(&columns, &rows.map(row))
}

fn machines_text(context: &Context, machines: &[Machine]) -> String {
    let language = context.output.language();
    let columns = titles(context, [read::ID, rotation::MACHINE, rotation::STATE]);
    let row = |machine: &Machine| {
        let state = match &machine.record.suspicion {
            None => rotation::ACTIVE.words(language).to_owned(),
            Some(suspicion) => rotation::REVOKED.with("since", suspicion.since).told_in(language),
        };
        vec![machine.record.machine.short(), escape(machine.label.as_bytes()), state]
    };
    table::render(&columns, &machines.iter().map(row).collect::<Vec<_>>())
}

fn line(slot: &SlotPublic, current: SlotId) -> SlotLine {
    SlotLine {
        id: slot.slot.to_string(),
        kind: match slot.kind {
            SlotKind::Passphrase { .. } => "passphrase",
            SlotKind::KeyFile { .. } => "key file",
        },
        label: slot.label.clone(),
        created: slot.created.to_rfc3339(),
        is_current: slot.slot == current,
    }
}

fn generations_line(generations: &Generations) -> GenerationsLine {
    let (domain, domain_generation) = generations.domain;
    GenerationsLine {
        keyring_generation: generations.keyring,
        store_generation: generations.store,
        domain_id: domain.to_string(),
        domain_generation,
        recipients_version: generations.recipients,
        replaced_restore_keys_count: generations.replaced_count,
    }
}

fn machine_line(machine: &Machine) -> MachineLine {
    let suspicion: Option<&Suspicion> = machine.record.suspicion.as_ref();
    MachineLine {
        machine_id: machine.record.machine.to_string(),
        machine: machine.label.clone(),
        state: if suspicion.is_some() { "revoked" } else { "active" },
        suspect_since: suspicion.map(|suspicion| suspicion.since.to_rfc3339()),
    }
}
