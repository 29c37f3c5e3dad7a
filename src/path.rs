//! A path inside a snapshot.
//!
//! What it is: a list of byte names, kept in the form that sorts by components.
//! Never: touches a file system; assumes UTF-8; holds `.`, `..`, an empty name or NUL.
//! Invariants: the stored form joins names with NUL, so comparing bytes compares components and a
//! folder's descendants follow it without a gap. At most 256 components, 32 KiB, 4 KiB a name.
//! Start reading at: [`SnapshotPath`].

use std::borrow::Borrow;
use std::fmt;

/// Most components of a path.
pub const PATH_COMPONENTS_MAX: usize = 256;
/// Most bytes of a path in its stored form.
pub const PATH_BYTES_MAX: usize = 32 * 1024;
/// Most bytes of one name.
pub const NAME_BYTES_MAX: usize = 4 * 1024;

/// Why bytes are not a path of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("a name is empty")]
    NameEmpty,
    #[error("a name is `.` or `..`")]
    NameDots,
    #[error("a name contains `/` or NUL")]
    NameSeparator,
    #[error("a name has {found_bytes} bytes, at most {NAME_BYTES_MAX} are allowed")]
    NameTooLong { found_bytes: usize },
    #[error("the path has more than {PATH_COMPONENTS_MAX} components or {PATH_BYTES_MAX} bytes")]
    PathTooLong,
}

/// A path inside a snapshot; the root is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SnapshotPath(Box<[u8]>);

/// Whether `name` may be one component.
pub fn check_name(name: &[u8]) -> Result<(), PathError> {
    match name {
        b"" => Err(PathError::NameEmpty),
        b"." | b".." => Err(PathError::NameDots),
        _ if name.len() > NAME_BYTES_MAX => Err(PathError::NameTooLong { found_bytes: name.len() }),
        _ if name.iter().any(|&b| b == b'/' || b == 0) => Err(PathError::NameSeparator),
        _ => Ok(()),
    }
}

impl SnapshotPath {
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// From the stored form: names joined with NUL.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, PathError> {
        if bytes.is_empty() {
            return Ok(Self::root());
        }
        if bytes.len() > PATH_BYTES_MAX {
            return Err(PathError::PathTooLong);
        }
        let mut components = 0_usize;
        for name in bytes.split(|&b| b == 0) {
            check_name(name)?;
            components += 1;
        }
        if components > PATH_COMPONENTS_MAX {
            return Err(PathError::PathTooLong);
        }
        Ok(Self(bytes.into()))
    }

    /// From text or bytes as a user writes them: `/` separates, empty names and `.` are dropped,
    /// `..` is refused.
    pub fn from_user(bytes: &[u8]) -> Result<Self, PathError> {
        let mut path = Vec::with_capacity(bytes.len());
        for name in bytes.split(|&b| b == b'/').filter(|name| !name.is_empty() && *name != b".") {
            if !path.is_empty() {
                path.push(0);
            }
            path.extend_from_slice(name);
        }
        Self::from_stored(&path)
    }

    /// The path of `name` in this folder.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        check_name(name)?;
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        if !path.is_empty() {
            path.push(0);
        }
        path.extend_from_slice(name);
        if path.len() > PATH_BYTES_MAX || self.depth() >= PATH_COMPONENTS_MAX {
            return Err(PathError::PathTooLong);
        }
        Ok(Self(path.into()))
    }

    /// The stored form: names joined with NUL.
    #[must_use]
    pub fn as_stored(&self) -> &[u8] {
        &self.0
    }

    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of components; 0 for the root.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.components().count()
    }

    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&b| b == 0).filter(|name| !name.is_empty())
    }

    /// The last name; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        self.0.rsplit(|&b| b == 0).next().filter(|name| !name.is_empty())
    }

    /// The folder that holds this path; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == 0).unwrap_or(0);
        Some(Self(self.0[..end].into()))
    }

    /// Whether this path is `folder` or lies beneath it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        match self.0.strip_prefix(&*folder.0) {
            Some(rest) => folder.is_root() || rest.is_empty() || rest[0] == 0,
            None => false,
        }
    }

    /// The part of this path beneath `folder`, if it lies within.
    #[must_use]
    pub fn relative_to(&self, folder: &Self) -> Option<Self> {
        if !self.is_within(folder) {
            return None;
        }
        let rest = &self.0[folder.0.len()..];
        Some(Self(rest.strip_prefix(&[0]).unwrap_or(rest).into()))
    }

    /// Names joined with `/`, as raw bytes, without a leading `/`.
    #[must_use]
    pub fn to_slashed(&self) -> Vec<u8> {
        self.0.iter().map(|&b| if b == 0 { b'/' } else { b }).collect()
    }
}

impl Borrow<[u8]> for SnapshotPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// Writes `bytes` for people: bytes that are not UTF-8 and control characters as `\xNN`, a
/// backslash doubled, so that the text is safe on a terminal and can be turned back.
pub fn escape_into(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    for part in bytes.utf8_chunks() {
        for c in part.valid().chars() {
            match c {
                '\\' => out.write_str("\\\\")?,
                c if c.is_control() || is_hidden(c) => {
                    let mut buffer = [0_u8; 4];
                    for byte in c.encode_utf8(&mut buffer).bytes() {
                        write!(out, "\\x{byte:02x}")?;
                    }
                }
                c => out.write_char(c)?,
            }
        }
        for byte in part.invalid() {
            write!(out, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// Characters that change how the text around them is shown.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// [`escape_into`] as a new text.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    // Writing to a String cannot fail.
    let _always_ok = escape_into(&mut out, bytes);
    out
}

impl fmt::Display for SnapshotPath {
    /// With a leading `/`, escaped for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str("/");
        }
        for name in self.components() {
            f.write_str("/")?;
            escape_into(f, name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for SnapshotPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> SnapshotPath {
        SnapshotPath::from_user(text.as_bytes()).unwrap()
    }

    #[test]
    fn order_is_by_components() {
        let mut paths = [path("a-b"), path("a/x"), path("a"), path("/"), path("a/x/y"), path("b")];
        paths.sort();
        let shown: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["/", "/a", "/a/x", "/a/x/y", "/a-b", "/b"]);
    }

    #[test]
    fn within_compares_components_not_prefixes() {
        assert!(path("a/b").is_within(&path("a")));
        assert!(path("a").is_within(&path("a")));
        assert!(path("a").is_within(&path("/")));
        assert!(!path("ab").is_within(&path("a")));
        assert_eq!(path("a/b/c").relative_to(&path("a")), Some(path("b/c")));
    }

    #[test]
    fn hostile_names_are_refused() {
        let root = SnapshotPath::root();
        for name in [&b""[..], b".", b"..", b"a/b", b"a\0b", &[b'x'; NAME_BYTES_MAX + 1]] {
            assert!(root.join(name).is_err());
        }
        assert!(SnapshotPath::from_stored(b"a\0\0b").is_err());
        assert!(SnapshotPath::from_user(b"a/../b").is_err());
    }

    #[test]
    fn every_byte_survives_and_shows_safely() {
        for byte in 1..=255_u8 {
            if byte == b'/' {
                continue;
            }
            let name = [b'n', byte];
            let joined = SnapshotPath::root().join(&name).unwrap();
            assert_eq!(joined.name(), Some(&name[..]));
            assert!(joined.to_string().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn parent_and_name() {
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(path("/")));
        assert_eq!(path("/").parent(), None);
        assert_eq!(path("a/b").name(), Some(&b"b"[..]));
    }
}
