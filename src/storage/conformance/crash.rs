//! The promises after a crash at any moment, on the simulated disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::disk::sim::SimDisk;
use crate::disk::sim::crash::CrashCounts;
use crate::disk::sim::crash::CrashPoint;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageError;
use crate::storage::StorageErrorKind;
use crate::storage::conformance::Broken;

/// Random subsets of lost changes at each step.
const RANDOM_COUNT: usize = 12;
const CONTENT_BYTES_MAX: u64 = 1 << 20;

/// Opens a storage on a disk.
pub type Open<'a> = &'a dyn Fn(Arc<SimDisk>) -> Result<Arc<dyn Storage>, StorageError>;
/// A disk that holds what a crash left.
pub type Reboot<'a> = &'a dyn Fn(&crate::disk::sim::image::Image) -> SimDisk;

/// What is known of one blob, in steps of the disk.
#[derive(Debug, Default)]
struct Life {
    content: Vec<u8>,
    /// From this count on it must be there.
    durable_from: Option<usize>,
    /// From this count on it may be gone, and later must be.
    deleted_from: Option<usize>,
    gone_from: Option<usize>,
}

struct Script<'a> {
    disk: &'a SimDisk,
    storage: &'a dyn Storage,
    lives: BTreeMap<BlobName, Life>,
}

impl Script<'_> {
    fn create(&mut self, place: &str, len: usize) -> Result<(), String> {
        let name = BlobName::new(place).map_err(|error| error.to_string())?;
        let content: Vec<u8> = place.bytes().cycle().take(len).collect();
        self.storage.create(&name, &[&content]).map_err(|error| error.to_string())?;
        self.lives.insert(name, Life { content, ..Life::default() });
        Ok(())
    }

    fn delete(&mut self, place: &str) -> Result<(), String> {
        let name = BlobName::new(place).map_err(|error| error.to_string())?;
        let life = self.lives.get_mut(&name).ok_or("no such blob in the script")?;
        life.deleted_from = Some(self.disk.step_count());
        self.storage.delete(&name).map_err(|error| error.to_string())
    }

    fn sync(&mut self) -> Result<(), String> {
        self.storage.sync().map_err(|error| error.to_string())?;
        let now = self.disk.step_count();
        for life in self.lives.values_mut() {
            life.durable_from.get_or_insert(now);
            if life.deleted_from.is_some() {
                life.gone_from.get_or_insert(now);
            }
        }
        Ok(())
    }

    /// Small and torn-size blobs, new and known folders, deletions, three barriers.
    fn play(&mut self) -> Result<(), String> {
        self.create("config-a", 700)?;
        self.sync()?;
        self.create("packs/aa/1", 1500)?;
        self.create("packs/ab/2", 513)?;
        self.create("sessions/x", 0)?;
        self.create("sessions/y", 20)?;
        self.sync()?;
        self.create("packs/aa/3", 40)?;
        self.delete("sessions/y")?;
        self.create("manifests/m", 600)?;
        self.sync()?;
        self.delete("packs/aa/1")?;
        self.create("packs/aa/4", 1025)
    }
}

/// Plays a script on a disk and tries `create_is_whole_or_absent` and `durable_after_sync` on all
/// that a crash at any step may leave, by opening it and reading and listing through the storage.
///
/// # Errors
/// The first promise that was not kept, with the crash that shows it.
pub fn all(
    disk: SimDisk,
    open: Open<'_>,
    reboot: Reboot<'_>,
    seed: u64,
) -> Result<CrashCounts, Broken> {
    let broken = |promise, found| Broken { promise, found };
    let disk = Arc::new(disk);
    let opened = open(Arc::clone(&disk));
    let storage = opened.map_err(|error| broken("open", error.to_string()))?;
    let first_step = disk.step_count();
    let mut script = Script { disk: &disk, storage: &*storage, lives: BTreeMap::new() };
    script.play().map_err(|found| broken("script", found))?;
    let lives = script.lives;
    let mut failure = None;
    let counts = disk.history().visit_crashes(seed, RANDOM_COUNT, &mut |point, image| {
        if point.step_count < first_step || failure.is_some() {
            return;
        }
        let after = open(Arc::new(reboot(image)));
        let judged = match after {
            Ok(storage) => judge(&*storage, &lives, point),
            Err(error) => Err(("open", error.to_string())),
        };
        if let Err((promise, found)) = judged {
            failure = Some(broken(promise, format!("{found}, after {point:?}")));
        }
    });
    failure.map_or(Ok(counts), Err)
}

fn judge(
    storage: &dyn Storage,
    lives: &BTreeMap<BlobName, Life>,
    point: CrashPoint,
) -> Result<(), (&'static str, String)> {
    let listed = storage.list("").map_err(|error| ("list", error.to_string()))?;
    let reached = |from: Option<usize>| from.is_some_and(|from| point.step_count >= from);
    for (name, life) in lives {
        let is_listed = listed.iter().any(|row| row.name == *name);
        let found = match storage.read(name, CONTENT_BYTES_MAX) {
            Ok(content) => Some(content),
            Err(error) if error.kind == StorageErrorKind::NotFound => None,
            Err(error) => return Err(("read_after_create", error.to_string())),
        };
        if is_listed != found.is_some() {
            return Err(("read_after_create", format!("`{name}` listed: {is_listed}")));
        }
        if let Some(content) = &found
            && *content != life.content
        {
            let lens = (life.content.len(), content.len());
            let detail = format!("`{name}`: expected {} bytes, found {} others", lens.0, lens.1);
            return Err(("create_is_whole_or_absent", detail));
        }
        if found.is_none() && reached(life.durable_from) && !reached(life.deleted_from) {
            return Err(("durable_after_sync", format!("`{name}` is lost")));
        }
        if found.is_some() && reached(life.gone_from) {
            return Err(("durable_after_sync", format!("`{name}` is back")));
        }
    }
    Ok(())
}
