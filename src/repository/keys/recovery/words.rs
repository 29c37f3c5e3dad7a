//! A share as forty English words and back: 11 bits a word, in the list of BIP-39.
//!
//! The words carry the whole share (55 bytes, 440 bits), so nothing but them must be typed. The
//! list is BIP-39's, its checksum and seeds are not used: the share has a checksum of its own.

use bip39::Language;
use zeroize::Zeroizing;

use crate::crypto::sealed::shares::SHARE_BYTES;
use crate::crypto::sealed::shares::Share;
use crate::crypto::sealed::shares::ShareError;

/// Words of a share.
pub const SHARE_WORDS: usize = SHARE_BYTES * 8 / WORD_BITS;
/// Letters that tell every word of the list from all others.
pub const PREFIX_LETTERS: usize = 4;

const WORD_BITS: usize = 11;
const LIST_WORDS: u16 = 1 << WORD_BITS;
/// Most bytes of what is typed for one share.
const TYPED_BYTES_MAX: usize = 4096;

/// Words that are no share. `share` counts the shares as they were typed, `word` the words of one,
/// both from 1. What was typed is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    #[error("share {share}: {SHARE_WORDS} words are expected, found {found}")]
    Count { share: usize, found: usize },
    #[error("share {share}: more than {TYPED_BYTES_MAX} bytes were typed, found {found_bytes}")]
    Long { share: usize, found_bytes: usize },
    #[error("share {share}, word {word}: not in the list of words")]
    Unknown { share: usize, word: usize },
    #[error("share {share}, word {word}: type {PREFIX_LETTERS} letters of it at least")]
    Short { share: usize, word: usize },
    #[error("share {share}, word {word}: another word stands on the sheet")]
    Wrong { share: usize, word: usize },
    #[error("share {share}, words {word} and {}: they stand the other way round", word + 1)]
    Swapped { share: usize, word: usize },
    #[error("share {share}: {error}")]
    Share { share: usize, error: ShareError },
}

/// The words of a share, in lower case, a space between them.
#[must_use]
pub fn encode(share: &Share) -> Zeroizing<String> {
    let list = Language::English.word_list();
    let mut out = Zeroizing::new(String::with_capacity(SHARE_WORDS * 9));
    for number in numbers_of(share.encode().expose()).iter() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(list.get(usize::from(*number)).copied().unwrap_or_default());
    }
    out
}

/// Reads the words of the share that was typed as number `share`, from 1. Case, spaces, line ends
/// and the numbers of a sheet do not matter; four letters of a word suffice.
pub fn decode(share: usize, text: &str) -> Result<Share, WordsError> {
    let found_bytes = text.len();
    if found_bytes > TYPED_BYTES_MAX {
        return Err(WordsError::Long { share, found_bytes });
    }
    let text = Zeroizing::new(text.to_ascii_lowercase());
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_ascii_digit() || c.is_ascii_punctuation())
        .filter(|word| !word.is_empty());
    let mut numbers = Zeroizing::new(Vec::with_capacity(SHARE_WORDS));
    for (at, word) in words.enumerate() {
        numbers.push(number_of(word).map_err(|error| error.at(share, at + 1))?);
    }
    let found = numbers.len();
    if found != SHARE_WORDS {
        return Err(WordsError::Count { share, found });
    }
    match Share::decode(&bytes_of(&numbers)) {
        Err(ShareError::Checksum) => Err(locate(share, &mut numbers)),
        decoded => decoded.map_err(|error| WordsError::Share { share, error }),
    }
}

enum NoWord {
    Unknown,
    Short,
}

impl NoWord {
    const fn at(self, share: usize, word: usize) -> WordsError {
        match self {
            Self::Unknown => WordsError::Unknown { share, word },
            Self::Short => WordsError::Short { share, word },
        }
    }
}

fn number_of(word: &str) -> Result<u16, NoWord> {
    let list = Language::English.word_list();
    let at = list.partition_point(|listed| *listed < word);
    let first = list.get(at).filter(|listed| listed.starts_with(word)).ok_or(NoWord::Unknown)?;
    if *first != word && word.len() < PREFIX_LETTERS {
        return Err(NoWord::Short);
    }
    u16::try_from(at).map_err(|_| NoWord::Unknown)
}

/// Which word is wrong, when all are in the list but the checksum differs. One wrong word or two
/// neighbours in the wrong order show themselves: only with the right ones the checksum holds, but
/// for one case in 50 000 (80 000 trials against 32 bits). More than that stays unlocated.
fn locate(share: usize, numbers: &mut [u16]) -> WordsError {
    let holds = |numbers: &[u16]| Share::decode(&bytes_of(numbers)) != Err(ShareError::Checksum);
    for at in 0..numbers.len().saturating_sub(1) {
        numbers.swap(at, at + 1);
        let found = holds(numbers);
        numbers.swap(at, at + 1);
        if found {
            return WordsError::Swapped { share, word: at + 1 };
        }
    }
    for at in 0..numbers.len() {
        let Some(typed) = numbers.get(at).copied() else { break };
        for other in 0..LIST_WORDS {
            numbers.iter_mut().skip(at).take(1).for_each(|number| *number = other);
            if holds(numbers) {
                return WordsError::Wrong { share, word: at + 1 };
            }
        }
        numbers.iter_mut().skip(at).take(1).for_each(|number| *number = typed);
    }
    WordsError::Share { share, error: ShareError::Checksum }
}

/// The bytes as numbers of 11 bits, the most significant first.
fn numbers_of(bytes: &[u8]) -> Zeroizing<Vec<u16>> {
    let mut numbers = Zeroizing::new(Vec::with_capacity(SHARE_WORDS));
    let (mut held, mut held_bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        held_bits += 8;
        if held_bits >= WORD_BITS {
            held_bits -= WORD_BITS;
            numbers.push(u16::try_from(held >> held_bits).unwrap_or_default());
            held &= (1 << held_bits) - 1;
        }
    }
    numbers
}

/// What [`numbers_of`] made numbers of.
fn bytes_of(numbers: &[u16]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_BYTES));
    let (mut held, mut held_bits) = (0_u32, 0);
    for number in numbers {
        held = (held << WORD_BITS) | u32::from(*number);
        held_bits += WORD_BITS;
        while held_bits >= 8 {
            held_bits -= 8;
            bytes.push(u8::try_from(held >> held_bits).unwrap_or_default());
            held &= (1 << held_bits) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sealed::shares;
    use crate::secret::Secret32;

    fn share() -> Share {
        shares::split(&Secret32::new([0xc3; 32]), [9; 15], (2, 3)).unwrap().remove(2)
    }

    fn words(share: &Share) -> Vec<String> {
        encode(share).split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_hold_the_share_and_four_letters_of_each_suffice() {
        assert_eq!(SHARE_WORDS * WORD_BITS, SHARE_BYTES * 8);
        let share = share();
        let words = words(&share);
        assert_eq!(words.len(), SHARE_WORDS);
        assert_eq!(decode(1, &words.join(" ")).as_ref(), Ok(&share));
        let short: Vec<&str> = words.iter().map(|word| word.get(..4).unwrap_or(word)).collect();
        let typed = format!("  {}\r\n", short.join(" \t ").to_uppercase());
        assert_eq!(decode(1, &typed).as_ref(), Ok(&share));
        let numbered: Vec<String> =
            words.iter().enumerate().map(|(at, word)| format!("{}. {word}", at + 1)).collect();
        assert_eq!(decode(1, &numbered.join("\n")).as_ref(), Ok(&share));
    }

    #[test]
    fn every_word_of_the_list_and_every_prefix_of_four_is_itself() {
        let list = Language::English.word_list();
        for (at, word) in list.iter().enumerate() {
            assert!(word.is_ascii());
            let prefix = word.get(..PREFIX_LETTERS).unwrap_or(word);
            for typed in [word, prefix] {
                assert_eq!(number_of(typed).ok(), u16::try_from(at).ok(), "{typed}");
            }
        }
    }

    #[test]
    fn a_wrong_word_is_named_wherever_it_stands() {
        let share = share();
        let good = words(&share);
        for at in 0..SHARE_WORDS {
            let mut bad = good.clone();
            bad[at] = "lifeboat".to_owned();
            let unknown = WordsError::Unknown { share: 2, word: at + 1 };
            assert_eq!(decode(2, &bad.join(" ")), Err(unknown));
            bad[at] = if good[at] == "zoo" { "able" } else { "zoo" }.to_owned();
            let wrong = WordsError::Wrong { share: 2, word: at + 1 };
            assert_eq!(decode(2, &bad.join(" ")), Err(wrong));
            bad[at] = "ab".to_owned();
            let short = WordsError::Short { share: 2, word: at + 1 };
            assert_eq!(decode(2, &bad.join(" ")), Err(short));
        }
    }

    #[test]
    fn what_cannot_be_located_is_refused_all_the_same() {
        let good = words(&share());
        let at = (0..SHARE_WORDS - 1).rfind(|at| good[*at] != good[at + 1]).unwrap();
        let mut swapped = good.clone();
        swapped.swap(at, at + 1);
        let refused = Err(WordsError::Swapped { share: 1, word: at + 1 });
        assert_eq!(decode(1, &swapped.join(" ")), refused);
        let reversed: Vec<&str> = good.iter().rev().map(String::as_str).collect();
        let refused = Err(WordsError::Share { share: 1, error: ShareError::Checksum });
        assert_eq!(decode(1, &reversed.join(" ")), refused);
        let refused = Err(WordsError::Count { share: 1, found: 39 });
        assert_eq!(decode(1, &good[1..].join(" ")), refused);
        assert_eq!(decode(1, ""), Err(WordsError::Count { share: 1, found: 0 }));
        let long = "zoo ".repeat(1025);
        assert!(matches!(decode(1, &long), Err(WordsError::Long { .. })));
    }
}
