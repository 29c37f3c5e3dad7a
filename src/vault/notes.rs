//! Notes of snapshots: what is listed, read and missing, and the writing of one.
//!
//! A note stands in two folders and is never replaced. `notes.2/` is written first, so whoever
//! lists `notes/` sees notes that are whole.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use crate::crypto::blind;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::VerifyingKey;
use crate::format::note::NOTE_BYTES_MAX;
use crate::format::note::NotePublic;
use crate::format::note::SignedNote;
use crate::format::wire::FormatError;
use crate::ids::NoteId;
use crate::run::Run;
use crate::run::monitor::Problem;
use crate::storage::BlobName;
use crate::storage::Storage;
use crate::storage::StorageErrorKind;
use crate::storage::together;
use crate::vault::Vault;
use crate::vault::chains::Copies;
use crate::vault::chains::Verifier;
use crate::vault::chains::shelf::Shelf;
use crate::vault::error::Fault;
use crate::vault::error::VaultError;
use crate::vault::load::whole_or_error;
use crate::vault::names::Chain;
use crate::vault::names::NOTES;
use crate::vault::names::NotePlace;
use crate::vault::names::Place;

/// A note that is good, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNote {
    pub place: NotePlace,
    pub note: SignedNote,
}

/// The notes of snapshots, and what is wrong with them.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// By snapshot, number, id.
    pub notes: Vec<StoredNote>,
    /// The last that is listed for each snapshot, whatever became of that note.
    pub last: BTreeMap<Place, NotePlace>,
    pub findings: Vec<NoteFinding>,
}

/// Something wrong with notes. A lost twin can be healed from the other; the rest cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteFinding {
    /// One of the two copies; the other is good.
    BadTwin { name: BlobName, fault: Fault },
    /// No copy of a note is good.
    Lost { place: NotePlace, fault: Fault },
    /// A number that nothing stands for.
    Gap { snapshot: Place, number: u32 },
    /// The note before is another than the one that this note names.
    OtherPrev { place: NotePlace },
    /// A blob whose name belongs to nothing that is known.
    Stranger { name: BlobName },
}

impl Notes {
    /// The note that the next of a snapshot follows, in number and, of several with one number, id.
    #[must_use]
    pub fn last_id(&self, snapshot: &Place) -> Option<NoteId> {
        self.last.get(snapshot).map(|place| place.id)
    }

    /// The number of the next note of a snapshot.
    #[must_use]
    pub fn next_number(&self, snapshot: &Place) -> u32 {
        self.last.get(snapshot).map_or(1, |place| place.number.saturating_add(1))
    }
}

impl fmt::Display for NotePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}", self.snapshot, self.number, self.id)
    }
}

impl NoteFinding {
    /// Name of what the finding is about.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::BadTwin { name, .. } | Self::Stranger { name } => name.to_string(),
            Self::Lost { place, .. } | Self::OtherPrev { place } => format!("note {place}"),
            Self::Gap { snapshot, .. } => format!("notes of {snapshot}"),
        }
    }

    /// Whether nothing is lost by it.
    #[must_use]
    pub const fn is_healable(&self) -> bool {
        matches!(self, Self::BadTwin { .. } | Self::Stranger { .. })
    }

    /// Whether a later version of the program wrote the note.
    #[must_use]
    pub const fn is_newer(&self) -> bool {
        matches!(self, Self::Lost { fault: Fault::Format(FormatError::Version { .. }), .. })
    }

    /// As it is told to whoever watches.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let made = match self {
            _ if self.is_healable() => Problem::healable,
            _ if self.is_newer() => Problem::new,
            _ => Problem::damage,
        };
        made(self.subject(), self.to_string())
    }
}

impl fmt::Display for NoteFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadTwin { fault: Fault::Missing, .. } => f.write_str(
                "tag was interrupted between the two copies of a note; the next tag of this \
                 snapshot writes it",
            ),
            Self::BadTwin { fault, .. } => {
                write!(f, "a copy of a note is bad: {fault}; the other one is good")
            }
            Self::Lost { fault, .. } => write!(f, "a note is lost: {fault}"),
            Self::Gap { number, .. } => write!(f, "note {number} is missing"),
            Self::OtherPrev { .. } => {
                f.write_str("the note before is another than the one it was made after")
            }
            Self::Stranger { .. } => f.write_str("the name belongs to nothing that is known"),
        }
    }
}

/// Names of notes.
#[derive(Debug, Default)]
pub(in crate::vault) struct NoteNames {
    /// Which of the two copies are listed.
    notes: BTreeMap<NotePlace, [bool; 2]>,
    strangers: Vec<BlobName>,
}

impl NoteNames {
    /// Of one snapshot, or of all.
    fn list(storage: &dyn Storage, snapshot: Option<&Place>) -> Result<Self, VaultError> {
        let mut names = Self::default();
        let look = |prefix: &&str| {
            let below = snapshot.map(|snapshot| NotePlace::folder(prefix, snapshot));
            storage.list(below.as_deref().unwrap_or(prefix))
        };
        for listed in together::each(storage, &NOTES, look)?.into_iter().flatten() {
            if !names.add(&listed.name) {
                names.strangers.push(listed.name);
            }
        }
        // The second copy is written first. Asked at the same time, a listing of it may have been
        // the earlier one.
        if storage.is_far() && names.notes.values().any(|copies| *copies == [true, false]) {
            let [_, second] = &NOTES;
            let known = names.notes.keys().copied().collect::<BTreeSet<_>>();
            for listed in look(second)? {
                names.add(&listed.name);
            }
            names.notes.retain(|place, _| known.contains(place));
        }
        names.strangers.sort_unstable();
        Ok(names)
    }

    /// Takes the name if it is that of a note.
    pub(in crate::vault) fn add(&mut self, name: &BlobName) -> bool {
        for (copy, prefix) in NOTES.into_iter().enumerate() {
            if let Some(place) = NotePlace::parse(prefix, name) {
                let copies = self.notes.entry(place).or_default();
                copies.iter_mut().skip(copy).take(1).for_each(|it| *it = true);
                return true;
            }
        }
        false
    }

    /// Takes out the notes of snapshots that are not among these, and answers the names of their
    /// copies.
    pub(in crate::vault) fn split_off(
        &mut self,
        is_known: impl Fn(&Place) -> bool,
    ) -> Result<Vec<BlobName>, VaultError> {
        let mut gone = Vec::new();
        for (place, listed) in &self.notes {
            let copies = NOTES.into_iter().zip(listed).filter(|(_, is_listed)| **is_listed);
            if !is_known(&place.snapshot) {
                let names = copies.map(|(prefix, _)| place.name(prefix));
                gone.extend(names.collect::<Result<Vec<_>, _>>()?);
            }
        }
        self.notes.retain(|place, _| is_known(&place.snapshot));
        Ok(gone)
    }
}

impl Vault {
    /// Reads the notes of one or all snapshots, and says what is missing or bad. Nothing that it
    /// finds is an error, but a storage that cannot be listed or read is.
    pub fn notes(
        &self,
        run: &Run,
        snapshot: Option<&Place>,
        (copies, verifier): (Copies, &dyn Verifier),
    ) -> Result<Notes, VaultError> {
        let shelf = self.inner.shelf();
        let names = NoteNames::list(shelf.storage, snapshot)?;
        let mut found = shelf.notes(run, &names, (copies, verifier))?;
        let strangers = names.strangers.into_iter().map(|name| NoteFinding::Stranger { name });
        found.findings.splice(0..0, strangers);
        Ok(found)
    }

    /// Keeps both copies of a note. A copy that is there stays if it is the same. Durable once this
    /// has returned.
    pub fn put_note(&self, run: &Run, note: &SignedNote) -> Result<NotePlace, VaultError> {
        run.check()?;
        let bytes = note.encode()?;
        let place = place_of(&note.public, &bytes);
        let storage = &*self.inner.storage;
        for prefix in NOTES.into_iter().rev() {
            let name = place.name(prefix)?;
            match storage.create(&name, &[&bytes]) {
                Ok(()) => {}
                Err(error) if error.kind == StorageErrorKind::AlreadyExists => {
                    if storage.read(&name, NOTE_BYTES_MAX)? != bytes {
                        return Err(VaultError::Record { name, fault: Fault::Hash });
                    }
                }
                Err(error) => return Err(error.into()),
            }
            storage.sync()?;
        }
        Ok(place)
    }
}

fn place_of(public: &NotePublic, bytes: &[u8]) -> NotePlace {
    let chain = Chain { machine: public.machine, source: public.source };
    let snapshot = Place { chain, seq: public.seq, id: public.snapshot };
    NotePlace { snapshot, number: public.number, id: id_of(bytes) }
}

fn id_of(bytes: &[u8]) -> NoteId {
    let hash = blind::hash(bytes);
    hash.first_chunk().map_or(NoteId::new([0; 16]), |half| NoteId::new(*half))
}

/// The reason if none of these administrators signed the note.
pub fn signed_by(note: &SignedNote, admins: &[VerifyingKey]) -> Result<(), String> {
    let refused = || "it is not signed by an administrator".to_owned();
    let unsigned = SignedNote::unsigned(&note.public, &note.sealed).map_err(|_| refused())?;
    let mut own = admins.iter().filter(|admin| admin.key_id() == note.public.signer);
    let good = own.any(|key| key.verify(Purpose::Note, &unsigned, &note.signature).is_ok());
    good.then_some(()).ok_or_else(refused)
}

impl Shelf<'_> {
    /// Reads the notes of `names`, and says what is missing or bad.
    pub(in crate::vault) fn notes(
        &self,
        run: &Run,
        names: &NoteNames,
        (copies, verifier): (Copies, &dyn Verifier),
    ) -> Result<Notes, VaultError> {
        let mut found = Notes::default();
        let listed: Vec<_> = names.notes.iter().collect();
        let read = together::each(self.storage, &listed, |(place, listed)| {
            run.check()?;
            self.read_note(place, listed, copies)
        })?;
        for (place, one) in names.notes.keys().zip(read) {
            found.notes.extend(one.notes);
            found.findings.extend(one.findings);
            found.last.insert(place.snapshot, *place);
        }
        let refused = |stored: &StoredNote| verifier.note(&stored.note).err();
        let (mut good, mut findings) = (Vec::new(), Vec::new());
        for stored in std::mem::take(&mut found.notes) {
            match refused(&stored) {
                None => good.push(stored),
                Some(why) => findings.push(NoteFinding::Lost {
                    place: stored.place,
                    fault: Fault::Signature { why },
                }),
            }
        }
        found.notes = good;
        found.findings.extend(findings);
        find_gaps(names, &mut found);
        Ok(found)
    }

    fn read_note(
        &self,
        place: &NotePlace,
        listed: &[bool; 2],
        copies: Copies,
    ) -> Result<Notes, VaultError> {
        let mut found = Notes::default();
        let mut good = None;
        let mut bad = Vec::new();
        for (prefix, is_listed) in NOTES.into_iter().zip(listed) {
            let name = place.name(prefix)?;
            if !is_listed {
                bad.push((name, Fault::Missing));
                continue;
            }
            if good.is_some() && copies == Copies::First {
                continue;
            }
            match self.read_note_copy(&name, place)? {
                Ok(note) => good = good.or(Some(note)),
                Err(fault) => bad.push((name, fault)),
            }
        }
        match good {
            Some(note) => {
                let twins = bad.into_iter();
                let twins = twins.map(|(name, fault)| NoteFinding::BadTwin { name, fault });
                found.findings.extend(twins);
                found.notes.push(StoredNote { place: *place, note });
            }
            None => {
                let fault = bad.into_iter().map(|(_, fault)| fault);
                let fault = fault.max_by_key(|fault| *fault != Fault::Missing);
                let fault = fault.unwrap_or(Fault::Missing);
                found.findings.push(NoteFinding::Lost { place: *place, fault });
            }
        }
        Ok(found)
    }

    fn read_note_copy(
        &self,
        name: &BlobName,
        place: &NotePlace,
    ) -> Result<Result<SignedNote, Fault>, VaultError> {
        let read = self.storage.read(name, NOTE_BYTES_MAX);
        let bytes = match whole_or_error(read, NOTE_BYTES_MAX)? {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err(fault)),
        };
        if id_of(&bytes) != place.id {
            return Ok(Err(Fault::Hash));
        }
        let note = match SignedNote::decode(&bytes) {
            Ok(note) => note,
            Err(error) => return Ok(Err(error.into())),
        };
        let is_here = place_of(&note.public, &bytes) == *place;
        Ok(match is_here && note.public.repository == self.repository {
            true => Ok(note),
            false => Err(Fault::Misplaced { field: "snapshot" }),
        })
    }
}

/// Numbers that nothing stands for, and links to notes that are not there. Two notes with one
/// number are two administrators at once: both count.
fn find_gaps(names: &NoteNames, found: &mut Notes) {
    let mut members: BTreeMap<Place, BTreeMap<u32, Vec<NoteId>>> = BTreeMap::new();
    for place in names.notes.keys() {
        let numbers = members.entry(place.snapshot).or_default();
        numbers.entry(place.number).or_default().push(place.id);
    }
    for (snapshot, numbers) in &members {
        let last = found.last.get(snapshot).map_or(0, |place| place.number);
        let missing = (1..=last).filter(|number| !numbers.contains_key(number));
        let gaps = missing.map(|number| NoteFinding::Gap { snapshot: *snapshot, number });
        found.findings.extend(gaps);
    }
    for stored in &found.notes {
        let place = stored.place;
        let Some(prev) = stored.note.public.prev else { continue };
        let before = members.get(&place.snapshot).and_then(|all| all.get(&(place.number - 1)));
        if before.is_some_and(|ids| !ids.contains(&prev)) {
            found.findings.push(NoteFinding::OtherPrev { place });
        }
    }
}
