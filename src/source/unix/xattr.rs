//! Extended attributes: POSIX ACLs and file capabilities are among them.

use std::ffi::CStr;

use rustix::io::Errno;

use crate::meta::XATTR_BYTES_MAX;
use crate::meta::Xattr;

/// Most bytes of all names of one entry, and of one value: limits of the kernel.
const KERNEL_BYTES_MAX: usize = 64 * 1024;

/// How the attributes of one entry are asked for.
pub(super) trait Asked {
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno>;
    fn get(&self, name: &CStr, into: &mut [u8]) -> Result<usize, Errno>;
}

/// An open handle.
pub(super) struct Handle<'a>(pub(super) &'a std::os::fd::OwnedFd);

impl Asked for Handle<'_> {
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno> {
        rustix::fs::flistxattr(self.0, into)
    }

    fn get(&self, name: &CStr, into: &mut [u8]) -> Result<usize, Errno> {
        rustix::fs::fgetxattr(self.0, name, into)
    }
}

/// The name that the process has for a handle that only marks a place.
pub(super) struct Named<'a>(pub(super) &'a str);

impl Asked for Named<'_> {
    fn list(&self, into: &mut [u8]) -> Result<usize, Errno> {
        rustix::fs::listxattr(self.0, into)
    }

    fn get(&self, name: &CStr, into: &mut [u8]) -> Result<usize, Errno> {
        rustix::fs::getxattr(self.0, name, into)
    }
}

/// Reads attributes into memory that is used again.
#[derive(Debug, Default)]
pub(super) struct XattrReader {
    names: Vec<u8>,
    value: Vec<u8>,
    /// The file system that said last that it has no attributes.
    without_device: Option<u64>,
}

impl XattrReader {
    /// All attributes, sorted by name, and what went wrong with some.
    pub(super) fn read(&mut self, asked: &impl Asked, device: u64) -> (Vec<Xattr>, Option<String>) {
        if self.without_device == Some(device) {
            return (Vec::new(), None);
        }
        self.names.resize(KERNEL_BYTES_MAX, 0);
        let len = match asked.list(&mut self.names) {
            Ok(len) => len,
            Err(Errno::NOTSUP) => {
                self.without_device = Some(device);
                return (Vec::new(), None);
            }
            Err(error) => {
                let text = super::record::text(error);
                return (Vec::new(), Some(format!("cannot list extended attributes: {text}")));
            }
        };
        self.values(asked, len)
    }

    fn values(&mut self, asked: &impl Asked, len: usize) -> (Vec<Xattr>, Option<String>) {
        let (mut found, mut wrong, mut total_bytes) = (Vec::new(), None, 0_usize);
        let names = self.names.get(..len).unwrap_or_default();
        for with_nul in names.split_inclusive(|&b| b == 0) {
            let Ok(name) = CStr::from_bytes_with_nul(with_nul) else { continue };
            self.value.resize(KERNEL_BYTES_MAX, 0);
            match asked.get(name, &mut self.value) {
                Ok(len) => {
                    let name = name.to_bytes().to_vec();
                    total_bytes += name.len() + len;
                    if total_bytes > XATTR_BYTES_MAX {
                        wrong = Some(format!(
                            "extended attributes have more than {XATTR_BYTES_MAX} bytes"
                        ));
                        break;
                    }
                    let value = self.value.get(..len).unwrap_or_default().to_vec();
                    found.push(Xattr { name, value });
                }
                // It was taken away since it was listed.
                Err(Errno::NODATA) => {}
                Err(error) => {
                    let name = crate::path::escape(name.to_bytes());
                    let text = super::record::text(error);
                    wrong = Some(format!("cannot read extended attribute `{name}`: {text}"));
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        (found, wrong)
    }
}
