//! A folder: what of it is restored, and how its files are looked at.

use crate::capsule::Between;
use crate::capsule::Truth;
use crate::capsule::folder::FolderTruth;
use crate::drill::check::Found;
use crate::drill::check::Weight;
use crate::drill::check::capsule;
use crate::drill::check::mail;
use crate::drill::check::restored::Compared;
use crate::drill::item::Work;
use crate::drill::plan::Custom;
use crate::drill::plan::Extent;
use crate::drill::plan::Kind;
use crate::drill::plan::Planned;
use crate::drill::record::Sampled;
use crate::drill::sample;
use crate::drill::sample::Sample;
use crate::drill::sample::Seed;
use crate::drill::verdict::FailureCode;
use crate::drill::verdict::Level;
use crate::drill::verdict::Outcome;
use crate::drill::verdict::Verdict;
use crate::path::SnapshotPath;
use crate::repository::error::RepositoryError;
use crate::restore::select::PatternError;
use crate::restore::select::Selection;
use crate::run::Stopped;
use crate::source::census;
use crate::source::census::Scope;
use crate::source::exclude::Excludes;
use crate::source::unix::FolderSource;

/// More files that begin as nothing known, in percent of those whose names promise something, look
/// like an attack; and at least so many.
const MISMATCH_PERCENT: u64 = 10;
const MISMATCH_MIN: u64 = 3;

/// As records have it.
pub(super) fn sampled((seed, sample): &(Seed, Sample), root: &str) -> Sampled {
    Sampled {
        seed: seed.to_hex(),
        root: root.to_owned(),
        population_count: sample.population_count,
        drawn_count: sample.drawn_count,
        added_count: sample.added_count,
    }
}

/// What a sample says that was found good.
pub(super) fn claim(
    sampled: Option<&Sampled>,
    planned: &Planned,
    verdict: Verdict,
) -> Option<String> {
    let (Some(sampled), Extent::Sample(claim)) = (sampled, planned.extent) else { return None };
    if verdict < Verdict::Conditional {
        return None;
    }
    let (drawn, all) = (sampled.drawn_count, sampled.population_count);
    Some(if drawn == all {
        format!("{}: all {all} files are good", planned.dataset)
    } else {
        let share = claim.share();
        format!(
            "{}: {drawn} of {all} files were drawn and are good: with 95 % confidence fewer than \
             {share} of all are bad",
            planned.dataset
        )
    })
}

impl Work<'_> {
    /// Draws what is to be restored; whether there is anything to look at.
    pub(super) fn draw(&mut self) -> Result<bool, Stopped> {
        let (bench, planned) = (self.bench, self.planned);
        let Extent::Sample(claim) = planned.extent else { return Ok(true) };
        if planned.kind != Kind::Files {
            return Ok(true);
        }
        let snapshot = &planned.snapshot;
        let seed = Seed::of(bench.root, bench.record_id, (&planned.dataset, &snapshot.id));
        let among = (bench.repository, &snapshot.root);
        match sample::of_snapshot(bench.run, among, (seed, claim), snapshot.time) {
            Ok(mut sample) => {
                sample.paths.extend(self.asked_for());
                self.sample = Some((seed, sample));
                Ok(true)
            }
            Err(RepositoryError::Stopped(stopped)) => Err(stopped),
            Err(error) => {
                let found = match error.is_storage() {
                    true => Found::skipped(FailureCode::F6, error.to_string()),
                    false => Found::failed(FailureCode::F1, error.to_string()),
                };
                self.note(Level::L0, "objects", found);
                Ok(false)
            }
        }
    }

    /// Files that the office names are restored in any case.
    fn asked_for(&self) -> Vec<SnapshotPath> {
        let own = self.customs.iter().filter(|it| it.dataset() == self.planned.dataset);
        let path = |custom: &Custom| match custom {
            Custom::File { path, .. } => SnapshotPath::from_user(path.as_bytes()).ok(),
            Custom::Sql { .. } | Custom::Command { .. } | Custom::Newest { .. } => None,
        };
        own.filter_map(path).collect()
    }

    pub(super) fn selection(&self) -> Result<Selection, PatternError> {
        match &self.sample {
            Some((_, sample)) => Ok(Selection::only(sample.paths.clone())),
            None => Selection::new(SnapshotPath::root(), &[], &[]),
        }
    }

    pub(super) fn files(&mut self, compared: &Compared) -> Result<(), Stopped> {
        let tally = compared.documents;
        let bad = tally.broken + tally.parts + tally.wrong_head;
        let detail = format!(
            "{} open, {} not to their end, {} lack parts, {} begin as nothing known, {} have \
             another format's name, {} looked at the front only",
            tally.good,
            tally.broken,
            tally.parts,
            tally.wrong_head,
            tally.misnamed,
            tally.head_only
        );
        let found = Found::equal(FailureCode::F1, 0, bad).with(detail);
        self.note(Level::L4, "open", found);
        if self.sample.is_some() {
            self.drift(compared, None);
            let found = Found::skipped(FailureCode::F8, "a sample is no whole to compare");
            self.checks.note((Level::L6, "files.capsule"), Weight::Minor, found);
            return Ok(());
        }
        let run = self.bench.run;
        let source = FolderSource::at(SnapshotPath::root(), self.folder, Excludes::default());
        let counted = source.and_then(|source| {
            let (base, mail) = (&SnapshotPath::root(), &self.planned.more.mail);
            census::folder(run, &source, Scope { base, mail })
        });
        let found = match counted {
            Ok(found) => found,
            Err(crate::source::SourceError::Stopped(stopped)) => return Err(stopped),
            Err(error) => {
                let found = Found::skipped(FailureCode::F8, error.to_string());
                self.note(Level::L6, "capsule", found);
                return Ok(());
            }
        };
        let expected = match self.truth.as_ref().map(|capsule| &capsule.truth) {
            Some(Truth::Folder(expected)) => Some(expected.clone()),
            Some(_) => {
                let why = "the capsule is of another kind than the dataset";
                self.note(Level::L6, "capsule", Found::failed(FailureCode::F2, why));
                None
            }
            None => None,
        };
        self.drift(compared, expected.as_deref().map(|between| between.before.mismatch()));
        self.newest_mail(&found.mail);
        if let Some(usual) = self.planned.more.shrink {
            capsule::shrink(&mut self.checks, usual, &found);
        }
        if let Some(expected) = expected {
            self.width_permille = capsule::folder(&mut self.checks, &expected, &found);
            self.mail(&expected, &found);
        } else if !found.mail.is_empty() {
            mail::alone(&mut self.checks, &found.mail);
        }
        Ok(())
    }

    /// Mail of a folder, where it was known to be.
    fn mail(&mut self, expected: &Between<FolderTruth>, found: &FolderTruth) {
        let Between { before, after } = expected;
        if before.mail.is_empty() && after.mail.is_empty() {
            return;
        }
        let between = Between { before: before.mail.clone(), after: after.mail.clone() };
        let width = mail::check(&mut self.checks, &between, &found.mail);
        self.width_permille = self.width_permille.max(width);
    }

    /// Files that begin as nothing known though their names promise a format: some always are
    /// damaged, many at once look like an attack.
    fn drift(&mut self, compared: &Compared, before: Option<(u64, u64)>) {
        let (looked_at, wrong) = (compared.documents.total(), compared.documents.wrong_head);
        let allowed = looked_at * MISMATCH_PERCENT / 100;
        let is_drift = wrong >= MISMATCH_MIN && wrong > allowed;
        self.has_attack_signs |= is_drift;
        let detail = before.map(|(looked_at, wrong)| {
            format!("when it was backed up {wrong} of {looked_at} in a sample")
        });
        let found = Found {
            result: if is_drift { Outcome::Fail } else { Outcome::Pass },
            code: FailureCode::F1,
            expected: Some(format!("at most {}", allowed.max(MISMATCH_MIN - 1))),
            actual: Some(format!("{wrong} of {looked_at}")),
            detail,
        };
        self.note(Level::L4, "drift", found);
    }
}
