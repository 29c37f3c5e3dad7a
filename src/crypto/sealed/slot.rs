//! Slots: a keyset wrapped under a passphrase or a key file.

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Version;
use unicode_normalization::UnicodeNormalization;

use crate::crypto::blind;
use crate::crypto::blind::BoxError;
use crate::crypto::blind::Place;
use crate::crypto::context;
use crate::ids::RepositoryId;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

/// Fewest bytes of a key file.
pub const KEY_FILE_BYTES_MIN: usize = 32;
/// Most bytes of a key file or a passphrase.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// Most memory that a slot may ask for: 4 GiB.
pub const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;
/// Most passes that a slot may ask for.
pub const PASSES_MAX: u32 = 20;
/// Most lanes that a slot may ask for.
pub const LANES_MAX: u32 = 64;
/// Least memory and passes of a new slot.
pub const NEW_MEMORY_KIB_MIN: u32 = 64 * 1024;
pub const NEW_PASSES_MIN: u32 = 3;

/// Work of one guess at a passphrase (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Parameters {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

const _: () = assert!(
    Argon2Parameters::DEFAULT.memory_kib >= NEW_MEMORY_KIB_MIN
        && Argon2Parameters::DEFAULT.passes >= NEW_PASSES_MIN
);

impl Argon2Parameters {
    /// For new slots: the second recommended option of RFC 9106, section 4. It fits an office
    /// machine with 4 GiB and the memory budget of a run.
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// What a command takes for a new slot. A build for tests takes next to nothing, because its
    /// program is started thousands of times; `src/lib.rs` refuses to make a release of it.
    pub const OF_COMMANDS: Self = if cfg!(feature = "testing") {
        Self { memory_kib: 64, passes: 1, lanes: 4 }
    } else {
        Self::DEFAULT
    };

    /// Whether a reader may do this much work for a stored slot.
    pub fn check_stored(self) -> Result<(), SlotError> {
        let absurd = self.memory_kib > MEMORY_KIB_MAX
            || !(1..=PASSES_MAX).contains(&self.passes)
            || !(1..=LANES_MAX).contains(&self.lanes)
            || self.memory_kib < 8 * self.lanes;
        if absurd { Err(SlotError::AbsurdParameters(self)) } else { Ok(()) }
    }

    /// Whether a new slot may have these. Test builds take cheaper ones.
    pub fn check_new(self) -> Result<(), SlotError> {
        let weak = self.memory_kib < NEW_MEMORY_KIB_MIN || self.passes < NEW_PASSES_MIN;
        if weak && !cfg!(any(test, feature = "testing")) {
            return Err(SlotError::WeakParameters(self));
        }
        self.check_stored()
    }
}

/// How the slot's key comes from what the user gives; public, stored beside the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    Passphrase { argon2: Argon2Parameters, salt: [u8; 32] },
    KeyFile { salt: [u8; 32] },
}

/// What a user opens a slot with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotSecret {
    /// The bytes as typed, without a line end. Keys are made from their [`prepared`] form.
    Passphrase(SecretBytes),
    /// The whole content of a file of random bytes.
    KeyFile(SecretBytes),
}

/// A slot that cannot be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    #[error("wrong passphrase or key")]
    WrongSecret,
    #[error("a slot for the other kind of secret (passphrase or key file)")]
    OtherKind,
    #[error("slot asks for {} KiB, {} passes, {} lanes: more than a reader may spend",
        .0.memory_kib, .0.passes, .0.lanes)]
    AbsurdParameters(Argon2Parameters),
    #[error("{} KiB and {} passes are too few: at least {NEW_MEMORY_KIB_MIN} KiB and \
        {NEW_PASSES_MIN} passes are expected", .0.memory_kib, .0.passes)]
    WeakParameters(Argon2Parameters),
    #[error("passphrase is empty")]
    EmptyPassphrase,
    #[error(
        "key file or passphrase has {found_bytes} bytes, {KEY_FILE_BYTES_MIN} (key file) to \
        {SECRET_BYTES_MAX} are expected"
    )]
    SecretLength { found_bytes: usize },
    #[error("not enough memory for {} KiB of key stretching", .0.memory_kib)]
    NoMemory(Argon2Parameters),
    #[error("the slot's content was altered")]
    Altered,
    #[error("no random numbers from the system: {0}")]
    Random(getrandom::Error),
}

impl SlotSecret {
    /// Whether this may protect a new slot.
    pub fn check(&self) -> Result<(), SlotError> {
        let (bytes, bytes_min) = match self {
            Self::Passphrase(bytes) if bytes.expose().is_empty() => {
                return Err(SlotError::EmptyPassphrase);
            }
            Self::Passphrase(bytes) => (bytes, 1),
            Self::KeyFile(bytes) => (bytes, KEY_FILE_BYTES_MIN),
        };
        let found_bytes = bytes.expose().len();
        if (bytes_min..=SECRET_BYTES_MAX).contains(&found_bytes) {
            Ok(())
        } else {
            Err(SlotError::SecretLength { found_bytes })
        }
    }

    /// As [`prepared`]; `None` if that changes nothing.
    fn prepared(&self) -> Option<Self> {
        match self {
            Self::Passphrase(bytes) => prepared(bytes).map(Self::Passphrase),
            Self::KeyFile(_) => None,
        }
    }

    /// The slot's key. Memory taken for the stretching is given back before this returns.
    fn stretch(&self, how: &Stretch) -> Result<Secret32, SlotError> {
        self.check()?;
        match (self, how) {
            (Self::Passphrase(bytes), Stretch::Passphrase { argon2, salt }) => {
                argon2.check_stored()?;
                argon2id(bytes.expose(), salt, *argon2)
            }
            (Self::KeyFile(bytes), Stretch::KeyFile { salt }) => {
                let mut hasher = blake3::Hasher::new_derive_key(context::SLOT_KEY_FILE);
                hasher.update(salt);
                hasher.update(bytes.expose());
                Ok(Secret32::new(*hasher.finalize().as_bytes()))
            }
            _ => Err(SlotError::OtherKind),
        }
    }
}

/// A passphrase as the profile OpaqueString of RFC 8265 prepares it: spaces of any script become
/// U+0020, and the text is composed (NFC), so that keyboards which write `ế` as one, two or three
/// code points open the same slot. `None` if nothing changes, or if the bytes are not UTF-8.
fn prepared(passphrase: &SecretBytes) -> Option<SecretBytes> {
    let text = std::str::from_utf8(passphrase.expose()).ok()?;
    if text.is_ascii() {
        return None;
    }
    // Composing makes no text more than three times as long; the buffer is never moved.
    let mut composed = zeroize::Zeroizing::new(String::with_capacity(text.len() * 3));
    composed.extend(text.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc());
    (*composed != *text).then(|| SecretBytes::new(composed.as_bytes().to_vec()))
}

/// Whether Unicode calls it a space (category Zs).
const fn is_space(c: char) -> bool {
    let is_wide = matches!(c, '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    is_wide || matches!(c, '\u{a0}' | '\u{1680}')
}

fn argon2id(
    passphrase: &[u8],
    salt: &[u8],
    parameters: Argon2Parameters,
) -> Result<Secret32, SlotError> {
    let Argon2Parameters { memory_kib, passes, lanes } = parameters;
    let params = argon2::Params::new(memory_kib, passes, lanes, Some(32))
        .map_err(|_| SlotError::AbsurdParameters(parameters))?;
    let mut key = zeroize::Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, salt, &mut *key)
        .map_err(|_| SlotError::NoMemory(parameters))?;
    Ok(Secret32::new(*key))
}

fn place(repository: RepositoryId, public: &[u8]) -> Place<'_> {
    Place { kind: "slot", repository, name: public }
}

/// Wraps an encoded keyset. `public` is the slot's public part; a slot opens beside no other.
pub fn wrap(
    secret: &SlotSecret,
    how: &Stretch,
    (repository, public): (RepositoryId, &[u8]),
    keyset: &SecretBytes,
) -> Result<Vec<u8>, SlotError> {
    if let Stretch::Passphrase { argon2, .. } = how {
        argon2.check_new()?;
    }
    let key = secret.prepared().as_ref().unwrap_or(secret).stretch(how)?;
    blind::seal_box(&key, place(repository, public), keyset.expose()).map_err(SlotError::Random)
}

/// Opens what [`wrap`] made: the commitment first, so that a wrong secret is told from damage.
/// Where preparing changes the passphrase, the bytes as typed are tried after it: the first slots
/// were made from those.
pub fn unwrap(
    secret: &SlotSecret,
    how: &Stretch,
    place: (RepositoryId, &[u8]),
    sealed: &[u8],
) -> Result<SecretBytes, SlotError> {
    if let Some(prepared) = secret.prepared() {
        match unwrap_as_given(&prepared, how, place, sealed) {
            Err(SlotError::WrongSecret) => {}
            opened => return opened,
        }
    }
    unwrap_as_given(secret, how, place, sealed)
}

fn unwrap_as_given(
    secret: &SlotSecret,
    how: &Stretch,
    (repository, public): (RepositoryId, &[u8]),
    sealed: &[u8],
) -> Result<SecretBytes, SlotError> {
    let key = secret.stretch(how)?;
    blind::open_box(&key, place(repository, public), sealed).map(SecretBytes::new).map_err(
        |error| match error {
            BoxError::OtherKey => SlotError::WrongSecret,
            BoxError::Short { .. } | BoxError::Altered => SlotError::Altered,
        },
    )
}

/// The smallest Argon2id there is, for the self-test: 8 KiB, one pass, one lane. The answer is that
/// of OpenSSL.
pub(in crate::crypto) fn known_answer_holds() -> bool {
    const EXPECTED: &str = "cb9824fc49e2654e0952212371580809e57ce304217cf86992a22078d6cbfa5f";
    let tiny = Argon2Parameters { memory_kib: 8, passes: 1, lanes: 1 };
    let found = argon2id(b"passphrase", b"saltsaltsaltsalt", tiny);
    matches!((found, crate::ids::parse_hex::<32>(EXPECTED)),
        (Ok(found), Ok(expected)) if *found.expose() == expected)
}

#[cfg(test)]
mod tests;
