//! Local state: this machine's own keysets, and proof that a passphrase is right.

pub mod heads;

use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::environment::Environment;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::errors;
use crate::cli::language::table::options;
use crate::cli::secrets::read_bounded;
use crate::crypto::random_bytes;
use crate::crypto::sealed::verifier::verifier;
use crate::disk::private;
use crate::ids::RepositoryId;
use crate::secret::Secret32;
use crate::secret::SecretBytes;

const KEYSET: &str = "machine.keyset";
/// Most bytes of a keyset file.
const KEYSET_BYTES_MAX: usize = 1024 * 1024;
/// Salt and verifier.
const VERIFIER_BYTES: usize = 64;

/// The folder of local state.
#[derive(Debug, Clone)]
pub struct Local {
    dir: PathBuf,
    /// Where the machine has memory that a restart clears.
    volatile: Option<PathBuf>,
}

impl Local {
    /// # Errors
    /// When no folder is named and the system knows none.
    pub fn new(dir: Option<&Path>, environment: &Environment) -> Result<Self, Failure> {
        let dir =
            dir.ok_or_else(|| Failure::usage(options::NO_LOCAL_FOLDER, options::GIVE_CACHE_DIR))?;
        let named = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from);
        let volatile = named.into_iter().chain([PathBuf::from("/dev/shm")]);
        let volatile = volatile.filter(|path| path.is_absolute()).find(|path| path.is_dir());
        Ok(Self { dir: dir.to_owned(), volatile })
    }

    /// Folder of everything.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.dir
    }

    /// Folder of everything about one repository. It may be missing.
    #[must_use]
    pub fn folder(&self, repository: RepositoryId) -> PathBuf {
        self.dir.join(repository.to_string())
    }

    fn keyset_path(&self, repository: RepositoryId) -> PathBuf {
        self.folder(repository).join(KEYSET)
    }

    /// This machine's keyset, as encoded; `None` if it has none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn keyset(&self, repository: RepositoryId) -> Result<Option<SecretBytes>, Failure> {
        let path = self.keyset_path(repository);
        match read_bounded(&path, KEYSET_BYTES_MAX) {
            Ok(bytes) => Ok(Some(SecretBytes::new(bytes.to_vec()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    /// Every keyset of this machine that can be read, as encoded, of whatever repository.
    #[must_use]
    pub fn keysets(&self) -> Vec<SecretBytes> {
        let folders = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let paths = folders.map(|folder| folder.path().join(KEYSET));
        let read = paths.filter_map(|path| read_bounded(&path, KEYSET_BYTES_MAX).ok());
        read.map(|bytes| SecretBytes::new(bytes.to_vec())).collect()
    }

    /// Keeps this machine's keyset; only its user can read the file.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn keep_keyset(
        &self,
        repository: RepositoryId,
        keyset: &SecretBytes,
    ) -> Result<(), Failure> {
        let folder = self.folder(repository);
        make_private_folder(&folder).map_err(|error| failed(&folder, &error))?;
        let path = self.keyset_path(repository);
        write_private(&path, &[keyset.expose()]).map_err(|error| failed(&path, &error))
    }

    fn verifier_path(&self, repository: RepositoryId, keyset: &SecretBytes) -> Option<PathBuf> {
        // Two users of one machine have two keysets, and so two names.
        let number = blake3::hash(keyset.expose()).to_hex();
        let number = number.get(..16)?;
        Some(self.volatile.as_ref()?.join(format!("lifeboat-{}-{number}", repository.short())))
    }

    /// Whether this passphrase was proven right since the machine started.
    #[must_use]
    pub fn is_proven(
        &self,
        repository: RepositoryId,
        keyset: &SecretBytes,
        secret: &SecretBytes,
    ) -> bool {
        let Some(path) = self.verifier_path(repository, keyset) else { return false };
        let Ok(found) = read_bounded(&path, VERIFIER_BYTES) else { return false };
        let Some((salt, expected)) = found.split_first_chunk::<32>() else { return false };
        let Ok(expected) = <[u8; 32]>::try_from(expected) else { return false };
        verifier(secret, keyset, salt).is_some_and(|found| found == Secret32::new(expected))
    }

    /// Remembers that this passphrase is right. Without volatile memory a slot is opened instead.
    pub fn remember(&self, repository: RepositoryId, keyset: &SecretBytes, secret: &SecretBytes) {
        let Some(path) = self.verifier_path(repository, keyset) else { return };
        let Ok(salt) = random_bytes::<32>() else { return };
        let Some(found) = verifier(secret, keyset, &salt) else { return };
        let _only_slower = write_private(&path, &[&salt, found.expose()]);
    }
}

/// A new file that only its user can read, whole or absent under its name; an old one is replaced.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let number = u64::from_le_bytes(random_bytes::<8>().map_err(io::Error::other)?);
    let temporary = path.with_extension(format!("{number:016x}.new"));
    let written = private::create_file(&temporary).and_then(|mut file| {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()
    });
    let placed = written.and_then(|()| replace(&temporary, path));
    if placed.is_err() {
        let _may_not_exist = std::fs::remove_file(&temporary);
    }
    placed
}

#[expect(clippy::disallowed_methods, reason = "this program's own state: the newest one stands")]
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Makes a file that must not exist; only whoever makes it can read it, wherever it lies.
///
/// # Errors
/// When it exists or cannot be made.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder of the local state, and those above it that are absent; only its user can enter
/// them.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    private::create_folders(path)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let shown = crate::path::escape(path.as_os_str().as_encoded_bytes());
    let lacking = crate::disk::lacks_handles(error);
    let next = match lacking {
        Some(_) => errors::MORE_HANDLES,
        None => options::OTHER_CACHE_DIR,
    };
    let detail = Said::heard(lacking.unwrap_or_else(|| error.to_string()));
    let message = options::LOCAL_STATE.with("path", shown).with("detail", detail);
    Failure::new(Exit::Failed, message, next).meaning(options::REPOSITORY_UNTOUCHED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyset_comes_back_and_only_the_right_passphrase_is_proven() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = dir.path().join("runtime");
        std::fs::create_dir(&runtime).unwrap();
        let environment = [("XDG_RUNTIME_DIR".into(), runtime.into())].into_iter().collect();
        let local = Local::new(Some(&dir.path().join("a/b")), &environment).unwrap();
        let repository = RepositoryId::new([7; 16]);
        assert!(local.keyset(repository).unwrap().is_none());
        let keyset = SecretBytes::new(vec![1; 40]);
        local.keep_keyset(repository, &keyset).unwrap();
        local.keep_keyset(repository, &keyset).unwrap();
        assert_eq!(local.keyset(repository).unwrap(), Some(keyset.clone()));
        let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
        assert!(!local.is_proven(repository, &keyset, &secret("x")));
        local.remember(repository, &keyset, &secret("x"));
        assert!(local.is_proven(repository, &keyset, &secret("x")));
        assert!(!local.is_proven(repository, &keyset, &secret("y")));
        assert!(!local.is_proven(repository, &SecretBytes::new(vec![2; 40]), &secret("x")));
        let files = std::fs::read_dir(local.folder(repository)).unwrap().count();
        assert_eq!(files, 1, "temporaries are gone");
    }

    #[test]
    #[cfg(unix)]
    fn only_the_user_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let local = Local::new(Some(dir.path()), &Environment::default()).unwrap();
        let repository = RepositoryId::new([7; 16]);
        local.keep_keyset(repository, &SecretBytes::new(vec![1])).unwrap();
        let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(local.keyset_path(repository)), 0o600);
        assert_eq!(mode(local.folder(repository)), 0o700);
    }
}
