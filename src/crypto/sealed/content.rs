//! Keys of objects: derived from everything the cipher is given.

use crate::crypto::context;
use crate::ids::DomainId;
use crate::ids::SourceId;
use crate::secret::ObjectKey;
use crate::secret::Secret32;

/// The key of a snapshot's notes: whoever opens the snapshot opens them, and nobody else.
#[must_use]
pub fn note_key(snapshot_key: &Secret32) -> Secret32 {
    Secret32::new(blake3::derive_key(context::NOTE_KEY, snapshot_key.expose()))
}

/// What gives ids of sources, from the first secret of a domain.
#[must_use]
pub fn source_key(domain: &Secret32) -> Secret32 {
    Secret32::new(blake3::derive_key(context::SOURCE_ID, domain.expose()))
}

/// What a domain secret gives: one key per purpose. Machines with the same domain secret cut and
/// seal alike and so share deduplication. Reading needs none of it.
#[derive(Debug, Clone)]
pub struct DomainKeys {
    pub domain: DomainId,
    pub generation: u32,
    object: Secret32,
    gear_table: Secret32,
    tree_cut: Secret32,
    local_cache: Secret32,
    source_id: Secret32,
}

impl DomainKeys {
    #[must_use]
    pub fn derive(domain: DomainId, generation: u32, secret: &Secret32) -> Self {
        let derive = |context| Secret32::new(blake3::derive_key(context, secret.expose()));
        Self {
            domain,
            generation,
            object: derive(context::OBJECT_KEY),
            gear_table: derive(context::GEAR_TABLE),
            tree_cut: derive(context::TREE_CUT),
            local_cache: derive(context::LOCAL_CACHE),
            source_id: source_key(secret),
        }
    }

    /// With ids of sources from an earlier secret of the domain.
    #[must_use]
    pub fn with_sources(self, key: Option<&Secret32>) -> Self {
        let source_id = key.cloned().unwrap_or_else(|| self.source_id.clone());
        Self { source_id, ..self }
    }

    /// The key of one object: `blake3(K_object; suite | kind | length of kids | kids | frame)`.
    /// Equal input gives an equal key, so a key never seals two messages.
    #[must_use]
    pub fn object_key(&self, suite: u8, kind: u8, kids: &[u8], frame: &[u8]) -> ObjectKey {
        let mut hasher = blake3::Hasher::new_keyed(self.object.expose());
        let kids_len = u8::try_from(kids.len()).unwrap_or(u8::MAX);
        hasher.update(&[suite, kind, kids_len]);
        hasher.update(kids);
        hasher.update(frame);
        ObjectKey::new(*hasher.finalize().as_bytes())
    }

    /// 256 random-looking words for the chunker.
    #[must_use]
    pub fn gear_table(&self) -> Box<[u64; 256]> {
        let mut output = blake3::Hasher::new_keyed(self.gear_table.expose()).finalize_xof();
        let mut table = Box::new([0_u64; 256]);
        let mut word = [0_u8; 8];
        for slot in table.iter_mut() {
            output.fill(&mut word);
            *slot = u64::from_le_bytes(word);
        }
        table
    }

    /// 64 bits that decide whether the tree is cut after `item`.
    #[must_use]
    pub fn tree_cut_hash(&self, item: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(self.tree_cut.expose(), item);
        let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Seals what lies in the machine's own cache.
    #[must_use]
    pub const fn local_cache(&self) -> &Secret32 {
        &self.local_cache
    }

    /// The id of a dataset, from the text that names it; tells a stranger nothing.
    #[must_use]
    pub fn source_id(&self, name: &[u8]) -> SourceId {
        let hash = blake3::keyed_hash(self.source_id.expose(), name);
        let (id, _) = hash.as_bytes().split_at(SourceId::LEN);
        SourceId::from_slice(id).unwrap_or(SourceId::new([0; 16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_frame_kind_child_or_domain_is_another_key() {
        let keys = |byte| DomainKeys::derive(DomainId::new([0; 16]), 1, &Secret32::new([byte; 32]));
        let one = keys(1);
        let key = one.object_key(1, 1, b"", b"frame");
        assert_eq!(key, one.object_key(1, 1, b"", b"frame"));
        for other in [
            one.object_key(2, 1, b"", b"frame"),
            one.object_key(1, 2, b"", b"frame"),
            one.object_key(1, 1, b"f", b"rame"),
            one.object_key(1, 1, b"", b"Frame"),
            keys(2).object_key(1, 1, b"", b"frame"),
        ] {
            assert_ne!(key, other);
        }
    }
}
