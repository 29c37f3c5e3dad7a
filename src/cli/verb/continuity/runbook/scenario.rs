//! What may have happened, and where data is fetched from then.

use std::collections::BTreeSet;

use crate::cli::language::table::continuity::runbook as texts;
use crate::cli::language::text::Text;
use crate::config::Config;
use crate::config::plan::Hold;
use crate::config::plan::Plan;

/// One booklet each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// A file is lost.
    File,
    /// A workstation is lost.
    Workstation,
    /// The server is lost.
    Server,
    Ransomware,
    /// The whole site is lost.
    Site,
}

impl Scenario {
    pub const ALL: [Self; 5] =
        [Self::File, Self::Workstation, Self::Server, Self::Ransomware, Self::Site];

    /// As the option has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Workstation => "workstation",
            Self::Server => "server",
            Self::Ransomware => "ransomware",
            Self::Site => "site",
        }
    }

    /// Title, and when it is the right booklet.
    #[must_use]
    pub const fn texts(self) -> (Text, Text) {
        match self {
            Self::File => (texts::FILE, texts::FILE_LEAD),
            Self::Workstation => (texts::WORKSTATION, texts::WORKSTATION_LEAD),
            Self::Server => (texts::SERVER, texts::SERVER_LEAD),
            Self::Ransomware => (texts::RANSOMWARE, texts::RANSOMWARE_LEAD),
            Self::Site => (texts::SITE, texts::SITE_LEAD),
        }
    }

    /// Whether the server is there with its configuration and keys.
    #[must_use]
    pub const fn has_server(self) -> bool {
        matches!(self, Self::File | Self::Workstation)
    }

    /// Storages to fetch from, the first choice first.
    ///
    /// # Errors
    /// Why there is none.
    pub fn storages(self, config: &Config, plan: &Plan) -> Result<Vec<String>, Text> {
        let mut own: Vec<String> = Vec::new();
        let mut all: BTreeSet<String> = BTreeSet::new();
        for dataset in plan.services.values().flat_map(|service| service.datasets.keys()) {
            all.extend(config.holders(dataset));
            let home = config.backup(dataset).map(|it| it.storage.clone());
            own.extend(home.filter(|home| !own.contains(home)));
        }
        let held = |name: &String| plan.storages.get(name).map(|it| it.hold);
        let domain = |name: &String| plan.storages.get(name).map(|it| it.failure_domain.as_str());
        let home: BTreeSet<_> = own.iter().filter_map(domain).collect();
        let mut found: Vec<String> = match self {
            Self::File | Self::Workstation | Self::Server => {
                let others = all.iter().filter(|it| !own.contains(it)).cloned();
                own.iter().cloned().chain(others).collect()
            }
            Self::Ransomware => {
                let fits = |it: &&String| held(it).is_some_and(|hold| hold != Hold::Open);
                all.iter().filter(fits).cloned().collect()
            }
            Self::Site => {
                let fits = |it: &&String| domain(it).is_some_and(|it| !home.contains(it));
                all.iter().filter(fits).cloned().collect()
            }
        };
        match self {
            Self::Ransomware if found.is_empty() => return Err(texts::NO_HELD),
            _ if found.is_empty() => return Err(texts::NO_AWAY),
            // What was not connected was out of reach.
            Self::Ransomware => found.sort_by_key(|it| held(it) != Some(Hold::Offline)),
            _ => {}
        }
        Ok(found)
    }
}
