//! Which paths a client may say.

use crate::storage::BlobName;
use crate::storage::TEMP_PREFIX;

/// What a path stands for, by its letters alone. The folder that is served is the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Root,
    /// A blob, or a folder of blobs.
    Blob(String),
    /// A temporary beside blobs.
    Temporary(String),
}

impl Name {
    /// `None` for what no storage has.
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> =
            path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let Some((base, folders)) = parts.split_last() else { return Some(Self::Root) };
        let whole = parts.join("/");
        if BlobName::new(&whole).is_ok() {
            return Some(Self::Blob(whole));
        }
        let rest = base.strip_prefix(TEMP_PREFIX)?;
        let in_folder = folders.is_empty() || BlobName::new(&folders.join("/")).is_ok();
        let is_hex = (1..=32).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit());
        (in_folder && is_hex).then_some(Self::Temporary(whole))
    }

    /// From the root on.
    pub(super) fn relative(&self) -> &str {
        match self {
            Self::Root => "",
            Self::Blob(path) | Self::Temporary(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_a_storage_are_names() {
        for path in ["", "/", ".", "/.", "./."] {
            assert_eq!(Name::of(path), Some(Name::Root), "{path}");
        }
        for (path, whole) in [("/packs/a", "packs/a"), ("packs//a/.", "packs/a"), ("a", "a")] {
            assert_eq!(Name::of(path), Some(Name::Blob(whole.to_owned())), "{path}");
        }
        let temporary = Name::Temporary("p/.tmp-0123456789abcdef".to_owned());
        assert_eq!(Name::of("/p/.tmp-0123456789abcdef"), Some(temporary));
        for path in [
            "..",
            "/..",
            "a/..",
            "../etc/passwd",
            "a/../b",
            ".ssh",
            "/.ssh/authorized_keys",
            "A",
            "a b",
            "a\\b",
            ".tmp-",
            ".tmp-x",
            ".tmp-../x",
            ".tmp-a/b",
            ".x/.tmp-1",
            "~/x",
            "a\0b",
        ] {
            assert_eq!(Name::of(path), None, "{path}");
        }
    }
}
