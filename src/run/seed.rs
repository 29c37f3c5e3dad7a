//! Random choices that follow from the run's seed.

/// A stream of random numbers: `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", OOPSLA 2014). Never for keys.
#[derive(Debug, Clone)]
pub struct Choices {
    state: u64,
}

impl Choices {
    /// The stream of `purpose`; two purposes of one run choose apart from each other.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, which spreads the few bytes of a purpose well enough.
        let spread = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { state: seed ^ spread }
    }

    /// The next number, evenly from all 64 bits.
    pub fn next_number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of a product is below `end`, and the bias is below 2^-64 · end.
        u64::try_from((u128::from(self.next_number()) * u128::from(end)) >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_the_published_ones() {
        let mut choices = Choices { state: 1_234_567 };
        let numbers: Vec<u64> = (0..3).map(|_| choices.next_number()).collect();
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!(numbers[..2], expected);
        assert_ne!(numbers[2], numbers[1]);
    }

    #[test]
    fn below_stays_below_and_purposes_differ() {
        let mut choices = Choices::new(7, "a");
        assert!((0..1000).all(|_| choices.below(3) < 3));
        assert_eq!(choices.below(0), 0);
        assert_ne!(Choices::new(7, "a").next_number(), Choices::new(7, "b").next_number());
    }
}
