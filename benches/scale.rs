//! What a repository of many objects costs the vault: memory and time of opening, looking up, and
//! of marking and planning a prune.
//!
//! `cargo bench --bench scale [-- OBJECTS…]` prints one row for each number of objects and writes
//! `benches/scale.svg`. Each number is measured in a process of its own, so that peaks compare.
//!
//! The repository is imagined: objects of 1 MiB and packs of 16 MiB are listed and indexed, and
//! only nodes can be read, made anew at each reading. Index files and manifests are real, on disk
//! and in memory. Two snapshots share most of their leaves; a tenth of all packs is needed by none,
//! and some are needed in part, so that the plan has something to choose.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "a bench measures with the machine's clock")]

#[path = "scale/imagined.rs"]
mod imagined;
#[path = "scale/plot.rs"]
mod plot;

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use lifeboat::clock::SystemClock;
use lifeboat::format::manifest::SignedManifest;
use lifeboat::format::note::SignedNote;
use lifeboat::format::tombstone::SignedTombstone;
use lifeboat::ids::RunId;
use lifeboat::run::Run;
use lifeboat::run::monitor::Silent;
use lifeboat::vault::Vault;
use lifeboat::vault::VaultOptions;
use lifeboat::vault::chains::Verifier;
use lifeboat::vault::gc::MaxUnused;
use lifeboat::vault::gc::PruneOptions;
use lifeboat::vault::gc::Trash;

use crate::imagined::Imagined;

const SIZES: [u32; 5] = [100_000, 320_000, 1_000_000, 3_200_000, 10_000_000];
const LOOK_UPS: u32 = 1_000_000;
/// What the project promises for ten million objects.
const PEAK_MIB_MAX: f64 = 1024.0;

/// One row of the table.
pub(crate) struct Figures {
    pub(crate) objects: u32,
    pub(crate) open_s: f64,
    pub(crate) look_up_ns: f64,
    pub(crate) plan_s: f64,
    pub(crate) open_mib: f64,
    pub(crate) peak_mib: f64,
}

/// Believes every signature: signing is not what is measured.
struct Trusting;

impl Verifier for Trusting {
    fn manifest(&self, _: &SignedManifest) -> Result<(), String> {
        Ok(())
    }

    fn tombstone(&self, _: &SignedTombstone) -> Result<(), String> {
        Ok(())
    }

    fn note(&self, _: &SignedNote) -> Result<(), String> {
        Ok(())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [word, objects] = arguments.as_slice()
        && word == "measure"
    {
        return measure(objects.parse().expect("a number of objects"));
    }
    let asked: Vec<u32> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let sizes = if asked.is_empty() { SIZES.to_vec() } else { asked };
    println!("   objects   open s  look-up ns  mark+plan s  after open MiB  peak MiB  us/object");
    let mut rows = Vec::new();
    for objects in sizes {
        let me = std::env::current_exe().expect("this program");
        let out = Command::new(me).args(["measure", &objects.to_string()]).output();
        let out = out.expect("a measurement");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).expect("figures");
        let row = read_row(objects, &text);
        let each_us = (row.open_s + row.plan_s) * 1e6 / f64::from(objects);
        println!(
            "{:>10} {:>8.2} {:>11.0} {:>12.2} {:>15.0} {:>9.0} {:>10.2}",
            objects, row.open_s, row.look_up_ns, row.plan_s, row.open_mib, row.peak_mib, each_us
        );
        rows.push(row);
    }
    let worst = rows.iter().map(|row| row.peak_mib).fold(0.0, f64::max);
    let verdict = if worst <= PEAK_MIB_MAX { "PASS" } else { "MISS" };
    println!("{verdict}: peak {worst:.0} MiB, allowed {PEAK_MIB_MAX:.0}");
    if rows.len() > 1 {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scale.svg");
        std::fs::write(file, plot::svg(&rows)).expect("benches/scale.svg");
    }
}

fn read_row(objects: u32, text: &str) -> Figures {
    let figures: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let [open_s, look_up_ns, plan_s, open_mib, peak_mib] = figures[..] else {
        unreachable!("a measurement printed `{text}`")
    };
    Figures { objects, open_s, look_up_ns, plan_s, open_mib, peak_mib }
}

fn measure(objects: u32) {
    let clock = Arc::new(SystemClock::new());
    let run = Run::new(RunId::new([7; 16]), Arc::new(Silent), clock.clone(), 0);
    let storage = Arc::new(Imagined::new(objects, clock));
    let before_mib = status_mib("VmRSS:");
    forget_peak();
    let program = "bench".to_owned();
    let options = VaultOptions { pack_bytes: 16 << 20, lease_ms: 900_000, program };
    let vault = Vault::open(&run, storage.clone(), imagined::keys(), options).expect("a vault");

    let start = Instant::now();
    let first = imagined::chunk_sid(0);
    assert!(vault.locate(&run, &first).expect("an index").is_some());
    let open_s = start.elapsed().as_secs_f64();
    let open_mib = status_mib("VmRSS:") - before_mib;

    let start = Instant::now();
    for number in 0..LOOK_UPS {
        // Knuth's multiplicative hash, so that neighbours are not asked for one after another.
        let sid = imagined::chunk_sid(number.wrapping_mul(2_654_435_761) % objects);
        assert!(vault.locate(&run, &sid).is_ok_and(|place| place.is_some()), "{number}");
    }
    let look_up_ns = start.elapsed().as_secs_f64() * 1e9 / f64::from(LOOK_UPS);

    let options = PruneOptions {
        max_unused: MaxUnused::Percent(0),
        max_repack_bytes: None,
        max_delete_percent: 100,
        grace_ms: 0,
        trash: Trash::Waits,
        heads: vec![],
    };
    let start = Instant::now();
    let plan = vault.plan_prune(&run, &Trusting, &options).expect("a plan");
    let plan_s = start.elapsed().as_secs_f64();
    assert_eq!(plan.snapshots_count, 2);
    assert!(plan.condemned_packs_count > 0 && plan.repacked_packs_count > 0, "{plan:?}");
    let peak_mib = status_mib("VmHWM:") - before_mib;
    println!("{open_s} {look_up_ns} {plan_s} {open_mib} {peak_mib}");
}

/// A line of what the kernel says of this process.
fn status_mib(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("a known line");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("KiB");
    kib / 1024.0
}

/// Lets the kernel count the peak anew.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is counted anew");
}
