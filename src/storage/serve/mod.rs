//! A storage in a folder, given to one writer behind SSH who may add and may not take away.
//!
//! What it is: the server side of SFTP (version 3) on two streams, such as those of a forced
//! command of OpenSSH, with the few requests that a storage takes.
//! Never: replaces or removes a blob; shows or makes anything outside of the folder; follows what a
//! client says of owners, rights or times; makes links.
//! Invariants: a path has the letters of a blob's name, or is a temporary; a temporary gets its
//! name only where that is free; only temporaries go, by the connection that made them or after a
//! day. Nobody else can put links into the folder: it belongs to whoever runs this.
//! Start reading at: [`serve`].

mod names;
mod requests;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::storage::wire::Wire;

use self::requests::Requests;

/// Files and folders that one client has open, and folders that it is told of.
const HANDLES_MAX: usize = 256;
const LISTINGS_MAX: usize = 32;
/// Most bytes of a request.
const PACKET_BYTES_MAX: u32 = 256 * 1024;

/// Serves `root` until the client goes.
///
/// # Errors
/// When there is no such folder, or no thread to serve it.
pub fn serve<S>(
    (disk, clock): (Arc<dyn Disk>, Arc<dyn Clock>),
    root: &Path,
    stream: S,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let root = root.canonicalize()?;
    if !root.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let (ended, end) = oneshot::channel();
    let requests = Requests::new((disk, clock), root, ended);
    let config = russh_sftp::server::Config { max_client_packet_len: PACKET_BYTES_MAX };
    Wire::shared()?.wait(async {
        russh_sftp::server::run_with_config(stream, requests, config).await;
        // It is dropped with the requests, when the stream ends.
        let _gone = end.await;
    });
    Ok(())
}

/// Something that a client has open.
enum Open {
    /// A temporary that is being written, until it has its name.
    Writing {
        file: File,
        name: String,
    },
    Reading(File),
    /// A folder opened as a file, to be synced.
    Folder(PathBuf),
    /// A folder that is being told.
    Listing(std::fs::ReadDir),
}
