//! Adding to a ledger: what is written verifies, or is not written.

use serde_json::Value;
use serde_json::json;

use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::evidence::canonical;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::document;
use crate::evidence::drill;
use crate::evidence::drill::Step;
use crate::evidence::entry::Entry;
use crate::evidence::entry::Kind;
use crate::evidence::entry::LedgerTime;
use crate::evidence::error::EvidenceError;
use crate::evidence::keys::Action;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::OFFICE;
use crate::evidence::keys::ROOT;
use crate::evidence::keys::Right;
use crate::evidence::ledger::CHECKPOINT;
use crate::evidence::ledger::Damaged;
use crate::evidence::ledger::Draft;
use crate::evidence::ledger::Ledger;
use crate::evidence::ledger::MENDED_HASH;
use crate::evidence::ledger::MENDED_SIZE;
use crate::evidence::ledger::Receipt;
use crate::evidence::ledger::Signer;
use crate::evidence::ledger::checked;
use crate::evidence::ledger::is_of_drill;
use crate::evidence::signed::Signed;
use crate::format::ledger::LedgerName;
use crate::ids::LedgerHash;
use crate::run::Run;
use crate::storage::BlobName;
use crate::storage::StorageErrorKind;

/// How often others may be faster before a writer gives up.
const ATTEMPTS_MAX: u32 = 64;
/// A clock may lag so far behind the last entry's; the entry then takes that one's time.
const CLOCK_LAG_MS_MAX: i64 = 2000;

impl Ledger {
    /// Founds the ledger, unless there is one: its first entry says that this is the office's key.
    ///
    /// # Errors
    /// When another key has founded it.
    pub fn ensure_founded(
        &mut self,
        run: &Run,
        office: &SigningKey,
        (root, secret): (&VerifyingKey, Option<&SigningKey>),
    ) -> Result<(), EvidenceError> {
        let key = office.verifying_key();
        if self.chain.last_seq() == 0 {
            let event = KeyEvent::found(self.chain.origin(), &key, (root, secret));
            let signer = Signer { holder: OFFICE.to_owned(), key: office.clone() };
            let founded = self.append_key(run, (&signer, &signer), &event);
            // Another writer may have founded it first.
            if let Err(error @ (EvidenceError::Key { .. } | EvidenceError::NotASigner { .. })) =
                founded
                && self.chain.last_seq() == 0
            {
                return Err(error);
            }
        }
        let held = self.chain.keys().active(OFFICE);
        match held {
            Some(held) if held.key == key => Ok(()),
            Some(held) => Err(EvidenceError::OtherLedger {
                found: crate::evidence::keys::fingerprint(&held.key).to_string(),
                expected: crate::evidence::keys::fingerprint(&key).to_string(),
            }),
            None => Err(EvidenceError::NotFounded),
        }
    }

    /// Adds an entry whose document the same holder has written.
    ///
    /// # Errors
    /// When the holder has no right, when a drill's step does not follow, or the storage fails.
    pub fn append(
        &mut self,
        run: &Run,
        writer: &Signer,
        draft: &Draft,
    ) -> Result<Receipt, EvidenceError> {
        self.append_for(run, (writer, writer), draft)
    }

    /// Adds an entry for the author of its document.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_for(
        &mut self,
        run: &Run,
        (writer, author): (&Signer, &Signer),
        draft: &Draft,
    ) -> Result<Receipt, EvidenceError> {
        if self.chain.last_seq() == 0 && draft.kind != Kind::Key {
            return Err(EvidenceError::NotFounded);
        }
        let bytes = document::text_of(draft.kind, &draft.document, &author.holder)?;
        let signed = Signed::sign(&author.key, bytes).ok_or(EvidenceError::NotText)?;
        let hash = signed.hash();
        let (repository, recipients) = (self.access.repository, &self.access.recipients);
        let stored = document::seal(repository, (draft.kind, &signed), recipients)?;
        // Whether it may be added is known before anything is written.
        self.judge(writer, author, (draft, &signed))?;
        self.create(&LedgerName::Document(hash), &stored)?;
        self.storage.sync()?;
        for _ in 0..ATTEMPTS_MAX {
            run.check()?;
            self.judge(writer, author, (draft, &signed))?;
            let (seq, file) = (self.chain.last_seq() + 1, self.entry(run, writer, (draft, hash))?);
            // What is written verifies: it was taken as a reader takes it.
            let mut chain = self.chain.clone();
            let key_document = Some(&signed).filter(|_| draft.kind == Kind::Key);
            let taken = chain.take(seq, &file, key_document);
            let stored = checked(taken, file).map_err(|why| EvidenceError::Broken { seq, why })?;
            let name = LedgerName::Entry(seq);
            let blob = BlobName::new(&name.to_string())?;
            match self.storage.create(&blob, &[&stored.file.encode()]) {
                Ok(()) => {}
                Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
                    self.catch_up(run)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            self.storage.sync()?;
            if self.read_entry(seq)?.is_none_or(|read| read != stored.file) {
                return Err(EvidenceError::WrittenOtherwise { name: name.to_string() });
            }
            self.chain = chain;
            self.entries.push(stored);
            return Ok(Receipt { seq, hash: self.chain.head(), document: hash });
        }
        Err(EvidenceError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Adds a key event.
    ///
    /// # Errors
    /// When the event would not count.
    pub fn append_key(
        &mut self,
        run: &Run,
        signers: (&Signer, &Signer),
        event: &KeyEvent,
    ) -> Result<Receipt, EvidenceError> {
        let document = serde_json::to_value(event).unwrap_or(Value::Null);
        self.append_for(run, signers, &Draft::new(Kind::Key, &event.holder, document))
    }

    /// Whether the next entry may be this one.
    fn judge(
        &self,
        writer: &Signer,
        author: &Signer,
        (draft, signed): (&Draft, &Signed),
    ) -> Result<(), EvidenceError> {
        if let Some((seq, why)) = self.broken.clone() {
            return Err(EvidenceError::Broken { seq, why });
        }
        let not = |holder: &str| EvidenceError::NotASigner { holder: holder.to_owned() };
        let value = canonical::read(&signed.bytes, DOCUMENT_BYTES_MAX)?;
        if draft.kind == Kind::Key {
            let event: KeyEvent = serde_json::from_value(value).map_err(|_| not(&author.holder))?;
            let mut keys = self.chain.keys().clone();
            let place = (self.chain.origin(), self.chain.last_seq() + 1);
            let applied = keys.apply(place, &author.holder, &event);
            applied.map_err(|why| EvidenceError::Key { holder: event.holder.clone(), why })?;
            if event.action != Action::Found {
                self.needs(author, None)?;
                self.needs(writer, None)?;
            }
            return Ok(());
        }
        let mut right = Some(Right::Write);
        if matches!(draft.kind, Kind::Signature | Kind::Refusal) {
            let role = value.get("role").and_then(Value::as_str).and_then(drill::role_named);
            self.needs(author, Some(role.ok_or_else(|| not(&author.holder))?))?;
            // A person may bring the own word in.
            right = right.filter(|_| writer.holder != author.holder);
        } else {
            self.needs(author, None)?;
        }
        self.needs(writer, right)?;
        self.judge_step(draft, (&value, signed.hash()))
    }

    fn needs(&self, signer: &Signer, right: Option<Right>) -> Result<(), EvidenceError> {
        let keys = self.chain.keys();
        let key = signer.key.verifying_key();
        if signer.holder == ROOT && right.is_none() && keys.proven_root() == Some(&key) {
            return Ok(());
        }
        let held = keys.active(&signer.holder);
        let fits =
            held.is_some_and(|held| held.key == key && right.is_none_or(|right| held.may(right)));
        let holder = || signer.holder.clone();
        if fits { Ok(()) } else { Err(EvidenceError::NotASigner { holder: holder() }) }
    }

    /// Whether the step follows on those of its drill, where documents can be read.
    fn judge_step(
        &self,
        draft: &Draft,
        (document, hash): (&Value, LedgerHash),
    ) -> Result<(), EvidenceError> {
        if !is_of_drill(draft.kind) || self.access.secrets.is_empty() {
            return Ok(());
        }
        let (mut state, _) = self.drill_state(&draft.subject)?;
        let at = self.chain.last_time().map_or_else(Default::default, |time| time.at);
        let time = LedgerTime { at, offset_minutes: self.access.offset_minutes };
        let seq = self.chain.last_seq() + 1;
        let step = Step { seq, time, kind: draft.kind, hash, document };
        let applied = state.apply(&step);
        applied.map_err(|why| EvidenceError::Step { drill: draft.subject.clone(), why })
    }

    /// The next entry, signed.
    fn entry(
        &self,
        run: &Run,
        writer: &Signer,
        (draft, document): (&Draft, LedgerHash),
    ) -> Result<Signed, EvidenceError> {
        let mut now = run.clock.now();
        if let Some(last) = self.chain.last_time().map(|time| time.at)
            && now < last
        {
            if last.ms_since(now) > CLOCK_LAG_MS_MAX {
                return Err(EvidenceError::ClockWentBack { now, last });
            }
            now = last;
        }
        let entry = Entry {
            seq: self.chain.last_seq() + 1,
            time: LedgerTime { at: now, offset_minutes: self.access.offset_minutes },
            ntp_offset_ms: draft.ntp_offset_ms,
            kind: draft.kind,
            subject: draft.subject.clone(),
            actor: writer.holder.clone(),
            document,
            prev: self.chain.head(),
        };
        Signed::sign(&writer.key, entry.encode()?).ok_or(EvidenceError::NotText)
    }

    /// Keeps a blob unless it is there already, the same.
    fn create(&self, name: &LedgerName, bytes: &[u8]) -> Result<(), EvidenceError> {
        let blob = BlobName::new(&name.to_string())?;
        match self.storage.create(&blob, &[bytes]) {
            Err(error) if error.kind == StorageErrorKind::AlreadyExists => Ok(()),
            other => Ok(other?),
        }
    }

    /// Says in the ledger that a checkpoint is damaged, and signs a new one over that: entries are
    /// what they were, and the damaged one stays where it is.
    ///
    /// # Errors
    /// As [`Self::append`] and [`Self::put_checkpoint`].
    pub fn mend_checkpoint(
        &mut self,
        run: &Run,
        writer: &Signer,
        (damaged, reason): (Damaged, &str),
    ) -> Result<Checkpoint, EvidenceError> {
        let document = json!({
            "schema": Kind::Custody.schema(),
            MENDED_SIZE: damaged.size,
            MENDED_HASH: damaged.hash.to_string(),
            "reason": reason,
        });
        self.append(run, writer, &Draft::new(Kind::Custody, CHECKPOINT, document))?;
        self.put_checkpoint(writer).map(|(checkpoint, _)| checkpoint)
    }

    /// Signs a checkpoint and keeps it in the storage; durable when this returns. The note is for
    /// witnesses: mail, paper, another storage.
    ///
    /// # Errors
    /// When the key is none of the ledger's, or the storage fails.
    pub fn put_checkpoint(&self, writer: &Signer) -> Result<(Checkpoint, String), EvidenceError> {
        self.needs(writer, Some(Right::Write))?;
        let checkpoint = self.checkpoint().ok_or(EvidenceError::NotFounded)?;
        let note = checkpoint.sign(&writer.key);
        self.create(&LedgerName::Checkpoint(checkpoint.size), note.as_bytes())?;
        self.storage.sync()?;
        Ok((checkpoint, note))
    }
}
