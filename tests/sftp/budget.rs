//! How many requests each step costs: over a line with a long way every one of them is felt.

use std::collections::BTreeMap;

use crate::cli::scene::Scene;

use super::program;
use super::server::Sshd;
use super::trips;
use super::trips::LongLine;

/// Kinds of requests (draft-ietf-secsh-filexfer-02, section 3).
const OPEN: u8 = 3;
const READ: u8 = 5;
const WRITE: u8 = 6;
const OPENDIR: u8 = 11;
const REMOVE: u8 = 13;

/// What a step asked of the server, by kind.
fn asked(scene: &Scene, args: &[&str]) -> BTreeMap<u8, usize> {
    let record = scene.path("sent");
    if record.exists() {
        std::fs::remove_file(&record).unwrap();
    }
    scene.expect(0, args);
    let sent = std::fs::read(record).unwrap();
    let mut counts = BTreeMap::new();
    let mut rest = sent.as_slice();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = u32::from_be_bytes(*len) as usize;
        *counts.entry(after[0]).or_default() += 1;
        rest = &after[len..];
    }
    assert!(counts.values().sum::<usize>() > 2, "{args:?}: {counts:?}");
    counts
}

#[test]
fn every_step_keeps_its_budget_of_requests() {
    let mut scene = Scene::new();
    let recorded =
        format!("sh -c 'tee -a {} | /usr/lib/openssh/sftp-server'", scene.path("sent").display());
    scene.set("LIFEBOAT_SFTP_COMMAND", recorded);
    let root = scene.path("repository").display().to_string();
    scene.set("LIFEBOAT_REPOSITORY", format!("sftp:nas:{root}"));
    for n in 0..200 {
        scene.file(format!("source/{}/{n}", n % 7), format!("{n}").repeat(n).as_bytes());
    }
    scene.file("source/large", &(0..2_000_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    asked(&scene, &["-q", "init"]);
    let target = scene.path("restored").display().to_string();
    let one_file = ["-q", "restore", "latest:large", "--target", &target];
    // All requests, and those that each cost a way there and back on their own.
    let steps: [(&str, &[&str], usize); 5] = [
        ("first backup", &["-q", "backup", "."], BUDGETS[0]),
        ("unchanged backup", &["-q", "backup", "."], BUDGETS[1]),
        ("snapshots", &["-q", "snapshots"], BUDGETS[2]),
        ("one file", &one_file, BUDGETS[3]),
        ("check", &["-q", "check"], BUDGETS[4]),
    ];
    let mut told = String::new();
    let mut over = Vec::new();
    for (step, args, budget) in steps {
        let counts = asked(&scene, args);
        let all: usize = counts.values().sum();
        let count = |kind: u8| counts.get(&kind).copied().unwrap_or_default();
        told.push_str(&format!(
            "{step}: {all} requests, {} files, {} reads, {} writes, {} folders, {} removed\n",
            count(OPEN),
            count(READ),
            count(WRITE),
            count(OPENDIR),
            count(REMOVE)
        ));
        if all > budget {
            over.push(format!("{step}: {all} requests, at most {budget}"));
        }
    }
    println!("{told}");
    assert!(over.is_empty(), "{over:?}\n{told}");
}

/// What each step may ask, in the order above; some tenths above what it does ask.
const BUDGETS: [usize; 5] = [280, 235, 105, 160, 365];

/// Trips that each step may wait for, one after the other, of which SSH itself takes about nine;
/// some tenths above what it does wait for.
const TRIPS: [u128; 5] = [44, 34, 22, 34, 41];

#[test]
fn every_step_keeps_its_budget_of_trips() {
    trips::keep(TRIPS, || {
        let sshd = Sshd::start();
        let line = LongLine::to(sshd.port);
        let mut scene = program::scene(&sshd, sshd.port);
        scene.expect(0, &["-q", "init"]);
        program::move_to(&mut scene, &sshd, ("127.0.0.1", line.port));
        trips::counted(&line, (&scene, "data.bin"))
    });
}
