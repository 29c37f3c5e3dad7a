//! The small records: each copy read, decoded, and its signature verified.

use std::collections::BTreeMap;

use crate::crypto::blind;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format;
use crate::format::condemned::CONDEMNED_BYTES_MAX;
use crate::format::config::ConfigRecord;
use crate::format::keyring::KeyringRecord;
use crate::format::machine::CustodyRecord;
use crate::format::machine::MACHINES;
use crate::format::machine::MachineRecord;
use crate::format::manifest::SignedManifest;
use crate::format::note::SignedNote;
use crate::format::recipients::RecipientsRecord;
use crate::format::record::RECORD_BYTES_MAX;
use crate::format::record::Signed;
use crate::format::session;
use crate::format::session::SESSION_BYTES_MAX;
use crate::format::session::SESSION_KIND;
use crate::format::session::SessionRecord;
use crate::format::slot::SLOTS;
use crate::format::slot::SlotRecord;
use crate::format::tombstone::SignedTombstone;
use crate::ids::MachineId;
use crate::ids::RepositoryId;
use crate::ids::SessionId;
use crate::storage::BlobName;
use crate::storage::together;
use crate::vault::chains::Verifier;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::gc::condemned;
use crate::vault::load::whole_or_error;
use crate::vault::notes;
use crate::vault::records;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::census::Group;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::Part;
use crate::vault::scrub::report::Trouble;

/// Who may sign what, as the records say that were found good.
#[derive(Debug, Default)]
pub(super) struct Signers {
    /// By machine: version of its newest record, and its key.
    machines: BTreeMap<MachineId, (u32, VerifyingKey)>,
    admins: Vec<VerifyingKey>,
}

impl Verifier for Signers {
    fn manifest(&self, manifest: &SignedManifest) -> Result<(), String> {
        let machine = &manifest.public.machine;
        let known = self.machines.get(machine);
        let (_, key) = known.ok_or_else(|| format!("machine {machine} is not enrolled"))?;
        let verified = key.verify(Purpose::Manifest, manifest.signed_part(), manifest.signature());
        let good = key.key_id() == manifest.public.signer && verified.is_ok();
        good.then_some(()).ok_or_else(|| format!("it is not signed by machine {machine}"))
    }

    fn tombstone(&self, signed: &SignedTombstone) -> Result<(), String> {
        let unsigned = signed.tombstone.unsigned();
        let good = |admin: &VerifyingKey| {
            admin.verify(Purpose::Tombstone, &unsigned, &signed.signature).is_ok()
        };
        let signed = self.admins.iter().any(good);
        signed.then_some(()).ok_or_else(|| "it is not signed by an administrator".to_owned())
    }

    fn note(&self, note: &SignedNote) -> Result<(), String> {
        notes::signed_by(note, &self.admins)
    }
}

/// A record that is good.
enum Found {
    Own(Told),
    /// Of another repository: an `init` that did not finish.
    Leftover,
}

/// What a record tells about who may sign.
enum Told {
    Nothing,
    Recipients(u32, Vec<VerifyingKey>),
    Machine(MachineId, u32, Box<VerifyingKey>),
}

impl Scrub<'_> {
    pub(super) fn look_at_records(&mut self) -> Result<(), VaultError> {
        self.signers.admins = self.trust.admins.clone();
        let groups = std::mem::take(&mut self.census.groups);
        // Recipients lists say who may sign the rest.
        let is_list = |group: &Group| group.kind == Kind::Recipients;
        let lists = groups.iter().filter(|(_, group)| is_list(group));
        let others = groups.iter().filter(|(_, group)| !is_list(group));
        let all: Vec<_> = lists.chain(others).collect();
        let read = together::each(&*self.storage, &all, |(_, group)| {
            self.run.check()?;
            together::each(&*self.storage, &group.copies, |name| {
                let read = self.storage.read(name, RECORD_BYTES_MAX as u64);
                whole_or_error(read, RECORD_BYTES_MAX as u64)
            })
        })?;
        let mut newest = 0;
        for ((stem, group), copies) in all.into_iter().zip(read) {
            match self.look_at_record((stem, group), copies) {
                Some(Told::Recipients(version, admins)) => {
                    newest = newest.max(version);
                    self.signers.admins.extend(admins);
                }
                Some(Told::Machine(machine, version, key)) => {
                    let known = self.signers.machines.entry(machine).or_insert((version, *key));
                    if known.0 < version {
                        *known = (version, *key);
                    }
                }
                Some(Told::Nothing) | None => {}
            }
        }
        let pinned = self.trust.recipients_version_min;
        if newest < pinned {
            let message = format!(
                "the newest recipients list has version {newest}, this machine knows version \
                 {pinned}: the storage was set back, or a list was removed"
            );
            let subject = "recipients/".to_owned();
            self.report.troubles.insert(Trouble { subject, class: Class::Lost, message });
        }
        Ok(())
    }

    /// Looks at every copy; what the first good one tells.
    fn look_at_record(
        &mut self,
        (stem, group): (&str, &Group),
        copies: Vec<Result<Vec<u8>, Fault>>,
    ) -> Option<Told> {
        let mut told = None;
        let mut good: Option<Vec<u8>> = None;
        let mut bad = Vec::new();
        for (name, copy) in group.copies.iter().zip(copies) {
            let bytes = match copy {
                Ok(bytes) => bytes,
                Err(Fault::Missing) => {
                    bad.push((name, None));
                    continue;
                }
                Err(fault) => {
                    bad.push((name, Some(fault.to_string())));
                    continue;
                }
            };
            match self.judge((group.kind, stem), &bytes) {
                Ok(Found::Leftover) => {
                    let names = group.copies.iter().map(ToString::to_string);
                    self.report.leftover_records.extend(names);
                    return None;
                }
                Ok(Found::Own(_)) if good.as_ref().is_some_and(|good| *good != bytes) => {
                    bad.push((name, Some("it differs from the copy before it".to_owned())));
                }
                Ok(Found::Own(what)) => {
                    told = told.or(Some(what));
                    good = Some(bytes);
                }
                Err(why) => bad.push((name, Some(why))),
            }
        }
        let class = if good.is_some() { Class::Healable } else { Class::Lost };
        // Listed a moment ago and gone in every copy: somebody removes it just now.
        if good.is_none() && bad.iter().all(|(_, why)| why.is_none()) {
            return None;
        }
        for (name, why) in bad {
            match why {
                Some(why) => self.bad(name.as_str(), (group.kind, Part::Whole), class, why),
                None => self.missing(name, group.kind, class, "this copy is missing"),
            }
        }
        told
    }

    fn judge(&self, (kind, stem): (Kind, &str), bytes: &[u8]) -> Result<Found, String> {
        let admins = || {
            let mut keys = self.signers.admins.clone();
            keys.push(self.trust.root);
            keys
        };
        let root = std::slice::from_ref(&self.trust.root);
        match kind {
            Kind::Config => {
                let (record, signed) = decode(records::signed::<ConfigRecord>(bytes))?;
                let own_root = VerifyingKey::from_bytes(&record.root).map_err(|e| e.to_string())?;
                verify(&signed, Purpose::Config, &[own_root])?;
                if record.repository != self.trust.repository || own_root != self.trust.root {
                    return Err("it is the config of another repository".to_owned());
                }
                Ok(Found::Own(Told::Nothing))
            }
            Kind::Recipients => {
                let (record, signed) = decode(records::signed::<RecipientsRecord>(bytes))?;
                if self.is_foreign(record.repository) {
                    return Ok(Found::Leftover);
                }
                verify(&signed, Purpose::Recipients, root)?;
                named(stem, &numbered(stem, record.version.into(), bytes))?;
                let keys =
                    record.admins.iter().map(|admin| VerifyingKey::from_bytes(&admin.public));
                let keys = keys.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
                Ok(Found::Own(Told::Recipients(record.version, keys)))
            }
            Kind::Keyring => {
                let (record, signed) = decode(records::signed::<KeyringRecord>(bytes))?;
                if self.is_foreign(record.repository) {
                    return Ok(Found::Leftover);
                }
                verify(&signed, Purpose::Keyring, &admins())?;
                named(stem, &numbered(stem, record.generation.into(), bytes))?;
                Ok(Found::Own(Told::Nothing))
            }
            Kind::Custody => {
                let (record, signed) = decode(records::signed::<CustodyRecord>(bytes))?;
                if self.is_foreign(record.repository) {
                    return Ok(Found::Leftover);
                }
                verify(&signed, Purpose::Custody, &admins())?;
                named(stem, &numbered(stem, record.checked.unix_ms, bytes))?;
                Ok(Found::Own(Told::Nothing))
            }
            Kind::Machine => self.judge_machine(stem, bytes, &admins()),
            _ => self.judge_slot(stem, bytes),
        }
    }

    fn judge_machine(
        &self,
        stem: &str,
        bytes: &[u8],
        admins: &[VerifyingKey],
    ) -> Result<Found, String> {
        let (record, signed) = decode(records::signed::<MachineRecord>(bytes))?;
        if self.is_foreign(record.repository) {
            return Ok(Found::Leftover);
        }
        verify(&signed, Purpose::Machine, admins)?;
        named(stem, &format!("{MACHINES}{}/{}", record.machine, record.version))?;
        let key = VerifyingKey::from_bytes(&record.signing).map_err(|error| error.to_string())?;
        Ok(Found::Own(Told::Machine(record.machine, record.version, Box::new(key))))
    }

    /// A slot has no signature: its checksum is all there is without its secret.
    fn judge_slot(&self, stem: &str, bytes: &[u8]) -> Result<Found, String> {
        let record = decode(records::plain::<SlotRecord>(bytes))?;
        if self.is_foreign(record.public.repository) {
            return Ok(Found::Leftover);
        }
        named(stem, &format!("{SLOTS}{}", record.public.slot))?;
        Ok(Found::Own(Told::Nothing))
    }

    fn is_foreign(&self, repository: RepositoryId) -> bool {
        repository != self.trust.repository
    }

    /// Session records protect what a backup at work relies on; a bad one loses nothing.
    pub(super) fn look_at_sessions(&mut self) -> Result<(), VaultError> {
        for (id, name) in std::mem::take(&mut self.census.sessions) {
            self.run.check()?;
            self.report.sessions_count += 1;
            let read = self.storage.read(&name, SESSION_BYTES_MAX);
            let fault = match whole_or_error(read, SESSION_BYTES_MAX)? {
                Ok(file) => self.session_fault(&id, &file),
                // Renewed or closed since the listing.
                Err(Fault::Missing) => None,
                Err(fault) => Some(fault),
            };
            if let Some(fault) = fault {
                let what = (Kind::Session, Part::Whole);
                self.bad(name.as_str(), what, Class::Healable, fault.to_string());
            }
        }
        Ok(())
    }

    /// Records of what is about to go: a bad one only keeps it from going.
    pub(super) fn look_at_condemned(&mut self) -> Result<(), VaultError> {
        for (id, name) in std::mem::take(&mut self.census.condemned) {
            self.run.check()?;
            let read = self.storage.read(&name, CONDEMNED_BYTES_MAX);
            let fault = match whole_or_error(read, CONDEMNED_BYTES_MAX)? {
                Ok(file) => {
                    let opened = self.vault.map(|vault| {
                        condemned::open(&vault.inner, &id, &file).map(|record| record.packs)
                    });
                    match opened {
                        Some(Ok(packs)) => {
                            self.condemned.extend(packs);
                            None
                        }
                        Some(Err(fault)) => Some(fault),
                        None => format::condemned::split(&file).err().map(Fault::from),
                    }
                }
                // Removed since the listing, with what it named.
                Err(Fault::Missing) => None,
                Err(fault) => Some(fault),
            };
            if let Some(fault) = fault {
                let what = (Kind::Condemned, Part::Whole);
                self.bad(name.as_str(), what, Class::Healable, fault.to_string());
            }
        }
        Ok(())
    }

    fn session_fault(&self, id: &SessionId, file: &[u8]) -> Option<Fault> {
        let look = || -> Result<(), Fault> {
            let (generation, sealed) = session::split(file)?;
            let Some(vault) = self.vault else { return Ok(()) };
            let keys = vault.keys();
            let (repository, name) = (keys.repository(), id.as_bytes());
            let place = blind::Place { kind: SESSION_KIND, repository, name };
            let body = blind::open_box(keys.get(generation)?, place, sealed)?;
            let record = SessionRecord::decode(&body)?;
            if record.session == *id { Ok(()) } else { Err(Fault::Misplaced { field: "session" }) }
        };
        look().err()
    }
}

fn decode<T>(decoded: Result<T, crate::format::record::RecordError>) -> Result<T, String> {
    decoded.map_err(|error| error.to_string())
}

fn verify(signed: &Signed, purpose: Purpose, keys: &[VerifyingKey]) -> Result<(), String> {
    let key = keys.iter().find(|key| key.key_id() == signed.signer);
    let key =
        key.ok_or_else(|| format!("it is signed by {}, who has no right to", signed.signer))?;
    let verified = key.verify(purpose, &signed.payload, &signed.signature);
    verified.map_err(|error| error.to_string())
}

/// A record lies under the name that its content asks for.
fn named(stem: &str, expected: &str) -> Result<(), String> {
    let fits = stem == expected;
    fits.then_some(()).ok_or_else(|| format!("it belongs under the name `{expected}`"))
}

/// `<folder><number>-<first 16 digits of its hash>`, in the folder of `stem`.
fn numbered(stem: &str, number: i64, bytes: &[u8]) -> String {
    let folder = stem.split_once('/').map_or("", |(folder, _)| folder);
    let mut name = format!("{folder}/{number}-");
    let hash = blind::hash(bytes);
    crate::ids::push_hex(&mut name, hash.get(..8).unwrap_or_default());
    name
}

/// A blob of that name is what it was asked for.
pub(super) fn is_pack_name(name: &BlobName) -> bool {
    crate::vault::names::parse_pack(name).is_some()
}
