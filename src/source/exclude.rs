//! What is left out of a walk.

use std::path::Path;

use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

/// Most bytes of a file with patterns.
pub const PATTERN_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// First bytes of a valid `CACHEDIR.TAG`: the Cache Directory Tagging Specification, version 0.6.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExcludeError {
    #[error("exclude pattern `{pattern}`: {detail}")]
    Pattern { pattern: String, detail: String },
    #[error("exclude file `{path}`: {detail}")]
    File { path: String, detail: String },
    #[error("expected a file name with or without `:header`, found `{found}`")]
    Marker { found: String },
}

/// Patterns by the rules of gitignore, against paths as the snapshot has them: a pattern with a
/// slash in front or in the middle is tied to the snapshot's root, the last match decides, `!`
/// takes back.
///
/// Patterns without regard to case are a list of their own: something is left out if either list
/// says so. Case is that of Unicode, so `BÁO CÁO` is `báo cáo`.
#[derive(Debug, Clone)]
pub struct Patterns {
    exact: Gitignore,
    folded: Gitignore,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { exact: Gitignore::empty(), folded: Gitignore::empty() }
    }
}

impl Patterns {
    /// From `lines`, each one pattern; empty lines and comments (`#`) count for nothing.
    pub fn compile<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, ExcludeError> {
        Ok(Self { exact: compile(lines)?, folded: Gitignore::empty() })
    }

    /// Adds patterns without regard to case.
    pub fn and_in_any_case<'a>(
        mut self,
        lines: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ExcludeError> {
        let lines: Vec<String> = lines.into_iter().map(str::to_lowercase).collect();
        self.folded = compile(lines.iter().map(String::as_str))?;
        Ok(self)
    }

    /// The lines of a file with patterns, for [`Patterns::compile`].
    pub fn read_lines(path: &Path) -> Result<Vec<String>, ExcludeError> {
        let wrong =
            |detail: String| ExcludeError::File { path: path.display().to_string(), detail };
        let size = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if size > PATTERN_FILE_BYTES_MAX {
            return Err(wrong(format!(
                "it has {size} bytes, at most {PATTERN_FILE_BYTES_MAX} are allowed"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.folded.is_empty()
    }

    /// Whether a folder of this path, relative to the snapshot's root, is left out.
    #[must_use]
    pub fn leave_out_folder(&self, path: &Path) -> bool {
        self.ignores(path, Shape::Folder)
    }

    /// Whether anything but a folder of this path is left out.
    #[must_use]
    pub fn leave_out(&self, path: &Path) -> bool {
        self.ignores(path, Shape::Other)
    }

    fn ignores(&self, path: &Path, shape: Shape) -> bool {
        let is_folder = shape == Shape::Folder;
        if self.exact.matched(path, is_folder).is_ignore() {
            return true;
        }
        if self.folded.is_empty() {
            return false;
        }
        // Of a name that is not UTF-8 only the letters of ASCII have a case.
        match path.to_str() {
            Some(text) => self.folded.matched(text.to_lowercase(), is_folder).is_ignore(),
            None => {
                let folded = path.as_os_str().to_ascii_lowercase();
                self.folded.matched(folded, is_folder).is_ignore()
            }
        }
    }
}

/// What a path leads to, as far as patterns ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Folder,
    Other,
}

fn compile<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Gitignore, ExcludeError> {
    let mut builder = GitignoreBuilder::new("");
    for line in lines {
        builder.add_line(None, line).map_err(|error| ExcludeError::Pattern {
            pattern: line.chars().take(200).collect(),
            detail: error.to_string(),
        })?;
    }
    builder.build().map_err(|error| ExcludeError::Pattern {
        pattern: String::new(),
        detail: error.to_string(),
    })
}

/// A folder that holds a file of this name, beginning with `header`, is kept without its content:
/// only the folder and the marking file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub name: Vec<u8>,
    pub header: Vec<u8>,
}

impl Marker {
    /// The marker of folders that programs may fill again at any time.
    #[must_use]
    pub fn caches() -> Self {
        Self { name: b"CACHEDIR.TAG".to_vec(), header: CACHE_SIGNATURE.to_vec() }
    }

    /// From `NAME` or `NAME:header`.
    pub fn parse(text: &[u8]) -> Result<Self, ExcludeError> {
        let mut parts = text.splitn(2, |&b| b == b':');
        let name = parts.next().unwrap_or_default();
        let header = parts.next().unwrap_or_default();
        if crate::path::check_name(name).is_err() || header.len() > 4096 {
            return Err(ExcludeError::Marker { found: crate::path::escape(text) });
        }
        Ok(Self { name: name.to_vec(), header: header.to_vec() })
    }
}

/// Whether a walk goes into other file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mounts {
    #[default]
    Enter,
    /// A folder where another file system is mounted is kept, empty.
    Stay,
}

/// All rules of one source. What was named on its own is never left out.
#[derive(Debug, Clone, Default)]
pub struct Excludes {
    pub patterns: Patterns,
    pub markers: Vec<Marker>,
    /// Regular files with more bytes are left out.
    pub larger_than_bytes: Option<u64>,
    pub mounts: Mounts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_follow_gitignore() {
        let lines = ["*.tmp", "!keep.tmp", "/srv/only", "cache/", "# note", ""];
        let patterns = Patterns::compile(lines).unwrap();
        assert!(patterns.leave_out(Path::new("a/b/x.tmp")));
        assert!(!patterns.leave_out(Path::new("a/keep.tmp")));
        assert!(patterns.leave_out(Path::new("srv/only")));
        assert!(!patterns.leave_out(Path::new("x/srv/only")));
        assert!(patterns.leave_out_folder(Path::new("a/cache")));
        assert!(!patterns.leave_out(Path::new("a/cache")));
        assert!(Patterns::compile(["a{"]).is_err() || Patterns::compile(["["]).is_err());
    }

    #[test]
    fn case_may_be_passed_over_in_any_script() {
        let patterns = Patterns::compile(["*.BAK"]).unwrap();
        let patterns = patterns.and_in_any_case(["*.TMP", "/Báo Cáo/nháp"]).unwrap();
        for path in ["x.tmp", "a/X.TmP", "BÁO CÁO/Nháp", "báo cáo/NHÁP", "x.BAK"] {
            assert!(patterns.leave_out(Path::new(path)), "{path}");
        }
        for path in ["x.bak", "a/báo cáo/nháp", "báo cáo"] {
            assert!(!patterns.leave_out(Path::new(path)), "{path}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_name_that_is_not_utf8_is_matched_all_the_same() {
        let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xffX.TMP");
        let patterns = Patterns::default().and_in_any_case(["*.tmp"]).unwrap();
        assert!(patterns.leave_out(Path::new(name)));
    }

    #[test]
    fn markers_parse() {
        let marker = Marker::parse(b".nobackup:a:b").unwrap();
        assert_eq!((marker.name, marker.header), (b".nobackup".to_vec(), b"a:b".to_vec()));
        assert!(Marker::parse(b"a/b").is_err());
        assert!(Marker::parse(b":x").is_err());
    }
}
