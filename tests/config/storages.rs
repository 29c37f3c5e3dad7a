//! Storages: what reaches them, and how fast.

use lifeboat::config::storage::HourLimits;
use lifeboat::config::storage::Storage;

use super::found;
use super::mistakes;

const HEAD: &str = "version = 1\n[storage.nas]\n";
const SFTP: &str = "kind = \"sftp\"\nhost = \"nas\"\npath = \"/b\"\n\
    host_key = \"SHA256:EXAMPLEexampleEXAMPLEexampleEXAMPLEexample0\"\nagent = \"/run/agent\"\n";

#[test]
fn a_line_is_left_to_the_office_by_day() {
    let text = format!(
        "{HEAD}{SFTP}upload = \"10MiB/s\"\n[[storage.nas.hours]]\nfrom = \"07:00\"\n\
         to = \"17:30\"\nupload = \"1MiB/s\"\n[[storage.nas.hours]]\nfrom = \"22:00\"\n\
         to = \"05:00\"\ndownload = \"5MiB/s\"\n"
    );
    let config = found(&text).config.unwrap();
    let limits = &config.storage_limits["nas"];
    assert_eq!(limits.upload_bytes_per_s, Some(10 << 20));
    let day = HourLimits {
        from_minute: 420,
        to_minute: 1050,
        upload_bytes_per_s: Some(1 << 20),
        download_bytes_per_s: None,
    };
    assert_eq!(limits.hours[0], day);
    assert_eq!((limits.hours[1].from_minute, limits.hours[1].to_minute), (1320, 300));
}

#[test]
fn hours_that_are_none_are_told_with_their_place() {
    for (line, expected) in [
        ("from = \"7:00\"\nto = \"17:00\"\nupload = \"1MiB/s\"", "expected a time of day"),
        ("from = \"24:00\"\nto = \"17:00\"\nupload = \"1MiB/s\"", "expected a time of day"),
        ("from = \"07:60\"\nto = \"17:00\"\nupload = \"1MiB/s\"", "expected a time of day"),
        ("from = \"07:00\"\nupload = \"1MiB/s\"", "`to` is missing"),
        ("from = \"07:00\"\nto = \"17:00\"", "`upload` is missing"),
        ("from = \"07:00\"\nto = \"17:00\"\nupload = \"1MiB\"", "a size each second"),
    ] {
        let told = mistakes(&format!("{HEAD}{SFTP}[[storage.nas.hours]]\n{line}\n"));
        assert!(told.len() == 1 && told[0].contains(expected), "{line}: {told:?}");
    }
}

/// What opens a server is said once, and whole.
#[test]
fn a_server_needs_a_key_and_a_login_or_a_program() {
    let of = |body: &str| mistakes(&format!("{HEAD}kind = \"sftp\"\npath = \"/b\"\n{body}"));
    assert_eq!(of("command = [\"ssh\", \"nas\", \"-s\", \"sftp\"]\n"), Vec::<String>::new());
    let told = of("");
    for key in ["`host` is missing", "`host_key` is missing", "`identity` is missing"] {
        assert!(told.iter().any(|line| line.contains(key)), "{key}: {told:?}");
    }
    assert_eq!(of("host = \"nas\"\nknown_hosts = \"/k\"\nagent = \"/a\"\n"), Vec::<String>::new());
    let told = mistakes(&format!("{HEAD}{SFTP}").replace("\"/b\"", "\"~/b\""));
    assert!(told[0].contains("without `~`"), "{told:?}");
    let config = found(&format!("{HEAD}{SFTP}")).config.unwrap();
    assert!(matches!(&config.storages["nas"], Storage::Sftp(sftp) if sftp.port == 22));
}

/// Both keys of S3, or none.
#[test]
fn half_a_key_is_a_mistake() {
    let of = |body: &str| {
        let s3 = "kind = \"s3\"\nendpoint = \"https://s3.example.vn\"\nbucket = \"b\"\n";
        mistakes(&format!("{HEAD}{s3}{body}"))
    };
    assert_eq!(of(""), Vec::<String>::new());
    let told = of("access_key = { env = \"A\" }\n");
    assert!(told[0].contains("`secret_key` is missing"), "{told:?}");
    let told = of("secret_key = { env = \"A\" }\n");
    assert!(told[0].contains("`access_key` is missing"), "{told:?}");
}
