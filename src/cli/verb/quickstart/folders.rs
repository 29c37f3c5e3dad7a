//! Where `quickstart` puts what it makes: never inside what it backs up.

use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::quickstart as texts;
use crate::cli::local;
use crate::cli::secrets::Asked;
use crate::cli::secrets::SecretSource;
use crate::crypto::random_bytes;
use crate::path::escape;

/// The folder's name beneath the user's folder for data.
const OWN: &str = "lifeboat";
/// Random bytes of a passphrase that nobody chose.
const PASSPHRASE_BYTES: usize = 16;

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// The named paths, absolute and without links, so that a comparison finds them again.
///
/// # Errors
/// When one does not exist.
pub fn sources(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut sources = Vec::with_capacity(paths.len());
    for path in paths {
        let real = path.canonicalize().map_err(|error| {
            let message = texts::PATH_FAILED.with("path", shown(path));
            let message = message.with("detail", Said::heard(error));
            Failure::new(Exit::Failed, message, texts::NAME_EXISTING)
        })?;
        sources.push(real);
    }
    sources.sort_unstable();
    sources.dedup();
    Ok(sources)
}

/// The folder of the repository.
///
/// # Errors
/// When it would lie inside a source, or a source inside it (2).
pub fn storage(
    context: &Context,
    named: Option<&Path>,
    sources: &[PathBuf],
) -> Result<PathBuf, Failure> {
    let own = || context.environment.data_home().map(|home| home.join(OWN).join("quickstart"));
    let other = context.settings.repository.as_ref();
    let named = match (named, other.map(|place| (place, place.as_folder()))) {
        (Some(named), _) => Some(named.to_owned()),
        (None, Some((_, Some(folder)))) => Some(folder.clone()),
        (None, Some((place, None))) => {
            let message = texts::FOLDER_ONLY.with("place", place.shown());
            return Err(Failure::usage(message, texts::GIVE_STORAGE));
        }
        (None, None) => None,
    };
    let folder =
        named.or_else(own).ok_or_else(|| Failure::usage(texts::NO_HOME, texts::GIVE_STORAGE))?;
    let folder = real(&folder).map_err(|error| failed(&folder, &error))?;
    for source in sources {
        if folder.starts_with(source) || source.starts_with(&folder) {
            let message =
                texts::INSIDE.with("folder", shown(&folder)).with("source", shown(source));
            return Err(Failure::usage(message, texts::STORAGE_OUTSIDE));
        }
    }
    Ok(folder)
}

/// Absolute and without links, as far as it exists.
fn real(path: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    for above in whole.ancestors() {
        match (above.canonicalize(), whole.strip_prefix(above)) {
            (Ok(there), Ok(rest)) if rest.as_os_str().is_empty() => return Ok(there),
            (Ok(there), Ok(rest)) if !rest.components().any(|c| c == Component::ParentDir) => {
                return Ok(there.join(rest));
            }
            _ => {}
        }
    }
    Ok(whole)
}

/// Where the passphrase comes from, and the file if it is one of ours. Where none is named and
/// nobody can be asked, a new repository gets a random one in a file that only its user can read.
///
/// # Errors
/// When that file cannot be written.
pub fn passphrase(
    context: &Context,
    folder: &Path,
    asked: Asked,
) -> Result<(SecretSource, Option<PathBuf>), Failure> {
    let source = &context.settings.secret;
    if !matches!(source, SecretSource::Prompt) {
        return Ok((source.clone(), None));
    }
    let Some(home) = context.environment.data_home() else { return Ok((source.clone(), None)) };
    // Beside the user's data and not beside the repository: that may be a disk which is carried.
    let number = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    let number = number.get(..16).unwrap_or_default();
    let file = home.join(OWN).join(format!("passphrase-{number}"));
    if file.exists() {
        return Ok((SecretSource::File(file.clone()), Some(file)));
    }
    if asked == Asked::Existing || !source.is_absent() {
        return Ok((source.clone(), None));
    }
    let random = random_bytes::<PASSPHRASE_BYTES>().map_err(io::Error::other);
    let random = random.map_err(|error| failed(&file, &error))?;
    let mut text = zeroize::Zeroizing::new(String::new());
    for (at, byte) in random.iter().enumerate() {
        let dash = if at > 0 && at % 2 == 0 { "-" } else { "" };
        text.push_str(&format!("{dash}{byte:02x}"));
    }
    text.push('\n');
    let made = local::make_private_folder(&home.join(OWN));
    made.and_then(|()| local::write_private(&file, &[text.as_bytes()]))
        .map_err(|error| failed(&file, &error))?;
    Ok((SecretSource::File(file.clone()), Some(file)))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let message = texts::PATH_FAILED.with("path", shown(path)).with("detail", Said::heard(error));
    Failure::new(Exit::Failed, message, texts::OTHER_STORAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn links_are_followed_as_far_as_the_path_exists() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("there")).unwrap();
        std::os::unix::fs::symlink(base.join("there"), base.join("link")).unwrap();
        assert_eq!(real(&base.join("link/new/r")).unwrap(), base.join("there/new/r"));
        assert_eq!(real(&base.join("link")).unwrap(), base.join("there"));
    }
}
