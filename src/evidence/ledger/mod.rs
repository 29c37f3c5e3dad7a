//! The ledger in a storage: read, checked, and added to.
//!
//! An entry takes the next number by creating its blob: of two writers one finds the number taken,
//! reads what stands there and numbers its own anew. A document is durable before its entry, so a
//! crash between the two leaves a document that nothing names.

mod append;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use crate::crypto::sealed::hpke::KemPublic;
use crate::crypto::sealed::hpke::KemSecret;
use crate::crypto::sign::SigningKey;
use crate::evidence::canonical;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::chain::Break;
use crate::evidence::chain::Chain;
use crate::evidence::chain::Taken;
use crate::evidence::checkpoint;
use crate::evidence::checkpoint::CHECKPOINT_BYTES_MAX;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::checkpoint::SignedCheckpoint;
use crate::evidence::document;
use crate::evidence::document::STORED_BYTES_MAX;
use crate::evidence::drill;
use crate::evidence::drill::DrillState;
use crate::evidence::drill::Step;
use crate::evidence::entry::ENTRY_BYTES_MAX;
use crate::evidence::entry::Entry;
use crate::evidence::entry::EntryError;
use crate::evidence::entry::Kind;
use crate::evidence::error::EvidenceError;
use crate::evidence::keys::Keyring;
use crate::evidence::keys::Right;
use crate::evidence::signed::SIGNED_OVERHEAD_BYTES;
use crate::evidence::signed::Signed;
use crate::evidence::tree::sha256;
use crate::format::ledger::LEDGER_CHECKPOINTS;
use crate::format::ledger::LEDGER_ENTRIES;
use crate::format::ledger::LedgerName;
use crate::ids::LedgerHash;
use crate::ids::RepositoryId;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;

const ENTRY_BLOB_BYTES_MAX: u64 = (ENTRY_BYTES_MAX + SIGNED_OVERHEAD_BYTES) as u64;

/// Whose ledger it is, and what of it can be read.
#[derive(Debug, Clone)]
pub struct Access {
    pub repository: RepositoryId,
    /// Whom documents are sealed to: restore, recovery and drill key.
    pub recipients: Vec<KemPublic>,
    /// What opens documents; without any, entries can be added but documents not read.
    pub secrets: Vec<KemSecret>,
    /// The offset that times are told in.
    pub offset_minutes: i16,
}

/// A holder and the key.
#[derive(Debug, Clone)]
pub struct Signer {
    pub holder: String,
    pub key: SigningKey,
}

/// What is to be added.
#[derive(Debug, Clone)]
pub struct Draft {
    pub kind: Kind,
    /// A drill, a dataset or a holder.
    pub subject: String,
    /// With its `schema`; `author` and `salt` are filled in.
    pub document: Value,
    /// How far the clock is off, if somebody knows.
    pub ntp_offset_ms: Option<i64>,
}

impl Draft {
    #[must_use]
    pub fn new(kind: Kind, subject: &str, document: Value) -> Self {
        Self { kind, subject: subject.to_owned(), document, ntp_offset_ms: None }
    }
}

/// Where an entry stands; it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    pub seq: u64,
    /// SHA-256 of the entry.
    pub hash: LedgerHash,
    /// SHA-256 of its document: what sign-offs and closing records name.
    pub document: LedgerHash,
}

/// An entry that was read and checked.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    pub entry: Entry,
    pub hash: LedgerHash,
    pub file: Signed,
}

/// The newest checkpoint, which is none any more: no signature of this ledger holds for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged {
    /// Of how many entries it was.
    pub size: u64,
    /// SHA-256 of what is there now.
    pub hash: LedgerHash,
}

/// Subject of the entry that says of a checkpoint that it is damaged, and fields of its document.
pub const CHECKPOINT: &str = "checkpoint";
pub const MENDED_SIZE: &str = "size";
pub const MENDED_HASH: &str = "found_sha256";

/// A ledger of one repository.
#[derive(Debug)]
pub struct Ledger {
    pub(in crate::evidence) storage: Arc<dyn Storage>,
    access: Access,
    chain: Chain,
    entries: Vec<StoredEntry>,
    /// What was read last does not verify.
    broken: Option<(u64, Break)>,
}

impl Ledger {
    /// Reads every entry and checks number, link, time and signature.
    ///
    /// # Errors
    /// When the storage fails, or when an entry does not verify.
    pub fn open(
        run: &Run,
        storage: Arc<dyn Storage>,
        access: Access,
    ) -> Result<Self, EvidenceError> {
        match Self::open_to_mend(run, storage, access)? {
            (ledger, None) => Ok(ledger),
            (_, Some(Damaged { size, .. })) => Err(EvidenceError::CheckpointDamaged { size }),
        }
    }

    /// The same for whoever mends the newest checkpoint: one that is damaged is told, and no error.
    ///
    /// # Errors
    /// As [`Self::open`], also where that checkpoint holds by its signature and is of other
    /// entries.
    pub fn open_to_mend(
        run: &Run,
        storage: Arc<dyn Storage>,
        access: Access,
    ) -> Result<(Self, Option<Damaged>), EvidenceError> {
        let chain = Chain::new(checkpoint::origin(access.repository));
        let mut ledger = Self { storage, access, chain, entries: Vec::new(), broken: None };
        ledger.catch_up(run)?;
        ledger.refuse_gap()?;
        let damaged = ledger.refuse_misfit(run)?;
        Ok((ledger, damaged))
    }

    /// An entry behind a number that nothing stands for was there before: that one is lost.
    fn refuse_gap(&self) -> Result<(), EvidenceError> {
        let last = self.storage.list(LEDGER_ENTRIES)?.into_iter().filter_map(|listed| {
            match LedgerName::parse(listed.name.as_str()) {
                Some(LedgerName::Entry(seq)) => Some(seq),
                _ => None,
            }
        });
        match last.max().filter(|last| *last > self.chain.last_seq()) {
            // Somebody added it since; whoever lists again finds what lies between.
            Some(_) if self.read_entry(self.chain.last_seq() + 1)?.is_some() => Ok(()),
            Some(found) => {
                let seq = self.chain.last_seq() + 1;
                Err(EvidenceError::Broken { seq, why: Break::Number { found } })
            }
            None => Ok(()),
        }
    }

    /// The newest checkpoint that lies beside the entries has to fit them: where their end is gone,
    /// nothing is added in its place. One that nobody's signature holds for says nothing of them.
    fn refuse_misfit(&mut self, run: &Run) -> Result<Option<Damaged>, EvidenceError> {
        let sizes = self.storage.list(LEDGER_CHECKPOINTS)?.into_iter().filter_map(|listed| {
            match LedgerName::parse(listed.name.as_str()) {
                Some(LedgerName::Checkpoint(size)) => Some(size),
                _ => None,
            }
        });
        let Some(size) = sizes.max() else { return Ok(None) };
        if size > self.chain.last_seq() {
            // Somebody may have added to it since.
            self.catch_up(run)?;
        }
        let name = BlobName::new(&LedgerName::Checkpoint(size).to_string())?;
        let note = self.storage.read(&name, CHECKPOINT_BYTES_MAX as u64)?;
        let signed = SignedCheckpoint::decode(&note).ok();
        let said = signed.as_ref().map(|signed| &signed.checkpoint);
        let own = self.checkpoint_at(size);
        if said.is_some() && said == own.as_ref() {
            return Ok(None);
        }
        let holds = signed.is_some_and(|signed| {
            let mut writers = self.keys().all().iter().filter(|held| held.may(Right::Write));
            writers.any(|held| signed.is_signed_by(&held.key))
        });
        // Of entries that are not there nobody can say that they hold.
        if holds || own.is_none() {
            let seq = self.chain.last_seq() + 1;
            return Err(EvidenceError::Broken { seq, why: Break::Checkpoint { size } });
        }
        Ok(Some(Damaged { size, hash: sha256(&note) }))
    }

    /// Reads what others have added meanwhile.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn catch_up(&mut self, run: &Run) -> Result<(), EvidenceError> {
        loop {
            run.check()?;
            let seq = self.chain.last_seq() + 1;
            let Some(file) = self.read_entry(seq)? else { return Ok(()) };
            let is_key = Entry::decode(&file.bytes).is_ok_and(|entry| entry.kind == Kind::Key);
            let document = match Entry::decode(&file.bytes) {
                Ok(entry) if is_key => Some(self.signed_document(entry.document)?),
                _ => None,
            };
            self.take(seq, file, document.as_ref())?;
        }
    }

    fn take(
        &mut self,
        seq: u64,
        file: Signed,
        key_document: Option<&Signed>,
    ) -> Result<(), EvidenceError> {
        let taken = self.chain.take(seq, &file, key_document);
        match checked(taken, file) {
            Ok(stored) => {
                self.entries.push(stored);
                Ok(())
            }
            Err(why) => {
                self.broken = Some((seq, why.clone()));
                Err(EvidenceError::Broken { seq, why })
            }
        }
    }

    fn read_entry(&self, seq: u64) -> Result<Option<Signed>, EvidenceError> {
        let name = LedgerName::Entry(seq).to_string();
        let blob = BlobName::new(&name)?;
        match self.storage.read(&blob, ENTRY_BLOB_BYTES_MAX) {
            Ok(bytes) => {
                let field = "signature";
                let why = Break::NotAnEntry(EntryError::Field { field });
                let signed = Signed::decode(&bytes);
                Ok(Some(signed.ok_or(EvidenceError::Broken { seq, why })?))
            }
            Err(error) if error.kind == StorageErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A document with its author's signature.
    ///
    /// # Errors
    /// When it is lost, or sealed to keys that are not at hand.
    pub fn signed_document(&self, document: LedgerHash) -> Result<Signed, EvidenceError> {
        let blob = BlobName::new(&LedgerName::Document(document).to_string())?;
        match self.storage.read(&blob, STORED_BYTES_MAX) {
            Ok(stored) => {
                let place = (self.access.repository, document);
                document::open(place, &stored, &self.access.secrets)
            }
            Err(error) if error.kind == StorageErrorKind::NotFound => {
                Err(EvidenceError::DocumentLost { document })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The value of a document.
    ///
    /// # Errors
    /// As [`Self::signed_document`].
    pub fn document(&self, document: LedgerHash) -> Result<Value, EvidenceError> {
        let signed = self.signed_document(document)?;
        Ok(canonical::read(&signed.bytes, DOCUMENT_BYTES_MAX)?)
    }

    /// Every entry, the first one first.
    #[must_use]
    pub fn entries(&self) -> &[StoredEntry] {
        &self.entries
    }

    /// Number and hash of the last entry; none if there is none.
    #[must_use]
    pub fn head(&self) -> Option<(u64, LedgerHash)> {
        let last = self.chain.last_seq();
        (last > 0).then_some((last, self.chain.head()))
    }

    #[must_use]
    pub const fn keys(&self) -> &Keyring {
        self.chain.keys()
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        self.chain.origin()
    }

    /// How far the ledger goes now: size, root, and by it the code for paper.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.checkpoint_at(self.chain.last_seq())
    }

    /// How far it went when it had so many entries.
    #[must_use]
    pub fn checkpoint_at(&self, size: u64) -> Option<Checkpoint> {
        let root = self.chain.tree().root(size)?;
        (size > 0).then(|| Checkpoint { origin: self.chain.origin().to_owned(), size, root })
    }

    #[must_use]
    pub const fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// That entry `seq` is among the first `size`.
    #[must_use]
    pub fn inclusion(&self, seq: u64, size: u64) -> Option<Vec<LedgerHash>> {
        self.chain.tree().inclusion(seq.checked_sub(1)?, size)
    }

    /// Where a drill stands, and which of its entries do not follow (none of our making).
    ///
    /// # Errors
    /// When a document of the drill cannot be read.
    pub fn drill_state(
        &self,
        drill: &str,
    ) -> Result<(DrillState, Vec<(u64, drill::StepError)>), EvidenceError> {
        let of_drill = |it: &&StoredEntry| it.entry.subject == drill && is_of_drill(it.entry.kind);
        let mut steps = Vec::new();
        for stored in self.entries.iter().filter(of_drill) {
            steps.push((&stored.entry, self.document(stored.entry.document)?));
        }
        Ok(drill::state_of(steps.iter().map(|(entry, document)| Step {
            seq: entry.seq,
            time: entry.time,
            kind: entry.kind,
            hash: entry.document,
            document,
        })))
    }
}

/// The entry, if nothing is wrong with it.
fn checked(taken: Taken, file: Signed) -> Result<StoredEntry, Break> {
    if let Some(why) = taken.breaks.into_iter().next() {
        return Err(why);
    }
    let holder = || taken.entry.as_ref().map_or_else(String::new, |entry| entry.actor.clone());
    let key = taken.signer.ok_or_else(|| Break::UnknownSigner { holder: holder() })?;
    if !file.is_signed_by(&key) {
        return Err(Break::Signature { holder: holder() });
    }
    let unread = EntryError::Field { field: "schema" };
    let entry = taken.entry.ok_or(Break::NotAnEntry(unread))?;
    Ok(StoredEntry { entry, hash: taken.hash, file })
}

/// Kinds whose subject is a drill and that move it.
#[must_use]
pub const fn is_of_drill(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Order
            | Kind::Transition
            | Kind::Record
            | Kind::Closing
            | Kind::Signature
            | Kind::Refusal
            | Kind::Missed
            | Kind::Deferred
    )
}
