//! Checkpoints: how far the ledger goes and what its tree's root is, signed, as a note of the C2SP
//! (`c2sp.org/tlog-checkpoint`, `c2sp.org/signed-note`); and the code of a root for paper.

use data_encoding::BASE64;
use data_encoding::Encoding;
use data_encoding::Specification;

use crate::crypto::sign::PlainText;
use crate::crypto::sign::SIGNATURE_BYTES;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::evidence::tree::sha256;
use crate::ids::LedgerHash;
use crate::ids::RepositoryId;

/// Most bytes of a checkpoint.
pub const CHECKPOINT_BYTES_MAX: usize = 4096;
/// Characters of a code, without the dashes.
pub const CODE_CHARS: usize = 20;
/// Most signatures of one note that are looked at.
const SIGNATURES_MAX: usize = 8;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: LedgerHash,
}

/// A signature line: the first four bytes of the key's hash, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    pub name: String,
    pub key_hash: [u8; 4],
    pub signature: [u8; SIGNATURE_BYTES],
}

/// A checkpoint with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    pub signatures: Vec<NoteSignature>,
}

/// Text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("{found_bytes} bytes, at most {CHECKPOINT_BYTES_MAX} are expected")]
    TooLong { found_bytes: usize },
    #[error("not a checkpoint: expected origin, size, root, an empty line and signatures")]
    NotACheckpoint,
}

/// What the ledger of a repository is called in its checkpoints.
#[must_use]
pub fn origin(repository: RepositoryId) -> String {
    format!("lifeboat-ledger/{repository}")
}

impl Checkpoint {
    /// What is signed: it ends in a line feed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// The note, signed by one key under the ledger's own name.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let public = key.verifying_key();
        let mut signature = key_hash(&self.origin, &public).to_vec();
        if let Some(plain) = PlainText::new(text.as_bytes()) {
            signature.extend_from_slice(&key.sign_plain(plain));
        }
        format!("{text}\n\u{2014} {} {}\n", self.origin, BASE64.encode(&signature))
    }

    #[must_use]
    pub fn code(&self) -> Code {
        Code::of(&self.root)
    }
}

/// `SHA-256(name, line feed, 1, key)`, its first four bytes.
fn key_hash(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hashed = name.as_bytes().to_vec();
    hashed.extend_from_slice(b"\n\x01");
    hashed.extend_from_slice(key.as_bytes());
    let hash = sha256(&hashed);
    let [a, b, c, d, ..] = *hash.as_bytes();
    [a, b, c, d]
}

impl SignedCheckpoint {
    /// Reads a note. Signatures of others stand beside ours and are kept.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let found_bytes = bytes.len();
        if found_bytes > CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::TooLong { found_bytes });
        }
        Self::parse(bytes).ok_or(CheckpointError::NotACheckpoint)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (body, signatures) = text.split_once("\n\n")?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|origin| is_key_name(origin))?.to_owned();
        let size = lines.next()?;
        let number: u64 = size.parse().ok().filter(|n: &u64| n.to_string() == size)?;
        let root = BASE64.decode(lines.next()?.as_bytes()).ok()?;
        let root = LedgerHash::from_slice(&root)?;
        if lines.next().is_some() {
            return None;
        }
        let lines = signatures.strip_suffix('\n')?.split('\n');
        let signatures: Vec<_> = lines.map(signature_line).collect::<Option<_>>()?;
        let fits = (1..=SIGNATURES_MAX).contains(&signatures.len());
        let checkpoint = Checkpoint { origin, size: number, root };
        fits.then_some(Self { checkpoint, signatures })
    }

    /// Whether this key signed it under the ledger's name.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let text = self.checkpoint.text();
        let Some(plain) = PlainText::new(text.as_bytes()) else { return false };
        let origin = &self.checkpoint.origin;
        let hash = key_hash(origin, key);
        let mut own = self.signatures.iter().filter(|it| it.name == *origin && it.key_hash == hash);
        own.any(|it| key.verify_plain(plain, &it.signature).is_ok())
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '+')
}

/// `— name base64`. A signature of another algorithm has another length and is refused with its
/// note: this format knows one.
fn signature_line(line: &str) -> Option<NoteSignature> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = BASE64.decode(signature.as_bytes()).ok()?;
    let (key_hash, signature) = bytes.split_first_chunk::<4>()?;
    let signature = signature.try_into().ok()?;
    is_key_name(name).then(|| NoteSignature {
        name: name.to_owned(),
        key_hash: *key_hash,
        signature,
    })
}

/// The first 100 bits of a hash as 20 characters of Crockford's base 32, for paper.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a code of {CODE_CHARS} letters and digits, found `{found}`")]
pub struct CodeError {
    found: String,
}

fn crockford() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.encoding().ok()
}

impl Code {
    #[must_use]
    pub fn of(hash: &LedgerHash) -> Self {
        // 15 bytes are 24 characters without rest.
        let (head, _) = hash.as_bytes().split_at(15);
        let text = crockford().map(|encoding| encoding.encode(head)).unwrap_or_default();
        Self(text.chars().take(CODE_CHARS).collect())
    }

    /// As it was typed from paper: dashes, spaces and small letters are fine, and what looks alike
    /// is taken for what there is.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let wrong = || CodeError { found: text.chars().take(80).collect() };
        let mut code = String::new();
        for c in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            if !(c.is_ascii_digit() || (c.is_ascii_uppercase() && c != 'U')) {
                return Err(wrong());
            }
            code.push(c);
        }
        if code.len() == CODE_CHARS { Ok(Self(code)) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, c) in self.0.chars().enumerate() {
            if at > 0 && at % 5 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret32;

    fn sample() -> (Checkpoint, SigningKey) {
        let key = SigningKey::from_seed(&Secret32::new([7; 32]));
        let origin = origin(RepositoryId::new([1; 16]));
        (Checkpoint { origin, size: 12, root: sha256(b"root") }, key)
    }

    #[test]
    fn a_note_is_read_as_it_was_signed() {
        let (checkpoint, key) = sample();
        let note = checkpoint.sign(&key);
        let signed = SignedCheckpoint::decode(note.as_bytes()).unwrap();
        assert_eq!(signed.checkpoint, checkpoint);
        assert!(signed.is_signed_by(&key.verifying_key()));
        let other = SigningKey::from_seed(&Secret32::new([8; 32]));
        assert!(!signed.is_signed_by(&other.verifying_key()));
        for (from, to) in [("\n12\n", "\n13\n"), ("\n12\n", "\n012\n"), ("\n\n", "\nx\n\n")] {
            let altered = note.replacen(from, to, 1);
            let read = SignedCheckpoint::decode(altered.as_bytes());
            assert!(read.is_err() || !read.unwrap().is_signed_by(&key.verifying_key()), "{to:?}");
        }
        // A witness adds its line; ours still holds.
        let line = note.lines().last().unwrap().replace(&checkpoint.origin, "witness.example");
        let signed = SignedCheckpoint::decode(format!("{note}{line}\n").as_bytes()).unwrap();
        assert!(signed.is_signed_by(&key.verifying_key()));
        assert_eq!(signed.signatures.len(), 2);
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let (checkpoint, key) = sample();
        let note = checkpoint.sign(&key);
        for cut in 0..note.len() {
            let Some(short) = note.as_bytes().get(..cut) else { continue };
            assert!(SignedCheckpoint::decode(short).is_err(), "{cut}");
        }
        assert!(SignedCheckpoint::decode(&vec![b'a'; CHECKPOINT_BYTES_MAX + 1]).is_err());
    }

    /// Made by hand: 0x00 0x44 0x32 0x14 0xc7 is `01234567` in five bits each, most significant
    /// first.
    #[test]
    fn a_code_is_crockfords_base_32() {
        let mut hash = [0_u8; 32];
        for (slot, byte) in hash.iter_mut().zip([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6]) {
            *slot = byte;
        }
        let code = Code::of(&LedgerHash::new(hash));
        assert_eq!(code.to_string(), "01234-56789-ABC00-00000");
        for typed in ["01234-56789-ABC00-00000", "o1234 56789 abcoo ooooo", "OL23456789ABC0000000"]
        {
            assert_eq!(Code::parse(typed).unwrap(), code, "{typed}");
        }
        for typed in
            ["", "01234-56789-ABC00-0000", "01234-56789-ABC00-0000U", "0123456789ABC0000000é"]
        {
            assert!(Code::parse(typed).is_err(), "{typed}");
        }
    }
}
