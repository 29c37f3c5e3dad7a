//! Recovery, rotating keys, revoking machines.

use lifeboat::repository::keys::error::KeysError;
use lifeboat::repository::keys::machine;
use lifeboat::repository::keys::machine::revoke;
use lifeboat::repository::keys::machine::revoke::Loss;
use lifeboat::repository::keys::machine::revoke::Standing;
use lifeboat::repository::keys::recovery;
use lifeboat::repository::keys::rotate;
use lifeboat::repository::keys::rotate::Part;

use super::office::Office;
use super::office::Opening;
use super::office::new_slot;
use super::office::text;

impl Office {
    /// `key rotate`; a new restore key ends every other secret.
    pub fn rotate(&mut self, part: Part) -> Result<(), String> {
        let passphrase = self.passphrase()?;
        let (process, unlocked) = self.unlock()?;
        let (run, storage) = (&process.run, &process.storage);
        let plan = rotate::plan(run, storage, &unlocked, part).map_err(text)?;
        // From here on a slot may be half made.
        self.half_slots = true;
        let ends = |secret: &&mut super::office::Secret| {
            part == Part::Restore && secret.text != passphrase && secret.ending.is_none()
        };
        let now = self.now();
        self.known.secrets.iter_mut().filter(ends).for_each(|secret| secret.ending = Some(now));
        let slot = new_slot(&passphrase);
        rotate::execute(run, storage, (&unlocked, &plan), &slot).map_err(text)?;
        let now = self.now();
        let ending = self.known.secrets.iter_mut().filter(|secret| secret.ending.is_some());
        ending.for_each(|secret| secret.ended = secret.ended.or(Some(now)));
        Ok(())
    }

    /// `key revoke` of a desk's machine.
    pub fn revoke(&mut self, desk: usize) -> Result<(), String> {
        let (_, agent) = self.desks[desk].keyset.clone().ok_or("not enrolled")?;
        let reader = self.reader()?;
        let (run, storage) = (&reader.process.run, &reader.process.storage);
        let vault = reader.repository.vault();
        let loss = Loss { machine: agent.machine, since: None };
        let suspicion = revoke::suspicion(run, vault, &reader.signers, loss).map_err(text)?;
        let known = machine::list(run, storage, &reader.unlocked.keyset).map_err(text)?;
        let known = known.into_iter().find(|known| known.record.machine == agent.machine);
        let known = known.ok_or("not listed")?;
        let keyset = &reader.unlocked.keyset;
        revoke::record(run, storage, keyset, (&known, Some(suspicion))).map_err(text)?;
        Ok(())
    }

    /// Before a backup: old keys are renewed, and a machine that is revoked becomes another one.
    pub fn stand(&mut self, desk: usize) -> Result<(), String> {
        let Some((_, agent)) = self.desks[desk].keyset.clone() else { return Ok(()) };
        let process = self.process(Opening::Existing)?;
        match revoke::standing(&process.run.unwatched(), &process.storage, &agent) {
            Ok(Standing::Current) => {}
            Ok(_) => {
                let (process, unlocked) = self.unlock()?;
                let (run, storage) = (&process.run.unwatched(), &process.storage);
                let renewed = machine::renew(run, storage, &unlocked.keyset, &agent);
                let renewed = renewed.map_err(text)?;
                self.desks[desk].keyset = Some((self.now(), renewed));
            }
            Err(KeysError::Revoked { .. }) => self.desks[desk].keyset = None,
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// `key recovery create` and `check`.
    pub fn make_shares(&mut self) -> Result<(), String> {
        let (process, unlocked) = self.unlock()?;
        let (run, storage) = (&process.run, &process.storage);
        let made = recovery::create(run, storage, &unlocked.keyset, (2, 3)).map_err(text)?;
        recovery::check(run, storage, &made.shares[1..]).map_err(text)?;
        self.shares = made.shares;
        Ok(())
    }

    /// `key recovery use`.
    pub fn use_shares(&mut self, passphrase: &str) -> Result<(), String> {
        let process = self.process(Opening::Existing)?;
        let at = self.begin_secret(passphrase);
        let new = new_slot(passphrase);
        recovery::use_shares(&process.run, &process.storage, &self.shares[..2], &new)
            .map_err(text)?;
        self.known.secrets[at].opens = Some(self.now());
        Ok(())
    }
}
