//! The chain: each entry follows the one before it, and is signed by a key that the entries before
//! it let in. One walk for who adds to a ledger and for who inspects one.

use std::collections::BTreeSet;

use crate::crypto::sign::VerifyingKey;
use crate::evidence::canonical;
use crate::evidence::canonical::DOCUMENT_BYTES_MAX;
use crate::evidence::document;
use crate::evidence::entry::Entry;
use crate::evidence::entry::EntryError;
use crate::evidence::entry::Kind;
use crate::evidence::entry::LedgerTime;
use crate::evidence::entry::NO_PREV;
use crate::evidence::keys::Action;
use crate::evidence::keys::HeldKey;
use crate::evidence::keys::KeyEvent;
use crate::evidence::keys::KeyRefused;
use crate::evidence::keys::Keyring;
use crate::evidence::keys::ROOT;
use crate::evidence::keys::Right;
use crate::evidence::signed::Signed;
use crate::evidence::tree;
use crate::evidence::tree::Tree;
use crate::ids::LedgerHash;

/// Something wrong with one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    #[error("not an entry: {0}")]
    NotAnEntry(EntryError),
    #[error("it says that it is number {found}")]
    Number { found: u64 },
    #[error("the entry before is another than the one it was made after")]
    Link,
    #[error("it is dated before the entry before it")]
    BackDated,
    #[error("`{holder}` has no key in this ledger at that point")]
    UnknownSigner { holder: String },
    #[error("the key of `{holder}` gives no right to this")]
    NoRight { holder: String },
    #[error("the signature of `{holder}` does not hold")]
    Signature { holder: String },
    #[error("the document about a key is missing or altered")]
    KeyDocument,
    #[error("an entry before it names the same document")]
    DocumentUsed,
    #[error("a checkpoint of {size} entries does not fit: some are gone, or others")]
    Checkpoint { size: u64 },
    #[error("a key event that does not count: {0}")]
    Key(KeyRefused),
}

/// One entry after it was taken.
#[derive(Debug)]
pub struct Taken {
    /// None if the bytes are no entry.
    pub entry: Option<Entry>,
    pub hash: LedgerHash,
    /// The key that has to have signed; whether it did is for the caller to find out.
    pub signer: Option<VerifyingKey>,
    pub breaks: Vec<Break>,
}

/// What is known after the entries so far.
#[derive(Debug, Clone)]
pub struct Chain {
    origin: String,
    last_seq: u64,
    head: LedgerHash,
    last_time: Option<LedgerTime>,
    tree: Tree,
    keys: Keyring,
    /// What entries have named: a signed word is not said twice by whoever finds it.
    documents: BTreeSet<LedgerHash>,
}

impl Chain {
    #[must_use]
    pub fn new(origin: String) -> Self {
        Self {
            origin,
            last_seq: 0,
            head: NO_PREV,
            last_time: None,
            tree: Tree::default(),
            keys: Keyring::default(),
            documents: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of the last entry; 0 if there is none.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// SHA-256 of the last entry.
    #[must_use]
    pub const fn head(&self) -> LedgerHash {
        self.head
    }

    #[must_use]
    pub const fn last_time(&self) -> Option<LedgerTime> {
        self.last_time
    }

    /// The tree over the entries, as far as none was missing.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    #[must_use]
    pub const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The key that a document's author signed with, as of entry `seq`. The root key signs one
    /// thing only.
    #[must_use]
    pub fn author_key(&self, author: &str, seq: u64) -> Option<VerifyingKey> {
        self.keys.at(author, seq).map(|held| held.key)
    }

    /// Takes what stands as entry `number`. After a break it goes on from what it found, so that
    /// whatever else is wrong is told too.
    pub fn take(&mut self, number: u64, file: &Signed, key_document: Option<&Signed>) -> Taken {
        let hash = file.hash();
        let is_next = number == self.last_seq + 1;
        if is_next && self.tree.size() == self.last_seq {
            self.tree.push(tree::leaf(&file.bytes));
        }
        let prev = std::mem::replace(&mut self.head, hash);
        self.last_seq = number;
        let entry = match Entry::decode(&file.bytes) {
            Ok(entry) => entry,
            Err(error) => {
                let breaks = vec![Break::NotAnEntry(error)];
                return Taken { entry: None, hash, signer: None, breaks };
            }
        };
        let mut breaks = Vec::new();
        if entry.seq != number {
            breaks.push(Break::Number { found: entry.seq });
        }
        if is_next && entry.prev != prev {
            breaks.push(Break::Link);
        }
        if self.last_time.is_some_and(|last| entry.time.at < last.at) {
            breaks.push(Break::BackDated);
        }
        self.last_time = Some(entry.time);
        if !self.documents.insert(entry.document) {
            breaks.push(Break::DocumentUsed);
        }
        let signer = self.signer(number, &entry, key_document, &mut breaks);
        if entry.kind == Kind::Key
            && let Err(why) = self.take_key(number, &entry, key_document)
        {
            breaks.push(why);
        }
        Taken { entry: Some(entry), hash, signer, breaks }
    }

    /// Who has to have signed an entry.
    fn signer(
        &self,
        number: u64,
        entry: &Entry,
        key_document: Option<&Signed>,
        breaks: &mut Vec<Break>,
    ) -> Option<VerifyingKey> {
        let holder = || entry.actor.clone();
        let event = key_document.and_then(event_of);
        if entry.kind == Kind::Key {
            match &event {
                // The founding brings the key that signs it.
                Some((event, _)) if event.action == Action::Found && number == 1 => {
                    return event.public().filter(|_| event.holder == entry.actor);
                }
                Some((event, _)) if event.action == Action::Replace && entry.actor == ROOT => {
                    return self.keys.proven_root().copied();
                }
                _ => {}
            }
        }
        let Some(held) = self.keys.at(&entry.actor, number) else {
            breaks.push(Break::UnknownSigner { holder: holder() });
            return None;
        };
        if !may_write(held, entry) {
            breaks.push(Break::NoRight { holder: holder() });
        }
        Some(held.key)
    }

    fn take_key(
        &mut self,
        number: u64,
        entry: &Entry,
        key_document: Option<&Signed>,
    ) -> Result<(), Break> {
        let file = key_document.filter(|file| file.hash() == entry.document);
        let file = file.ok_or(Break::KeyDocument)?;
        let (event, author) = event_of(file).ok_or(Break::Key(KeyRefused::NotAnEvent))?;
        let signer = match event.action {
            Action::Found => event.public(),
            Action::Replace if author == ROOT => self.keys.proven_root().copied(),
            _ => self.keys.at(&author, number).map(|held| held.key),
        };
        if !signer.is_some_and(|key| file.is_signed_by(&key)) {
            return Err(Break::Signature { holder: author });
        }
        self.keys.apply((&self.origin, number), &author, &event).map_err(Break::Key)
    }
}

/// Whoever has the right to write signs any entry; a person signs that of an own signature.
fn may_write(held: &HeldKey, entry: &Entry) -> bool {
    let signs_off = matches!(entry.kind, Kind::Signature | Kind::Refusal);
    let is_person = [Right::Operator, Right::Owner, Right::Chair].iter().any(|it| held.may(*it));
    held.may(Right::Write) || (signs_off && is_person) || entry.kind == Kind::Key
}

/// A document about a key, and its author.
fn event_of(file: &Signed) -> Option<(KeyEvent, String)> {
    let value = canonical::read(&file.bytes, DOCUMENT_BYTES_MAX).ok()?;
    let author = document::author(&value)?.to_owned();
    let event: KeyEvent = serde_json::from_value(value).ok()?;
    (event.schema == Kind::Key.schema()).then_some((event, author))
}
