//! A Ceph object gateway on loopback, one for the whole test process.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use data_encoding::HEXLOWER;
use lifeboat::secret::SecretBytes;
use lifeboat::storage::s3::S3Options;
use lifeboat::storage::s3::keys::Keys;
use lifeboat::storage::s3::place::Addressing;
use lifeboat::storage::wire::Wire;
use reqsign_aws_v4::RequestSigner;
use reqsign_aws_v4::StaticCredentialProvider;
use reqsign_core::Context;
use reqsign_core::Signer;
use sha2::Digest;
use sha2::Sha256;
use ureq::http::Request;

pub(crate) const REGION: &str = "us-east-1";
const STARTS_MAX: usize = 3;

/// A pair of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) access: &'static str,
    pub(crate) secret: &'static str,
}

/// Who may do everything with the buckets of the tests.
pub(crate) const OWNER: User = User { access: "owner-key", secret: "owner-secret-of-the-tests" };
/// Who may do only what a bucket's policy gives.
pub(crate) const GUEST: User = User { access: "guest-key", secret: "guest-secret-of-the-tests" };

impl User {
    pub(crate) fn keys(self) -> Keys {
        let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
        Keys::Static { access: secret(self.access), secret: secret(self.secret), session: None }
    }
}

/// A gateway that runs.
#[derive(Debug)]
pub(crate) struct Rgw {
    pub(crate) port: u16,
    conf: PathBuf,
    buckets_count: AtomicU32,
    /// The script holds the servers as long as this holds its input.
    _script: Child,
}

/// The gateway of this process, started by the first who asks. It ends with the process, and its
/// folder with it.
pub(crate) fn server() -> &'static Rgw {
    static SERVER: OnceLock<Rgw> = OnceLock::new();
    SERVER.get_or_init(|| {
        let rgw = (0..STARTS_MAX).find_map(|_| Rgw::start()).expect("a gateway that starts");
        for (name, user) in [("owner", OWNER), ("guest", GUEST)] {
            let keys =
                [format!("--access-key={}", user.access), format!("--secret={}", user.secret)];
            let name = [format!("--uid={name}"), format!("--display-name={name}")];
            rgw.admin(&["user", "create", &name[0], &name[1], &keys[0], &keys[1]]);
        }
        rgw
    })
}

impl Rgw {
    /// Nothing if a port was taken meanwhile, for example.
    fn start() -> Option<Self> {
        // Both are held until both are known, so that they differ.
        let held = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let [gateway, monitor] = held.map(|held| held.local_addr().unwrap().port());
        let dir = tempfile::Builder::new().prefix("lifeboat-rgw-").tempdir().unwrap().keep();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3/rgw.sh");
        let mut script = Command::new(script)
            .arg(&dir)
            .args([gateway.to_string(), monitor.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            drop(script.stdin.take());
            let mut said = String::new();
            script.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            script.wait().unwrap();
            eprintln!("the gateway did not start: {said}");
            return None;
        }
        let conf = dir.join("ceph.conf");
        Some(Self { port: gateway, conf, buckets_count: AtomicU32::new(0), _script: script })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What `radosgw-admin` prints.
    #[track_caller]
    pub(crate) fn admin(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("radosgw-admin");
        let output = command.arg("--conf").arg(&self.conf).args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// A bucket of the owner's, empty.
    pub(crate) fn new_bucket(&self) -> String {
        self.new_bucket_with(&[])
    }

    /// Such a bucket with an object lock, and so with versions.
    pub(crate) fn new_locked_bucket(&self) -> String {
        self.new_bucket_with(&[("x-amz-bucket-object-lock-enabled", "true")])
    }

    fn new_bucket_with(&self, headers: &[(&'static str, &str)]) -> String {
        let bucket = format!("bucket-{}", self.buckets_count.fetch_add(1, Ordering::Relaxed));
        let (status, said) = self.ask("PUT", &format!("/{bucket}"), headers, b"");
        assert_eq!(status, 200, "{said}");
        bucket
    }

    /// A signed request of the owner's, told apart from the code under test.
    pub(crate) fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> (u16, String) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.endpoint()))
            .header("x-amz-content-sha256", HEXLOWER.encode(&Sha256::digest(body)));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let keys = StaticCredentialProvider::new(OWNER.access, OWNER.secret);
        let signer = Signer::new(Context::new(), keys, RequestSigner::new("s3", REGION));
        Wire::shared().unwrap().wait(signer.sign(&mut head, None)).unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        let mut answer = match method {
            "PUT" | "POST" => agent.run(Request::from_parts(head, body)),
            _ => agent.run(Request::from_parts(head, ())),
        }
        .unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// How the owner gets to a bucket.
    pub(crate) fn options(&self, bucket: &str) -> S3Options {
        S3Options {
            endpoint: Some(self.endpoint()),
            region: Some(REGION.to_owned()),
            bucket: bucket.to_owned(),
            prefix: "copies/of the office".to_owned(),
            addressing: Addressing::Path,
            keys: OWNER.keys(),
            ca_file: None,
            storage_class: None,
        }
    }
}
