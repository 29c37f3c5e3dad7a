//! The name of this machine.

/// As the system knows it, raw bytes; empty if it has none.
#[must_use]
#[cfg(unix)]
pub fn host_name() -> Vec<u8> {
    rustix::system::uname().nodename().to_bytes().to_vec()
}

/// As the system knows it, raw bytes; empty if it has none.
#[must_use]
#[cfg(not(unix))]
pub fn host_name() -> Vec<u8> {
    Vec::new()
}
