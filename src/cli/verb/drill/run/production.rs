//! What a machine that is apart must not reach.

use crate::config::Config;
use crate::config::drill::Drill;
use crate::config::job::Server;
use crate::config::job::Source;
use crate::config::storage::Storage;

/// Where servers answer that name no port.
const POSTGRESQL: u32 = 5432;
const MARIADB: u32 = 3306;

/// Addresses `HOST:PORT` of production: the database servers that are backed up, the storages
/// that the drill does not restore from, and what the drill names besides. This machine itself and
/// the server that is restored from are none of them unless they are named.
#[must_use]
pub fn addresses(config: &Config, drill: &Drill) -> Vec<String> {
    let sources = config.backups.iter().filter_map(|backup| match &backup.source {
        Source::Postgresql(server) => address(server, POSTGRESQL),
        Source::Mariadb(server) => address(server, MARIADB),
        Source::Files(_) | Source::Sqlite { .. } | Source::Command { .. } => None,
    });
    let others = config.storages.iter().filter(|(name, _)| **name != drill.storage);
    let storages = others.filter_map(|(_, storage)| of_storage(storage));
    let own = config.storages.get(&drill.storage).and_then(of_storage);
    let mut all: Vec<String> =
        sources.chain(storages).filter(|it| Some(it) != own.as_ref()).collect();
    all.extend(drill.sandbox.apart_from.iter().cloned());
    all.sort_unstable();
    all.dedup();
    all
}

/// Where a storage's server answers; nothing for a folder, and where a command knows it.
#[must_use]
pub fn of_storage(storage: &Storage) -> Option<String> {
    match storage {
        Storage::Sftp(sftp) if !sftp.host.is_empty() => joined(&sftp.host, sftp.port.into()),
        Storage::S3(s3) => of_url(&s3.endpoint),
        Storage::Folder { .. } | Storage::Sftp(_) => None,
    }
}

/// Nothing for a socket.
fn address(server: &Server, usual: u32) -> Option<String> {
    let host = server.host.as_deref().filter(|host| !host.starts_with('/'))?;
    joined(host, server.port.unwrap_or(usual))
}

fn joined(host: &str, port: u32) -> Option<String> {
    let is_here = host == "localhost" || host == "::1" || host.starts_with("127.");
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    (!is_here).then(|| format!("{host}:{port}"))
}

/// `https://store.example:9000/path` is `store.example:9000`.
fn of_url(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let place = rest.get(..end)?;
    let usual = if scheme == "http" { 80 } else { 443 };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (place, usual),
    };
    joined(host.trim_start_matches('[').trim_end_matches(']'), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        assert_eq!(of_url("https://store.example/a"), Some("store.example:443".to_owned()));
        assert_eq!(of_url("http://[fd00::1]:9000"), Some("[fd00::1]:9000".to_owned()));
        assert_eq!((of_url("http://127.0.0.1:9000"), of_url("store")), (None, None));
        assert_eq!(joined("fd00::1", 22), Some("[fd00::1]:22".to_owned()));
        assert_eq!(joined("localhost", 22), None);
    }
}
