//! Notes of snapshots: sealed under a key that the snapshot's own gives, signed by an
//! administrator.

use crate::crypto::blind;
use crate::crypto::blind::Place;
use crate::crypto::sealed::content::note_key;
use crate::crypto::sign::Purpose;
use crate::crypto::sign::SigningKey;
use crate::format::note::NOTE_KIND;
use crate::format::note::NotePublic;
use crate::format::note::NoteWords;
use crate::format::note::SignedNote;
use crate::repository::error::RepositoryError;
use crate::secret::Secret32;

fn place<'a>(public: &NotePublic, public_hash: &'a [u8; 32]) -> Place<'a> {
    Place { kind: NOTE_KIND, repository: public.repository, name: public_hash }
}

/// Seals the words and signs the whole. `public.signer` is set here.
pub fn seal_note(
    admin: &SigningKey,
    snapshot_key: &Secret32,
    mut public: NotePublic,
    words: &NoteWords,
) -> Result<SignedNote, RepositoryError> {
    public.signer = admin.verifying_key().key_id();
    let public_hash = blind::hash(&public.encode());
    let place = place(&public, &public_hash);
    let sealed = blind::seal_box(&note_key(snapshot_key), place, &words.encode()?)
        .map_err(|_| RepositoryError::NoRandom)?;
    let unsigned = SignedNote::unsigned(&public, &sealed)?;
    let signature = admin.sign(Purpose::Note, &unsigned);
    Ok(SignedNote { public, sealed, signature })
}

/// Opens the words with the key of the snapshot that the note belongs to.
pub fn open_note(snapshot_key: &Secret32, note: &SignedNote) -> Result<NoteWords, RepositoryError> {
    let public_hash = blind::hash(&note.public.encode());
    let place = place(&note.public, &public_hash);
    let words = blind::open_box(&note_key(snapshot_key), place, &note.sealed)?;
    Ok(NoteWords::decode(&words)?)
}
