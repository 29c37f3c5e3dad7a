//! Trees of entries and maps of huge files: written by content, read by range.

pub mod map;
pub mod reader;
#[cfg(test)]
mod tests;
pub mod writer;

use crate::format::leaf::NodeBody;
use crate::format::object::ObjectKind;
use crate::format::object::Ref;
use crate::format::object::SealedObject;
use crate::ids::Sid;
use crate::repository::error::RepositoryError;
use crate::repository::seal::Sealer;
use crate::run::Run;

/// Where nodes are cut. A cut depends on the items alone, so equal content gives equal trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeSizes {
    /// Weight (about the raw bytes) from which a leaf may end, and at which it must.
    pub leaf_min: u32,
    pub leaf_max: u32,
    /// A leaf ends after an entry whose path hashes to this many zero bits.
    pub leaf_cut_bits: u32,
    /// Children from which a branch may end, and at which it must.
    pub branch_min: u32,
    pub branch_max: u32,
    pub branch_cut_bits: u32,
}

impl TreeSizes {
    /// Leaves of 64 to 256 KiB, mostly below 128; branches of 64 to 1024 children.
    pub const DEFAULT: Self = Self {
        leaf_min: 64 * 1024,
        leaf_max: 256 * 1024,
        leaf_cut_bits: 8,
        branch_min: 64,
        branch_max: 1024,
        branch_cut_bits: 7,
    };
}

/// Takes the nodes of a tree as they are made.
pub trait NodeSink {
    /// A node that was made now. The vault may have it already.
    fn put(&mut self, object: SealedObject) -> Result<(), RepositoryError>;
    /// A node that is referred to again, unchanged, from the parent snapshot.
    fn reuse(&mut self, node: &Ref) -> Result<(), RepositoryError>;
}

/// Gives nodes by reference, opened and checked.
pub trait NodeSource: Sync {
    /// Raw content and the sids of the children.
    fn node(
        &self,
        run: &Run,
        node: &Ref,
        kind: ObjectKind,
    ) -> Result<(Vec<u8>, Vec<Sid>), RepositoryError>;

    /// Announces objects that will be read soon: where each way is long, they come together.
    /// Elsewhere nobody asks which.
    fn soon(&self, _run: &Run, _which: &mut dyn FnMut() -> Vec<Sid>) {}
}

/// Whether a hash asks for a cut.
const fn is_cut(hash: u64, bits: u32) -> bool {
    hash.trailing_zeros() >= bits
}

fn put_node(
    sealer: &mut Sealer,
    sink: &mut dyn NodeSink,
    kind: ObjectKind,
    body: &NodeBody,
) -> Result<Ref, RepositoryError> {
    let (node, object) = sealer.seal_node(kind, body)?;
    sink.put(object)?;
    Ok(node)
}
