//! `key`: who may open the repository.

pub mod agent;
pub mod list;
pub mod paper;
pub mod recovery;
pub mod revoke;
pub mod rotate;
pub mod shares;
pub mod sheet;
pub mod slots;

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::failure::Failure;

/// Manage who may open the repository.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    pub verb: KeyVerb,
}

#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// List the ways to open the repository, the generations of its keys, and its machines.
    List,
    /// Add a passphrase or key file.
    Add(NewSecretArgs),
    /// Remove a passphrase or key file. Whoever copied the slot before can still try it.
    Remove {
        /// The id as `key list` shows it, or its first digits.
        id: String,
    },
    /// Change the passphrase or key file that this command is opened with.
    Passwd(NewSecretArgs),
    /// Make a write-only keyset for another machine: it can back up, and can list, read and delete
    /// nothing.
    Agent {
        /// Name of the machine.
        name: String,
        /// File for the keyset; it must not exist.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Bring the keyset file of another machine up to the newest keys, after a rotation.
    Renew {
        /// The keyset file as the machine has it.
        keyset: PathBuf,
        /// File for the new one; it must not exist.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Make a key anew: all that is stored stays readable.
    Rotate(rotate::RotateArgs),
    /// Distrust a machine whose keyset was lost: its later snapshots are marked as suspect.
    Revoke(revoke::RevokeArgs),
    /// The key on paper that opens everything when all else is lost.
    Recovery(recovery::RecoveryArgs),
}

/// Where a new passphrase or key comes from; without any it is asked for at the terminal.
#[derive(Debug, Args)]
pub struct NewSecretArgs {
    /// Read the new passphrase from the first line of a file.
    #[arg(long, value_name = "FILE")]
    pub new_password_file: Option<PathBuf>,
    /// Open with this key file in place of a new passphrase: at least 32 random bytes.
    #[arg(long, value_name = "FILE", conflicts_with = "new_password_file")]
    pub new_key_file: Option<PathBuf>,
    /// A name for `key list`; it is not secret.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub label: String,
}

pub fn run(context: &Context, args: &KeyArgs) -> Result<Ended, Failure> {
    match &args.verb {
        KeyVerb::List => list::list(context),
        KeyVerb::Add(new) => slots::add(context, new),
        KeyVerb::Remove { id } => slots::remove(context, id),
        KeyVerb::Passwd(new) => slots::change(context, new),
        KeyVerb::Renew { keyset, output } => rotate::renew(context, keyset, output),
        KeyVerb::Rotate(args) => rotate::run(context, args),
        KeyVerb::Revoke(args) => revoke::run(context, args),
        KeyVerb::Recovery(args) => recovery::run(context, args),
        KeyVerb::Agent { name, output } => agent::run(context, name, output),
    }
}
