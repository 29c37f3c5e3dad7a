use proptest::prelude::*;

use super::*;

#[test]
fn the_claim_is_the_least_number_that_holds() {
    for (claim, share) in
        [(Claim::Percent5, 0.05), (Claim::Percent1, 0.01), (Claim::Permille1, 0.001_f64)]
    {
        let missed = |n: u64| (1.0 - share).powi(i32::try_from(n).unwrap());
        let n = claim.files_count();
        assert!(missed(n) <= 0.05 && missed(n - 1) > 0.05, "{claim:?}");
    }
}

/// As another program computes them.
#[test]
fn a_seed_and_its_numbers_are_those_of_the_page() {
    let drawn: Vec<u64> = draw(Seed([7; 32]), 1000, 5).into_iter().collect();
    assert_eq!(drawn, [109, 647, 750, 808, 842]);
    let seed = Seed::of("ab", "rec", ("shared", "cd")).to_hex();
    assert_eq!(seed, "ebd15af96ad42840b88f48a23420aef42ab6385ca3dcc068b013379e9022df29");
}

/// Every file comes as often as any other, by chi squared over many seeds.
#[test]
fn each_file_is_as_likely_as_any_other() {
    const FILES: u64 = 50;
    const ROUNDS: u32 = 4000;
    let mut counts = [0_u32; 50];
    for round in 0..ROUNDS {
        let seed = Seed::of(&round.to_string(), "", ("", ""));
        for at in draw(seed, FILES, 5) {
            counts[usize::try_from(at).unwrap()] += 1;
        }
    }
    let expected = f64::from(ROUNDS) * 5.0 / 50.0;
    let chi: f64 = counts.iter().map(|it| (f64::from(*it) - expected).powi(2) / expected).sum();
    // 49 degrees of freedom: 85.4 is passed by chance once in a thousand; the seeds are fixed.
    assert!(chi < 85.4, "{chi}");
}

fn path(text: &str) -> SnapshotPath {
    SnapshotPath::from_user(text.as_bytes()).unwrap()
}

#[test]
fn every_stratum_that_there_is_has_a_file() {
    let long = format!("/{}/x.txt", "d/".repeat(110));
    let files = [
        ("/a.txt", 0, 0),
        ("/b.docx", 5000, 40),
        ("/Hồ sơ/c.docx", 2 << 20, 400),
        (&long, 1 << 27, 4000),
        ("/plain", 10, 0),
    ];
    let mut strata = Strata::new(Seed([1; 32]));
    for (at, (name, size_bytes, days)) in files.iter().enumerate() {
        let path = path(name);
        let file = Traits { path: &path, size_bytes: *size_bytes, age_ms: days * DAY_MS };
        strata.look(at as u64, file);
    }
    // Each is the only one of some stratum: sizes, ages, letters, length, no type.
    assert_eq!(strata.chosen(), (0..5).collect());
    let many: Vec<SnapshotPath> = (0..500).map(|at| path(&format!("/x.e{at}"))).collect();
    let mut strata = Strata::new(Seed([1; 32]));
    for (at, path) in many.iter().enumerate() {
        strata.look(at as u64, Traits { path, size_bytes: 1, age_ms: 0 });
    }
    assert!(strata.chosen().len() <= TYPES_MAX + 3);
}

proptest! {
    #[test]
    fn a_draw_has_no_twin_and_nobody_from_outside(
        seed in any::<[u8; 32]>(),
        population in 0_u64..5000,
        wanted in 0_u64..400,
    ) {
        let drawn = draw(Seed(seed), population, wanted);
        prop_assert_eq!(drawn.len() as u64, wanted.min(population));
        prop_assert!(drawn.iter().all(|at| *at < population));
        prop_assert_eq!(&drawn, &draw(Seed(seed), population, wanted));
    }
}
