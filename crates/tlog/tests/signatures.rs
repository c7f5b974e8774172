//! The one rule of Ed25519 (`tlog::ed25519`), under signatures that were made to part verifiers: single check, batch and
//! WebCrypto say the same of each.

mod web;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::{EdwardsPoint, Scalar};
use oorandom::Rand64;
use sha2::{Digest as _, Sha512};
use tlog::ed25519::{PublicKey, SecretKey, Signed, verify_batch};

/// A signature and what the rule says of it.
pub(crate) struct Case {
    /// Its kind; cases of one kind differ in points, secrets or messages.
    pub(crate) kind: &'static str,
    pub(crate) key: [u8; 32],
    pub(crate) message: Vec<u8>,
    pub(crate) signature: [u8; 64],
    pub(crate) expected: bool,
}

/// The order of the prime-order group, least byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Bytes of 2^255 − 19 + `more`, with the bit of the sign.
fn prime_plus(more: u8, sign: bool) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed_u8.wrapping_add(more);
    bytes[31] = if sign { 0xff } else { 0x7f };
    assert!(more < 19, "beyond that, the bytes say another number");
    bytes
}

/// Every encoding that a lenient reader takes for a point of small order: eight canonical ones, then those with a sign on
/// x = 0 ("negative zero") and those with y at or above the field's prime.
fn small_order() -> Vec<[u8; 32]> {
    let mut all: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|point| point.compress().0).collect();
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = prime_plus(0, false);
    minus_one[0] -= 1;
    for mut bytes in [one, minus_one] {
        bytes[31] |= 0x80;
        all.push(bytes);
    }
    for more in [0, 1] {
        all.extend([false, true].map(|sign| prime_plus(more, sign)));
    }
    all
}

/// The point that a lenient reader sees in these bytes.
fn lenient(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress()
}

/// SHA-512(R ‖ A ‖ M) modulo the order.
fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let digest: [u8; 64] = Sha512::digest([&r[..], key, message].concat()).into();
    Scalar::from_bytes_mod_order_wide(&digest)
}

fn join(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    [*r, *s].concat().try_into().expect("64 bytes")
}

struct Maker {
    random: Rand64,
    cases: Vec<Case>,
}

impl Maker {
    fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .for_each(|chunk| *chunk = self.random.rand_u64().to_le_bytes());
        bytes
    }

    fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order(clamp_integer(self.bytes()))
    }

    fn push(
        &mut self,
        kind: &'static str,
        key: [u8; 32],
        message: &[u8],
        signature: [u8; 64],
        expected: bool,
    ) {
        self.cases.push(Case { kind, key, message: message.to_vec(), signature, expected });
    }

    /// An honest signature, and its message.
    fn honest(&mut self, message: &[u8]) -> ([u8; 32], [u8; 64]) {
        let secret = SecretKey::from_seed(&self.bytes());
        (*secret.public().as_bytes(), secret.sign(message))
    }

    /// A signature made by whoever knows `a` and `r`: S = r + k·a, under whatever bytes they show for A and R. `wanted` chooses
    /// among messages by their challenge k.
    fn forge(
        &mut self,
        kind: &'static str,
        (key, a): ([u8; 32], Scalar),
        (big_r, r): ([u8; 32], Scalar),
        wanted: impl Fn(Scalar) -> bool,
    ) {
        for n in 0..10_000_u32 {
            let message = format!("{kind} {n}").into_bytes();
            let k = challenge(&big_r, &key, &message);
            if wanted(k) {
                let s = r + k * a;
                self.push(kind, key, &message, join(&big_r, s.as_bytes()), false);
                return;
            }
        }
        panic!("no message of 10,000 has the challenge that `{kind}` needs");
    }
}

/// All cases, the same at every run.
pub(crate) fn cases() -> Vec<Case> {
    let mut maker = Maker { random: Rand64::new(4), cases: Vec::new() };
    honest_and_broken(&mut maker);
    scalars_beyond_the_order(&mut maker);
    keys_of_small_order(&mut maker);
    nonces_of_small_order(&mut maker);
    mixed_order(&mut maker);
    other_encodings(&mut maker);
    maker.cases
}

fn honest_and_broken(maker: &mut Maker) {
    for len in 0..24 {
        let message = vec![len; usize::from(len) * 7];
        let (key, signature) = maker.honest(&message);
        maker.push("honest", key, &message, signature, true);
        let (other, _) = maker.honest(b"");
        maker.push("another key", other, &message, signature, false);
        maker.push("another message", key, &[&message[..], b"."].concat(), signature, false);
    }
    let message = b"a message whose every bit counts";
    let (key, signature) = maker.honest(message);
    for bit in 0..512 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        maker.push("bit of the signature flipped", key, message, flipped, false);
    }
    for bit in 0..256 {
        let (mut flipped, mut text) = (key, *message);
        flipped[bit / 8] ^= 1 << (bit % 8);
        maker.push("bit of the key flipped", flipped, message, signature, false);
        text[bit / 8] ^= 1 << (bit % 8);
        maker.push("bit of the message flipped", key, &text, signature, false);
    }
    for byte in [0, 1, 0xff] {
        maker.push("one byte throughout", key, message, [byte; 64], false);
        maker.push("one byte throughout", [byte; 32], message, [byte; 64], false);
    }
}

/// S + n·L satisfies the same equation as S.
fn scalars_beyond_the_order(maker: &mut Maker) {
    for message in [&b"one"[..], b"two", b"three"] {
        let (key, signature) = maker.honest(message);
        let mut s: [u8; 32] = signature[32..].try_into().expect("32 bytes");
        for _ in 1..=8 {
            let mut carry = 0;
            for (byte, order) in s.iter_mut().zip(ORDER) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
            let r = signature[..32].try_into().expect("32 bytes");
            maker.push("S + n·L", key, message, join(r, &s), false);
        }
        maker.push("S = L", key, message, join(signature[..32].try_into().expect("32 bytes"), &ORDER), false);
    }
}

fn keys_of_small_order(maker: &mut Maker) {
    for key in small_order() {
        let point = lenient(&key).expect("a lenient reader takes it");
        let is_neutral = |k: Scalar| k * point == EdwardsPoint::identity();
        let r = maker.scalar();
        let nonce = (EdwardsPoint::mul_base(&r).compress().0, r);
        let nobody = (key, Scalar::ZERO);
        maker.forge("A of small order, both equations hold", nobody, nonce, is_neutral);
        if point != EdwardsPoint::identity() {
            maker.forge("A of small order, the one with cofactor holds", nobody, nonce, |k| !is_neutral(k));
        }
        // S = 0 and R of small order: R = −k·A.
        for torsion in EIGHT_TORSION {
            let big_r = torsion.compress().0;
            let fits = |n: u32| challenge(&big_r, &key, &n.to_le_bytes()) * point == -torsion;
            if let Some(n) = (0..200).find(|n| fits(*n)) {
                let kind = "A and R of small order, S = 0";
                maker.push(kind, key, &n.to_le_bytes(), join(&big_r, &[0; 32]), false);
                maker.push(
                    "A and R of small order, S = L",
                    key,
                    &n.to_le_bytes(),
                    join(&big_r, &ORDER),
                    false,
                );
            }
        }
    }
}

/// Under an honest key whose owner plays foul: R of small order, in every encoding. With the neutral element, both equations
/// hold; with the others, the one with cofactor.
fn nonces_of_small_order(maker: &mut Maker) {
    for big_r in small_order() {
        let a = maker.scalar();
        let key = EdwardsPoint::mul_base(&a).compress().0;
        let is_neutral = lenient(&big_r) == Some(EdwardsPoint::identity());
        let kind = if is_neutral { "R neutral" } else { "R of small order" };
        maker.forge(kind, (key, a), (big_r, Scalar::ZERO), |_| true);
    }
}

fn mixed_order(maker: &mut Maker) {
    for torsion in &EIGHT_TORSION[1..] {
        let (a, r) = (maker.scalar(), maker.scalar());
        let (honest_a, honest_r) = (EdwardsPoint::mul_base(&a), EdwardsPoint::mul_base(&r));
        let (mixed_a, mixed_r) = ((honest_a + torsion).compress().0, (honest_r + torsion).compress().0);
        let is_neutral = |k: Scalar| k * torsion == EdwardsPoint::identity();
        // An honest key, a mixed R: only the equation with cofactor holds.
        maker.forge("R of mixed order", (honest_a.compress().0, a), (mixed_r, r), |_| true);
        // The same twice, so that the parts of small order cancel in a sum.
        let minus = (honest_r - torsion).compress().0;
        maker.forge("R of mixed order", (honest_a.compress().0, a), (minus, r), |_| true);
        let honest_r = honest_r.compress().0;
        maker.forge("A of mixed order, both equations hold", (mixed_a, a), (honest_r, r), is_neutral);
        let kind = "A of mixed order, the one with cofactor holds";
        maker.forge(kind, (mixed_a, a), (honest_r, r), |k| !is_neutral(k));
        // R + k·A loses its part of small order: both equations hold.
        let cancels = |k: Scalar| k * torsion == -torsion;
        maker.forge("A and R of mixed order, both equations hold", (mixed_a, a), (mixed_r, r), cancels);
    }
}

/// y at or above the field's prime, for every y that has such an encoding, and bytes that are no point.
fn other_encodings(maker: &mut Maker) {
    let (key, signature) = maker.honest(b"text");
    let s = signature[32..].try_into().expect("32 bytes");
    for more in 0..19 {
        for sign in [false, true] {
            let bytes = prime_plus(more, sign);
            maker.push("A not canonical", bytes, b"text", signature, false);
            maker.push("R not canonical", key, b"text", join(&bytes, s), false);
            let mut small = [0; 32];
            small[0] = more;
            small[31] = if sign { 0x80 } else { 0 };
            let kind = if lenient(&small).is_some() { "A with a small y" } else { "A off the curve" };
            maker.push(kind, small, b"text", signature, false);
        }
    }
}

fn signed(case: &Case) -> Option<Signed<'_>> {
    let key = PublicKey::from_bytes(&case.key)?;
    Some(Signed { key, message: &case.message, signature: case.signature })
}

/// What single check and batch say of a case among honest ones, at a position.
fn says(case: &Case, among: &[Signed<'_>], at: usize) -> bool {
    let Some(signed) = signed(case) else { return false };
    let mut batch = among.to_vec();
    batch.insert(at, signed);
    verify_batch(&batch)
}

#[test]
fn each_case_is_judged_as_the_rule_has_it() {
    let cases = cases();
    let mut kinds: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for case in &cases {
        let single = signed(case).is_some_and(|signed| signed.key.verify(signed.message, &signed.signature));
        assert_eq!(single, case.expected, "single: {}", case.kind);
        assert_eq!(says(case, &[], 0), case.expected, "batch of one: {}", case.kind);
        *kinds.entry(case.kind).or_default() += 1;
    }
    let list: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    insta::assert_snapshot!(list.join("\n"), @r"
    7 A and R of mixed order, both equations hold
    56 A and R of small order, S = 0
    56 A and R of small order, S = L
    38 A not canonical
    7 A of mixed order, both equations hold
    7 A of mixed order, the one with cofactor holds
    14 A of small order, both equations hold
    10 A of small order, the one with cofactor holds
    14 A off the curve
    24 A with a small y
    4 R neutral
    38 R not canonical
    14 R of mixed order
    10 R of small order
    24 S + n·L
    3 S = L
    24 another key
    24 another message
    256 bit of the key flipped
    256 bit of the message flipped
    512 bit of the signature flipped
    24 honest
    6 one byte throughout
    ");
}

/// A case proves nothing if every verifier refuses it. Those of small or mixed order satisfy the equation with cofactor, and
/// where their kind says so the one without.
#[test]
fn the_foul_cases_satisfy_an_equation() {
    for case in cases().iter().filter(|case| case.kind.contains("order") && !case.kind.contains("S = L")) {
        let (r, s) = case.signature.split_first_chunk::<32>().expect("64 bytes");
        let s = Scalar::from_canonical_bytes(s.try_into().expect("32 bytes")).expect("below the order");
        let k = challenge(r, &case.key, &case.message);
        let (a, r) = lenient(&case.key).zip(lenient(r)).expect("points");
        let rest = EdwardsPoint::mul_base(&s) - r - k * a;
        assert!(rest.is_small_order(), "with cofactor: {}", case.kind);
        let without = case.kind.contains("both equations hold") || case.kind.contains("S = 0");
        assert_eq!(rest == EdwardsPoint::identity(), without, "without cofactor: {}", case.kind);
    }
}

/// 200 honest signatures: more than the batch checks point by point.
fn crowd() -> Vec<Case> {
    let mut maker = Maker { random: Rand64::new(5), cases: Vec::new() };
    for n in 0..200 {
        let (key, signature) = maker.honest(&[n; 40]);
        maker.push("honest", key, &[n; 40], signature, true);
    }
    maker.cases
}

#[test]
fn a_batch_of_two_hundred_says_the_same_wherever_the_case_stands() {
    let crowd = crowd();
    let among: Vec<Signed<'_>> = crowd.iter().filter_map(signed).collect();
    assert!(verify_batch(&among));
    let mut n = 0;
    for (at, case) in cases().iter().enumerate() {
        // Flipped bits are many and alike: every sixteenth of them.
        if case.kind.contains("flipped") && at % 16 != 0 {
            continue;
        }
        let places: &[usize] = if case.kind.contains("flipped") { &[100] } else { &[0, 77, 200] };
        for place in places {
            assert_eq!(says(case, &among, *place), case.expected, "at {place}: {}", case.kind);
            n += 1;
        }
    }
    assert!(n > 500, "{n} batches");
}

/// Parts of small order that cancel in a sum are what a batch must not fall for.
#[test]
fn foul_signatures_do_not_cancel_in_a_batch() {
    let cases = cases();
    let foul: Vec<Signed<'_>> =
        cases.iter().filter(|case| case.kind == "R of mixed order").filter_map(signed).collect();
    assert_eq!(foul.len(), 14);
    let crowd = crowd();
    let among: Vec<Signed<'_>> = crowd.iter().filter_map(signed).collect();
    for (at, a) in foul.iter().enumerate() {
        for b in &foul[at..] {
            assert!(!verify_batch(&[*a, *b]));
            let eight = [*a, *b].repeat(4);
            assert!(!verify_batch(&eight));
            assert!(!verify_batch(&[&among[..], &eight].concat()));
        }
    }
}

#[test]
fn webcrypto_in_a_browser_says_the_same() {
    let Some(answers) = web::in_chromium(&cases()) else { return };
    web::compare("Chromium", &cases(), &answers);
}

#[test]
fn webcrypto_in_node_says_the_same() {
    let Some(answers) = web::in_node(&cases()) else { return };
    web::compare("Node", &cases(), &answers);
}
