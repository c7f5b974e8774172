//! Ed25519 by one rule, so that every verifier of a log says the same of the same bytes.
//!
//! RFC 8032 leaves room: implementations differ on points of small order, on points outside the prime-order group, on
//! encodings that are not canonical, and batches differ from single checks. A signer could use that to make a signature
//! that half of the verifiers accept. The rule here:
//!
//! 1. A **public key** is the canonical encoding of a point in the prime-order group, and not the neutral element. This
//!    is checked once, when the key is read.
//! 2. In a **signature**, S is below the order of the group, and R is the canonical encoding of a point in the prime-order
//!    group, not the neutral element.
//! 3. The equation is the one without cofactor: S·B = R + SHA-512(R ‖ A ‖ M)·A.
//!
//! Under 1, the equation alone forces R into the prime-order group, so a single check needs no more than the strict one of
//! the library. A batch adds equations up, where parts of small order could cancel; it therefore checks R apart. In a browser,
//! `web/ed25519.js` applies 1 and 2 before it asks WebCrypto for the equation.
//!
//! `tests/signatures.rs` holds the three to each other on 1,428 cases. WebCrypto alone (Chromium 156, Node 20.20; the two say
//! the same) accepts 85 of them that the rule refuses: keys of small order in any encoding, canonical or not; keys with a part
//! of small order where the equation without cofactor holds; and the neutral element as R. It refuses what only an equation
//! with cofactor accepts, S at or above the order, and an R that is not canonical.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::{Identity, IsIdentity};
use ed25519_dalek::Signer;

/// The bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 32;
/// The bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// The bytes of a secret key: the seed of RFC 8032.
pub const SECRET_KEY_BYTES: usize = 32;

/// A public key that rule 1 admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

impl PublicKey {
    /// The key of these bytes, if rule 1 admits it.
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Option<Self> {
        let point = canonical_point(bytes)?;
        if point.is_identity() || !point.is_torsion_free() {
            return None;
        }
        ed25519_dalek::VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        self.0.as_bytes()
    }

    /// Whether the signature of the message is valid under the rule.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

/// A secret key. Its memory is wiped when it is dropped.
pub struct SecretKey(ed25519_dalek::SigningKey);

impl SecretKey {
    /// The key of a seed, which must be 32 bytes of a good source of randomness.
    pub fn from_seed(seed: &[u8; SECRET_KEY_BYTES]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed.
    pub fn seed(&self) -> [u8; SECRET_KEY_BYTES] {
        self.0.to_bytes()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs the message. Deterministic, as RFC 8032 has it.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

/// One signature of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub key: PublicKey,
    pub message: &'a [u8],
    pub signature: [u8; SIGNATURE_BYTES],
}

/// Whether all signatures are valid under the rule; about half the cost of checking one by one. It says the same as
/// [`PublicKey::verify`] of each, but for a chance of 2^-128. Where it says no, check one by one to learn which.
pub fn verify_batch(batch: &[Signed<'_>]) -> bool {
    let mut points = Vec::with_capacity(batch.len());
    for signed in batch {
        let r: &[u8; 32] = signed.signature.first_chunk().expect("internal error: a signature has 64 bytes");
        match canonical_point(r) {
            Some(point) if !point.is_identity() => points.push(point),
            _ => return false,
        }
    }
    let messages: Vec<&[u8]> = batch.iter().map(|signed| signed.message).collect();
    let signatures: Vec<_> =
        batch.iter().map(|signed| ed25519_dalek::Signature::from_bytes(&signed.signature)).collect();
    let keys: Vec<_> = batch.iter().map(|signed| signed.key.0).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok() && all_torsion_free(&points, batch)
}

/// How many random sums decide whether all points are in the prime-order group: each misses a stray part with a chance of
/// one half at most.
const SUMS: usize = 128;
/// Points whose 2^5 sums stand in one table; 5 makes the table about as dear as its use.
const CHUNK: usize = 5;

/// Whether all points are in the prime-order group, with a chance of 2^-128 to miss one that is not.
///
/// One check costs as much as half a verification. A random subset of the points sums up to a point outside the group with a
/// chance of at least one half if any of them is outside, so 128 sums of random subsets will do, whatever the number
/// of points; additions are cheap.
fn all_torsion_free(points: &[EdwardsPoint], batch: &[Signed<'_>]) -> bool {
    // Below this, checking each point is the cheaper way.
    if points.len() <= SUMS {
        return points.iter().all(EdwardsPoint::is_torsion_free);
    }
    let mut coins = Coins::new(batch);
    let mut sums = vec![EdwardsPoint::identity(); SUMS];
    let mut table = Vec::with_capacity(1 << CHUNK);
    for chunk in points.chunks(CHUNK) {
        table.clear();
        table.push(EdwardsPoint::identity());
        for point in chunk {
            for at in 0..table.len() {
                table.push(table[at] + point);
            }
        }
        for sum in &mut sums {
            let pick = usize::from(coins.byte()) & (table.len() - 1);
            if pick != 0 {
                *sum += table[pick];
            }
        }
    }
    sums.iter().all(EdwardsPoint::is_torsion_free)
}

/// Bytes that nobody who chose the signatures could foresee: SHA-256 in counter mode, keyed by all of them.
struct Coins {
    key: crate::hash::Hash,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Coins {
    fn new(batch: &[Signed<'_>]) -> Self {
        use sha2::Digest;
        let mut digest = sha2::Sha256::new();
        for signed in batch {
            digest.update(signed.key.as_bytes());
            digest.update(signed.signature);
            digest.update(crate::hash::sha256(signed.message).0);
        }
        Self { key: crate::hash::Hash(digest.finalize().into()), counter: 0, block: [0; 32], used: 32 }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            self.block = crate::hash::sha256(&[&self.key.0[..], &self.counter.to_be_bytes()].concat()).0;
            self.counter += 1;
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        byte
    }
}

/// The point of these bytes, if they are its canonical encoding.
fn canonical_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    // The library reads a y at or above the field's prime, and a sign on x = 0, which RFC 8032 section 5.1.3 refuses.
    let mut y = *bytes;
    y[31] &= 0x7f;
    let below_prime = y.iter().rev().cmp(FIELD_PRIME.iter().rev()).is_lt();
    let signed_zero = bytes[31] & 0x80 != 0 && (y == ONE || y == MINUS_ONE);
    (below_prime && !signed_zero).then_some(point)
}

/// 2^255 − 19, in the order of bytes of RFC 8032: least first.
const FIELD_PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};
const ONE: [u8; 32] = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    bytes
};
const MINUS_ONE: [u8; 32] = {
    let mut bytes = FIELD_PRIME;
    bytes[0] -= 1;
    bytes
};
