//! A return's leaf hash in a form that people read to each other over the telephone.
//!
//! A long code needs no secret and no second person: 80 bits. Whoever wants another return with the
//! same code tries 2^80 of them. A [`Challenge`] is short, and safe only because its nonce did not exist when the return
//! was logged and witnessed: nothing can be prepared, and guesses are counted. The arithmetic is in
//! `docs/specs/validation.md`.
//!
//! Both forms of the long code, and the short one, notice each single wrong digit or word, and each two that were exchanged.

use thiserror::Error;
use tlog::{Hash, hash};

/// Language of the words. The two tables share letters, not words: a listener says first which one is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Syllables that English speakers tell apart.
    English,
    /// Syllables that Slovenian speakers tell apart.
    Slovenian,
}

/// Why something that was heard is no code. It says nothing about the election: it is heard again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpokenError {
    #[error("a code has {needs} {what}, not {has}")]
    Length { what: &'static str, needs: usize, has: usize },
    #[error("`{0}` is no word of the table")]
    Word(String),
    #[error("the check does not fit: something was misheard or mistyped")]
    Check,
}

/// The first 80 bits of what a return's leaf hash is hashed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code([u8; CODE_BYTES]);

/// 10 bytes: 80 bits, which 25 decimal digits hold.
const CODE_BYTES: usize = 10;
/// 11 bytes: 88 bits, eight words of 11 bits.
const WORD_BYTES: usize = 11;
/// 25 digits for 80 bits and 2 to check them: nine groups of three.
pub const CODE_DIGITS: usize = 27;
/// Eight words for 88 bits and one to check them.
pub const CODE_WORDS: usize = 9;

impl Code {
    /// The code of a return.
    pub fn of(leaf: &Hash) -> Self {
        let all = digest(leaf);
        let (code, _) = all.0.split_first_chunk().expect("internal error: 32 bytes begin with 10");
        Self(*code)
    }

    /// Whether it is the code of a return.
    pub fn is_of(&self, leaf: &Hash) -> bool {
        *self == Self::of(leaf)
    }

    /// Reads digits; spaces between them do not matter.
    ///
    /// # Errors
    /// Where it cannot be a code that was heard rightly.
    pub fn parse_digits(text: &str) -> Result<Self, SpokenError> {
        let number = checked_number(text, CODE_DIGITS)?;
        let bytes = number.to_be_bytes();
        let (zeros, code) = bytes.split_last_chunk().expect("internal error: 16 bytes end with 10");
        // 10^25 is more than 2^80; the numbers between are no codes.
        if zeros.iter().any(|byte| *byte != 0) { Err(SpokenError::Check) } else { Ok(Self(*code)) }
    }

    /// Reads words, in any case. They hold 8 bits more than are compared.
    ///
    /// # Errors
    /// Where it cannot be a code that was heard rightly.
    pub fn parse_words(text: &str, language: Language) -> Result<Self, SpokenError> {
        let words = text.split_whitespace().map(|word| {
            parse_word(&word.to_lowercase(), language).ok_or_else(|| SpokenError::Word(word.to_owned()))
        });
        let words = words.collect::<Result<Vec<u16>, _>>()?;
        let Ok(words) = <[u16; CODE_WORDS]>::try_from(&words[..]) else {
            return Err(SpokenError::Length { what: "words", needs: CODE_WORDS, has: words.len() });
        };
        if check_word(&words[..CODE_WORDS - 1]) != words[CODE_WORDS - 1] {
            return Err(SpokenError::Check);
        }
        let number = words[..CODE_WORDS - 1].iter().fold(0_u128, |sum, word| sum << 11 | u128::from(*word));
        let bytes = (number >> 8).to_be_bytes();
        let (_, code) = bytes.split_last_chunk().expect("internal error: 16 bytes end with 10");
        Ok(Self(*code))
    }
}

impl std::fmt::Display for Code {
    /// Nine groups of three digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&grouped(number(&self.0), CODE_DIGITS))
    }
}

/// The code of a return as nine groups of three digits.
pub fn digits(leaf: &Hash) -> String {
    Code::of(leaf).to_string()
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The code of a return as nine words.
pub fn words(leaf: &Hash, language: Language) -> String {
    let number = number(&digest(leaf).0[..WORD_BYTES]);
    let mut all: Vec<u16> =
        (0..CODE_WORDS - 1).rev().map(|at| (number >> (11 * at)) as u16 % WORDS).collect();
    all.push(check_word(&all));
    all.into_iter().map(|word| to_word(word, language)).collect::<Vec<_>>().join(" ")
}

/// What codes are made from: not the leaf hash itself, so that a code is no beginning of something else that is published.
fn digest(leaf: &Hash) -> Hash {
    hash::sha256(&[b"scrutineer-code v1\n", &leaf.0[..]].concat())
}

/// A number with two check digits, ISO 7064 MOD 97-10, in groups of three. 97 is prime and 10 has the order 96 modulo
/// 97, so that one wrong digit, and any two exchanged, change the remainder.
fn grouped(number: u128, n_digits: usize) -> String {
    let check = 98 - (number % 97) * 100 % 97;
    let text = format!("{:0width$}", number * 100 + check, width = n_digits);
    let mut groups = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && at % 3 == 0 {
            groups.push(' ');
        }
        groups.push(digit);
    }
    groups
}

fn checked_number(text: &str, n_digits: usize) -> Result<u128, SpokenError> {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    let is_right = plain.len() == n_digits && plain.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.parse::<u128>().ok().filter(|_| is_right);
    let number = number.ok_or(SpokenError::Length { what: "digits", needs: n_digits, has: plain.len() })?;
    // Check digits are 02 to 98: each number has one spelling.
    if number % 97 != 1 || !(2..=98).contains(&(number % 100)) {
        return Err(SpokenError::Check);
    }
    Ok(number / 100)
}

const WORDS: u16 = 2048;

/// Consonants of the first and of the second syllable; each is followed by one of five vowels. 13 and 7 of them give 64 and 32
/// syllables and one to three that are not used. Sounds that a telephone confuses (`b` and `p`, `m` and `n`, `s` and `z`) are not
/// in one place, where 13 allow that, and few words are a syllable twice.
fn consonants(language: Language) -> [&'static str; 2] {
    match language {
        Language::English => ["bdfghklmrstvz", "npjwlrd"],
        Language::Slovenian => ["bcdghjklmrštv", "npslrjf"],
    }
}

fn to_word(word: u16, language: Language) -> String {
    let syllables = consonants(language).into_iter().zip([word / 32, word % 32]);
    let sounds = syllables.flat_map(|(consonants, n)| {
        consonants.chars().nth(usize::from(n / 5)).into_iter().chain("aeiou".chars().nth(usize::from(n % 5)))
    });
    sounds.collect()
}

fn parse_word(text: &str, language: Language) -> Option<u16> {
    (0..WORDS).find(|word| to_word(*word, language) == text)
}

/// The ninth word: the sum of the others, each multiplied by another power of x in the field of 2^11 elements (polynomial
/// x^11 + x^2 + 1, in which x has the order 2047). One other word, and any two exchanged, change it.
fn check_word(words: &[u16]) -> u16 {
    words.iter().fold(0, |sum, word| times_x(sum ^ word))
}

fn times_x(n: u16) -> u16 {
    let shifted = n << 1;
    if shifted & WORDS == 0 { shifted } else { shifted ^ WORDS ^ 0b101 }
}

/// A question that nobody could prepare an answer for, because its nonce was drawn after witnesses had seen the log with the
/// return in it. The centre computes the answer from the return that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    nonce: [u8; NONCE_BYTES],
    /// Entries that a quorum of witnesses had cosigned before.
    witnessed: u64,
    attempts: u32,
    is_used: bool,
}

/// 128 bits: never drawn twice.
pub const NONCE_BYTES: usize = 16;
/// 9 digits and no check: 10^9, or 29.9 bits; an error is an attempt.
pub const ANSWER_DIGITS: usize = 9;
/// 3 attempts: one in 333 million guesses passes.
pub const MAX_ATTEMPTS: u32 = 3;

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is that of the return.
    Right,
    /// It is not; it may be tried again.
    Wrong,
    /// The challenge is spent: answered before, or wrong too often. A differing return shows itself so.
    Spent,
    /// The return was not yet witnessed when the nonce was drawn, and may have been made to fit.
    TooEarly,
}

impl Challenge {
    /// Draws a challenge; `random` comes from a good source, and a quorum had cosigned `witnessed` entries before it was drawn.
    pub fn new(random: [u8; NONCE_BYTES], witnessed: u64) -> Self {
        Self { nonce: random, witnessed, attempts: 0, is_used: false }
    }

    /// What is read to the centre.
    pub fn nonce(&self) -> &[u8; NONCE_BYTES] {
        &self.nonce
    }

    /// Takes an answer about the return that stands at a place of the log.
    pub fn answer(&mut self, index: u64, leaf: &Hash, text: &str) -> Answered {
        if index >= self.witnessed {
            return Answered::TooEarly;
        }
        if self.is_used || self.attempts >= MAX_ATTEMPTS {
            return Answered::Spent;
        }
        self.attempts += 1;
        let plain: String = text.chars().filter(|c| *c != ' ').collect();
        self.is_used = plain == answer(&self.nonce, leaf);
        if self.is_used { Answered::Right } else { Answered::Wrong }
    }
}

/// What the centre answers: nine digits.
pub fn answer(nonce: &[u8; NONCE_BYTES], leaf: &Hash) -> String {
    let hash = hash::sha256(&[b"scrutineer-challenge v1\n", &nonce[..], &leaf.0[..]].concat());
    let (head, _) = hash.0.split_first_chunk().expect("internal error: 32 bytes begin with 8");
    let number = u64::from_be_bytes(*head) % 10_u64.pow(ANSWER_DIGITS as u32);
    format!("{number:0ANSWER_DIGITS$}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn leaf(n: u32) -> Hash {
        Hash::leaf(&n.to_be_bytes())
    }

    #[test]
    fn a_code_is_read_back_and_is_of_no_other_return() {
        for n in 0..300 {
            let leaf = leaf(n);
            let said = digits(&leaf);
            let code = Code::parse_digits(&said).expect("a code");
            assert!(code.is_of(&leaf) && !code.is_of(&self::leaf(n + 1)));
            for language in [Language::English, Language::Slovenian] {
                let code =
                    Code::parse_words(&words(&leaf, language).to_uppercase(), language).expect("a code");
                assert!(code.is_of(&leaf) && !code.is_of(&self::leaf(n + 1)));
            }
        }
        insta::assert_snapshot!(digits(&leaf(1)), @"017 404 583 891 836 975 701 518 405");
        insta::assert_snapshot!(words(&leaf(1), Language::English), @"dupe tuni tewi hada dede dire ruwo bana riwo");
        insta::assert_snapshot!(words(&leaf(1), Language::Slovenian), @"cupe šuni šeli hafa cefe cije mulo bana milo");
    }

    #[test]
    fn each_language_has_2048_words_of_their_own() {
        for language in [Language::English, Language::Slovenian] {
            let all: BTreeSet<String> = (0..WORDS).map(|word| to_word(word, language)).collect();
            assert_eq!(all.len(), usize::from(WORDS));
        }
    }

    /// All 27 × 9 wrong digits and all 351 exchanges, of 200 codes.
    #[test]
    fn one_wrong_digit_and_any_two_exchanged_are_noticed() {
        for n in 0..200 {
            let plain: Vec<u8> = digits(&leaf(n)).bytes().filter(|byte| *byte != b' ').collect();
            let heard = |bytes: &[u8]| Code::parse_digits(std::str::from_utf8(bytes).expect("digits"));
            heard(&plain).expect("the code itself");
            for at in 0..CODE_DIGITS {
                for digit in (b'0'..=b'9').filter(|digit| *digit != plain[at]) {
                    let mut other = plain.clone();
                    other[at] = digit;
                    assert_eq!(heard(&other), Err(SpokenError::Check), "{other:?}");
                }
                for with in (at + 1..CODE_DIGITS).filter(|with| plain[*with] != plain[at]) {
                    let mut other = plain.clone();
                    other.swap(at, with);
                    assert_eq!(heard(&other), Err(SpokenError::Check), "{other:?}");
                }
            }
        }
    }

    /// The check is linear: a wrong word is noticed where its difference alone gives no zero, an exchange where the difference
    /// at both places does not. So all differences at all places are all cases there are.
    #[test]
    fn one_wrong_word_and_any_two_exchanged_are_noticed_whatever_the_words() {
        let alone = |at: usize, word: u16| {
            let mut words = [0; CODE_WORDS - 1];
            words[at] = word;
            words
        };
        for difference in 1..WORDS {
            for at in 0..CODE_WORDS - 1 {
                let one = check_word(&alone(at, difference));
                assert_ne!(one, 0, "a wrong word");
                for with in at + 1..CODE_WORDS - 1 {
                    assert_ne!(one, check_word(&alone(with, difference)), "two exchanged");
                }
                // Exchanged with the check word: both it and the sum change by the difference.
                assert_ne!(one, difference, "exchanged with the check word");
            }
        }
    }

    proptest! {
        #[test]
        fn words_that_were_changed_are_noticed(seed: u32, at in 0..CODE_WORDS, with in 0..CODE_WORDS, other in 0..WORDS) {
            let said = words(&leaf(seed), Language::English);
            let mut all: Vec<String> = said.split(' ').map(str::to_owned).collect();
            let before = all.clone();
            all.swap(at, with);
            let swapped = Code::parse_words(&all.join(" "), Language::English);
            prop_assert_eq!(swapped.is_err(), all != before);
            let mut all = before.clone();
            all[at] = to_word(other, Language::English);
            prop_assert_eq!(Code::parse_words(&all.join(" "), Language::English).is_err(), all != before);
        }
    }

    #[test]
    fn what_is_no_code_is_told() {
        let said = digits(&leaf(1));
        assert_eq!(
            Code::parse_digits(&said[1..]),
            Err(SpokenError::Length { what: "digits", needs: 27, has: 26 })
        );
        assert!(matches!(Code::parse_digits("१"), Err(SpokenError::Length { .. })));
        let few = Code::parse_words("bana", Language::English);
        assert_eq!(few, Err(SpokenError::Length { what: "words", needs: 9, has: 1 }));
        let foreign = Code::parse_words("šaša", Language::English);
        assert_eq!(foreign, Err(SpokenError::Word("šaša".to_owned())));
    }

    #[test]
    fn a_challenge_is_answered_once_and_guessed_three_times() {
        let mut challenge = Challenge::new([7; NONCE_BYTES], 5);
        let right = answer(challenge.nonce(), &leaf(1));
        assert_eq!(right.len(), ANSWER_DIGITS);
        assert_eq!(challenge.answer(5, &leaf(1), &right), Answered::TooEarly);
        assert_eq!(challenge.answer(4, &leaf(2), &right), Answered::Wrong);
        assert_eq!(challenge.answer(4, &leaf(1), &right), Answered::Right);
        assert_eq!(challenge.answer(4, &leaf(1), &right), Answered::Spent);
        let mut challenge = Challenge::new([8; NONCE_BYTES], 5);
        for _ in 0..MAX_ATTEMPTS {
            assert_eq!(challenge.answer(4, &leaf(1), "000000000"), Answered::Wrong);
        }
        let right = answer(challenge.nonce(), &leaf(1));
        assert_eq!(challenge.answer(4, &leaf(1), &right), Answered::Spent);
        assert_ne!(answer(&[7; NONCE_BYTES], &leaf(1)), right, "each nonce has its own answer");
    }
}
