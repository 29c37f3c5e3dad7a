//! `cat`: single records of a repository, as JSON, for the curious. No secret is among them.

mod kept;
mod records;
mod tree;

use std::ffi::OsString;

use clap::Args;
use clap::Subcommand;
use serde_json::Value;

use crate::cli::choose::select::FilterArgs;
use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::stats as texts;
use crate::ids::hex;
use crate::vault::error::Fault;

/// Show single records of the repository as JSON.
///
/// Bytes are shown in hex. Keys of objects, wrapped keysets and envelopes are not shown.
#[derive(Debug, Args)]
pub struct CatArgs {
    #[command(subcommand)]
    pub what: What,
}

/// Which record.
#[derive(Debug, Subcommand)]
pub enum What {
    /// What the repository is: its id, format, root key and how content is cut. Needs no key.
    Config,
    /// Who can open the repository with what. Needs no key.
    Slots,
    /// Whom snapshots are sealed to, and the administrators. Needs no key.
    Recipients,
    /// A snapshot's manifest: its public part, and the shape of its sealed part.
    Manifest(SnapshotArgs),
    /// What only recipients can open of a manifest.
    Snapshot(SnapshotArgs),
    /// The notes that `tag` added to a snapshot, one after another.
    Notes(SnapshotArgs),
    /// The nodes of a snapshot's tree, one after another; with a path those that lead to it.
    Tree(SnapshotArgs),
    /// How an object is kept, and of a node its children.
    Object(ObjectArgs),
    /// The table of a pack; without an id the packs.
    Pack(IdArgs),
    /// The tables of an index file; without an id the index files.
    Index(IdArgs),
}

/// A snapshot.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Which snapshot, and for `tree` which path in it.
    #[arg(value_name = "SNAPSHOT[:PATH]")]
    pub snapshot: OsString,
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// An object.
#[derive(Debug, Args)]
pub struct ObjectArgs {
    /// Its name: 64 hex digits.
    #[arg(value_name = "SID")]
    pub sid: String,
    /// Add its sealed bytes.
    #[arg(long)]
    pub bytes: bool,
}

/// A pack or an index file.
#[derive(Debug, Args)]
pub struct IdArgs {
    /// The first digits of its name.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

pub fn run(context: &Context, args: &CatArgs) -> Result<Ended, Failure> {
    match &args.what {
        What::Config => records::config(context)?,
        What::Slots => records::slots(context)?,
        What::Recipients => records::recipients(context)?,
        What::Manifest(args) => records::manifest(context, args)?,
        What::Snapshot(args) => records::snapshot(context, args)?,
        What::Notes(args) => records::notes(context, args)?,
        What::Tree(args) => tree::show(context, args)?,
        What::Object(args) => kept::object(context, args)?,
        What::Pack(args) => kept::pack(context, args)?,
        What::Index(args) => kept::index(context, args)?,
    }
    Ok(Ended::done())
}

/// One record: a line with `--json`, else laid out for people.
fn show(context: &Context, item: &str, record: &Value) -> Result<(), Failure> {
    if context.output.is_json() {
        return context.output.json("result", Some(item), record);
    }
    let mut text = serde_json::to_vec_pretty(record).map_err(std::io::Error::from)?;
    text.push(b'\n');
    context.output.raw(&text)
}

/// A record of the storage is not what it should be.
fn damaged(name: &str, fault: &Fault) -> Failure {
    let message = texts::BAD_RECORD.with("name", name).with("detail", Said::heard(fault));
    Failure::new(Exit::Damage, message, texts::RUN_CHECK)
}
