//! Databases as one consistent state, by the tools of their own servers.

pub mod mariadb;
pub mod postgresql;
pub mod session;
pub mod sqlite;
pub mod tool;
pub mod truth;

use std::ffi::OsString;

use crate::path::SnapshotPath;
use crate::secret::SecretBytes;
use crate::source::SourceError;
use crate::source::stream::command::Program;

/// How a server is reached.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// A name, or the folder of a socket.
    pub host: Option<String>,
    pub port: Option<u32>,
    pub user: Option<String>,
    pub password: Option<SecretBytes>,
    /// Variables that its tools do not get.
    pub hidden: Vec<OsString>,
}

impl Server {
    /// As errors call it.
    fn shown(&self) -> String {
        let host = crate::path::escape(self.host.as_deref().unwrap_or("localhost").as_bytes());
        match self.port {
            Some(port) => format!("server {host}:{port}"),
            None => format!("server {host}"),
        }
    }

    fn program(&self, argv: Vec<OsString>) -> Program {
        Program { argv, hidden: self.hidden.clone(), ..Program::default() }
    }

    /// As text.
    ///
    /// # Errors
    /// When it is none.
    pub fn password(&self) -> Result<Option<&str>, SourceError> {
        let Some(secret) = &self.password else { return Ok(None) };
        std::str::from_utf8(secret.expose()).map(Some).map_err(|_| {
            let detail = "expected a password in UTF-8".to_owned();
            SourceError::Database { database: self.shown(), detail }
        })
    }
}

/// `FOLDER/NAME.EXTENSION`; what a file name cannot have is written as `%2F`.
///
/// # Errors
/// When no file may have that name.
pub fn path_of(folder: &str, database: &str, extension: &str) -> Result<SnapshotPath, SourceError> {
    let mut name = String::new();
    for c in database.chars() {
        match c {
            '/' | '\\' | '%' | '\0'..='\x1f' | '\x7f' => {
                name.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c => name.push(c),
        }
    }
    let path = format!("{folder}/{name}.{extension}");
    SnapshotPath::from_user(path.as_bytes()).map_err(|error| {
        let database = format!("database `{}`", crate::path::escape(database.as_bytes()));
        SourceError::Database { database, detail: error.to_string() }
    })
}

/// The named ones, all of which have to be there.
fn all_there(
    server: &Server,
    named: &[String],
    there: &[String],
) -> Result<Vec<String>, SourceError> {
    if let Some(missing) = named.iter().find(|name| !there.contains(name)) {
        let missing = crate::path::escape(missing.as_bytes());
        let detail = format!("it has no database `{missing}` that this user may open");
        return Err(SourceError::Database { database: server.shown(), detail });
    }
    let mut all = named.to_vec();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_file_whatever_its_name() {
        for (name, wanted) in [
            ("cases", "/postgresql/cases.dump"),
            ("hồ sơ", "/postgresql/hồ sơ.dump"),
            ("a/b%c\nd", "/postgresql/a%2Fb%25c%0Ad.dump"),
            ("..", "/postgresql/...dump"),
            (".", "/postgresql/..dump"),
        ] {
            assert_eq!(path_of("postgresql", name, "dump").unwrap().to_string(), wanted);
        }
    }

    #[test]
    fn nothing_of_a_password_is_shown() {
        let password = Some(SecretBytes::new(b"hush".to_vec()));
        let server = Server { password, ..Server::default() };
        assert_eq!(server.password().unwrap(), Some("hush"));
        assert!(!format!("{server:?} {}", server.shown()).contains("hush"));
        let password = Some(SecretBytes::new(vec![0xff]));
        assert!(Server { password, ..Server::default() }.password().is_err());
    }
}
