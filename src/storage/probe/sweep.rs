//! What probes left behind: where a writer may not delete, each leaves its small blobs.

use crate::run::Run;
use crate::run::seed::Choices;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::leftovers::LEFTOVER_AGE_MS_MIN;
use crate::storage::probe::FOLDER;
use crate::storage::probe::seed_of;

/// Removes blobs of probes that are older than a day by the storage's own clock, asked by creating
/// one if there is any. Answers how many; none where this user may not delete.
///
/// # Errors
/// When the run is stopped, and those of listing, creating and deleting.
pub fn sweep(run: &Run, storage: &dyn Storage) -> Result<u64, super::ProbeError> {
    let rows = storage.list(FOLDER)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let number = Choices::new(run.seed, "storage::probe::sweep").next_number() ^ seed_of(run);
    let clock = BlobName::new(&format!("{FOLDER}{number:016x}-now"));
    let clock = clock.map_err(|error| StorageError {
        kind: StorageErrorKind::Other,
        after_s: None,
        location: storage.location(),
        operation: "clean",
        name: FOLDER.to_owned(),
        detail: error.to_string(),
    })?;
    let now = storage.create_dated(&clock, &[])?;
    match storage.delete(&clock) {
        Err(error) if error.kind == StorageErrorKind::Denied => return Ok(0),
        done => done?,
    }
    let mut count = 0;
    for row in rows {
        run.check()?;
        let created = match storage.stat(&row.name) {
            // Another process cleans up as well.
            Err(error) if error.kind == StorageErrorKind::NotFound => continue,
            stat => stat?.created,
        };
        if now.ms_since(created) <= LEFTOVER_AGE_MS_MIN {
            continue;
        }
        match storage.delete(&row.name) {
            Err(error) if error.kind == StorageErrorKind::NotFound => {}
            done => {
                done?;
                count += 1;
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::clock::ManualClock;
    use crate::ids::RunId;
    use crate::run::monitor::Silent;
    use crate::storage::memory::MemoryStorage;
    use crate::units::Timestamp;

    #[test]
    fn what_is_a_day_old_goes_and_nothing_else() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_ms(0)));
        let storage = MemoryStorage::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let run = Run::new(RunId::new([7; 16]), Arc::new(Silent), Arc::clone(&clock) as _, 1);
        let make = |text: &str| storage.create(&BlobName::new(text).unwrap(), &[b"x"]).unwrap();
        make("packs/a");
        assert_eq!(sweep(&run, &storage).unwrap(), 0);
        for n in 0..26 {
            make(&format!("probe/0123-{n}"));
        }
        clock.jump(LEFTOVER_AGE_MS_MIN);
        make("probe/4567-whole");
        assert_eq!(sweep(&run, &storage).unwrap(), 0);
        clock.jump(1);
        assert_eq!(sweep(&run, &storage).unwrap(), 26);
        let left = storage.list("").unwrap().into_iter().map(|row| row.name.to_string());
        assert_eq!(left.collect::<Vec<_>>(), ["packs/a", "probe/4567-whole"]);
    }
}
