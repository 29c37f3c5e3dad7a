//! Repositories that are not what they should be: newer, another's, damaged, made to do harm. Each
//! is refused with one sentence, a code and a next step, before memory or time is taken for it.

use std::path::PathBuf;

use lifeboat::crypto::sign::Purpose;
use lifeboat::crypto::sign::SigningKey;
use lifeboat::format::config::ConfigRecord;
use lifeboat::format::config::Parameters;
use lifeboat::format::record;
use lifeboat::format::record::Signed;
use lifeboat::format::slot::SlotKind;
use lifeboat::format::slot::SlotRecord;
use lifeboat::ids::RepositoryId;
use lifeboat::secret::Secret32;
use lifeboat::units::Timestamp;

use super::round_trip::with_files;
use super::scene::Scene;

const CONFIGS: [&str; 3] = ["config", "config.1", "config.2"];

/// Every file of the scene's repository below a folder of it.
fn files_of(scene: &Scene, folder: &str) -> Vec<PathBuf> {
    let all = scene.files(&format!("repository/{folder}")).into_iter().map(PathBuf::from);
    all.filter(|path| path.is_file()).collect()
}

/// Puts other bytes in place of a blob's.
fn replace(path: &PathBuf, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create_new(path).unwrap(), bytes).unwrap();
}

fn with_configs(scene: &Scene, alter: impl Fn(Vec<u8>) -> Vec<u8>) {
    for name in CONFIGS {
        let path = scene.path("repository").join(name);
        replace(&path, &alter(std::fs::read(&path).unwrap()));
    }
}

/// A record with a valid checksum again.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes
}

/// A config that somebody else has signed.
fn config_of(parameters: Parameters, format_version: u8) -> Vec<u8> {
    let root = SigningKey::from_seed(&Secret32::new([9; 32]));
    let config = ConfigRecord {
        repository: RepositoryId::new([8; 16]),
        format_version,
        suite: 1,
        created: Timestamp::from_unix_ms(0),
        root: *root.verifying_key().as_bytes(),
        parameters,
    };
    let payload = record::payload(&config);
    let signature = root.sign(Purpose::Config, &payload);
    let signer = root.verifying_key().key_id();
    record::encode_signed::<ConfigRecord>(&Signed { payload, signer, signature })
}

#[test]
fn a_newer_record_is_code_14() {
    let scene = with_files();
    with_configs(&scene, |mut bytes| {
        bytes[9] = 2;
        resealed(bytes)
    });
    let told = "error: `config`: config of version 2, this program reads up to 1\n       nothing \
                was changed\nnext:  use the version of lifeboat that wrote it, or a newer one\n";
    for args in [&["-q", "snapshots"][..], &["-q", "backup", "."], &["-q", "init"]] {
        scene.transcript(14, args, told);
    }
}

#[test]
fn a_newer_format_is_code_14_though_its_config_can_be_read() {
    let scene = with_files();
    with_configs(&scene, |_| config_of(Parameters::DEFAULT, 2));
    scene.transcript(
        14,
        &["-q", "snapshots"],
        "error: `config`: config of version 2, this program reads up to 1\n       nothing was \
         changed\nnext:  use the version of lifeboat that wrote it, or a newer one\n",
    );
}

#[test]
fn what_another_program_made_is_code_14() {
    let scene = Scene::new();
    scene.file("repository/config", b"{\"version\": 2, \"id\": \"of another program\"}");
    scene.transcript(
        14,
        &["-q", "snapshots"],
        "error: `config`: not a config: it does not begin as a record of lifeboat\n       this is \
         not a repository of lifeboat; nothing was changed\nnext:  name a repository of lifeboat\n",
    );
}

#[test]
fn the_config_of_another_repository_is_code_14() {
    let mut scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    let own = scene.path("repository");
    scene.set("LIFEBOAT_REPOSITORY", scene.path("other"));
    scene.expect(0, &["-q", "init"]);
    scene.set("LIFEBOAT_REPOSITORY", own);
    let kept = std::fs::read(scene.path("repository/config")).unwrap();
    let other = std::fs::read(scene.path("other/config")).unwrap();
    with_configs(&scene, |_| other.clone());
    scene.transcript(
        14,
        &["-q", "snapshots"],
        "error: config belongs to another repository or to another root key\n       records of two \
         repositories lie there; nothing was changed\nnext:  name the folder of one repository; \
         its own config is kept three times\n",
    );
    with_configs(&scene, |_| kept.clone());
    assert_eq!(scene.expect(0, &["snapshots", "--json"]).json_of("result").len(), 1);
}

#[test]
fn a_damaged_config_is_code_20_and_3_while_a_copy_is_good() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    let flip = |path: PathBuf| {
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        replace(&path, &bytes);
    };
    flip(scene.path("repository/config"));
    scene.transcript(
        3,
        &["-q", "snapshots"],
        // The config is read before the passphrase is asked for, and again with it: told once.
        "healable: config: config is damaged (checksum differs)\n",
    );
    flip(scene.path("repository/config.1"));
    flip(scene.path("repository/config.2"));
    scene.transcript(
        20,
        &["-q", "snapshots"],
        "error: `config`: config is damaged (checksum differs)\n       a record that is needed is \
         lost\nnext:  run `lifeboat check` to see what is affected\n",
    );
}

/// A slot that asks for a tebibyte of memory to try one passphrase.
#[test]
fn absurd_argon2_parameters_are_refused_and_are_no_wrong_passphrase() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    for path in files_of(&scene, "slots") {
        let mut slot: SlotRecord = record::decode(&std::fs::read(&path).unwrap()).unwrap();
        let SlotKind::Passphrase { salt, .. } = slot.public.kind else { panic!("a passphrase") };
        slot.public.kind =
            SlotKind::Passphrase { memory_kib: 1 << 30, passes: 1000, lanes: 1, salt };
        replace(&path, &record::encode(&slot));
    }
    scene.transcript(
        20,
        &["-q", "snapshots"],
        "damage: slots/#: slot asks for 1073741824 KiB, 1000 passes, 1 lanes: more than a reader \
         may spend\nerror: no slot of this repository can be tried: 1 are damaged\n       nothing \
         was changed\nnext:  bring back `slots/` from a copy, or use the shares: `lifeboat key \
         recovery use`\n",
    );
}

#[test]
fn absurd_chunk_sizes_are_refused_before_a_chunker_is_built() {
    let sizes = [(0, 0, 0), (64, 64, u32::MAX), (64, 96, 1024), (1 << 22, 1 << 22, 1 << 24)];
    for (chunk_bytes_min, chunk_bytes_avg, chunk_bytes_max) in sizes {
        let scene = with_files();
        let parameters =
            Parameters { chunk_bytes_min, chunk_bytes_avg, chunk_bytes_max, ..Parameters::DEFAULT };
        with_configs(&scene, |_| config_of(parameters, 1));
        scene.transcript(
            20,
            &["-q", "backup", "."],
            "error: `config`: config: chunk size is out of range\n       a record that is needed \
             is lost\nnext:  run `lifeboat check` to see what is affected\n",
        );
    }
}

/// Files that bear the hash of their bytes and claim lengths that are not there.
#[test]
fn absurd_lengths_are_damage_and_cost_nothing() {
    let scene = with_files();
    scene.expect(0, &["-q", "backup", "."]);
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let pack = [b"LBPACK\0\x01", &[0xff; 64][..], &[0xff; 4], &[1, 0, 0, 0], b"LBPACK\0\x01"];
    let pack = pack.concat();
    let name = hash(&pack);
    scene.file(format!("repository/packs/{}/{name}", &name[..2]), &pack);
    let index = [b"LBINDX\0\x01", &[0xff; 200][..]].concat();
    scene.file(format!("repository/index/{}", hash(&index)), &index);
    let manifest = [b"LBMANI\0\x01", &[0xff; 100][..]].concat();
    let machine = &files_of(&scene, "manifests")[0];
    let chain = machine.parent().unwrap().display().to_string();
    scene.file(format!("{chain}/2-{}", hash(&manifest)), &manifest);
    let told = scene.expect(20, &["-q", "snapshots"]);
    assert!(told.text().contains("source"), "the good snapshot is shown: {told}");
    let told = scene.expect(20, &["-q", "check"]);
    for part in ["packs/", "index/", "a manifest is lost"] {
        assert!(told.stderr.lines().any(|line| line.contains(part)), "{part}: {told}");
    }
    let target = scene.path("target").display().to_string();
    let id = scene.run(&["snapshots", "--json"]).json_of("result")[0]["id"].clone();
    let told = scene.run(&["-q", "restore", id.as_str().unwrap(), "--target", &target]);
    assert_eq!(std::fs::read(scene.path("target/a.txt")).unwrap(), b"alpha", "{told}");
    assert!(!told.stderr.contains("internal error"), "{told}");
}
