//! A person's key for signing records, in a file of its own under a passphrase.

use data_encoding::BASE64;
use serde::Deserialize;
use serde::Serialize;

use crate::crypto::sealed::slot;
use crate::crypto::sealed::slot::Argon2Parameters;
use crate::crypto::sealed::slot::SlotError;
use crate::crypto::sealed::slot::SlotSecret;
use crate::crypto::sealed::slot::Stretch;
use crate::crypto::sign::SigningKey;
use crate::crypto::sign::VerifyingKey;
use crate::evidence::canonical;
use crate::evidence::canonical::CanonicalError;
use crate::evidence::entry::is_name;
use crate::evidence::ledger::Signer;
use crate::ids::RepositoryId;
use crate::ids::hex;
use crate::ids::parse_hex;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

/// The schema of the file.
pub const PERSONAL_SCHEMA: &str = "lifeboat/personal-key/1";
/// Most bytes of the file.
pub const PERSONAL_BYTES_MAX: usize = 4096;

/// A file that is no personal key, or does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonalError {
    #[error("not a personal key: {0}")]
    NotCanonical(#[from] CanonicalError),
    #[error("not a personal key: a field is missing or not as it must be")]
    Fields,
    #[error("it is a personal key for another repository")]
    OtherRepository,
    #[error(transparent)]
    Slot(#[from] SlotError),
}

/// The file, without what is sealed.
#[derive(Debug, Clone)]
pub struct PersonalKey {
    pub repository: RepositoryId,
    pub holder: String,
    pub key: VerifyingKey,
    stretch: Stretch,
    sealed: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    schema: String,
    repository: String,
    holder: String,
    key: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    sealed: String,
}

/// What the sealed part is bound to.
fn public_part(holder: &str, key: &VerifyingKey) -> Vec<u8> {
    format!("{PERSONAL_SCHEMA}\n{holder}\n{}\n", hex(key.as_bytes())).into_bytes()
}

/// A new key under a passphrase: the signer, and the file that keeps it.
///
/// # Errors
/// When the holder's name is none, the secret is no passphrase, or there is no randomness.
pub fn create(
    repository: RepositoryId,
    holder: &str,
    (secret, argon2): (&SlotSecret, Argon2Parameters),
) -> Result<(Signer, Vec<u8>), PersonalError> {
    let random = |error| PersonalError::Slot(SlotError::Random(error));
    let key = SigningKey::generate().map_err(random)?;
    let salt = crate::crypto::random_bytes().map_err(random)?;
    if !is_name(holder) {
        return Err(PersonalError::Fields);
    }
    let public = key.verifying_key();
    let part = public_part(holder, &public);
    let stretch = Stretch::Passphrase { argon2, salt };
    let seed = SecretBytes::new(key.seed().expose().to_vec());
    let sealed = slot::wrap(secret, &stretch, (repository, &part), &seed)?;
    let fields = Fields {
        schema: PERSONAL_SCHEMA.to_owned(),
        repository: repository.to_string(),
        holder: holder.to_owned(),
        key: hex(public.as_bytes()),
        memory_kib: argon2.memory_kib,
        passes: argon2.passes,
        lanes: argon2.lanes,
        salt: hex(&salt),
        sealed: BASE64.encode(&sealed),
    };
    let value = serde_json::to_value(fields).map_err(|_| PersonalError::Fields)?;
    let mut file = canonical::write(&value)?;
    file.push(b'\n');
    Ok((Signer { holder: holder.to_owned(), key }, file))
}

impl PersonalKey {
    /// Reads the file.
    pub fn decode(bytes: &[u8]) -> Result<Self, PersonalError> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let value = canonical::read(text, PERSONAL_BYTES_MAX)?;
        let fields: Fields = serde_json::from_value(value).map_err(|_| PersonalError::Fields)?;
        if fields.schema != PERSONAL_SCHEMA || !is_name(&fields.holder) {
            return Err(PersonalError::Fields);
        }
        let wrong = |_| PersonalError::Fields;
        let argon2 = Argon2Parameters {
            memory_kib: fields.memory_kib,
            passes: fields.passes,
            lanes: fields.lanes,
        };
        argon2.check_stored()?;
        let key = parse_hex(&fields.key).map_err(wrong)?;
        Ok(Self {
            repository: fields.repository.parse().map_err(wrong)?,
            holder: fields.holder,
            key: VerifyingKey::from_bytes(&key).map_err(|_| PersonalError::Fields)?,
            stretch: Stretch::Passphrase { argon2, salt: parse_hex(&fields.salt).map_err(wrong)? },
            sealed: BASE64.decode(fields.sealed.as_bytes()).map_err(|_| PersonalError::Fields)?,
        })
    }

    /// Opens it with its passphrase.
    pub fn open(
        &self,
        repository: RepositoryId,
        secret: &SlotSecret,
    ) -> Result<Signer, PersonalError> {
        if self.repository != repository {
            return Err(PersonalError::OtherRepository);
        }
        let part = public_part(&self.holder, &self.key);
        let seed = slot::unwrap(secret, &self.stretch, (repository, &part), &self.sealed)?;
        let seed: [u8; 32] = seed.expose().try_into().map_err(|_| PersonalError::Fields)?;
        let key = SigningKey::from_seed(&Secret32::new(seed));
        if key.verifying_key() != self.key {
            return Err(PersonalError::Fields);
        }
        Ok(Signer { holder: self.holder.clone(), key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: RepositoryId = RepositoryId::new([1; 16]);
    const CHEAP: Argon2Parameters = Argon2Parameters { memory_kib: 64, passes: 1, lanes: 1 };

    fn passphrase(text: &str) -> SlotSecret {
        SlotSecret::Passphrase(SecretBytes::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_personal_key_opens_with_its_passphrase_and_in_its_repository_only() {
        let made = create(REPOSITORY, "ke-toan", (&passphrase("mật khẩu"), CHEAP));
        let (signer, file) = made.unwrap();
        let read = PersonalKey::decode(&file).unwrap();
        assert_eq!((&*read.holder, read.key), ("ke-toan", signer.key.verifying_key()));
        let opened = read.open(REPOSITORY, &passphrase("mật khẩu")).unwrap();
        assert_eq!(opened.key.verifying_key(), signer.key.verifying_key());
        let wrong = read.open(REPOSITORY, &passphrase("x")).unwrap_err();
        assert_eq!(wrong, PersonalError::Slot(SlotError::WrongSecret));
        let other = read.open(RepositoryId::new([2; 16]), &passphrase("mật khẩu")).unwrap_err();
        assert_eq!(other, PersonalError::OtherRepository);
        let text = String::from_utf8(file).unwrap();
        let seed = hex(signer.key.seed().expose());
        assert!(!text.contains(&seed));
        // Another holder's name beside the same sealed part.
        let renamed = text.replace("ke-toan", "cntt-01");
        let renamed = PersonalKey::decode(renamed.as_bytes()).unwrap();
        assert!(renamed.open(REPOSITORY, &passphrase("mật khẩu")).is_err());
        let absurd = text.replace("\"memory_kib\":64", "\"memory_kib\":99999999");
        assert!(PersonalKey::decode(absurd.as_bytes()).is_err());
        for cut in 0..text.len() - 1 {
            assert!(PersonalKey::decode(&text.as_bytes()[..cut]).is_err());
        }
    }
}
