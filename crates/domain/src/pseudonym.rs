//! Keyed pseudonyms of accounts.

use std::fmt;

/// The secret that turns account ids into pseudonyms. It never leaves the case folder.
///
/// The same key gives the same pseudonym in every run of a case; without the key a pseudonym
/// cannot be linked to an id, nor to the pseudonym of the same id in another case.
#[derive(Clone)]
pub struct CaseKey([u8; 32]);

impl CaseKey {
    /// Takes 32 secret bytes. Where they come from and how they are kept is the caller's business.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pseudonym of an account id, by BLAKE3 in keyed mode (BLAKE3 paper, section 2.2),
    /// truncated to 16 bytes: two of 2^32 accounts share one with probability 2^-65.
    pub fn pseudonym(&self, account_id: &[u8]) -> Pseudonym {
        let hash = blake3::keyed_hash(&self.0, account_id);
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        Pseudonym(short)
    }
}

impl fmt::Debug for CaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseKey(secret)")
    }
}

/// What stands for an account everywhere behind the border. Written `p_` and 26 letters of
/// RFC 4648 base32 in lower case, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 16]);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        f.write_str("p_")?;
        let value = u128::from_be_bytes(self.0);
        // 128 bits are 25 letters of 5 bits and one of 3.
        for letter in 0..26u32 {
            let shift = 123_i32 - 5 * letter as i32;
            let bits = if shift >= 0 { value >> shift } else { value << -shift };
            write!(f, "{}", ALPHABET[(bits & 31) as usize] as char)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_key_and_id_alone() {
        let key = CaseKey::new([7; 32]);
        let p = key.pseudonym(b"ana");
        assert_eq!(p, key.pseudonym(b"ana"));
        assert_ne!(p, key.pseudonym(b"eva"));
        assert_ne!(p, CaseKey::new([8; 32]).pseudonym(b"ana"));
        assert_eq!(p.to_string().len(), 28);
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        // The first 16 bytes of "foobar..." in base32 begin like "foobar" itself: mzxw6ytboi.
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(b"foobar");
        assert!(Pseudonym(bytes).to_string().starts_with("p_mzxw6ytboi"));
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(format!("{:?}", CaseKey::new([9; 32])), "CaseKey(secret)");
    }
}
