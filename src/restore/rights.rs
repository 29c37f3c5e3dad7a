//! What gives power on the target's system: devices, setuid, capabilities, other people's owners.

use crate::meta::Kind;
use crate::meta::Meta;
use crate::meta::Xattr;
use crate::restore::Owners;
use crate::restore::Rights;
use crate::target::Attributes;
use crate::target::Lack;
use crate::target::Standing;
use crate::target::Strays;

use super::file::Shared;

const CAPABILITY: &[u8] = b"security.capability";
const SETUID_SETGID: u32 = 0o6000;

/// A set of what may be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed(u8);

impl Allowed {
    pub const NOTHING: Self = Self(0);
    /// Character and block devices.
    pub const DEVICES: Self = Self(1);
    /// setuid and setgid of files.
    pub const SETUID: Self = Self(2);
    /// Capabilities of files.
    pub const CAPABILITIES: Self = Self(4);
    /// Owners and groups; without it whoever restores owns everything.
    pub const OWNERS: Self = Self(8);
    pub const ALL: Self = Self(15);

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Rights {
    /// What may be restored into such a target.
    #[must_use]
    pub const fn allowed(self, standing: Standing) -> Allowed {
        let careful = match (standing.privileged, standing.fresh) {
            (true, true) => Allowed::ALL,
            _ => Allowed::OWNERS,
        };
        match self {
            Self::Careful => careful,
            Self::CarefulAnd(more) => careful.and(more),
            Self::Only(allowed) => allowed,
            Self::All => Allowed::ALL,
        }
    }
}

impl Shared<'_> {
    pub(super) fn allows(&self, what: Allowed) -> bool {
        self.options.rights.allowed(self.target.standing()).has(what)
    }

    /// The attributes to set, and what is left out of them.
    pub(super) fn attributes<'m>(
        &self,
        meta: &Meta,
        xattrs: &'m mut Vec<Xattr>,
    ) -> (Attributes<'m>, Vec<Lack>) {
        let mut lacks = Vec::new();
        let mut mode = meta.mode;
        *xattrs = meta.extra.as_ref().map(|extra| extra.xattrs.clone()).unwrap_or_default();
        let left = |what: &[u8]| Lack {
            what: what.to_vec(),
            detail: "left out, for it was not allowed".to_owned(),
        };
        let gives_rights = mode & SETUID_SETGID != 0 && meta.kind != Kind::Directory;
        if gives_rights && !self.allows(Allowed::SETUID) {
            mode &= !SETUID_SETGID;
            lacks.push(left(b"setuid or setgid"));
        }
        let is_capable = xattrs.iter().any(|xattr| xattr.name == CAPABILITY);
        if is_capable && !self.allows(Allowed::CAPABILITIES) {
            xattrs.retain(|xattr| xattr.name != CAPABILITY);
            lacks.push(left(CAPABILITY));
        }
        let owner = match self.options.owners {
            _ if !self.allows(Allowed::OWNERS) => None,
            Owners::Own => None,
            Owners::ByNumber => Some((meta.uid, meta.gid)),
            Owners::ByName => {
                let (uid, gid) = self.target.owner_ids(&meta.user, &meta.group);
                Some((uid.unwrap_or(meta.uid), gid.unwrap_or(meta.gid)))
            }
        };
        let strays = if self.target.standing().fresh { Strays::Leave } else { Strays::Remove };
        (Attributes { owner, mode, mtime: meta.mtime, xattrs, strays }, lacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_careful_restore_gives_everything_back_where_nothing_can_be_misused() {
        let standing = |privileged, fresh| Standing { privileged, fresh };
        assert_eq!(Rights::Careful.allowed(standing(true, true)), Allowed::ALL);
        for other in [standing(true, false), standing(false, true), standing(false, false)] {
            assert_eq!(Rights::Careful.allowed(other), Allowed::OWNERS);
            let more = Rights::CarefulAnd(Allowed::SETUID).allowed(other);
            assert!(more.has(Allowed::SETUID) && more.has(Allowed::OWNERS));
            assert!(!more.has(Allowed::DEVICES) && !more.has(Allowed::CAPABILITIES));
            assert_eq!(Rights::All.allowed(other), Allowed::ALL);
        }
        let only = Rights::Only(Allowed::DEVICES).allowed(standing(true, true));
        assert_eq!(only, Allowed::DEVICES);
        assert!(only.has(Allowed::NOTHING) && !only.has(Allowed::OWNERS));
    }
}
