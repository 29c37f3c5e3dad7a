//! How each dataset is proven: the last drill of it, the last that proved it, what is due.

use rusqlite::Transaction;
use rusqlite::params;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::told;
use crate::units::Timestamp;

/// A dataset of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSpec {
    pub name: String,
    /// How old its proof may become; none if no drill is about it.
    pub age_max_ms: Option<i64>,
}

/// What the ledger of one storage says of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRow {
    pub dataset: String,
    /// Code of the last drill.
    pub drill: String,
    pub held_ms: i64,
    /// `pass`, `conditional`, `fail` or `inconclusive`.
    pub verdict: String,
    /// Codes of what failed, such as `F1, F2`.
    pub failures: String,
    /// Begin of the last drill that proved it.
    pub proven_ms: Option<i64>,
    pub snapshot: Option<String>,
    pub level: Option<String>,
    /// When a new drill is due, if a corrective action is open.
    pub due_ms: Option<i64>,
}

/// How a dataset stands, over all storages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofStatus {
    pub dataset: String,
    /// Since when it is in the configuration.
    pub since_ms: i64,
    pub age_max_ms: Option<i64>,
    /// Of the newest drill; none if there never was one.
    pub last: Option<ProofRow>,
    /// With the newest proof.
    pub proven: Option<ProofRow>,
    pub due_ms: Option<i64>,
}

impl ProofStatus {
    /// When it was last proven.
    #[must_use]
    pub fn proven_ms(&self) -> Option<i64> {
        self.proven.as_ref().and_then(|row| row.proven_ms)
    }

    /// From when on its proof is too old; one that never had any counts from when it came.
    #[must_use]
    pub fn old_ms(&self) -> Option<i64> {
        Some(self.proven_ms().unwrap_or(self.since_ms).saturating_add(self.age_max_ms?))
    }

    #[must_use]
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.old_ms().is_some_and(|old_ms| now.unix_ms > old_ms)
    }

    /// Whether the last drill of it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.verdict == "fail")
    }

    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.due_ms.is_some_and(|due_ms| now.unix_ms > due_ms)
    }
}

/// Takes the datasets of the configuration, and the storages whose ledgers count.
pub(super) fn take_datasets(
    transaction: &Transaction<'_>,
    (datasets, storages): (&[DatasetSpec], &[String]),
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction.execute("UPDATE dataset SET is_gone = 1", [])?;
    let mut take = transaction.prepare(
        "INSERT INTO dataset (name, since_ms, age_max_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET is_gone = 0, age_max_ms = excluded.age_max_ms",
    )?;
    for DatasetSpec { name, age_max_ms } in datasets {
        take.execute(params![name, now.unix_ms, age_max_ms])?;
    }
    transaction.execute("DELETE FROM dataset WHERE is_gone = 1", [])?;
    let known: Vec<String> = {
        let mut all = transaction.prepare("SELECT DISTINCT storage FROM proof")?;
        let rows = all.query_map([], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for storage in known.iter().filter(|storage| !storages.contains(storage)) {
        transaction.execute("DELETE FROM proof WHERE storage = ?1", [storage])?;
    }
    Ok(())
}

impl Catalogue {
    /// Takes all that the ledger of a storage says, in place of what it said before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_proofs(&mut self, storage: &str, rows: &[ProofRow]) -> Result<(), CatalogueError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM proof WHERE storage = ?1", [storage])?;
            let mut keep = transaction.prepare(
                "INSERT OR REPLACE INTO proof VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            for row in rows {
                keep.execute(params![
                    row.dataset,
                    storage,
                    row.drill,
                    row.held_ms,
                    row.verdict,
                    row.failures,
                    row.proven_ms,
                    row.snapshot,
                    row.level,
                    row.due_ms
                ])?;
            }
            Ok(())
        })
    }

    /// Every dataset of the configuration, by its name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn proofs(&self) -> Result<Vec<ProofStatus>, CatalogueError> {
        let read = || {
            let sql = "SELECT name, since_ms, age_max_ms FROM dataset ORDER BY name";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ProofStatus {
                    dataset: row.get(0)?,
                    since_ms: row.get(1)?,
                    age_max_ms: row.get(2)?,
                    last: None,
                    proven: None,
                    due_ms: None,
                })
            })?;
            let mut all = rows.collect::<Result<Vec<_>, _>>()?;
            let sql = "SELECT dataset, drill, held_ms, verdict, failures, proven_ms, snapshot,
                       level, due_ms FROM proof ORDER BY dataset, held_ms, storage";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(ProofRow {
                    dataset: row.get(0)?,
                    drill: row.get(1)?,
                    held_ms: row.get(2)?,
                    verdict: row.get(3)?,
                    failures: row.get(4)?,
                    proven_ms: row.get(5)?,
                    snapshot: row.get(6)?,
                    level: row.get(7)?,
                    due_ms: row.get(8)?,
                })
            })?;
            for row in rows {
                let row = row?;
                let own = all.iter_mut().find(|status| status.dataset == row.dataset);
                if let Some(status) = own {
                    take(status, row);
                }
            }
            Ok(all)
        };
        read().map_err(|error: rusqlite::Error| {
            told(self.connection.path().unwrap_or_default().as_ref(), error)
        })
    }
}

/// Rows come in the order in which their drills were held.
fn take(status: &mut ProofStatus, row: ProofRow) {
    status.due_ms = [status.due_ms, row.due_ms].into_iter().flatten().min();
    if row.proven_ms.is_some() && row.proven_ms >= status.proven_ms() {
        status.proven = Some(row.clone());
    }
    status.last = Some(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(drill: &str, held_ms: i64, proven_ms: Option<i64>) -> ProofRow {
        ProofRow {
            dataset: "a".to_owned(),
            drill: drill.to_owned(),
            held_ms,
            verdict: if proven_ms == Some(held_ms) { "pass" } else { "fail" }.to_owned(),
            failures: String::new(),
            proven_ms,
            snapshot: None,
            level: None,
            due_ms: None,
        }
    }

    fn status(age_max_ms: Option<i64>) -> ProofStatus {
        ProofStatus {
            dataset: "a".to_owned(),
            since_ms: 100,
            age_max_ms,
            last: None,
            proven: None,
            due_ms: None,
        }
    }

    #[test]
    fn the_newest_drill_and_the_newest_proof_may_be_two() {
        let mut of = status(Some(50));
        assert!(!of.is_old(Timestamp::from_unix_ms(150)) && !of.has_failed());
        assert!(of.is_old(Timestamp::from_unix_ms(151)), "never proven counts from its begin");
        take(&mut of, row("one", 200, Some(200)));
        take(&mut of, ProofRow { due_ms: Some(9), ..row("two", 300, Some(120)) });
        assert_eq!((of.proven_ms(), of.due_ms), (Some(200), Some(9)));
        assert_eq!(of.last.as_ref().unwrap().drill, "two");
        assert!(of.has_failed() && !of.is_old(Timestamp::from_unix_ms(250)));
        assert!(
            of.is_old(Timestamp::from_unix_ms(251)) && of.is_overdue(Timestamp::from_unix_ms(10))
        );
        assert!(!status(None).is_old(Timestamp::from_unix_ms(i64::MAX)));
    }
}
