//! From a place to what a storage is opened with: secrets are fetched here and not before.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::environment::Environment;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::daemon;
use crate::cli::language::table::options;
use crate::config::secret::SecretError;
use crate::config::secret::SecretFrom;
use crate::config::storage::S3;
use crate::config::storage::Sftp;
use crate::config::storage::Storage;
use crate::config::table::Flag;
use crate::path::escape;
use crate::secret::SecretBytes;
use crate::storage::open::Location;
use crate::storage::s3::S3Options;
use crate::storage::s3::keys::Keys;
use crate::storage::s3::place::Addressing;
use crate::storage::sftp::HostKeys;
use crate::storage::sftp::Login;
use crate::storage::sftp::SftpOptions;
use crate::storage::sftp::Ssh;
use crate::storage::sftp::Way;

use super::Place;

/// What says more of a server than its address does.
const IDENTITY: &str = "LIFEBOAT_SFTP_IDENTITY";
const IDENTITY_PASSPHRASE_FILE: &str = "LIFEBOAT_SFTP_IDENTITY_PASSPHRASE_FILE";
const PASSWORD_FILE: &str = "LIFEBOAT_SFTP_PASSWORD_FILE";
const HOST_KEY: &str = "LIFEBOAT_SFTP_HOST_KEY";
const KNOWN_HOSTS: &str = "LIFEBOAT_SFTP_KNOWN_HOSTS";
const COMMAND: &str = "LIFEBOAT_SFTP_COMMAND";
const AGENT: &str = "SSH_AUTH_SOCK";
/// What says more of a bucket.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// The user's keys that are tried where none is named, as OpenSSH has them.
const OWN_KEYS: [&str; 2] = ["id_ed25519", "id_ecdsa"];
/// Hosts that every user of the machine knows.
const SYSTEM_KNOWN_HOSTS: &str = "/etc/ssh/ssh_known_hosts";

/// # Errors
/// When a secret cannot be had (2).
pub fn location(place: &Place, environment: &Environment) -> Result<Location, Failure> {
    match &place.0 {
        Storage::Folder { path } => Ok(Location::Folder(path.clone())),
        Storage::Sftp(sftp) => {
            let way = match command(sftp, environment)? {
                Some(argv) => Way::Program(argv),
                None => Way::Ssh(ssh(sftp, environment)?),
            };
            Ok(Location::Sftp(Box::new(SftpOptions { way, root: sftp.path.clone() })))
        }
        Storage::S3(s3) => Ok(Location::S3(Box::new(bucket(s3, environment)?))),
    }
}

/// Keys that are not named are those of the variables `AWS_*`, a profile, or the machine itself.
fn bucket(s3: &S3, environment: &Environment) -> Result<S3Options, Failure> {
    let fetch = |from: &SecretFrom| fetched(from.fetch(environment));
    let keys = match (&s3.access_key, &s3.secret_key) {
        (Some(access), Some(secret)) => {
            Keys::Static { access: fetch(access)?, secret: fetch(secret)?, session: None }
        }
        _ => Keys::Environment,
    };
    let text = |name: &str| environment.get(name).and_then(OsStr::to_str).map(str::to_owned);
    let region = s3.region.clone().or_else(|| REGIONS.into_iter().find_map(text));
    Ok(S3Options {
        endpoint: Some(s3.endpoint.clone()),
        region,
        bucket: s3.bucket.clone(),
        prefix: s3.prefix.clone().unwrap_or_default(),
        addressing: match s3.path_style {
            Flag::Yes => Addressing::Path,
            Flag::No => Addressing::VirtualHost,
        },
        keys,
        ca_file: s3.ca_file.clone().or_else(|| environment.get(CA_BUNDLE).map(PathBuf::from)),
        storage_class: s3.storage_class.clone(),
    })
}

fn command(sftp: &Sftp, environment: &Environment) -> Result<Option<Vec<OsString>>, Failure> {
    if let Some(argv) = &sftp.command {
        return Ok(Some(argv.iter().map(OsString::from).collect()));
    }
    // A configuration says all there is to say of its storages.
    let Some(text) = environment.get(COMMAND).filter(|_| !is_told(sftp)) else { return Ok(None) };
    let words = text.to_str().and_then(shlex::split).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| {
        let message = options::EXPECTED_COMMAND.with("origin", COMMAND);
        Failure::usage(message, options::CORRECT_OPTION)
    })?;
    Ok(Some(words.into_iter().map(OsString::from).collect()))
}

/// Whether more is said of the server than an address.
const fn is_told(sftp: &Sftp) -> bool {
    sftp.identity.is_some() || sftp.password.is_some() || sftp.agent.is_some()
}

fn ssh(sftp: &Sftp, environment: &Environment) -> Result<Ssh, Failure> {
    let logins =
        if is_told(sftp) { told_logins(sftp, environment)? } else { found_logins(environment)? };
    let own = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| environment.get(name));
    let user = sftp.user.clone().or_else(|| own.and_then(|name| name.to_str()).map(str::to_owned));
    let user = user.ok_or_else(|| {
        Failure::usage(options::NO_SFTP_USER.with("host", sftp.host.clone()), options::NAME_USER)
    })?;
    Ok(Ssh {
        host: sftp.host.clone(),
        port: sftp.port,
        user,
        host_keys: host_keys(sftp, environment),
        logins,
    })
}

fn host_keys(sftp: &Sftp, environment: &Environment) -> HostKeys {
    let pinned = environment.get(HOST_KEY).and_then(|text| text.to_str()).map(str::to_owned);
    let told = sftp.known_hosts.clone();
    let named = environment.get(KNOWN_HOSTS).map(PathBuf::from);
    match (&sftp.host_key, told, pinned, named) {
        (Some(text), ..) => HostKeys::Fingerprint(text.clone()),
        (None, Some(file), ..) => HostKeys::Files(vec![file]),
        (None, None, Some(text), _) => HostKeys::Fingerprint(text),
        (None, None, None, Some(file)) => HostKeys::Files(vec![file]),
        (None, None, None, None) => {
            let own = in_ssh(environment, "known_hosts");
            HostKeys::Files(own.into_iter().chain([SYSTEM_KNOWN_HOSTS.into()]).collect())
        }
    }
}

fn told_logins(sftp: &Sftp, environment: &Environment) -> Result<Vec<Login>, Failure> {
    let mut logins = Vec::new();
    if let Some(from) = &sftp.identity {
        let content = fetched(from.fetch_whole(environment))?;
        let passphrase = sftp.identity_passphrase.as_ref();
        let passphrase = passphrase.map(|from| fetched(from.fetch(environment))).transpose()?;
        logins.push(Login::Key { shown: named(from), content, passphrase });
    }
    logins.extend(sftp.agent.iter().map(|socket| Login::Agent(socket.clone())));
    if let Some(from) = &sftp.password {
        logins.push(Login::Password(fetched(from.fetch(environment))?));
    }
    Ok(logins)
}

/// What a user of `ssh` would expect to be tried.
fn found_logins(environment: &Environment) -> Result<Vec<Login>, Failure> {
    let file = |name: &str| environment.get(name).map(|path| SecretFrom::File(path.into()));
    let mut logins = Vec::new();
    let passphrase = file(IDENTITY_PASSPHRASE_FILE);
    let passphrase = passphrase.map(|from| fetched(from.fetch(environment))).transpose()?;
    if let Some(from) = file(IDENTITY) {
        let content = fetched(from.fetch_whole(environment))?;
        logins.push(Login::Key { shown: named(&from), content, passphrase });
    } else {
        logins.extend(environment.get(AGENT).map(|socket| Login::Agent(socket.into())));
        let own = OWN_KEYS.into_iter().filter_map(|name| in_ssh(environment, name));
        for path in own.filter(|path| path.exists()) {
            let from = SecretFrom::File(path);
            // One that cannot be used is no reason not to try another.
            match from.fetch_whole(environment) {
                Ok(content) if !is_sealed(&content) || passphrase.is_some() => {
                    let passphrase = passphrase.clone();
                    logins.push(Login::Key { shown: named(&from), content, passphrase });
                }
                Ok(_) => tracing::info!("{} needs a passphrase: left out", named(&from)),
                Err(error) => tracing::info!(%error, "{} is left out", named(&from)),
            }
        }
    }
    if let Some(from) = file(PASSWORD_FILE) {
        logins.push(Login::Password(fetched(from.fetch(environment))?));
    }
    Ok(logins)
}

/// Whether a private key takes a passphrase: the library tells by failing without one.
fn is_sealed(content: &SecretBytes) -> bool {
    crate::storage::sftp::is_sealed_key(content)
}

fn in_ssh(environment: &Environment, name: &str) -> Option<PathBuf> {
    environment.get("HOME").map(|home| Path::new(home).join(".ssh").join(name))
}

/// Where a secret is, without arguments that may be one.
fn named(from: &SecretFrom) -> String {
    match from {
        SecretFrom::Credential(name) | SecretFrom::Env(name) => name.clone(),
        SecretFrom::File(path) => escape(path.as_os_str().as_encoded_bytes()),
        SecretFrom::Command(argv) => argv.first().cloned().unwrap_or_default(),
    }
}

fn fetched(found: Result<SecretBytes, SecretError>) -> Result<SecretBytes, Failure> {
    found.map_err(|error| {
        let message = daemon::SECRET.with("detail", Said::heard(error));
        Failure::usage(message, daemon::SEE_SECRET)
    })
}
