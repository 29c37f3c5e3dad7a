//! POSIX ACLs: from the bytes that Linux keeps to the text that tar readers expect.

use std::fmt::Write;

/// `linux/posix_acl_xattr.h`: version of the bytes.
const VERSION: u32 = 2;
const HEAD_BYTES: usize = 4;
const ROW_BYTES: usize = 8;

/// The short text form with numbers for named users and groups; `None` if the bytes are no ACL.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let (head, rows) = value.split_at_checked(HEAD_BYTES)?;
    if u32::from_le_bytes(head.try_into().ok()?) != VERSION || rows.len() % ROW_BYTES != 0 {
        return None;
    }
    let mut out = String::new();
    for row in rows.chunks_exact(ROW_BYTES) {
        let [tag, tag_high, perm, perm_high, a, b, c, d] = *row else { return None };
        let id = u32::from_le_bytes([a, b, c, d]);
        if tag_high != 0 || perm_high != 0 || perm > 7 {
            return None;
        }
        if !out.is_empty() {
            out.push(',');
        }
        // Writing to a String cannot fail.
        let _always_ok = match tag {
            0x01 => write!(out, "user::"),
            0x02 => write!(out, "user:{id}:"),
            0x04 => write!(out, "group::"),
            0x08 => write!(out, "group:{id}:"),
            0x10 => write!(out, "mask::"),
            0x20 => write!(out, "other::"),
            _ => return None,
        };
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            out.push(if perm & bit != 0 { letter } else { '-' });
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acl_as_setfacl_writes_it() {
        let mut value = 2_u32.to_le_bytes().to_vec();
        let none = u32::MAX;
        let rows =
            [(1, 6, none), (2, 4, 1000), (4, 4, none), (8, 5, 7), (16, 5, none), (32, 0, none)];
        for (tag, perm, id) in rows {
            value.extend_from_slice(&u16::to_le_bytes(tag));
            value.extend_from_slice(&u16::to_le_bytes(perm));
            value.extend_from_slice(&u32::to_le_bytes(id));
        }
        let expected = "user::rw-,user:1000:r--,group::r--,group:7:r-x,mask::r-x,other::---";
        assert_eq!(text(&value).as_deref(), Some(expected));
        assert_eq!(text(&value[1..]), None);
        assert_eq!(text(&value[..value.len() - 1]), None);
        value[4] = 3;
        assert_eq!(text(&value), None);
    }
}
