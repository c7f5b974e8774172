//! Files of proofs: what is read is written the same, and judging it never panics, whatever index and hashes it says.
#![no_main]

use tlog::{Policy, Proof, VerifierKey, merkle};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = Proof::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let policy = Policy::of_log(VerifierKey::parse(key).expect("a key"));
    let _ = proof.verify(b"entry", &policy);
    // Nobody signed it, so the arithmetic above was not reached; here it is, at sizes around the index.
    let (index, hashes) = (proof.index, &proof.hashes);
    let root = tlog::Hash::EMPTY_ROOT;
    for size in [index, index.saturating_add(1), index.saturating_mul(2), u64::MAX] {
        if let Ok(found) = merkle::root_from_inclusion(index, size, root, hashes) {
            assert!(merkle::verify_inclusion(index, size, root, hashes, found).is_ok());
        }
        let _ = merkle::verify_consistency(index, size, hashes, root, root);
        let _ = tlog::subtree::verify_consistency(index / 2, index, size, hashes, root, root);
    }
});
