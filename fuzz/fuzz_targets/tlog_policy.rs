//! Policies: blanks and comments change nothing, more cosignatures never turn a quorum into none, and all witnesses together
//! are always one.
#![no_main]

use tlog::Policy;
use tlog::policy::Cosigned;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::parse(bytes) else { return };
    let mut spaced = b"# a comment\n\t \n".to_vec();
    for line in bytes.split(|byte| *byte == b'\n') {
        spaced.push(b'\t');
        for byte in line {
            spaced.extend_from_slice(if *byte == b' ' { b" \t" } else { std::slice::from_ref(byte) });
        }
        spaced.extend_from_slice(b" \n");
    }
    // Longer than the limit by the blanks alone.
    if spaced.len() > tlog::policy::MAX_POLICY_BYTES {
        return;
    }
    let again = Policy::parse(&spaced).expect("blanks change nothing");
    assert_eq!((policy.logs(), policy.witnesses()), (again.logs(), again.witnesses()));
    let mut cosigned = Vec::new();
    let mut was_quorum = policy.is_quorum(&cosigned);
    for witness in policy.witnesses() {
        cosigned.push(Cosigned { witness: witness.name.clone(), time: 1 });
        let is_quorum = policy.is_quorum(&cosigned);
        assert_eq!(is_quorum, again.is_quorum(&cosigned));
        assert!(is_quorum || !was_quorum);
        was_quorum = is_quorum;
    }
    assert!(was_quorum);
});
