//! What needs no server.

use super::*;

#[test]
fn paths_are_joined_as_the_server_reads_them() {
    assert_eq!(joined("/srv/x", "p/a"), "/srv/x/p/a");
    assert_eq!(joined("/", "p"), "/p");
    assert_eq!(joined("", "p"), "p");
    assert_eq!(joined("own", ""), "own");
    assert_eq!(folder_path(""), "./.");
    assert_eq!(folder_path("/srv"), "/srv/.");
}

/// Texts about a storage name where it is and nothing that opens it.
#[test]
fn places_are_told_without_secrets() {
    let secret = || SecretBytes::new(b"hush".to_vec());
    let ssh = |port| Ssh {
        host: "nas".to_owned(),
        port,
        user: "office".to_owned(),
        host_keys: HostKeys::Files(Vec::new()),
        logins: vec![
            Login::Password(secret()),
            Login::Key { shown: "k".to_owned(), content: secret(), passphrase: Some(secret()) },
        ],
    };
    let at = |way| SftpOptions { way, root: "/x".to_owned() };
    assert_eq!(at(Way::Ssh(ssh(22))).location(), "sftp:office@nas:/x");
    assert_eq!(at(Way::Ssh(ssh(2222))).location(), "sftp://office@nas:2222/x");
    let argv = ["ssh", "-o", "hush"].map(OsString::from).to_vec();
    assert_eq!(at(Way::Program(argv)).location(), "sftp by `ssh`:/x");
    let text = format!("{:?}", at(Way::Ssh(ssh(22))));
    assert!(!text.contains("hush") && !text.contains("104"), "{text}");
}
