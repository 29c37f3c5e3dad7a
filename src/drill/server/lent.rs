//! A restored file in the folder of a throw-away server, whose programs see nothing else.

use std::fs::Permissions;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Its name there.
const NAME: &str = "lent";

/// Readable there by its name; gone from there, and as it was before, when this is dropped.
#[derive(Debug)]
pub struct Lent {
    /// In a folder that programs may write: nothing but a name is trusted to be here.
    link: PathBuf,
    file: PathBuf,
    before: Permissions,
}

impl Lent {
    /// Nothing is copied: it is the same file under a second name.
    ///
    /// # Errors
    /// When the folder is on another file system, or has lent a file already.
    pub fn new(folder: &Path, file: &Path) -> io::Result<Self> {
        let before = file.symlink_metadata()?.permissions();
        let link = folder.join(NAME);
        std::fs::hard_link(file, &link)?;
        let lent = Self { link, file: file.to_owned(), before };
        readable(file, &lent.before)?;
        Ok(lent)
    }

    #[must_use]
    pub const fn name(&self) -> &'static str {
        NAME
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // What cannot be given back goes with the sandbox.
        let _reset = std::fs::set_permissions(&self.file, self.before.clone());
        let _removed = std::fs::remove_file(&self.link);
    }
}

/// For whoever the programs are; nobody else comes into the sandbox.
#[cfg(unix)]
fn readable(path: &Path, before: &Permissions) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, Permissions::from_mode(before.mode() | 0o444))
}

#[cfg(not(unix))]
fn readable(_path: &Path, _before: &Permissions) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::fs::Permissions;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::Lent;

    #[test]
    fn a_lent_file_is_readable_and_given_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("server"), dir.path().join("a.dump"));
        std::fs::create_dir(&folder).unwrap();
        File::create_new(&file).unwrap().write_all(b"PGDMP").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let mode = || file.metadata().unwrap().permissions().mode() & 0o777;
        let lent = Lent::new(&folder, &file).unwrap();
        assert_eq!(std::fs::read(folder.join(lent.name())).unwrap(), b"PGDMP");
        assert_eq!(mode(), 0o644);
        Lent::new(&folder, &file).unwrap_err();
        drop(lent);
        assert_eq!((mode(), folder.read_dir().unwrap().count()), (0o600, 0));
        // Whoever the programs serve may have put another thing under the name.
        let (lent, other) = (Lent::new(&folder, &file).unwrap(), dir.path().join("other"));
        File::create_new(&other).unwrap();
        std::fs::set_permissions(&other, Permissions::from_mode(0o640)).unwrap();
        std::fs::remove_file(folder.join(lent.name())).unwrap();
        std::os::unix::fs::symlink(&other, folder.join(lent.name())).unwrap();
        drop(lent);
        assert_eq!(other.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!((mode(), folder.read_dir().unwrap().count()), (0o600, 0));
    }
}
