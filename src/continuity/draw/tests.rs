use proptest::prelude::*;

use super::*;

fn seed(number: u8) -> Seed {
    Seed::new([number; 32])
}

fn pool(weights: &[u64]) -> Vec<Weighed> {
    let item =
        |(at, weight): (usize, &u64)| Weighed { dataset: format!("d{at:03}"), weight: *weight };
    weights.iter().enumerate().map(item).collect()
}

/// What anybody gets with `sha256sum`: these lines are the contract.
#[test]
fn a_seed_is_the_hash_of_its_lines() {
    let items = [
        Weighed { dataset: "b".to_owned(), weight: 7 },
        Weighed { dataset: "a".to_owned(), weight: 400 },
    ];
    let pool_hash = pool_hash("2026-12", &items);
    let by_hand = Sha256::digest("lifeboat/pool/1\n2026-12\na 400\nb 7\n");
    assert_eq!(pool_hash, hex(&by_hand));
    let ground = Ground {
        root: "00ff",
        period: "2026-12",
        plan_hash: "aa",
        pool_hash: &pool_hash,
        word: "sen hồng",
    };
    let lines = format!("lifeboat/draw/1\n00ff\n2026-12\naa\n{pool_hash}\nsen hồng\n");
    assert_eq!(Seed::of(&ground).hex(), hex(&Sha256::digest(lines)));
    assert_ne!(Seed::of(&Ground { word: "", ..ground }), Seed::of(&ground));
}

/// A dataset that stands twice has twice the chance: the hash tells.
#[test]
fn twins_are_another_pool_and_none_that_is_drawn_from() {
    let one = pool(&[1, 3]);
    let twice = [&one[..], &one[..1]].concat();
    assert_ne!(pool_hash("2026-12", &one), pool_hash("2026-12", &twice));
    assert!(is_plain(&one) && !is_plain(&twice));
    // Two datasets in the name of one.
    let hidden = [Weighed { dataset: "d000 1\nd001".to_owned(), weight: 3 }];
    assert_eq!(pool_hash("2026-12", &one), pool_hash("2026-12", &hidden));
    assert!(!is_plain(&hidden));
}

#[test]
fn numbers_are_those_of_the_counter() {
    let mut stream = Stream::new(seed(1));
    let first = Sha256::digest([&[1_u8; 32][..], &[0, 0, 0, 0]].concat());
    let second = Sha256::digest([&[1_u8; 32][..], &[0, 0, 0, 1]].concat());
    let head = |digest: &[u8]| u64::from_be_bytes(digest[..8].try_into().unwrap());
    assert_eq!(stream.number(), head(&first));
    assert_eq!(stream.number(), head(&second));
    assert_eq!(stream.below(0), None);
    assert_eq!(stream.below(1), Some(0));
}

#[test]
fn weights_are_products() {
    let factors = Factors {
        criticality: Criticality::Critical,
        days_since_proof: 10,
        open_findings_count: 0,
        change_quartile: 1,
    };
    assert_eq!(weight(&factors), 90);
    assert_eq!(weight(&Factors { days_since_proof: 400, ..factors }), 3600);
    assert_eq!(weight(&Factors { days_since_proof: 401, ..factors }), 3600);
    assert_eq!(weight(&Factors { days_since_proof: 0, ..factors }), 0);
    let most = Factors { open_findings_count: 9, change_quartile: 9, ..factors };
    assert_eq!(weight(&most), 90 * 4 * 4);
    let normal = Factors { criticality: Criticality::Normal, ..factors };
    assert_eq!(weight(&normal), 10);
}

/// Heavier ones come first more often, as their weights say.
#[test]
fn weights_decide_how_often() {
    let items = pool(&[1, 3, 0, 6]);
    let mut firsts = [0_u32; 4];
    for number in 0..4000_u32 {
        let bytes: [u8; 32] = Sha256::digest(number.to_be_bytes()).into();
        let drawn = order(&items, &mut Stream::new(Seed::new(bytes)));
        assert_eq!(drawn.len(), 3);
        firsts[drawn[0][1..].parse::<usize>().unwrap()] += 1;
    }
    // Six standard deviations of a binomial are 114, 174 and 186.
    assert!(firsts[0].abs_diff(400) < 114, "{firsts:?}");
    assert!(firsts[1].abs_diff(1200) < 174, "{firsts:?}");
    assert_eq!(firsts[2], 0);
    assert!(firsts[3].abs_diff(2400) < 186, "{firsts:?}");
}

proptest! {
    #[test]
    fn a_draw_is_a_permutation_that_repeats(
        weights in proptest::collection::vec(0_u64..5000, 0..40), number in any::<u8>(),
    ) {
        let items = pool(&weights);
        let drawn = order(&items, &mut Stream::new(seed(number)));
        prop_assert_eq!(&drawn, &order(&items, &mut Stream::new(seed(number))));
        let mut backwards = items.clone();
        backwards.reverse();
        prop_assert_eq!(&drawn, &order(&backwards, &mut Stream::new(seed(number))));
        prop_assert_eq!(pool_hash("p", &items), pool_hash("p", &backwards));
        let mut sorted = drawn;
        sorted.sort();
        let heavy = items.iter().filter(|item| item.weight > 0).map(|item| item.dataset.clone());
        prop_assert_eq!(sorted, heavy.collect::<Vec<_>>());
    }

    #[test]
    fn numbers_stay_below(total in 1_u64.., number in any::<u8>()) {
        let mut stream = Stream::new(seed(number));
        for _ in 0..20 {
            prop_assert!(stream.below(total).unwrap() < total);
        }
    }
}
