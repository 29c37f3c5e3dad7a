//! Who may sign: the keys of the ledger and their rights, as its own entries say.
//!
//! The first entry founds the ledger under the office's key. That key lets others in. A holder
//! exchanges a key under the old and the new one; a lost one is replaced by the office's, and the
//! time it may have been in other hands is flagged. The office's own is replaced by the root key.

use serde::Deserialize;
use serde::Serialize;

use crate::crypto::sign::PlainText;
use crate::crypto::sign::SIGNATURE_BYTES;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::evidence::checkpoint::Code;
use crate::evidence::entry::LedgerTime;
use crate::evidence::entry::is_name;
use crate::evidence::tree::sha256;
use crate::ids::LedgerHash;
use crate::ids::hex;
use crate::ids::parse_hex;

/// The holder of the key that founds a ledger.
pub const OFFICE: &str = "office";
/// What the root key signs as; it is no holder.
pub const ROOT: &str = "root";
/// Most keys of one ledger, over its whole life.
pub const KEYS_COUNT_MAX: usize = 4096;

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Keys of others.
    Office,
    /// Entries, of whoever's document.
    Write,
    /// A drill's record, in this role.
    Operator,
    Owner,
    Chair,
}

/// What happens to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Found,
    Add,
    Rotate,
    Replace,
    Retire,
}

/// The document of an entry of kind `key`; the ledger adds `author` and `salt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEvent {
    pub schema: String,
    pub action: Action,
    pub holder: String,
    /// The new key in hex; of `retire`: the one that goes.
    pub key: String,
    /// In rising order; of `found` and `add`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may: Vec<Right>,
    /// The key that goes; of `rotate` and `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Of `rotate`: the new key's signature over [`proof_text`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Of `found`: the root key, and its signature over [`proof_text`] where it was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_proof: Option<String>,
    /// Of `replace`: why, without names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of `replace`: since when the old key may have been in other hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    #[error("not a document about a key")]
    NotAnEvent,
    #[error("the first entry must found the ledger, and no other may")]
    Founding,
    #[error("the author has no right to do this")]
    NoRight,
    #[error("the holder has no key, or another one, or one already")]
    Holder,
    #[error("the key is none, or was used before")]
    BadKey,
    #[error("a signature by the new key or the root key is missing or does not hold")]
    Proof,
    #[error("a field is missing or does not belong there")]
    Fields,
}

impl KeyEvent {
    #[must_use]
    pub fn new(action: Action, holder: &str, key: &VerifyingKey) -> Self {
        Self {
            schema: crate::evidence::entry::Kind::Key.schema().to_owned(),
            action,
            holder: holder.to_owned(),
            key: hex(key.as_bytes()),
            may: Vec::new(),
            previous: None,
            proof: None,
            root: None,
            root_proof: None,
            reason: None,
            since: None,
            author: None,
            salt: None,
        }
    }

    /// As `add`.
    #[must_use]
    pub fn add(holder: &str, key: &VerifyingKey, may: &[Right]) -> Self {
        let mut may = may.to_vec();
        may.sort_unstable();
        may.dedup();
        Self { may, ..Self::new(Action::Add, holder, key) }
    }

    /// As `found`, by the office's key; the root key signs too if it is at hand.
    #[must_use]
    pub fn found(
        origin: &str,
        office: &VerifyingKey,
        (root, secret): (&VerifyingKey, Option<&SigningKey>),
    ) -> Self {
        let event = Self::new(Action::Found, OFFICE, office);
        let root_proof = secret.and_then(|secret| event.proof_by(secret, origin));
        let may = vec![Right::Office, Right::Write];
        Self { may, root: Some(hex(root.as_bytes())), root_proof, ..event }
    }

    /// As `rotate`: the old key's holder has a new one.
    #[must_use]
    pub fn rotate(origin: &str, holder: &str, old: &VerifyingKey, new: &SigningKey) -> Self {
        let event = Self {
            previous: Some(hex(old.as_bytes())),
            ..Self::new(Action::Rotate, holder, &new.verifying_key())
        };
        let proof = event.proof_by(new, origin);
        Self { proof, ..event }
    }

    /// As `replace`: the old key is lost, perhaps since then.
    #[must_use]
    pub fn replace(
        holder: &str,
        (old, new): (&VerifyingKey, &VerifyingKey),
        (reason, since): (&str, LedgerTime),
    ) -> Self {
        Self {
            previous: Some(hex(old.as_bytes())),
            reason: Some(reason.to_owned()),
            since: since.text(),
            ..Self::new(Action::Replace, holder, new)
        }
    }

    fn proof_by(&self, key: &SigningKey, origin: &str) -> Option<String> {
        let text = self.proof_text(origin);
        Some(hex(&key.sign_plain(PlainText::new(text.as_bytes())?)))
    }

    /// What the new key or the root key signs besides the document's author.
    #[must_use]
    pub fn proof_text(&self, origin: &str) -> String {
        let previous = self.previous.as_deref().unwrap_or("-");
        let (holder, key) = (&self.holder, &self.key);
        format!("lifeboat/ledger-key-proof/1\n{origin}\n{holder}\n{key}\n{previous}\n")
    }

    fn is_proven(&self, origin: &str, proof: Option<&String>, key: &VerifyingKey) -> bool {
        let text = self.proof_text(origin);
        let signature = proof.and_then(|proof| parse_hex::<SIGNATURE_BYTES>(proof).ok());
        let plain = PlainText::new(text.as_bytes());
        match (signature, plain) {
            (Some(signature), Some(plain)) => key.verify_plain(plain, &signature).is_ok(),
            _ => false,
        }
    }

    pub(in crate::evidence) fn public(&self) -> Option<VerifyingKey> {
        public(&self.key)
    }
}

fn public(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&parse_hex(text).ok()?).ok()
}

/// SHA-256 of a public key: what is printed on paper and compared.
#[must_use]
pub fn fingerprint(key: &VerifyingKey) -> LedgerHash {
    sha256(key.as_bytes())
}

/// A key that the ledger knows.
#[derive(Debug, Clone)]
pub struct HeldKey {
    pub holder: String,
    pub key: VerifyingKey,
    pub may: Vec<Right>,
    /// The entry that let it in, and the one that ended it.
    pub from_seq: u64,
    pub until_seq: Option<u64>,
    /// Since when it may have been in other hands, if it was lost.
    pub suspect_since: Option<LedgerTime>,
}

impl HeldKey {
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.may.contains(&right)
    }
}

/// All keys so far.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<HeldKey>,
    root: Option<VerifyingKey>,
    is_root_proven: bool,
}

impl Keyring {
    /// Every key there ever was, in the order of the entries.
    #[must_use]
    pub fn all(&self) -> &[HeldKey] {
        &self.keys
    }

    /// The key that a holder signs with now.
    #[must_use]
    pub fn active(&self, holder: &str) -> Option<&HeldKey> {
        self.keys.iter().rev().find(|it| it.holder == holder && it.until_seq.is_none())
    }

    /// The key that a holder signed with just before entry `seq` took effect.
    #[must_use]
    pub fn at(&self, holder: &str, seq: u64) -> Option<&HeldKey> {
        let was = |it: &&HeldKey| it.from_seq < seq && it.until_seq.is_none_or(|end| end >= seq);
        self.keys.iter().filter(was).find(|it| it.holder == holder)
    }

    /// The key that founded the ledger.
    #[must_use]
    pub fn founder(&self) -> Option<&VerifyingKey> {
        self.keys.first().map(|it| &it.key)
    }

    /// The root key, if it has signed the founding.
    #[must_use]
    pub fn proven_root(&self) -> Option<&VerifyingKey> {
        self.root.as_ref().filter(|_| self.is_root_proven)
    }

    /// Whether a fingerprint from paper, in full or as a code, is that of this ledger's anchor.
    #[must_use]
    pub fn is_anchored(&self, paper: &Anchor) -> bool {
        let mut anchors = self.founder().into_iter().chain(self.proven_root());
        anchors.any(|key| {
            let print = fingerprint(key);
            match paper {
                Anchor::Full(hash) => *hash == print,
                Anchor::Short(code) => *code == Code::of(&print),
            }
        })
    }

    /// Takes a key event that its author has signed, as entry `seq`.
    pub fn apply(
        &mut self,
        (origin, seq): (&str, u64),
        author: &str,
        event: &KeyEvent,
    ) -> Result<(), KeyRefused> {
        let key = event.public().ok_or(KeyRefused::BadKey)?;
        if !is_name(&event.holder) || event.holder == ROOT {
            return Err(KeyRefused::Holder);
        }
        if (event.action == Action::Found) != self.keys.is_empty() {
            return Err(KeyRefused::Founding);
        }
        let is_used = self.keys.iter().any(|it| it.key == key) || self.root == Some(key);
        if event.action != Action::Retire && (is_used || self.keys.len() >= KEYS_COUNT_MAX) {
            return Err(KeyRefused::BadKey);
        }
        match event.action {
            Action::Found => self.found((origin, seq), author, (event, key)),
            Action::Add => {
                self.needs_office(author)?;
                let sorted = event.may.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
                if self.active(&event.holder).is_some() || event.may.is_empty() || !sorted {
                    return Err(KeyRefused::Holder);
                }
                self.push(seq, (&event.holder, key), event.may.clone());
                Ok(())
            }
            Action::Rotate => {
                let may = self.previous(event)?.may.clone();
                if author != event.holder {
                    return Err(KeyRefused::NoRight);
                }
                if !event.is_proven(origin, event.proof.as_ref(), &key) {
                    return Err(KeyRefused::Proof);
                }
                self.end(&event.holder, seq, None);
                self.push(seq, (&event.holder, key), may);
                Ok(())
            }
            Action::Replace => self.replace(seq, author, (event, key)),
            Action::Retire => {
                let held = self.active(&event.holder).ok_or(KeyRefused::Holder)?;
                if held.key != key || held.may(Right::Office) {
                    return Err(KeyRefused::Holder);
                }
                if author != event.holder {
                    self.needs_office(author)?;
                }
                self.end(&event.holder, seq, None);
                Ok(())
            }
        }
    }

    fn found(
        &mut self,
        (origin, seq): (&str, u64),
        author: &str,
        (event, key): (&KeyEvent, VerifyingKey),
    ) -> Result<(), KeyRefused> {
        let expected = [Right::Office, Right::Write];
        if seq != 1 || author != event.holder || event.may != expected {
            return Err(KeyRefused::Founding);
        }
        let root = event.root.as_deref().and_then(public).ok_or(KeyRefused::BadKey)?;
        if event.root_proof.is_some() {
            if !event.is_proven(origin, event.root_proof.as_ref(), &root) {
                return Err(KeyRefused::Proof);
            }
            self.is_root_proven = true;
        }
        self.root = Some(root);
        self.push(seq, (&event.holder, key), event.may.clone());
        Ok(())
    }

    fn replace(
        &mut self,
        seq: u64,
        author: &str,
        (event, key): (&KeyEvent, VerifyingKey),
    ) -> Result<(), KeyRefused> {
        let held = self.previous(event)?;
        let (may, is_office) = (held.may.clone(), held.may(Right::Office));
        if is_office && author != ROOT {
            return Err(KeyRefused::NoRight);
        }
        if !is_office {
            self.needs_office(author)?;
        }
        let since = event.since.as_deref().and_then(LedgerTime::parse);
        let has_reason = event.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
        let since = since.filter(|_| has_reason).ok_or(KeyRefused::Fields)?;
        self.end(&event.holder, seq, Some(since));
        self.push(seq, (&event.holder, key), may);
        Ok(())
    }

    fn needs_office(&self, author: &str) -> Result<(), KeyRefused> {
        let has_right = self.active(author).is_some_and(|held| held.may(Right::Office));
        if has_right { Ok(()) } else { Err(KeyRefused::NoRight) }
    }

    /// The holder's key, which must be the one that the event names as the one that goes.
    fn previous(&self, event: &KeyEvent) -> Result<&HeldKey, KeyRefused> {
        let held = self.active(&event.holder).ok_or(KeyRefused::Holder)?;
        let named = event.previous.as_deref().and_then(public);
        if named == Some(held.key) { Ok(held) } else { Err(KeyRefused::Holder) }
    }

    fn push(&mut self, seq: u64, (holder, key): (&str, VerifyingKey), may: Vec<Right>) {
        let holder = holder.to_owned();
        let (until_seq, suspect_since) = (None, None);
        self.keys.push(HeldKey { holder, key, may, from_seq: seq, until_seq, suspect_since });
    }

    fn end(&mut self, holder: &str, seq: u64, since: Option<LedgerTime>) {
        let mut held = self.keys.iter_mut().filter(|it| it.holder == holder);
        if let Some(held) = held.rfind(|it| it.until_seq.is_none()) {
            held.until_seq = Some(seq);
            held.suspect_since = since;
        }
    }
}

/// A fingerprint as it stands on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    Full(LedgerHash),
    Short(Code),
}

impl Anchor {
    /// 64 hex digits, or the 20 characters of a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let typed = text.trim();
        match typed.to_ascii_lowercase().parse() {
            Ok(hash) => Some(Self::Full(hash)),
            Err(_) => Code::parse(typed).ok().map(Self::Short),
        }
    }
}

#[cfg(test)]
mod tests;
