//! c2sp.org/signed-note, "Verifier keys": keys with names, as people pass them on.
//!
//! ```text
//! example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k      a verifier key
//! └── name ─────┘ └ id ──┘ └ base64(type || public key)
//! PRIVATE+KEY+example.com/foo+530d903a+AQ…                                    a signer key
//! ```
//!
//! The id is SHA-256(name || 0x0A || type || public key)[:4], big-endian. It tells keys apart; it proves nothing.

use std::fmt;

use data_encoding::BASE64;
use thiserror::Error;

use crate::ed25519::{self, PublicKey, SecretKey};
use crate::hash::sha256;
use crate::text;

/// What a signature of a key means: the "signature type identifier byte".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the text of a note.
    Ed25519,
    /// 0x04: Ed25519 over a checkpoint and a time.
    CosignatureV1,
    /// 0x06: ML-DSA-44 over a subtree and a time. Read and kept, not verified.
    MlDsa44,
}

impl KeyKind {
    /// The byte of the specification.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
            Self::MlDsa44 => 0x06,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Ed25519, Self::CosignatureV1, Self::MlDsa44].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// 1312: the bytes of a public key of ML-DSA-44, FIPS 204, table 2.
pub const ML_DSA_44_PUBLIC_KEY_BYTES: usize = 1312;

/// Why a key could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It is not `name+id+key`.
    #[error("a key reads `name+id+key`")]
    Shape,
    /// The name is empty, or has a space or a plus in it.
    #[error("`{0}` cannot name a key: a name is not empty and has neither spaces nor `+`")]
    Name(String),
    /// The id is not eight small hexadecimal digits.
    #[error("the id of key `{0}` is not eight hexadecimal digits")]
    Id(String),
    /// The last part is not base64, or too short or long.
    #[error("the last part of key `{0}` is not the base64 of a key")]
    Base64(String),
    /// A type of key that is not read here.
    #[error("key `{name}` has type {byte:#04x}, which is not read here")]
    Kind { name: String, byte: u8 },
    /// The bytes are no public key under the rule of [`crate::ed25519`].
    #[error("key `{0}` is no point that a public key may be")]
    Point(String),
    /// The id does not belong to name and key.
    #[error("key `{name}` says id {said:08x}, but its name and key give {found:08x}")]
    WrongId { name: String, said: u32, found: u32 },
}

/// A public key with its name: whom to believe, and for which kind of statement.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    material: Material,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Ed25519(PublicKey),
    MlDsa44(Vec<u8>),
}

impl VerifierKey {
    /// A key of a kind that Ed25519 serves.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<Self, KeyError> {
        check_name(name)?;
        let id = key_id(name, kind, key.as_bytes());
        Ok(Self { name: name.to_owned(), id, kind, material: Material::Ed25519(key) })
    }

    /// Reads a verifier key as people pass it on.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Shape)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Shape)?;
        let (said, bytes) = parts(name, id, key)?;
        let (&byte, key) = bytes.split_first().ok_or_else(|| KeyError::Base64(name.to_owned()))?;
        let kind = KeyKind::from_byte(byte).ok_or_else(|| KeyError::Kind { name: name.to_owned(), byte })?;
        let material = match kind {
            KeyKind::Ed25519 | KeyKind::CosignatureV1 => {
                let key = key.try_into().map_err(|_| KeyError::Base64(name.to_owned()))?;
                Material::Ed25519(PublicKey::from_bytes(key).ok_or_else(|| KeyError::Point(name.to_owned()))?)
            }
            KeyKind::MlDsa44 if key.len() == ML_DSA_44_PUBLIC_KEY_BYTES => Material::MlDsa44(key.to_vec()),
            KeyKind::MlDsa44 => return Err(KeyError::Base64(name.to_owned())),
        };
        let found = key_id(name, kind, key);
        if said != found {
            return Err(KeyError::WrongId { name: name.to_owned(), said, found });
        }
        Ok(Self { name: name.to_owned(), id: found, kind, material })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id that signature lines carry.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What its signatures mean.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The Ed25519 key, where it is one.
    pub fn ed25519(&self) -> Option<PublicKey> {
        match &self.material {
            Material::Ed25519(key) => Some(*key),
            Material::MlDsa44(_) => None,
        }
    }

    /// The bytes of the public key, without name and kind. Two keys with the same bytes are one key under two names.
    pub fn public_bytes(&self) -> &[u8] {
        match &self.material {
            Material::Ed25519(key) => key.as_bytes(),
            Material::MlDsa44(bytes) => bytes,
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], self.public_bytes()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, BASE64.encode(&key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, self.id)
    }
}

/// A secret key with its name.
pub struct SignerKey {
    verifier: VerifierKey,
    secret: SecretKey,
}

const PRIVATE: &str = "PRIVATE+KEY+";

impl SignerKey {
    /// The key of a seed: 32 bytes of a good source of randomness, passed in because nothing here makes any.
    ///
    /// # Errors
    /// [`KeyError::Name`], and [`KeyError::Kind`] for ML-DSA-44, which nothing here signs with.
    pub fn from_seed(
        name: &str,
        kind: KeyKind,
        seed: &[u8; ed25519::SECRET_KEY_BYTES],
    ) -> Result<Self, KeyError> {
        if kind == KeyKind::MlDsa44 {
            return Err(KeyError::Kind { name: name.to_owned(), byte: kind.byte() });
        }
        let secret = SecretKey::from_seed(seed);
        Ok(Self { verifier: VerifierKey::new(name, kind, secret.public())?, secret })
    }

    /// Reads what [`SignerKey::to_secret_text`] writes.
    ///
    /// # Errors
    /// What is wrong with it; the error does not repeat the secret.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_prefix(PRIVATE).ok_or(KeyError::Shape)?;
        let (name, rest) = text.split_once('+').ok_or(KeyError::Shape)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Shape)?;
        let (said, bytes) = parts(name, id, key)?;
        let (&byte, seed) = bytes.split_first().ok_or_else(|| KeyError::Base64(name.to_owned()))?;
        let kind = KeyKind::from_byte(byte).ok_or_else(|| KeyError::Kind { name: name.to_owned(), byte })?;
        let seed = seed.try_into().map_err(|_| KeyError::Base64(name.to_owned()))?;
        let key = Self::from_seed(name, kind, seed)?;
        if key.verifier.id != said {
            return Err(KeyError::WrongId { name: name.to_owned(), said, found: key.verifier.id });
        }
        Ok(key)
    }

    /// The secret as text, for a file that only its owner can read.
    pub fn to_secret_text(&self) -> String {
        let key = [&[self.verifier.kind.byte()], &self.secret.seed()[..]].concat();
        format!("{PRIVATE}{}+{:08x}+{}", self.verifier.name, self.verifier.id, BASE64.encode(&key))
    }

    /// What others verify with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs bytes that the caller has kept apart from all other kinds of message.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; ed25519::SIGNATURE_BYTES] {
        self.secret.sign(message)
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({:?})", self.verifier)
    }
}

/// SHA-256(name || 0x0A || type || public key)[:4].
fn key_id(name: &str, kind: KeyKind, key: &[u8]) -> u32 {
    let digest = sha256(&[name.as_bytes(), b"\n", &[kind.byte()], key].concat());
    u32::from_be_bytes(*digest.0.first_chunk().expect("internal error: a digest has 32 bytes"))
}

/// The id and the decoded last part of a key.
fn parts(name: &str, id: &str, key: &str) -> Result<(u32, Vec<u8>), KeyError> {
    check_name(name)?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != 8 || !id.bytes().all(hex) {
        return Err(KeyError::Id(name.to_owned()));
    }
    let said = u32::from_str_radix(id, 16).expect("internal error: eight hexadecimal digits are 32 bits");
    let bytes = text::base64(key).ok_or_else(|| KeyError::Base64(name.to_owned()))?;
    Ok((said, bytes))
}

fn check_name(name: &str) -> Result<(), KeyError> {
    if is_name(name) { Ok(()) } else { Err(KeyError::Name(name.to_owned())) }
}

/// Whether a key may have this name: not empty, no Unicode space, no plus; and no control character, which a note cannot
/// carry.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn a_verifier_key_reads_and_writes_the_same() {
        let key = VerifierKey::parse(EXAMPLE).expect("the example of the specification");
        assert_eq!(key.to_string(), EXAMPLE);
        assert_eq!((key.name(), key.id(), key.kind()), ("example.com/foo", 0x530d_903a, KeyKind::Ed25519));
    }

    #[test]
    fn a_signer_key_reads_and_writes_the_same_and_never_shows_its_secret() {
        let key = SignerKey::from_seed("log.example/a", KeyKind::Ed25519, &[7; 32]).expect("a name");
        let again = SignerKey::parse(&key.to_secret_text()).expect("its own text");
        assert_eq!(again.verifier(), key.verifier());
        assert!(!format!("{key:?}").contains("Bwc"), "seven, in base64");
    }

    #[test]
    fn what_is_wrong_with_a_key_is_said() {
        let say = |text: &str| VerifierKey::parse(text).map(|_| ()).expect_err(text).to_string();
        let cases = [
            "example.com/foo",
            "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
            "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/fob+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903a+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ];
        insta::assert_snapshot!(cases.map(say).join("\n"), @r"
        a key reads `name+id+key`
        `example.com foo` cannot name a key: a name is not empty and has neither spaces nor `+`
        the id of key `example.com/foo` is not eight hexadecimal digits
        the last part of key `example.com/foo` is not the base64 of a key
        key `example.com/foo` has type 0x02, which is not read here
        key `example.com/fob` says id 530d903a, but its name and key give c9a1feac
        key `example.com/foo` is no point that a public key may be
        ");
    }
}
