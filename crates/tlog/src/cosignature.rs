//! c2sp.org/tlog-cosignature: what a witness says about a checkpoint, and when.
//!
//! ```text
//! — witness.example.com/w1 base64(id[4] || timestamp[8] || signature[64])
//!
//! cosignature/v1⏎                                    the signed message
//! time 1679315147⏎
//! example.com/behind-the-sofa⏎                       the checkpoint's text, extension lines and all
//! 20852163⏎
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=⏎
//! ```
//!
//! It means: as of that time, this is the largest consistent tree of that log that I have seen. The message does not name
//! the cosigner, so one Ed25519 key serves one name. Lines of ML-DSA-44 (type 0x06) are read and kept, not verified.

use crate::checkpoint::Checkpoint;
use crate::ed25519::SIGNATURE_BYTES;
use crate::key::{KeyKind, SignerKey, VerifierKey};
use crate::note::Signature;

/// 2^63 − 1: the largest timestamp that a cosignature may carry, seconds since the epoch.
pub const MAX_TIMESTAMP: u64 = i64::MAX as u64;

/// 2420: the bytes of a signature of ML-DSA-44, FIPS 204, table 2.
pub const ML_DSA_44_SIGNATURE_BYTES: usize = 2420;

/// Cosigns the text of a checkpoint at a time, in seconds since the epoch.
///
/// # Panics
/// Where the key is not of type 0x04, or the time is beyond [`MAX_TIMESTAMP`].
pub fn cosign(checkpoint: &Checkpoint, key: &SignerKey, time: u64) -> Signature {
    assert!(
        key.verifier().kind() == KeyKind::CosignatureV1,
        "internal error: a cosigner's key has type 0x04"
    );
    assert!(time <= MAX_TIMESTAMP, "internal error: a time of cosigning fits 63 bits");
    let signature = key.sign(message(&checkpoint.to_string(), time).as_bytes());
    Signature {
        name: key.verifier().name().to_owned(),
        id: key.verifier().id(),
        bytes: [&time.to_be_bytes()[..], &signature].concat(),
    }
}

/// The time of a valid cosignature of that key over that text, in seconds since the epoch. `None` where it is not valid.
pub fn verify(text: &str, signature: &Signature, key: &VerifierKey) -> Option<u64> {
    let (time, bytes) = signature.bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    let bytes: [u8; SIGNATURE_BYTES] = bytes.try_into().ok()?;
    let known = signature.is_of(key) && key.kind() == KeyKind::CosignatureV1 && time <= MAX_TIMESTAMP;
    (known && key.ed25519()?.verify(message(text, time).as_bytes(), &bytes)).then_some(time)
}

/// The time that a line of type 0x06 carries, read without verifying it: seconds since the epoch, or zero where the cosigner
/// says nothing about time. `None` where the line does not have the length of one.
pub fn ml_dsa_44_time(signature: &Signature) -> Option<u64> {
    let (time, bytes) = signature.bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (bytes.len() == ML_DSA_44_SIGNATURE_BYTES && time <= MAX_TIMESTAMP).then_some(time)
}

fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::note::{Note, VerifyError};

    fn witness(seed: u8) -> SignerKey {
        SignerKey::from_seed("witness.example/w1", KeyKind::CosignatureV1, &[seed; 32]).expect("a name")
    }

    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::new("log.example", 5, Hash::leaf(b""));
        checkpoint.extensions.push("an extension".into());
        checkpoint
    }

    #[test]
    fn a_cosignature_covers_time_text_and_extension_lines() {
        let (key, checkpoint) = (witness(1), checkpoint());
        let signature = cosign(&checkpoint, &key, 1_700_000_000);
        let text = checkpoint.to_string();
        assert_eq!(verify(&text, &signature, key.verifier()), Some(1_700_000_000));
        assert_eq!(verify(&text.replace("an ", "no "), &signature, key.verifier()), None);
        let mut later = signature.clone();
        later.bytes[7] ^= 1;
        assert_eq!(verify(&text, &later, key.verifier()), None);
        assert_eq!(verify(&text, &signature, witness(2).verifier()), None);
    }

    #[test]
    fn a_time_beyond_63_bits_is_no_time() {
        let (key, text) = (witness(1), checkpoint().to_string());
        let time = MAX_TIMESTAMP + 1;
        let bytes = key.sign(message(&text, time).as_bytes());
        let name = key.verifier().name().to_owned();
        let signature =
            Signature { name, id: key.verifier().id(), bytes: [&time.to_be_bytes()[..], &bytes].concat() };
        assert_eq!(verify(&text, &signature, key.verifier()), None, "the signature itself is right");
    }

    #[test]
    fn the_key_id_depends_on_the_type() {
        let log = SignerKey::from_seed("witness.example/w1", KeyKind::Ed25519, &[1; 32]).expect("a name");
        assert_ne!(log.verifier().id(), witness(1).verifier().id());
    }

    #[test]
    fn a_post_quantum_line_is_kept_and_never_counts() {
        let log = SignerKey::from_seed("log.example", KeyKind::Ed25519, &[1; 32]).expect("a name");
        let key = [&[KeyKind::MlDsa44.byte()], &[9; 1312][..]].concat();
        let id = crate::hash::sha256(&[b"w.example\n", &key[..]].concat()).0;
        let id = u32::from_be_bytes([id[0], id[1], id[2], id[3]]);
        let vkey = format!("w.example+{id:08x}+{}", data_encoding::BASE64.encode(&key));
        let vkey = VerifierKey::parse(&vkey).expect("a key of type 0x06");
        let mut note = checkpoint().sign(&log);
        let bytes = [&1_700_000_000_u64.to_be_bytes()[..], &[0; 2420]].concat();
        note.add(Signature { name: "w.example".into(), id, bytes });
        let read = Note::parse(note.to_string().as_bytes()).expect("a note");
        assert_eq!(read, note);
        assert_eq!(ml_dsa_44_time(&read.signatures()[1]), Some(1_700_000_000));
        assert!(read.verify(&[log.verifier().clone()]).is_ok());
        assert_eq!(
            read.verify(&[vkey]),
            Err(VerifyError::Unsigned(vec!["log.example".into(), "w.example".into()]))
        );
    }
}
