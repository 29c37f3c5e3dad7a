//! How many files this process may have open at once.

use std::io;

use rustix::io::Errno;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::getrlimit;
use rustix::process::setrlimit;

/// Far more than any command opens at once. Not all that the system would allow: programs that are
/// started inherit it, and some go through every number up to it.
const WANTED: u64 = 4096;
/// With fewer no command is sure to get to its end; the libraries below it end in a panic then.
pub const LEAST: u64 = 32;

/// How many files this process may have open, if there is a limit.
#[must_use]
pub fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Lets this process open as many files as it may need, as far as the system allows it without a
/// right. Where not, what needs more says so: see [`lacking`].
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(WANTED).min(WANTED);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// What is to be told of an error that says that no more files can be opened; none of others.
#[must_use]
pub fn lacking(error: &io::Error) -> Option<String> {
    let number = error.raw_os_error()?;
    if number == Errno::NFILE.raw_os_error() {
        return Some(format!("{error}: the whole machine has no more"));
    }
    if number != Errno::MFILE.raw_os_error() {
        return None;
    }
    Some(match limit() {
        Some(limit) => format!("{error}: this process may have {limit} open at once"),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_want_of_open_files_is_told_as_one() {
        let told = |number: i32| lacking(&io::Error::from_raw_os_error(number));
        let mine = told(Errno::MFILE.raw_os_error()).unwrap();
        assert!(mine.ends_with(&format!("may have {} open at once", limit().unwrap())), "{mine}");
        assert!(told(Errno::NFILE.raw_os_error()).unwrap().ends_with("whole machine has no more"));
        assert_eq!(told(Errno::IO.raw_os_error()), None);
        assert_eq!(lacking(&io::ErrorKind::NotFound.into()), None);
    }
}
