//! Access keys, and where they are looked for.
//!
//! The environment is looked through as other programs for S3 do it: variables
//! (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), the files of profiles
//! (`AWS_PROFILE`), the service that gives an instance its keys. Keys that expire are fetched anew
//! before they do.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use reqsign_aws_v4::Credential;
use reqsign_aws_v4::DefaultCredentialProvider;
use reqsign_aws_v4::RequestSigner;
use reqsign_aws_v4::StaticCredentialProvider;
use reqsign_core::Context;
use reqsign_core::Env;
use reqsign_core::Error;
use reqsign_core::FileRead;
use reqsign_core::HttpSend;
use reqsign_core::Result;
use reqsign_core::Signer;
use ureq::Agent;
use ureq::http::Request;
use ureq::http::Response;

use crate::secret::SecretBytes;

/// Where the keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    Static {
        access: SecretBytes,
        secret: SecretBytes,
        /// Of keys that were given for a while.
        session: Option<SecretBytes>,
    },
    /// Variables, a profile, the instance, in this order.
    Environment,
}

/// Most bytes of what an instance's service answers.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How long an instance's service is waited for; outside an instance there is none.
const INSTANCE_PATIENCE: Duration = Duration::from_secs(3);

pub(super) type KeySigner = Signer<Credential>;

/// What signs requests for a region. What is wrong is told without the keys.
pub(super) fn signer(keys: &Keys, region: &str) -> std::result::Result<KeySigner, String> {
    let context = Context::new().with_env(ProcessEnvironment).with_file_read(Files);
    signer_within(keys, region, context)
}

fn signer_within(
    keys: &Keys,
    region: &str,
    context: Context,
) -> std::result::Result<KeySigner, String> {
    let requests = RequestSigner::new("s3", region);
    let Keys::Static { access, secret, session } = keys else {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(INSTANCE_PATIENCE))
            .build()
            .new_agent();
        let context = context.with_http_send(Instance(agent));
        // Neither a sign-on of a company or cluster nor a program to run: those need more.
        let found =
            DefaultCredentialProvider::builder().no_sso().no_web_identity().no_process().build();
        return Ok(Signer::new(context, found, requests));
    };
    let mut found = StaticCredentialProvider::new(
        text(access, "the access key")?,
        text(secret, "the secret key")?,
    );
    if let Some(session) = session {
        found = found.with_session_token(text(session, "the session token")?);
    }
    Ok(Signer::new(context, found, requests))
}

/// A file of one line may have its end with it.
fn text<'a>(secret: &'a SecretBytes, what: &str) -> std::result::Result<&'a str, String> {
    let text = std::str::from_utf8(secret.expose()).map(str::trim).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{what}: expected a line of letters, found something else"));
    }
    Ok(text)
}

/// The variables of this process, as the keys' rules have them; one that is no text is left out.
#[derive(Debug)]
struct ProcessEnvironment;

impl Env for ProcessEnvironment {
    fn var(&self, key: &str) -> Option<String> {
        self.vars().remove(key)
    }

    fn vars(&self) -> HashMap<String, String> {
        let texts = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(texts).collect()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| Error::config_invalid(error.to_string()))
    }
}

/// Asks the service of the instance, on the caller's own thread.
struct Instance(Agent);

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}

impl HttpSend for Instance {
    async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, &body[..]));
        let (head, mut body) = answer.map_err(|error| no_answer(&error))?.into_parts();
        let read = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(Response::from_parts(head, read.map_err(|error| no_answer(&error))?.into()))
    }
}

fn no_answer(error: &ureq::Error) -> Error {
    Error::unexpected(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use reqsign_core::StaticEnv;
    use tempfile::tempdir;

    use super::*;
    use crate::storage::wire::Wire;

    fn secret(text: &str) -> SecretBytes {
        SecretBytes::new(text.as_bytes().to_vec())
    }

    /// The access key that a request is signed with, and the session.
    fn signed_by(signer: &KeySigner) -> Option<(String, String)> {
        let request = Request::get("http://h/b/k").body(()).unwrap();
        let mut head = request.into_parts().0;
        Wire::shared().unwrap().wait(signer.sign(&mut head, None)).ok()?;
        let header = |name: &str| {
            head.headers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let signature = header("authorization");
        let access = signature.split_once("Credential=")?.1.split_once('/')?.0.to_owned();
        Some((access, header("x-amz-security-token")))
    }

    #[test]
    fn given_keys_sign_and_are_never_shown() {
        let keys = Keys::Static {
            access: secret("AKID\n"),
            secret: secret("hush"),
            session: Some(secret("token")),
        };
        let signer = signer(&keys, "eu-1").unwrap();
        assert_eq!(signed_by(&signer), Some(("AKID".to_owned(), "token".to_owned())));
        for shown in [format!("{keys:?}"), format!("{signer:?}")] {
            assert!(!shown.contains("hush") && !shown.contains("AKID"), "{shown}");
        }
        let blank = Keys::Static { access: secret(" "), secret: secret("hush"), session: None };
        let wrong = super::signer(&blank, "eu-1").unwrap_err();
        assert!(wrong.contains("access key") && !wrong.contains("hush"), "{wrong}");
    }

    #[test]
    fn variables_go_before_a_profile() {
        let home = tempdir().unwrap();
        let file = home.path().join("profiles");
        let text = "[default]\naws_access_key_id = D\naws_secret_access_key = x\n\
            [night]\naws_access_key_id = N\naws_secret_access_key = y\naws_session_token = t\n";
        let mut made = std::fs::File::create_new(&file).unwrap();
        made.write_all(text.as_bytes()).unwrap();
        let at = file.to_str().unwrap();
        let found = |variables: &[(&str, &str)]| {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let mut envs: HashMap<String, String> = variables.iter().map(owned).collect();
            envs.insert("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned());
            let env = StaticEnv { home_dir: Some(home.path().to_owned()), envs };
            let context = Context::new().with_env(env).with_file_read(Files);
            signed_by(&signer_within(&Keys::Environment, "eu-1", context).unwrap())
        };
        let pair = |access: &str, session: &str| Some((access.to_owned(), session.to_owned()));
        let of_file = ("AWS_SHARED_CREDENTIALS_FILE", at);
        assert_eq!(found(&[of_file]), pair("D", ""));
        assert_eq!(found(&[of_file, ("AWS_PROFILE", "night")]), pair("N", "t"));
        let variables = [("AWS_ACCESS_KEY_ID", "V"), ("AWS_SECRET_ACCESS_KEY", "z")];
        assert_eq!(found(&[of_file, variables[0], variables[1]]), pair("V", ""));
        assert_eq!(found(&[]), None);
    }
}
