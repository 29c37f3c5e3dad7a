//! A client that is not polite, request by request.

use std::path::Path;
use std::sync::Arc;

use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::FileAttributes;
use russh_sftp::protocol::OpenFlags;
use russh_sftp::protocol::StatusCode;

use crate::clock::SystemClock;
use crate::disk::unix::RealDisk;
use crate::storage::wire::Wire;

use super::*;

/// Talks to a server of this folder.
fn with_client(root: &Path, talk: impl AsyncFnOnce(&RawSftpSession)) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let root = root.to_owned();
    let serving = std::thread::spawn(move || {
        serve((Arc::new(RealDisk), Arc::new(SystemClock::new())), &root, far)
    });
    Wire::shared().unwrap().wait(async {
        let session = RawSftpSession::new(near);
        session.init().await.unwrap();
        talk(&session).await;
    });
    serving.join().unwrap().unwrap();
}

fn new_file() -> OpenFlags {
    OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE
}

/// What the server answers in the place of a result.
fn code<T>(done: Result<T, Error>) -> StatusCode {
    match done {
        Ok(_) => StatusCode::Ok,
        Err(Error::Status(status)) => status.status_code,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_blob_is_not_written_through_the_handle_that_made_it() {
    let folder = tempfile::tempdir().unwrap();
    with_client(folder.path(), async |client| {
        let opened = client.open("/.tmp-1", new_file(), FileAttributes::empty()).await.unwrap();
        client.write(&opened.handle, 0, b"good".to_vec()).await.unwrap();
        client.rename("/.tmp-1", "/packs-1").await.unwrap();
        let again = client.write(&opened.handle, 0, b"evil".to_vec()).await;
        assert_eq!(code(again), StatusCode::BadMessage);
    });
    assert_eq!(std::fs::read(folder.path().join("packs-1")).unwrap(), b"good");
}

#[test]
fn nothing_is_replaced_removed_or_reached_outside() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for name in ["blob", ".tmp-2"] {
        use std::io::Write as _;
        File::create_new(place(name)).unwrap().write_all(b"good").unwrap();
    }
    let secret = outside.path().join("secret");
    File::create_new(&secret).unwrap();
    std::os::unix::fs::symlink(&secret, place("link")).unwrap();
    with_client(folder.path(), async |client| {
        let none = FileAttributes::empty;
        let denied = StatusCode::PermissionDenied;
        for flags in [
            OpenFlags::WRITE,
            OpenFlags::READ | OpenFlags::WRITE,
            OpenFlags::WRITE | OpenFlags::TRUNCATE,
            OpenFlags::WRITE | OpenFlags::APPEND,
            OpenFlags::WRITE | OpenFlags::CREATE,
            new_file() | OpenFlags::TRUNCATE,
            new_file(),
        ] {
            assert_eq!(code(client.open("/blob", flags, none()).await), denied, "{flags:?}");
        }
        assert_eq!(code(client.remove("/blob").await), denied);
        // Somebody else's, who may be at work.
        assert_eq!(code(client.remove("/.tmp-2").await), denied);
        assert_eq!(code(client.rename("/.tmp-2", "/mine").await), denied);
        assert_eq!(code(client.rename("/blob", "/other").await), denied);
        // A temporary takes no name that is taken, and none outside.
        client.open("/.tmp-3", new_file(), none()).await.unwrap();
        assert_eq!(code(client.rename("/.tmp-3", "/blob").await), StatusCode::Failure);
        for to in ["/../x", "/.ssh", "/.tmp-4", "/a/../../x"] {
            assert_eq!(code(client.rename("/.tmp-3", to).await), denied, "{to}");
        }
        for path in ["/..", "/../x", "/.ssh/authorized_keys", "/a/../..", "/A"] {
            assert_eq!(code(client.open(path, OpenFlags::READ, none()).await), denied, "{path}");
            assert_eq!(code(client.open(path, new_file(), none()).await), denied, "{path}");
            assert_eq!(code(client.opendir(path).await), denied, "{path}");
            assert_eq!(code(client.mkdir(path, none()).await), denied, "{path}");
            assert_eq!(code(client.stat(path).await), denied, "{path}");
        }
        assert_ne!(code(client.open("/link", OpenFlags::READ, none()).await), StatusCode::Ok);
        let unsupported = StatusCode::OpUnsupported;
        assert_eq!(code(client.setstat("/blob", none()).await), unsupported);
        assert_eq!(code(client.symlink("/blob", "/link2").await), unsupported);
        assert_eq!(code(client.rmdir("/").await), unsupported);
        for request in ["posix-rename@openssh.com", "hardlink@openssh.com", "copy-data"] {
            let answer = client.extended(request, Vec::new()).await.unwrap();
            let russh_sftp::protocol::Packet::Status(status) = answer else { panic!("{request}") };
            assert_eq!(status.status_code, unsupported, "{request}");
        }
    });
    for name in ["blob", ".tmp-2"] {
        assert_eq!(std::fs::read(place(name)).unwrap(), b"good", "{name}");
    }
    assert_eq!(outside.path().read_dir().unwrap().count(), 1);
}

#[test]
fn one_client_takes_so_much_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    with_client(folder.path(), async |client| {
        for _ in 0..LISTINGS_MAX {
            client.opendir("/").await.unwrap();
        }
        assert_eq!(code(client.opendir("/").await), StatusCode::Failure);
        for n in LISTINGS_MAX..HANDLES_MAX {
            let path = format!("/.tmp-{n:x}");
            client.open(path, new_file(), FileAttributes::empty()).await.unwrap();
        }
        let one_more = client.open("/.tmp-abcdef", new_file(), FileAttributes::empty()).await;
        assert_eq!(code(one_more), StatusCode::Failure);
    });
}
