//! What comes after the files: links, special things, attributes of folders.

use crate::format::entry::Entry;
use crate::meta::Kind;
use crate::meta::Xattr;
use crate::path::SnapshotPath;
use crate::repository::tree::reader::find_entry;
use crate::restore::RestoreError;
use crate::restore::decide::Action;
use crate::restore::rights::Allowed;
use crate::restore::select::IsFolder;
use crate::run::monitor::Problem;
use crate::target::Made;
use crate::target::Special;
use crate::target::TargetError;

use super::execute::Snapshot;
use super::file::Job;
use super::file::Worker;

impl Worker<'_> {
    /// Makes a folder, or takes the one that stands there; `false` if nothing can go into it.
    pub(super) fn folder(&mut self, job: &Job) -> Result<bool, RestoreError> {
        match self.make_folder(job) {
            Ok(()) => Ok(true),
            Err(error) => self.shared.fail_target(job, error).map(|()| false),
        }
    }

    fn make_folder(&mut self, job: &Job) -> Result<(), TargetError> {
        let shared = self.shared;
        let standing = shared.target.standing();
        let taken = |detail: &str| TargetError {
            kind: crate::target::TargetErrorKind::Taken,
            operation: "make folder",
            path: job.path.to_string(),
            detail: detail.to_owned(),
        };
        let made = self.writer.create_folder(&job.path);
        let blocked = matches!(
            &made,
            Err(error) if error.kind == crate::target::TargetErrorKind::Taken
        );
        if blocked && !standing.fresh {
            let Some(found) = self.writer.look(&job.path)? else { return made.map(|_| ()) };
            let wanted = &job.entry.meta;
            return match super::decide::decide(wanted, Some(&found), shared.options.overwrite) {
                Action::Replace | Action::Compare | Action::KeepEqual => {
                    self.writer.remove(&job.path, found.kind)?;
                    self.writer.create_folder(&job.path).map(|_| ())
                }
                _ => Err(taken("something else stands in its place")),
            };
        }
        // Two folders are never merged: in a fresh target nothing can stand there but a twin.
        if made? == Made::Stood && standing.fresh && !job.path.is_root() {
            return Err(taken("it exists"));
        }
        Ok(())
    }

    /// Attributes of a folder, when nothing more goes into it.
    pub(super) fn finish_folder(&mut self, job: &Job) -> Result<(), RestoreError> {
        let shared = self.shared;
        let mut xattrs = Vec::new();
        let (wanted, mut lacks) = shared.attributes(&job.entry.meta, &mut xattrs);
        match self.writer.set_attributes(&job.path, Kind::Directory, &wanted) {
            Ok(found) => {
                lacks.extend(found);
                shared.restored(job, lacks, 0);
                Ok(())
            }
            Err(error) => shared.fail_target(job, error),
        }
    }

    /// A link, hard link, fifo, socket or device.
    pub(super) fn late(&mut self, job: &Job, snapshot: &Snapshot<'_>) -> Result<(), RestoreError> {
        let done = match job.entry.meta.kind {
            Kind::HardLink => self.hard_link(job, snapshot),
            _ => self.special(job).map_err(RestoreError::from),
        };
        match done {
            Err(RestoreError::Target(error)) => self.shared.fail_target(job, error),
            answer => answer,
        }
    }

    fn hard_link(&mut self, job: &Job, snapshot: &Snapshot<'_>) -> Result<(), RestoreError> {
        let shared = self.shared;
        let subject = || job.entry.path.to_slashed();
        let extra = job.entry.meta.extra.as_ref();
        let Some(first) = extra.and_then(|extra| extra.hard_link.as_ref()) else {
            shared.fail(job, &Problem::damage(subject(), "a hard link to nothing"));
            return Ok(());
        };
        let place = shared.options.selection.place(first, IsFolder::No);
        let place = place.filter(|place| snapshot.selects(first) && *place != job.path);
        let Some(place) = place.or_else(|| self.stand_ins.get(first).cloned()) else {
            return self.stand_in(job, first, snapshot);
        };
        if shared.with(|state| state.absent.contains(&place)) {
            let why = "what it is a hard link to was not restored";
            shared.fail(job, &Problem::new(subject(), why));
            return Ok(());
        }
        let action = shared.decide(&mut *self.writer, job)?;
        if action == Action::KeepProtected {
            shared.kept(job, Vec::new());
            return Ok(());
        }
        if action != Action::Create {
            let inode = |meta: Option<crate::meta::Meta>| meta.map(|m| (m.device, m.inode));
            let there = inode(self.writer.look(&job.path)?);
            if there.is_some() && there == inode(self.writer.look(&place)?) {
                shared.kept(job, Vec::new());
                return Ok(());
            }
        }
        self.writer.create_link(&job.path, &place, shared.placing(action))?;
        shared.restored(job, Vec::new(), 0);
        Ok(())
    }

    /// The first name lies outside of what was asked for: the content comes under this one, to
    /// which further names are linked.
    fn stand_in(
        &mut self,
        job: &Job,
        first: &SnapshotPath,
        snapshot: &Snapshot<'_>,
    ) -> Result<(), RestoreError> {
        let shared = self.shared;
        let found = find_entry(shared.run, shared.source, snapshot.root, first);
        let entry = match found {
            Err(error) => return shared.not_had(job, error),
            Ok(Some(entry)) if !matches!(entry.meta.kind, Kind::Directory | Kind::HardLink) => {
                Entry { path: job.entry.path.clone(), ..entry }
            }
            Ok(_) => {
                let why = "what it is a hard link to is not in the snapshot";
                shared.fail(job, &Problem::damage(job.entry.path.to_slashed(), why));
                return Ok(());
            }
        };
        let failed = || shared.with(|state| state.report.failed_count);
        let (failed_before, job) = (failed(), Job { entry, path: job.path.clone() });
        if job.entry.meta.kind == Kind::File {
            self.file(&job)?;
        } else {
            self.special(&job)?;
        }
        let is_there = !shared.with(|state| state.absent.contains(&job.path));
        if is_there && failed() == failed_before {
            self.stand_ins.insert(first.clone(), job.path);
        }
        Ok(())
    }

    fn special(&mut self, job: &Job) -> Result<(), TargetError> {
        let shared = self.shared;
        let meta = &job.entry.meta;
        let extra = meta.extra.as_deref();
        let (major, minor) = extra.map(|extra| extra.rdev).unwrap_or_default();
        let special = match meta.kind {
            Kind::Symlink => {
                Special::Symlink { link: extra.map(|e| &e.link[..]).unwrap_or_default() }
            }
            Kind::Fifo => Special::Fifo,
            Kind::Socket => Special::Socket,
            Kind::CharDevice => Special::CharDevice { major, minor },
            Kind::BlockDevice => Special::BlockDevice { major, minor },
            Kind::File | Kind::Directory | Kind::HardLink => return Ok(()),
        };
        let device = matches!(meta.kind, Kind::CharDevice | Kind::BlockDevice);
        if device && !shared.allows(Allowed::DEVICES) {
            let why = "a device, left out, for it was not allowed";
            shared.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
            return Ok(());
        }
        let mut xattrs: Vec<Xattr> = Vec::new();
        let (wanted, mut lacks) = shared.attributes(meta, &mut xattrs);
        let action = shared.decide(&mut *self.writer, job)?;
        match action {
            Action::KeepProtected => shared.kept(job, Vec::new()),
            Action::Blocked => {
                let why = "a folder stands in its place";
                shared.fail(job, &Problem::new(job.entry.path.to_slashed(), why));
            }
            _ => {
                let placing = shared.placing(action);
                lacks.extend(self.writer.create_special(&job.path, special, &wanted, placing)?);
                shared.restored(job, lacks, 0);
            }
        }
        Ok(())
    }
}
