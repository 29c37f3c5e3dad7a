//! Which entries a search wants: name, kind, size, age.

use globset::GlobBuilder;
use globset::GlobMatcher;

use crate::format::entry::Entry;
use crate::meta::Kind;
use crate::units::FileTime;

/// A pattern that is not a glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{pattern}`: {detail}")]
pub struct PatternError {
    pub pattern: String,
    pub detail: String,
}

/// One pattern: of a name, or of a whole path where it contains `/`.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: GlobMatcher,
    of_path: bool,
}

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Sensitive,
    Insensitive,
}

impl Pattern {
    /// `*` and `?` stay within a name, `**` crosses folders; a leading `/` ties it to the root.
    ///
    /// # Errors
    /// When the text is not a glob.
    pub fn new(text: &str, case: Case) -> Result<Self, PatternError> {
        let of_path = text.contains('/');
        let tied = match text.strip_prefix('/') {
            Some(rest) => rest.to_owned(),
            None if of_path => format!("**/{text}"),
            None => text.to_owned(),
        };
        let glob = GlobBuilder::new(&tied)
            .literal_separator(true)
            .case_insensitive(case == Case::Insensitive)
            .build()
            .map_err(|error| PatternError {
                pattern: text.chars().take(80).collect(),
                detail: error.kind().to_string(),
            })?;
        Ok(Self { matcher: glob.compile_matcher(), of_path })
    }

    fn wants(&self, entry: &Entry) -> bool {
        if self.of_path {
            return self.matcher.is_match(path_of(&entry.path.to_slashed()));
        }
        entry.path.name().is_some_and(|name| self.matcher.is_match(path_of(name)))
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> std::borrow::Cow<'_, std::path::Path> {
    let text: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    std::path::Path::new(text).into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> std::borrow::Cow<'_, std::path::Path> {
    std::path::PathBuf::from(String::from_utf8_lossy(bytes).into_owned()).into()
}

/// What a search wants; what is `None` or empty wants everything.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Any of these.
    pub patterns: Vec<Pattern>,
    pub kind: Option<Kind>,
    pub size_min_bytes: Option<u64>,
    pub size_max_bytes: Option<u64>,
    pub modified_from: Option<FileTime>,
    pub modified_until: Option<FileTime>,
}

impl Wanted {
    #[must_use]
    pub fn wants(&self, entry: &Entry) -> bool {
        let meta = &entry.meta;
        (self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.wants(entry)))
            && self.kind.is_none_or(|kind| kind == meta.kind)
            && self.size_min_bytes.is_none_or(|min| meta.size_bytes >= min)
            && self.size_max_bytes.is_none_or(|max| meta.size_bytes <= max)
            && self.modified_from.is_none_or(|from| meta.mtime >= from)
            && self.modified_until.is_none_or(|until| meta.mtime <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::entry::Content;
    use crate::meta::Meta;
    use crate::path::SnapshotPath;

    fn entry(path: &[u8], size_bytes: u64) -> Entry {
        let path = SnapshotPath::from_user(path).unwrap();
        Entry { path, meta: Meta::plain(Kind::File, size_bytes), content: Content::None }
    }

    #[test]
    fn patterns_of_names_and_paths() {
        let cases: [(&str, &[u8], bool); 8] = [
            ("*.rs", b"a/b/c.rs", true),
            ("*.rs", b"a/b/c.rs.txt", false),
            ("b/*.rs", b"a/b/c.rs", true),
            ("/b/*.rs", b"a/b/c.rs", false),
            ("/a/**/c.rs", b"a/b/c.rs", true),
            ("/a/*", b"a/b/c.rs", false),
            ("c*", b"a/b/c\xff", true),
            ("C.RS", b"c.rs", false),
        ];
        for (pattern, path, wanted) in cases {
            let pattern_built = Pattern::new(pattern, Case::Sensitive).unwrap();
            assert_eq!(pattern_built.wants(&entry(path, 0)), wanted, "{pattern}");
        }
        assert!(Pattern::new("C.RS", Case::Insensitive).unwrap().wants(&entry(b"c.rs", 0)));
        assert!(Pattern::new("a[", Case::Sensitive).is_err());
    }

    #[test]
    fn sizes_and_kinds_have_to_fit() {
        let wanted = Wanted { size_min_bytes: Some(10), ..Wanted::default() };
        assert!(wanted.wants(&entry(b"a", 10)) && !wanted.wants(&entry(b"a", 9)));
        let wanted = Wanted { kind: Some(Kind::Directory), ..Wanted::default() };
        assert!(!wanted.wants(&entry(b"a", 10)));
    }
}
