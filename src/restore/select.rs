//! Which entries are asked for, and where they go.

use std::collections::BTreeSet;
use std::sync::Arc;

use ignore::gitignore::Gitignore;
use ignore::gitignore::GitignoreBuilder;

use crate::path::SnapshotPath;

/// A pattern cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{pattern}`: {detail}")]
pub struct PatternError {
    pub pattern: String,
    pub detail: String,
}

/// A part of a snapshot.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Becomes the root of the target; a single file goes there under its own name.
    pub within: SnapshotPath,
    includes: Gitignore,
    excludes: Gitignore,
    /// These and the folders above them, and nothing else.
    only: Option<Arc<BTreeSet<SnapshotPath>>>,
}

impl Selection {
    /// Everything beneath `within`; if there are `includes`, only what one of them matches, with
    /// all beneath it; without what `excludes` match. Patterns follow the rules of `.gitignore`
    /// files; names that are not UTF-8 are compared with replacement characters.
    pub fn new(
        within: SnapshotPath,
        includes: &[String],
        excludes: &[String],
    ) -> Result<Self, PatternError> {
        Ok(Self { within, includes: build(includes)?, excludes: build(excludes)?, only: None })
    }

    /// Exactly these files, and the folders above them.
    #[must_use]
    pub fn only(files: BTreeSet<SnapshotPath>) -> Self {
        let (includes, excludes) = (Gitignore::empty(), Gitignore::empty());
        let only = Some(Arc::new(files));
        Self { within: SnapshotPath::root(), includes, excludes, only }
    }

    #[must_use]
    pub fn has_patterns(&self) -> bool {
        !self.includes.is_empty() || !self.excludes.is_empty() || self.only.is_some()
    }

    /// Where an entry goes beneath the target's root.
    #[must_use]
    pub fn place(&self, path: &SnapshotPath, is_folder: IsFolder) -> Option<SnapshotPath> {
        let relative = path.relative_to(&self.within)?;
        if relative.is_root() && is_folder == IsFolder::No {
            return SnapshotPath::root().join(path.name()?).ok();
        }
        Some(relative)
    }
}

fn build(patterns: &[String]) -> Result<Gitignore, PatternError> {
    let mut builder = GitignoreBuilder::new("/");
    let wrong = |pattern: &str, error: ignore::Error| PatternError {
        pattern: pattern.to_owned(),
        detail: error.to_string(),
    };
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|error| wrong(pattern, error))?;
    }
    builder.build().map_err(|error| wrong("", error))
}

/// Whether a path is one of these, or a folder above one.
#[must_use]
pub fn is_among(files: &BTreeSet<SnapshotPath>, path: &SnapshotPath, is_folder: IsFolder) -> bool {
    match is_folder {
        IsFolder::No => files.contains(path),
        IsFolder::Yes => {
            files.range(path.clone()..).next().is_some_and(|file| file.is_within(path))
        }
    }
}

/// Whether an entry is a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsFolder {
    Yes,
    No,
}

/// Follows a walk in path order and says what is selected.
#[derive(Debug)]
pub struct Selector<'a> {
    selection: &'a Selection,
    included: Option<SnapshotPath>,
    excluded: Option<SnapshotPath>,
}

impl<'a> Selector<'a> {
    #[must_use]
    pub fn new(selection: &'a Selection) -> Self {
        Self { selection, included: None, excluded: None }
    }

    /// Whether the next entry of the walk is asked for.
    pub fn takes(&mut self, path: &SnapshotPath, is_folder: IsFolder) -> bool {
        if let Some(only) = &self.selection.only {
            return is_among(only, path, is_folder);
        }
        let beneath = |folder: &Option<SnapshotPath>| {
            folder.as_ref().is_some_and(|folder| path.is_within(folder))
        };
        if beneath(&self.excluded) {
            return false;
        }
        let (includes, excludes) = (&self.selection.includes, &self.selection.excludes);
        if includes.is_empty() && excludes.is_empty() {
            return true;
        }
        let text = String::from_utf8_lossy(&path.to_slashed()).into_owned();
        let folder = is_folder == IsFolder::Yes;
        if !text.is_empty() && excludes.matched(&text, folder).is_ignore() {
            self.excluded = Some(path.clone());
            return false;
        }
        if includes.is_empty() || beneath(&self.included) {
            return true;
        }
        let taken = !text.is_empty() && includes.matched(&text, folder).is_ignore();
        if taken {
            self.included = Some(path.clone());
        }
        taken
    }
}
