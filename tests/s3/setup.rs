//! What an administrator gets wrong while setting a bucket up, and what is said about it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lifeboat::secret::SecretBytes;
use lifeboat::storage::Storage;
use lifeboat::storage::StorageError;
use lifeboat::storage::StorageErrorKind;
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::S3Storage;
use lifeboat::storage::s3::Weakness;
use lifeboat::storage::s3::keys::Keys;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tempfile::tempdir;

use super::by;
use super::name;
use super::opened;
use super::proxy::Proxy;
use super::run;
use super::server::GUEST;
use super::server::OWNER;
use super::server::REGION;
use super::server::server;

/// Which bucket a test under a turned clock is to open.
const TURNED: &str = "LIFEBOAT_TEST_TURNED_ENDPOINT";

/// What the guide has in blocks of a language, in its chapter on S3.
pub fn blocks_of_the_guide(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/targets.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, chapter) = guide.split_once("\n## S3\n").expect("the chapter");
    let blocks = chapter.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(str::to_owned).collect()
}

fn refused(options: &S3Options) -> StorageError {
    let error = S3Storage::open(&run(), options.clone()).unwrap_err();
    let told = format!("{error} {error:?} {options:?}");
    for secret in [OWNER.secret, GUEST.secret, "hushed"] {
        assert!(!told.contains(secret), "{told}");
    }
    error
}

#[track_caller]
fn assert_told(error: &StorageError, kind: StorageErrorKind, words: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn wrong_keys_and_buckets_are_told_apart() {
    let options = server().options(&server().new_bucket());
    let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
    let keys = |access: &str, hidden: &str| Keys::Static {
        access: secret(access),
        secret: secret(hidden),
        session: None,
    };
    let mut wrong = options.clone();
    wrong.keys = keys("nobody", "hushed");
    assert_told(&refused(&wrong), StorageErrorKind::Denied, "does not know the access key");
    wrong.keys = keys(OWNER.access, "hushed");
    assert_told(&refused(&wrong), StorageErrorKind::Denied, "the secret key is wrong");
    wrong.keys = GUEST.keys();
    assert_told(&refused(&wrong), StorageErrorKind::Denied, "no right");
    let missing = S3Options { bucket: "no-such-bucket".to_owned(), ..options.clone() };
    assert_told(&refused(&missing), StorageErrorKind::NotFound, "no such bucket");
    let other = by(&options, "http://me:hushed@127.0.0.1".to_owned());
    assert_told(&refused(&other), StorageErrorKind::Other, "endpoint");
    let nowhere = by(&options, "http://127.0.0.1:1".to_owned());
    assert_told(&refused(&nowhere), StorageErrorKind::Transient, "connection");
}

#[test]
fn a_bucket_that_goes_is_no_missing_blob() {
    let bucket = server().new_bucket();
    let storage = opened(server().options(&bucket));
    assert_eq!(server().ask("DELETE", &format!("/{bucket}"), &[], b"").0, 204);
    let a = name("a");
    for error in [
        storage.read(&a, 9).unwrap_err(),
        storage.stat(&a).unwrap_err(),
        storage.delete(&a).unwrap_err(),
        storage.list("").unwrap_err(),
        storage.create(&a, &[b"1"]).unwrap_err(),
    ] {
        assert_told(&error, StorageErrorKind::Other, "no such bucket");
    }
}

#[test]
fn a_full_quota_is_full() {
    let bucket = server().new_bucket();
    let storage = opened(server().options(&bucket));
    let of = format!("--bucket={bucket}");
    let set = ["quota", "set", "--quota-scope=bucket", &of, "--max-size=100000"];
    server().admin(&set);
    server().admin(&["quota", "enable", "--quota-scope=bucket", &of]);
    storage.create(&name("a"), &[&[1; 60_000]]).unwrap();
    let error = storage.create(&name("b"), &[&[1; 60_000]]).unwrap_err();
    assert_told(&error, StorageErrorKind::Full, "quota");
    let error = storage.create(&name("c"), &[&vec![1; 3 << 20]]).unwrap_err();
    assert_told(&error, StorageErrorKind::Full, "quota");
    assert_eq!(storage.list("").unwrap().len(), 1);
}

#[test]
fn keys_that_may_only_read_do() {
    let bucket = server().new_bucket();
    let options = server().options(&bucket);
    opened(options.clone()).create(&name("a"), &[b"content"]).unwrap();
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
            "Principal": {{"AWS": ["arn:aws:iam:::user/guest"]}},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]}}]}}"#
    );
    let (status, said) = server().ask("PUT", &format!("/{bucket}?policy="), &[], policy.as_bytes());
    assert_eq!(status, 204, "{said}");
    let reader = opened(S3Options { keys: GUEST.keys(), ..options });
    assert_eq!(reader.read(&name("a"), 9).unwrap(), b"content");
    assert_eq!(reader.list("").unwrap().len(), 1);
    assert_eq!(reader.stat(&name("b")).unwrap_err().kind, StorageErrorKind::NotFound);
    assert_told(&reader.delete(&name("a")).unwrap_err(), StorageErrorKind::Denied, "no right");
    let error = reader.create(&name("b"), &[b"1"]).unwrap_err();
    assert_told(&error, StorageErrorKind::Denied, "no right");
    assert_eq!(reader.lacks().unwrap(), [Weakness::Untried]);
}

/// An authority and a certificate of 127.0.0.1 by it, made as an administrator would.
fn certified(dir: &Path) -> ServerConfig {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        let output = command.current_dir(dir).args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(&format!("{new} -keyout ca.key -out ca.pem -subj /CN=office"));
    openssl(&format!(
        "{new} -keyout key.pem -out cert.pem -subj /CN=gateway -CA ca.pem -CAkey ca.key \
         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    ));
    let cert = CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap()
}

#[test]
fn a_certificate_is_trusted_by_its_authority() {
    let dir = tempdir().unwrap();
    let proxy = Proxy::start_tls(server().port, certified(dir.path()));
    let mut options = by(&server().options(&server().new_bucket()), proxy.endpoint());
    let error = refused(&options);
    assert_told(&error, StorageErrorKind::Other, "certificate is not trusted");
    assert_told(&error, StorageErrorKind::Other, "ca_file");
    options.ca_file = Some(dir.path().join("none.pem"));
    assert_told(&refused(&options), StorageErrorKind::Other, "none.pem");
    options.ca_file = Some(dir.path().join("key.pem"));
    assert_told(&refused(&options), StorageErrorKind::Other, "expected certificates");
    options.ca_file = Some(dir.path().join("ca.pem"));
    let storage = opened(options);
    storage.create(&name("a"), &[&vec![5; 3 << 20]]).unwrap();
    assert_eq!(storage.read(&name("a"), 3 << 20).unwrap(), vec![5; 3 << 20]);
}

/// Runs itself in a process whose clock goes an hour ahead.
#[test]
fn clocks_that_differ_are_told() {
    let turned = std::env::vars_os().find(|(name, _)| name == TURNED);
    if let Some((_, endpoint)) = turned {
        let endpoint = endpoint.into_string().unwrap();
        let (endpoint, bucket) = endpoint.rsplit_once('/').unwrap();
        let options = S3Options {
            endpoint: Some(endpoint.to_owned()),
            region: Some(REGION.to_owned()),
            bucket: bucket.to_owned(),
            prefix: String::new(),
            addressing: lifeboat::storage::s3::place::Addressing::Path,
            keys: OWNER.keys(),
            ca_file: None,
            storage_class: None,
        };
        println!("told: {}", refused(&options));
        return;
    }
    let endpoint = format!("{}/{}", server().endpoint(), server().new_bucket());
    let test = "s3::setup::clocks_that_differ_are_told";
    let output = Command::new("faketime")
        .args(["-f", "+3600s"])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(TURNED, endpoint)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said} {complaint}", output.status);
    let told = said.lines().find(|line| line.contains("told: ")).unwrap_or(&said);
    assert!(told.contains("the clock of this machine"), "{told}");
    let (_, seconds) = told.split_once("this machine's is ").unwrap_or_else(|| panic!("{told}"));
    let (seconds, after) = seconds.split_once(' ').unwrap();
    assert!((3595..=3660).contains(&seconds.parse::<i64>().unwrap()), "{told}");
    assert!(after.starts_with("s ahead of the server's"), "{told}");
}
