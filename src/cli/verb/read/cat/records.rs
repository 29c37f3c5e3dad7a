//! Small records: configuration, slots, recipients, manifests.

use serde_json::Value;
use serde_json::json;

use crate::cli::choose::opened;
use crate::cli::choose::opened::Keys;
use crate::cli::choose::select::Place;
use crate::cli::choose::snapshot;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::language::table::stats as texts;
use crate::cli::open;
use crate::cli::output::names::base64;
use crate::crypto::blind;
use crate::crypto::sign::VerifyingKey;
use crate::format::manifest::SealedPart;
use crate::format::manifest::SignedManifest;
use crate::format::recipients::AdminEntry;
use crate::format::recipients::RecipientEntry;
use crate::format::slot::SlotKind;
use crate::format::slot::SlotRecord;
use crate::format::wire::FormatError;
use crate::ids::SnapshotId;
use crate::path::escape;
use crate::repository::error::RepositoryError;
use crate::repository::keys::error::KeysError;
use crate::repository::keys::publish;
use crate::repository::keys::slots as kept_slots;
use crate::repository::manifest as manifests;
use crate::repository::notes::open_note;
use crate::vault::chains::Copies;
use crate::vault::chains::Verifier;
use crate::vault::names::Chain;
use crate::vault::names::Place as ChainPlace;

use super::SnapshotArgs;
use super::hex;
use super::show;

pub(super) fn config(context: &Context) -> Result<(), Failure> {
    let config = publish::load_config(&context.run, &open::storage(context)?)?;
    let sizes = config.parameters;
    let record = json!({
        "repository_id": config.repository.to_string(),
        "format_version": config.format_version,
        "suite": config.suite,
        "created": config.created.to_rfc3339(),
        "root_public_hex": hex(&config.root),
        "parameters": {
            "small_file_bytes": sizes.small_file_bytes,
            "bundle_bytes": sizes.bundle_bytes,
            "chunk_bytes_min": sizes.chunk_bytes_min,
            "chunk_bytes_avg": sizes.chunk_bytes_avg,
            "chunk_bytes_max": sizes.chunk_bytes_max,
            "node_bytes_min": sizes.node_bytes_min,
            "node_bytes_avg": sizes.node_bytes_avg,
            "node_bytes_max": sizes.node_bytes_max,
            "pack_bytes": sizes.pack_bytes,
        },
    });
    show(context, "config", &record)
}

pub(super) fn slots(context: &Context) -> Result<(), Failure> {
    let storage = open::storage(context)?;
    let config = publish::load_config(&context.run, &storage)?;
    for slot in kept_slots::load_all(&context.run, &storage, config.repository)? {
        show(context, "slot", &slot_record(&slot))?;
    }
    Ok(())
}

fn slot_record(slot: &SlotRecord) -> Value {
    let kind = match slot.public.kind {
        SlotKind::Passphrase { memory_kib, passes, lanes, .. } => json!({
            "name": "passphrase",
            "argon2id": { "memory_kib": memory_kib, "passes": passes, "lanes": lanes },
        }),
        SlotKind::KeyFile { .. } => json!({ "name": "key_file" }),
    };
    json!({
        "id": slot.public.slot.to_string(),
        "repository_id": slot.public.repository.to_string(),
        "created": slot.public.created.to_rfc3339(),
        "label": escape(slot.public.label.as_bytes()),
        "kind": kind,
        "sealed_bytes": slot.sealed.len(),
    })
}

pub(super) fn recipients(context: &Context) -> Result<(), Failure> {
    let storage = open::storage(context)?;
    let config = publish::load_config(&context.run, &storage)?;
    let root = VerifyingKey::from_bytes(&config.root).map_err(KeysError::from)?;
    let list = publish::load_recipients(&context.run, &storage, (config.repository, &root))?;
    let recipient = |entry: &RecipientEntry| {
        json!({
            "role": format!("{:?}", entry.role).to_ascii_lowercase(),
            "suite": entry.suite,
            "public_hex": hex(&entry.public),
        })
    };
    let admin = |entry: &AdminEntry| {
        json!({
            "name": escape(entry.name.as_bytes()),
            "public_hex": hex(&entry.public),
        })
    };
    let record = json!({
        "repository_id": list.repository.to_string(),
        "version": list.version,
        "created": list.created.to_rfc3339(),
        "recipients": list.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "administrators": list.admins.iter().map(admin).collect::<Vec<_>>(),
    });
    show(context, "recipients", &record)
}

/// The manifest that is meant, and the keys that were needed to find it.
fn chosen(context: &Context, args: &SnapshotArgs) -> Result<(Keys, SignedManifest), Failure> {
    let place = Place::parse(&args.snapshot)?;
    if !place.path.is_root() {
        return Err(Failure::usage(texts::NO_PATH, texts::LEAVE_PATH));
    }
    let keys = opened::keys(context)?;
    let snapshots = opened::list(context, &keys)?;
    let chosen = snapshot::choose(&snapshots, &place.snapshot, &args.filter)?;
    let manifest = keys.repository.vault().read_manifest(&context.run, &chosen.id)?;
    Ok((keys, manifest))
}

pub(super) fn manifest(context: &Context, args: &SnapshotArgs) -> Result<(), Failure> {
    let (_, manifest) = chosen(context, args)?;
    let sealed = SealedPart::decode(manifest.sealed());
    let sealed = sealed.map_err(|error: FormatError| RepositoryError::from(error))?;
    let public = &manifest.public;
    let envelopes = sealed.envelopes.iter().map(|(recipient, envelope)| {
        json!({ "recipient": recipient.to_string(), "envelope_bytes": envelope.len() })
    });
    let record = json!({
        "id": hex(&blind::hash(manifest.as_bytes())),
        "bytes": manifest.as_bytes().len(),
        "public": {
            "repository_id": public.repository.to_string(),
            "machine_id": public.machine.to_string(),
            "dataset_id": public.source.to_string(),
            "seq": public.seq,
            "prev_id": public.prev.map(|prev| prev.to_string()),
            "session_id": public.session.to_string(),
            "time": public.time.to_rfc3339(),
            "root_sid": public.root.to_string(),
            "capsule_sids": public.capsules.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "raw_bytes_padded": public.raw_bytes_padded,
            "entries_padded_count": public.entries_padded,
            "domain_id": public.domain.to_string(),
            "domain_generation": public.domain_generation,
            "chunker": public.chunker,
            "recipients": public.recipients.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "signer": public.signer.to_string(),
        },
        "sealed": {
            "envelopes": envelopes.collect::<Vec<_>>(),
            "content_bytes": sealed.content.len(),
        },
        "signature_hex": hex(manifest.signature()),
    });
    show(context, "manifest", &record)
}

pub(super) fn snapshot(context: &Context, args: &SnapshotArgs) -> Result<(), Failure> {
    let (keys, manifest) = chosen(context, args)?;
    let info = manifests::open_manifest(&keys.unlocked.keyset, &manifest)?;
    let root = info.root();
    let counts = info.counts;
    let text = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap_or_else(|_| escape(path));
    let record = json!({
        "id": hex(&blind::hash(manifest.as_bytes())),
        "root_sid": root.sid.to_string(),
        "root_raw_bytes": root.raw_len,
        "host": info.host,
        "paths": info.paths.iter().map(|path| text(path)).collect::<Vec<_>>(),
        "paths_b64": info.paths.iter().map(|path| base64(path)).collect::<Vec<_>>(),
        "tags": info.tags,
        "platform": info.platform,
        "program": info.program,
        "started": info.started.to_rfc3339(),
        "finished": info.finished.to_rfc3339(),
        "excludes": info.excludes,
        "counts": {
            "entries_count": counts.entries,
            "files_count": counts.files,
            "content_bytes": counts.content_bytes,
            "files_new_count": counts.files_new,
            "files_changed_count": counts.files_changed,
            "files_unchanged_count": counts.files_unchanged,
            "problems_count": counts.problems,
            "flagged_count": counts.flagged,
            "stored_bytes": counts.stored_bytes,
        },
    });
    show(context, "snapshot", &record)
}

pub(super) fn notes(context: &Context, args: &SnapshotArgs) -> Result<(), Failure> {
    let (keys, manifest) = chosen(context, args)?;
    let opened = manifests::open_with_key(&keys.unlocked.keyset, &manifest)?;
    let id = SnapshotId::new(blind::hash(manifest.as_bytes()));
    let public = &manifest.public;
    let chain = Chain { machine: public.machine, source: public.source };
    let place = ChainPlace { chain, seq: public.seq, id };
    let asked: (_, &dyn Verifier) = (Copies::First, &keys.signers);
    // What is wrong with notes was told when the snapshots were listed.
    let found = keys.repository.vault().notes(&context.run.unwatched(), Some(&place), asked)?;
    for stored in &found.notes {
        let Ok(words) = open_note(&opened.snapshot_key, &stored.note) else { continue };
        let public = &stored.note.public;
        let record = json!({
            "id": stored.place.id.to_string(),
            "snapshot_id": id.to_string(),
            "number": public.number,
            "prev_id": public.prev.map(|prev| prev.to_string()),
            "time": public.time.to_rfc3339(),
            "signer": public.signer.to_string(),
            "added": words.added,
            "removed": words.removed,
            "comment": words.comment,
        });
        show(context, "note", &record)?;
    }
    Ok(())
}
