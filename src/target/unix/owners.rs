//! Users and groups of this system by name.

use std::collections::HashMap;

/// Names and numbers from the system's own tables.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: HashMap<Vec<u8>, u32>,
    groups: HashMap<Vec<u8>, u32>,
}

impl Owners {
    /// A table that cannot be read is empty: every owner is then taken by number.
    pub(super) fn load() -> Self {
        let read = |path| std::fs::read(path).map(|text| parse(&text)).unwrap_or_default();
        Self { users: read("/etc/passwd"), groups: read("/etc/group") }
    }

    pub(super) fn user(&self, name: &[u8]) -> Option<u32> {
        self.users.get(name).copied()
    }

    pub(super) fn group(&self, name: &[u8]) -> Option<u32> {
        self.groups.get(name).copied()
    }
}

/// Both tables hold the name first and the number third.
fn parse(text: &[u8]) -> HashMap<Vec<u8>, u32> {
    let mut found = HashMap::new();
    for line in text.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b':');
        let (name, number) = (fields.next(), fields.nth(1));
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        if let (Some(name), Some(number)) = (name, number)
            && !name.is_empty()
        {
            found.entry(name.to_vec()).or_insert(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_and_odd_lines_passed_over() {
        let found = parse(b"root:x:0:0::/:/bin/sh\n\nbad\nuser:x:1000:\nuser:x:7:\nn:x:-1:\n");
        assert_eq!(found.len(), 2);
        assert_eq!((found[&b"root"[..]], found[&b"user"[..]]), (0, 1000));
    }
}
