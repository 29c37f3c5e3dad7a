//! `key agent`: a write-only keyset for another machine.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::context::Ended;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::language::said::Said;
use crate::cli::language::table::keys;
use crate::cli::local;
use crate::cli::open;
use crate::path::escape;
use crate::repository::keys::convert;
use crate::repository::keys::machine;
use crate::repository::keys::machine::Identity;

#[derive(Serialize)]
struct Enrolled {
    machine_id: String,
    machine: String,
    keyset_file: String,
}

pub fn run(context: &Context, name: &str, path: &Path) -> Result<Ended, Failure> {
    let failed = |error: std::io::Error| {
        let path = escape(path.as_os_str().as_encoded_bytes());
        let message = keys::KEYSET_FILE.with("path", path).with("detail", Said::heard(error));
        Failure::new(Exit::Failed, message, keys::NAME_NEW_FILE)
    };
    let storage = open::storage(context)?;
    let unlocked = open::unlock(context, &storage)?;
    // Made first: a machine whose keyset cannot be handed over is not enrolled.
    let mut file = local::private_file(path).map_err(failed)?;
    let enrolled =
        machine::enrol(&context.run, &storage, &unlocked.keyset, (name, Identity::Fresh));
    let written = enrolled.map_err(Failure::from).and_then(|keyset| {
        let bytes = convert::encode_agent(&keyset);
        file.write_all(bytes.expose()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(keyset)
    });
    let keyset = match written {
        Ok(keyset) => keyset,
        Err(failure) => {
            let _half_written = std::fs::remove_file(path);
            return Err(failure);
        }
    };
    let enrolled = Enrolled {
        machine_id: keyset.machine.to_string(),
        machine: name.to_owned(),
        keyset_file: path.display().to_string(),
    };
    context.output.report("machine", &enrolled, || {
        keys::MACHINE_ADDED
            .with("name", escape(name.as_bytes()))
            .with("id", keyset.machine.short())
            .with("path", escape(path.as_os_str().as_encoded_bytes()))
            .with("repository", keyset.repository.to_string())
    })?;
    Ok(Ended::done())
}
