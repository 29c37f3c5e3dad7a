//! What to do with one entry, given what stands in its place.

use crate::meta::Kind;
use crate::meta::Meta;
use crate::restore::Overwrite;
use crate::target::DOUBTFUL_TIME;
use crate::target::UNFINISHED_MODE;
use crate::target::UNSETTLED_TIME;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing stands there.
    Create,
    Replace,
    /// Size and time are equal, or a restore that was cut off left it: kept if the content is equal
    /// too, else replaced.
    Compare,
    /// As wanted, as far as size and time tell; only attributes are set.
    KeepEqual,
    /// The overwrite mode protects what stands there.
    KeepProtected,
    /// A folder stands where something else is to be, which is never replaced.
    Blocked,
}

/// Decides for anything but folders.
#[must_use]
pub fn decide(wanted: &Meta, standing: Option<&Meta>, overwrite: Overwrite) -> Action {
    let Some(standing) = standing else { return Action::Create };
    let unfinished = standing.mode == UNFINISHED_MODE || standing.mtime == DOUBTFUL_TIME;
    if standing.kind == Kind::File && unfinished {
        return Action::Replace;
    }
    if standing.kind == Kind::Directory {
        return match overwrite {
            Overwrite::Never => Action::KeepProtected,
            _ => Action::Blocked,
        };
    }
    // A second name of the file may lie outside the target, so such a file is never written to.
    let may_be_equal = wanted.kind == Kind::File
        && standing.kind == Kind::File
        && standing.size_bytes == wanted.size_bytes
        && standing.links_count <= wanted.links_count.max(1);
    if standing.kind == Kind::File && standing.mtime == UNSETTLED_TIME {
        return if may_be_equal { Action::Compare } else { Action::Replace };
    }
    let looks_equal = may_be_equal && standing.mtime == wanted.mtime;
    match overwrite {
        Overwrite::Never => Action::KeepProtected,
        Overwrite::IfNewer if wanted.mtime <= standing.mtime => Action::KeepProtected,
        Overwrite::Always if looks_equal => Action::Compare,
        Overwrite::IfChanged if looks_equal => Action::KeepEqual,
        Overwrite::Always | Overwrite::IfChanged | Overwrite::IfNewer => Action::Replace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::FileTime;

    fn file(size_bytes: u64, secs: i64) -> Meta {
        Meta { mtime: FileTime { secs, nanos: 0 }, ..Meta::plain(Kind::File, size_bytes) }
    }

    #[test]
    fn every_mode_against_every_standing() {
        use Overwrite::Always;
        use Overwrite::IfChanged;
        use Overwrite::IfNewer;
        use Overwrite::Never;
        let wanted = file(5, 100);
        let linked = Meta { links_count: 2, ..file(5, 100) };
        let cases = [
            (file(5, 100), [Action::Compare, Action::KeepEqual, Action::KeepProtected]),
            (file(5, 99), [Action::Replace, Action::Replace, Action::Replace]),
            (file(5, 101), [Action::Replace, Action::Replace, Action::KeepProtected]),
            (file(4, 100), [Action::Replace, Action::Replace, Action::KeepProtected]),
            (linked, [Action::Replace, Action::Replace, Action::KeepProtected]),
            (Meta::plain(Kind::Symlink, 0), [Action::Replace; 3]),
            (Meta::plain(Kind::Directory, 0), [Action::Blocked; 3]),
        ];
        for (standing, expected) in cases {
            for (mode, expected) in [Always, IfChanged, IfNewer].into_iter().zip(expected) {
                assert_eq!(decide(&wanted, Some(&standing), mode), expected, "{mode:?}");
            }
            assert_eq!(decide(&wanted, Some(&standing), Never), Action::KeepProtected);
        }
        let unfinished = Meta { mode: UNFINISHED_MODE, ..file(5, 100) };
        for mode in [Always, IfChanged, IfNewer, Never] {
            assert_eq!(decide(&wanted, Some(&unfinished), mode), Action::Replace);
            assert_eq!(decide(&wanted, None, mode), Action::Create);
        }
        let at = |mtime, size_bytes| Meta { mtime, ..file(size_bytes, 0) };
        for mode in [Always, IfChanged, IfNewer, Never] {
            let of = |standing: Meta| decide(&wanted, Some(&standing), mode);
            assert_eq!(of(at(UNSETTLED_TIME, 5)), Action::Compare);
            assert_eq!(of(at(UNSETTLED_TIME, 4)), Action::Replace);
            assert_eq!(of(at(DOUBTFUL_TIME, 5)), Action::Replace);
            // Its own time says nothing, even if it is the very one.
            let odd = Meta { mtime: UNSETTLED_TIME, ..file(5, 0) };
            assert_eq!(decide(&odd, Some(&odd), mode), Action::Compare);
        }
    }
}
