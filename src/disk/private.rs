//! Files and folders of a program's own state: only their user can read and enter them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a file that must not exist. What root makes in somebody's folder is his.
///
/// # Errors
/// When it exists or cannot be made.
pub fn create_file(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    return crate::disk::unix::create_private(path);
    #[cfg(not(unix))]
    File::options().write(true).create_new(true).open(path)
}

/// Makes a folder and those above it that are absent, each as the one above has it.
///
/// # Errors
/// When it cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    let is_absent = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let absent: Vec<&Path> = path.ancestors().take_while(is_absent).collect();
    for folder in absent.into_iter().rev() {
        #[cfg(unix)]
        let made = crate::disk::unix::create_private_folder(folder);
        #[cfg(not(unix))]
        let made = std::fs::create_dir(folder);
        match made {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    // Says what is wrong with one that is there and no folder.
    std::fs::create_dir_all(path)
}
