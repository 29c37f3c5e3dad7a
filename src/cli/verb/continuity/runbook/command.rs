//! The commands of a booklet, in the order in which they are typed.

use crate::cli::language::Language;
use crate::cli::language::said::Said;
use crate::cli::language::said::Tell;
use crate::cli::language::table::continuity::runbook as texts;
use crate::cli::language::table::keys;
use crate::cli::language::table::read;
use crate::cli::language::table::restore;
use crate::cli::language::text::Text;
use crate::cli::settings::place::address;
use crate::cli::verb::continuity::runbook::booklet::Drawn;
use crate::cli::verb::continuity::runbook::scenario::Scenario;
use crate::config::job::Method;
use crate::config::job::Source;
use crate::config::storage::Storage;
use crate::report::runbook::Command;

/// A command as it is printed, and what its output must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub shown: Command,
    pub sign: Option<String>,
}

/// Commands of one language.
pub struct Typist {
    language: Language,
}

/// What a command is to show.
enum Sight {
    Nothing,
    /// These words, in quotation marks.
    Words(String),
    /// These, told otherwise.
    Told(String, Said),
}

impl Typist {
    #[must_use]
    pub const fn new(language: Language) -> Self {
        Self { language }
    }

    fn typed(&self, line: impl Into<String>, sight: Sight, otherwise: Text) -> Typed {
        let (sign, expected) = match sight {
            Sight::Nothing => (None, texts::SEE_NOTHING.said()),
            Sight::Words(sign) => (Some(sign.clone()), texts::SEE.with("sign", sign)),
            Sight::Told(sign, said) => (Some(sign), said),
        };
        let expected = expected.told_in(self.language);
        let otherwise = otherwise.words(self.language).to_owned();
        Typed { shown: Command { line: line.into(), expected, otherwise }, sign }
    }

    /// Words before the first value.
    fn head(&self, text: Text) -> Sight {
        let words = text.words(self.language).split(['{', '(']).next().unwrap_or_default();
        Sight::Words(words.trim().to_owned())
    }

    /// Words behind the last value.
    fn tail(&self, text: Text) -> Sight {
        let words = text.words(self.language).rsplit('}').next().unwrap_or_default();
        Sight::Words(words.trim().to_owned())
    }

    const fn tag(&self) -> &'static str {
        match self.language {
            Language::En => "en",
            Language::Vi => "vi",
        }
    }

    /// A place to work in, and a program that starts.
    #[must_use]
    pub fn prepare(&self, drawn: &Drawn<'_>, scenario: Scenario) -> Vec<Typed> {
        let folder = match self.language {
            Language::En => "recovery",
            Language::Vi => "khoi-phuc",
        };
        let place = format!("\"$HOME/{folder}/{}\"", scenario.name());
        let version = concat!("lifeboat ", env!("CARGO_PKG_VERSION")).to_owned();
        let other = if scenario.has_server() { texts::ELSE_OPERATOR } else { texts::ELSE_PROGRAM };
        let mut typed = vec![
            self.typed("lifeboat --version", Sight::Words(version), other),
            self.typed(
                format!("export LIFEBOAT_LANG={}", self.tag()),
                Sight::Nothing,
                texts::ELSE_AGAIN,
            ),
            self.typed(
                format!("mkdir -p {place} && cd {place}"),
                Sight::Nothing,
                texts::ELSE_FOLDER,
            ),
        ];
        let more = if scenario.has_server() {
            let file = drawn.office.configuration.path.display().to_string();
            format!("export LIFEBOAT_CONFIG={}", quoted(&file))
        } else {
            "export LIFEBOAT_CACHE_DIR=\"$PWD/local\"".to_owned()
        };
        typed.push(self.typed(more, Sight::Nothing, texts::ELSE_AGAIN));
        typed
    }

    /// Names the repository: by its name while there is a configuration, else by its address.
    #[must_use]
    pub fn open(&self, drawn: &Drawn<'_>, scenario: Scenario, storage: &str) -> Vec<Typed> {
        let name = |text: &str| format!("export LIFEBOAT_REPOSITORY={}", quoted(text));
        if scenario.has_server() {
            return vec![self.typed(name(storage), Sight::Nothing, texts::ELSE_AGAIN)];
        }
        let Some(found) = drawn.config.storages.get(storage) else { return Vec::new() };
        let mut typed = vec![self.typed(name(&address(found)), Sight::Nothing, texts::ELSE_AGAIN)];
        if matches!(found, Storage::Folder { .. }) {
            let sight = Sight::Words("config".to_owned());
            typed.push(self.typed("ls \"$LIFEBOAT_REPOSITORY\"", sight, texts::ELSE_NEXT));
        }
        typed
    }

    /// From shares on paper to a passphrase of this day.
    #[must_use]
    pub fn shares(&self) -> Vec<Typed> {
        let make = "(umask 077; head -c 18 /dev/urandom | base64 > pass)";
        let take = "lifeboat key recovery use --new-password-file pass";
        let export = "export LIFEBOAT_PASSWORD_FILE=\"$PWD/pass\"";
        vec![
            self.typed(make, Sight::Nothing, texts::ELSE_FOLDER),
            self.typed(take, self.tail(keys::SLOT_ADDED), texts::ELSE_SHARES),
            self.typed(export, Sight::Nothing, texts::ELSE_AGAIN),
        ]
    }

    #[must_use]
    pub fn look(&self) -> Vec<Typed> {
        vec![self.typed("lifeboat check", self.head(read::CHECK_OK), texts::ELSE_CHECK)]
    }

    /// A whole dataset, into a folder of its name, every byte read back.
    #[must_use]
    pub fn dataset(&self, drawn: &Drawn<'_>, scenario: Scenario, dataset: &str) -> Vec<Typed> {
        let star = drawn.proven.get(dataset).map(|it| it.short.as_str());
        let (sight, otherwise) = match star {
            Some(id) => {
                let said = texts::SEE_STAR.with("id", id);
                (Sight::Told(id.to_owned(), said), texts::ELSE_OTHER)
            }
            None => {
                let said = texts::SEE_LINE.with("name", dataset);
                let other =
                    if scenario.has_server() { texts::ELSE_OPERATOR } else { texts::ELSE_NEXT };
                (Sight::Told(dataset.to_owned(), said), other)
            }
        };
        let which = match star {
            Some(id) => id.to_owned(),
            None => format!("latest --tag {dataset}"),
        };
        let fetch = format!("lifeboat restore {which} --target {dataset} --verify");
        let mut typed = vec![
            self.typed(format!("lifeboat snapshots --tag {dataset}"), sight, otherwise),
            self.typed(fetch, self.head(restore::DONE), texts::ELSE_RESTORE),
        ];
        for line in databases(drawn, dataset, &which) {
            typed.push(self.typed(line, self.tail(restore::LOADED), texts::ELSE_SERVER));
        }
        typed
    }

    /// One file of a dataset by its name.
    #[must_use]
    pub fn file(&self, dataset: &str) -> Vec<Typed> {
        let find = format!("lifeboat find \"$NAME\" --tag {dataset}");
        let fetch = format!(
            "lifeboat restore latest --tag {dataset} --include \"$NAME\" --target {dataset}"
        );
        let any = Sight::Told("/".to_owned(), texts::SEE_LINE.with("name", "/"));
        vec![
            self.typed("NAME='*'", Sight::Nothing, texts::ELSE_NAME),
            self.typed(find, any, texts::ELSE_NAME),
            self.typed(fetch, self.head(restore::DONE), texts::ELSE_RESTORE),
        ]
    }
}

/// Databases that the configuration names, each into a server on this machine.
fn databases(drawn: &Drawn<'_>, dataset: &str, which: &str) -> Vec<String> {
    let source = drawn.config.backup(dataset).map(|it| &it.source);
    let (kind, server) = match source {
        Some(Source::Postgresql(server)) => ("postgresql", server),
        Some(Source::Mariadb(server)) => ("mariadb", server),
        _ => return Vec::new(),
    };
    if server.method == Method::Physical {
        return Vec::new();
    }
    let line = |name: &String| {
        format!("lifeboat restore {which} --database {} --into {kind}:///", quoted(name))
    };
    server.databases.iter().map(line).collect()
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._:@%+-".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_what_is_quoted_as_one_word() {
        assert_eq!(quoted("/srv/lifeboat"), "/srv/lifeboat");
        assert_eq!(quoted("/srv/bản sao"), "'/srv/bản sao'");
        assert_eq!(quoted("a'b"), "'a'\\''b'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }
}
