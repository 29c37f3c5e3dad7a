//! Inputs made of other inputs. The same seed and pool give the same inputs.

use crate::support::Random;

/// Numbers at the edges of what decoders compare with.
const EDGES: [u64; 20] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x3fff,
    0x4000,
    0x4001,
    0xffff,
    0x1_0000,
    0x1_0001,
    0xff_ffff,
    0x100_0000,
    0x100_0001,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Names and words that mean something to somebody.
const WORDS: [&[u8]; 12] = [
    b"..",
    b".",
    b"/",
    b"\0",
    b"a/../..",
    b"\xff\xfe",
    b"CON",
    b"**/",
    b"[!",
    b"{a,b}",
    b"KiB",
    b"zoo ",
];

pub struct Mutator {
    random: Random,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed) }
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    /// An input of the pool, changed in one to eight places.
    pub fn next(&mut self, pool: &[Vec<u8>], bytes_max: usize) -> Vec<u8> {
        let mut input = pool[self.below(pool.len())].clone();
        for _ in 0..=self.below(3) * self.below(4) {
            self.change(&mut input, pool);
        }
        input.truncate(bytes_max);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, pool: &[Vec<u8>]) {
        if input.is_empty() {
            input.push(self.random.next().to_le_bytes()[0]);
        }
        let at = self.below(input.len());
        let span = self.span(input.len() - at);
        let len = 1 + self.below(span);
        match self.below(12) {
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = self.random.next().to_le_bytes()[0],
            2 => input[at] = input[at].wrapping_add(1),
            3 => input[at] = input[at].wrapping_sub(1),
            4 => drop(input.drain(at..at + len)),
            5 => input.truncate(at),
            6 => {
                let part = input[at..at + len].to_vec();
                let to = self.below(input.len());
                input.splice(to..to, part);
            }
            7 => {
                let other = &pool[self.below(pool.len())];
                if !other.is_empty() {
                    let from = self.below(other.len());
                    let part = &other[from..other.len().min(from + len)];
                    input.splice(at..at, part.iter().copied());
                }
            }
            8 => {
                let edge = EDGES[self.below(EDGES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)].min(input.len() - at);
                input[at..at + width].copy_from_slice(&edge[..width]);
            }
            9 => {
                let mut number = Vec::new();
                let mut edge = EDGES[self.below(EDGES.len())];
                while edge >= 0x80 {
                    number.push(edge.to_le_bytes()[0] | 0x80);
                    edge >>= 7;
                }
                number.push(edge.to_le_bytes()[0]);
                input.splice(at..=at, number);
            }
            10 => {
                let word = WORDS[self.below(WORDS.len())];
                let end = at + self.below(2) * len;
                input.splice(at..end, word.iter().copied());
            }
            _ => {
                let byte = input[at];
                input.splice(at..at, std::iter::repeat_n(byte, len));
            }
        }
    }

    /// Mostly short parts, sometimes long ones.
    fn span(&mut self, left: usize) -> usize {
        let most = [4, 16, 64, 1024][self.below(4)];
        left.min(most)
    }
}

#[test]
fn the_same_seed_gives_the_same_inputs() {
    let pool = vec![b"one input".to_vec(), vec![7; 90], Vec::new()];
    let made = |seed| {
        let mut mutator = Mutator::new(seed);
        (0..2000).map(|_| mutator.next(&pool, 300)).collect::<Vec<_>>()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    let lengths: Vec<usize> = made(1).iter().map(Vec::len).collect();
    assert!(lengths.contains(&0) && lengths.iter().any(|len| *len > 50), "{lengths:?}");
}
