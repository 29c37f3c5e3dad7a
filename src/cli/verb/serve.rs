//! `serve`: a folder for a writer behind SSH.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keeping::storage as texts;
use crate::disk::unix::RealDisk;
use crate::path::escape;
use crate::storage::serve::serve;

/// Give a folder to a machine that may add backups and may not take any away.
///
/// It stands as a forced command in the server's `authorized_keys`, one line for each machine, and
/// speaks SFTP with `sftp:` repositories, whose path is `/`:
///
/// command="lifeboat serve --stdio --append-only /srv/backup",restrict ssh-ed25519 AAAA... pc17
///
/// What is old is removed on the server itself, by `forget` and `prune` on the folder.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Speak on standard input and output; the one way there is.
    #[arg(long, required = true)]
    pub stdio: bool,
    /// Nothing is replaced or removed; the one right that is given.
    #[arg(long, required = true)]
    pub append_only: bool,
    /// The folder, which must be there.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

pub fn run(context: &Context, args: &ServeArgs) -> Result<Ended, Failure> {
    if context.output.is_json() {
        return Err(Failure::usage(texts::NO_JSON, texts::LEAVE_OUT_JSON));
    }
    let stream = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
    let here = (Arc::new(RealDisk) as _, Arc::clone(&context.run.clock));
    serve(here, &args.folder, stream).map_err(|error| {
        let path = escape(args.folder.as_os_str().as_encoded_bytes());
        let message = texts::NOT_SERVED.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, texts::MAKE_FOLDER)
    })?;
    Ok(Ended::done())
}
