//! Packs byte by byte.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::format::index::PackTable;
use crate::format::pack::PACK_BYTES_MAX;
use crate::format::pack::PACK_HEAD_BYTES;
use crate::format::pack::PACK_MAGIC;
use crate::format::pack::PACK_TABLE_KIND;
use crate::format::pack::PACK_TRAILER_BYTES;
use crate::format::pack::Trailer;
use crate::ids::PackId;
use crate::ids::Sid;
use crate::run::Run;
use crate::run::monitor::Count;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load;
use crate::vault::load::absent_or_error;
use crate::vault::load::whole_or_error;
use crate::vault::locations::Locations;
use crate::vault::locations::Row;
use crate::vault::locations::prefix_of;
use crate::vault::names;
use crate::vault::scrub::Scrub;
use crate::vault::scrub::Subset;
use crate::vault::scrub::objects::Copy;
use crate::vault::scrub::report::Class;
use crate::vault::scrub::report::Kind;
use crate::vault::scrub::report::Part;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What is thought of an object whose bytes have the hash that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Right,
    /// It does not open to what is needed of it.
    Useless,
}

/// Whoever opens objects. Called by several threads.
pub type Judge<'j> = &'j (dyn Fn(&Sid, &[u8]) -> Judged + Sync);

/// Which packs are read, and how.
pub struct Reading<'j> {
    pub subset: Subset,
    pub threads_count: usize,
    pub judge: Judge<'j>,
}

/// What the threads find together.
#[derive(Default)]
struct Findings {
    bad_copies: Vec<(Copy, Fault)>,
    useless: Vec<Sid>,
    parts: Vec<(PackId, Part, String)>,
    gone: Vec<PackId>,
    read_bytes: u64,
    packs_count: u64,
    failed: Option<VaultError>,
}

/// What all threads look at.
struct Shared<'a> {
    run: &'a Run,
    storage: &'a dyn Storage,
    vault: Option<&'a Vault>,
    /// Numbers of all rows by pack and place, and where each pack begins in them.
    rows: Vec<u32>,
    starts: BTreeMap<PackId, (u32, usize)>,
    judge: Judge<'a>,
    findings: Mutex<Findings>,
}

impl Scrub<'_> {
    /// Reads packs whole and hashes them and their objects. `ranks` tells which objects to read
    /// early: packs come in the order of the lowest rank in them.
    pub fn read_packs<'s>(
        &mut self,
        reading: &Reading<'_>,
        ranks: impl Iterator<Item = (&'s Sid, u32)>,
    ) -> Result<(), VaultError> {
        let packs = self.ranked(ranks)?;
        let chosen = choose(self.run, &packs, reading.subset);
        self.report.is_complete = chosen.len() == packs.len();
        let (rows, starts) = match self.vault {
            None => Default::default(),
            Some(vault) => vault.inner.with_locations(self.run, by_pack)?,
        };
        let shared = Shared {
            run: self.run,
            storage: &*self.storage,
            vault: self.vault,
            rows,
            starts,
            judge: reading.judge,
            findings: Mutex::default(),
        };
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..reading.threads_count.max(1) {
                scope.spawn(|| {
                    while let Some(id) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = shared.one_pack(id) {
                            shared.note(|found| found.failed = Some(error));
                            next.store(usize::MAX / 2, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let found = shared.findings.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.take_over(found)
    }

    fn take_over(&mut self, found: Findings) -> Result<(), VaultError> {
        if let Some(error) = found.failed {
            return Err(error);
        }
        self.report.packs_read_count = found.packs_count;
        self.report.read_bytes = found.read_bytes;
        self.bad_copies.extend(found.bad_copies);
        self.useless.extend(found.useless);
        // With the store key the objects tell what is lost; without it nobody can.
        let class = if self.vault.is_some() { Class::Healable } else { Class::Unclear };
        for (pack, part, why) in found.parts {
            self.bad(names::pack(&pack)?.as_str(), (Kind::Pack, part), class, why);
        }
        // A prune that runs beside removes what it has condemned.
        for pack in found.gone {
            if self.condemned.contains(&pack) {
                continue;
            }
            self.missing(&names::pack(&pack)?, Kind::Pack, Class::Lost, "it is missing");
        }
        Ok(())
    }

    fn ranked<'s>(
        &self,
        ranks: impl Iterator<Item = (&'s Sid, u32)>,
    ) -> Result<Vec<(PackId, u64)>, VaultError> {
        let mut first: BTreeMap<PackId, u32> = BTreeMap::new();
        if let Some(vault) = self.vault {
            vault.inner.with_locations(self.run, |locations| {
                for (sid, rank) in ranks {
                    for row in locations.find(sid) {
                        let Some(pack) = locations.pack(row.pack) else { continue };
                        let lowest = first.entry(pack.id).or_insert(rank);
                        *lowest = rank.min(*lowest);
                    }
                }
            })?;
        }
        let packs = self.census.packs.iter();
        let mut packs: Vec<_> = packs.map(|(id, len_bytes)| (*id, *len_bytes)).collect();
        packs.sort_by_key(|(id, _)| first.get(id).copied().unwrap_or(u32::MAX));
        Ok(packs)
    }
}

type ByPack = (Vec<u32>, BTreeMap<PackId, (u32, usize)>);

fn by_pack(locations: &Locations) -> ByPack {
    let rows = locations.by_pack();
    let mut starts = BTreeMap::new();
    for (at, number) in rows.iter().enumerate() {
        let Some(row) = locations.row(*number) else { continue };
        let Some(pack) = locations.pack(row.pack) else { continue };
        starts.entry(pack.id).or_insert((row.pack, at));
    }
    (rows, starts)
}

fn choose(run: &Run, packs: &[(PackId, u64)], subset: Subset) -> Vec<PackId> {
    // By name, so that a part is the same part whatever else there is.
    let mut named: Vec<(PackId, u64)> = packs.to_vec();
    named.sort_unstable();
    let count = packs.len();
    let day = usize::try_from(run.clock.now().unix_ms / DAY_MS).unwrap_or(0);
    // A window that moves on by its own length each day reads everything in turn.
    let window = |len: usize| {
        let start = day.wrapping_mul(len) % count.max(1);
        named.iter().cycle().skip(start).take(len.min(count)).map(|(id, _)| *id).collect()
    };
    match subset {
        Subset::All => packs.iter().map(|(id, _)| *id).collect(),
        Subset::Part { n, t } => {
            let (n, t) = (n.saturating_sub(1) as usize, t.max(1) as usize);
            let part = named.iter().enumerate().filter(|(at, _)| at % t == n);
            part.map(|(_, (id, _))| *id).collect()
        }
        Subset::Share(share) => {
            let len = (0..=count).find(|len| *len as f64 >= share * count as f64);
            window(len.unwrap_or(count))
        }
        Subset::Bytes(bytes) => {
            let mut left = bytes;
            let take = named.iter().take_while(|(_, len)| {
                let more = left > 0;
                left = left.saturating_sub(*len);
                more
            });
            window(take.count())
        }
    }
}

impl Shared<'_> {
    fn note(&self, note: impl FnOnce(&mut Findings)) {
        note(&mut self.findings.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn one_pack(&self, id: &PackId) -> Result<(), VaultError> {
        self.run.check()?;
        let name = names::pack(id)?;
        let read = self.storage.read(&name, PACK_BYTES_MAX);
        let bytes = match whole_or_error(read, PACK_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(Fault::Missing) => {
                self.note(|found| found.gone.push(*id));
                return Ok(());
            }
            Err(fault) => {
                self.note(|found| found.parts.push((*id, Part::Whole, fault.to_string())));
                return self.one_by_one((id, &name));
            }
        };
        self.run.count(Count::PacksRead, 1);
        self.run.count(Count::BytesRead, bytes.len() as u64);
        let mut found = Findings { packs_count: 1, ..Findings::default() };
        found.read_bytes = bytes.len() as u64;
        let rows = self.rows_of(id)?;
        for row in &rows {
            self.run.check()?;
            self.one_object(row, &bytes, &mut found);
        }
        self.look_at_frame((id, &bytes), &rows, &mut found);
        if blind::hash(&bytes) != *id.as_bytes()
            && found.parts.is_empty()
            && found.bad_copies.is_empty()
        {
            found.parts.push((*id, Part::Whole, Fault::Hash.to_string()));
        }
        self.note(|all| {
            all.bad_copies.extend(found.bad_copies);
            all.useless.extend(found.useless);
            all.parts.extend(found.parts);
            all.read_bytes += found.read_bytes;
            all.packs_count += found.packs_count;
        });
        Ok(())
    }

    /// The objects of a pack that is not read whole.
    fn one_by_one(&self, (id, name): (&PackId, &BlobName)) -> Result<(), VaultError> {
        let mut found = Findings::default();
        for row in self.rows_of(id)? {
            self.run.check()?;
            let mut object = vec![0; usize::try_from(row.len_bytes()).unwrap_or_default()];
            let read = self.storage.read_range(name, u64::from(row.offset), &mut object);
            match absent_or_error(read, row.end())? {
                Ok(()) => self.judged(&row, &object, &mut found),
                Err(fault) => found.bad_copies.push((Copy::of(&row), fault)),
            }
            found.read_bytes += u64::from(row.len_bytes());
        }
        self.run.count(Count::BytesRead, found.read_bytes);
        self.note(|all| {
            all.bad_copies.extend(found.bad_copies);
            all.useless.extend(found.useless);
            all.read_bytes += found.read_bytes;
        });
        Ok(())
    }

    fn rows_of(&self, id: &PackId) -> Result<Vec<Row>, VaultError> {
        let (Some(vault), Some((number, start))) = (self.vault, self.starts.get(id)) else {
            return Ok(Vec::new());
        };
        let rows = self.rows.get(*start..).unwrap_or_default();
        vault.inner.with_locations(self.run, |locations| {
            let rows = rows.iter().map_while(|at| locations.row(*at));
            rows.take_while(|row| row.pack == *number).copied().collect()
        })
    }

    fn one_object(&self, row: &Row, bytes: &[u8], found: &mut Findings) {
        let start = usize::try_from(row.offset).unwrap_or(usize::MAX);
        let end = usize::try_from(row.end()).unwrap_or(usize::MAX);
        let Some(object) = bytes.get(start..end) else {
            let (expected_bytes, found_bytes) = (row.end(), bytes.len() as u64);
            let fault = Fault::Length { expected_bytes, found_bytes };
            found.bad_copies.push((Copy::of(row), fault));
            return;
        };
        self.judged(row, object, found);
    }

    fn judged(&self, row: &Row, object: &[u8], found: &mut Findings) {
        let sid = blind::sid_of(object);
        if prefix_of(&sid) != row.prefix() {
            found.bad_copies.push((Copy::of(row), Fault::Hash));
        } else if (self.judge)(&sid, object) == Judged::Useless {
            found.useless.push(sid);
        }
        self.run.count(Count::BytesDone, object.len() as u64);
    }

    /// Head, table and trailer. What is wrong with a table that no index file stands in for was
    /// noted when the index was read.
    fn look_at_frame(&self, (id, bytes): (&PackId, &[u8]), rows: &[Row], found: &mut Findings) {
        if bytes.get(..PACK_MAGIC.len()) != Some(PACK_MAGIC) {
            let why = "it does not begin as a pack of version 1".to_owned();
            found.parts.push((*id, Part::Head, why));
        }
        let Some(vault) = self.vault.filter(|_| !rows.is_empty()) else { return };
        match load::open_table(&vault.inner, id, bytes, bytes.len() as u64) {
            Ok(table) if is_same(&table, rows) => {}
            Ok(_) => {
                let why = "it tells of other objects than the index".to_owned();
                found.parts.push((*id, Part::Table, why));
            }
            Err(fault) => self.tell_apart((id, bytes), (vault, rows, &fault), found),
        }
    }

    /// The index says where the table must be, so it can be told which of the two is bad.
    fn tell_apart(
        &self,
        (id, bytes): (&PackId, &[u8]),
        (vault, rows, fault): (&Vault, &[Row], &Fault),
        found: &mut Findings,
    ) {
        let start = rows.last().map_or(PACK_HEAD_BYTES, Row::end);
        let end = bytes.len().saturating_sub(PACK_TRAILER_BYTES);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let Some(sealed) = bytes.get(start..end) else { return };
        let keys = vault.keys();
        let repository = keys.repository();
        let place = Place { kind: PACK_TABLE_KIND, repository, name: b"" };
        let mut generations = keys.generations().iter();
        let opens = generations.any(|(_, key)| blind::open_box(key, place, sealed).is_ok());
        let trailer = Trailer::decode(bytes);
        let fits = trailer.is_ok_and(|trailer| {
            u64::from(trailer.table_len_bytes) == sealed.len() as u64
                && keys.get(trailer.generation).is_ok()
        });
        if !opens {
            found.parts.push((*id, Part::Table, fault.to_string()));
        }
        if !fits {
            found.parts.push((*id, Part::Trailer, fault.to_string()));
        }
    }
}

fn is_same(table: &PackTable, rows: &[Row]) -> bool {
    let mut offset = PACK_HEAD_BYTES;
    table.rows.len() == rows.len()
        && table.rows.iter().zip(rows).all(|(own, row)| {
            let same = prefix_of(&own.sid) == row.prefix()
                && own.len_bytes == row.len_bytes()
                && u64::from(row.offset) == offset;
            offset = offset.saturating_add(u64::from(own.len_bytes));
            same
        })
}
