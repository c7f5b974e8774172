//! Numbers under embargo: what a commitment gives away, who may open it and when, and who is told on if nobody does.

use results::statement::sealed;
use results::verify::{Verdict, verify};
use tlog::Hash;

use crate::common::Night;

#[test]
fn one_person_releases_nothing_and_two_do() {
    let mut night = Night::under_embargo();
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let it = night.signed(&it, &["c1"]);
    for (signers, code) in [
        (&["r1"][..], "too-few-signatures"),
        (&["r2"], "too-few-signatures"),
        (&["a1", "a2"], "wrong-role"),
        (&["r1", "c1"], "signatures"),
        (&["c1", "r1"], "wrong-role"),
    ] {
        let release = night.signed(&night.release(), signers);
        let refusal = night.try_admit(&release).expect_err("nobody released");
        assert!([code, "wrong-role"].contains(&refusal.code()), "{signers:?}: {refusal}");
        night.refused(&it, "embargo");
    }
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    night.admit(&it);
}

/// A station has 30 voters and three lists: all that it could have counted is soon tried out. Nothing fits the commitment. To
/// whoever has the salt exactly one thing fits, so it is the salt that hides the numbers, and the hash that binds them.
#[test]
fn nothing_can_be_found_in_a_commitment_by_trying() {
    let mut night = Night::under_embargo();
    let counted = [6, 9, 11];
    let time = night.clock;
    let mut leaf_of = |votes: &[u64; 3]| {
        night.clock = time;
        let it = night.next("council", "d1/1", votes);
        // Signatures are deterministic, so whoever knows the key (the centre) can make each of them. A stranger cannot; give it
        // to him all the same.
        Hash::leaf(&night.signed(&it, &["c1"]))
    };
    let truth = leaf_of(&counted);
    let plausible: Vec<([u64; 3], Hash)> = (0..30)
        .flat_map(|a| (0..30 - a).map(move |b| (a, b)))
        .flat_map(|(a, b)| [[a, b, 26 - (a + b).min(26)], [a, b, 25 - (a + b).min(25)]])
        .map(|votes| (votes, leaf_of(&votes)))
        .collect();
    assert!(plausible.len() > 900 && plausible.iter().any(|(votes, _)| *votes == counted));
    let salt = tlog::hash::sha256(b"32 bytes that nobody else has").0;
    let published = sealed(&salt, &[truth]);
    let fits = |salt: &[u8; 32]| {
        let fits = plausible.iter().filter(|(_, leaf)| sealed(salt, &[*leaf]) == published);
        fits.map(|(votes, _)| *votes).collect::<std::collections::BTreeSet<_>>()
    };
    // Without the salt, by guesses of it that a hurried programmer could have made.
    for guess in [[0; 32], [255; 32], tlog::hash::sha256(b"").0, truth.0] {
        assert!(fits(&guess).is_empty());
    }
    assert_eq!(fits(&salt), [counted].into());
    // Had the centre used no salt, anybody would have found the numbers.
    let unsalted = sealed(&[0; 32], &[truth]);
    let found: Vec<_> = plausible.iter().filter(|(_, leaf)| sealed(&[0; 32], &[*leaf]) == unsalted).collect();
    assert!(!found.is_empty() && found.iter().all(|(votes, _)| *votes == counted));
}

#[test]
fn a_commitment_has_one_size_whatever_was_counted() {
    let night = Night::under_embargo();
    let leaf = Hash::leaf(b"a return");
    let mut sizes = std::collections::BTreeSet::new();
    let mut texts = std::collections::BTreeSet::new();
    for slot in 0..3 {
        for n_returns in [0, 1, 2, 50] {
            let bytes =
                night.signed(&night.commitment(slot, &[slot as u8; 32], &vec![leaf; n_returns]), &["c1"]);
            sizes.insert(bytes.len());
            texts.insert(bytes);
        }
    }
    assert_eq!((sizes.len(), texts.len()), (1, 12));
    // The largest slot that could be, too.
    let far = night.signed(&night.commitment(u32::MAX, &[1; 32], &[]), &["c1"]);
    assert!(sizes.contains(&far.len()));
}

#[test]
fn a_centre_that_does_not_open_is_told_on() {
    let mut night = Night::under_embargo();
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let bytes = night.signed(&it, &["c1"]);
    let return_leaf = Hash::leaf(&bytes);
    let commitment = night.signed(&night.commitment(0, &[1; 32], &[return_leaf]), &["c1"]);
    let commitment = night.admit(&commitment);
    let other = night.signed(&night.commitment(0, &[2; 32], &[]), &["c2"]);
    let other = night.admit(&other);
    let said = |night: &mut Night| {
        let published = night.published();
        let report = verify(&published, &night.trust());
        let reasons = report.reasons.iter().map(|it| format!("{}: {}\n", it.code, it.message));
        (report.verdict, reasons.collect::<String>())
    };
    assert_eq!(said(&mut night), (Verdict::Ok, String::new()), "before the release nothing is due");
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    let (verdict, reasons) = said(&mut night);
    assert_eq!(verdict, Verdict::Unrevealed);
    insta::assert_snapshot!(reasons, @r"
    unopened: centre `c1` has not opened 1 of its commitments
    unopened: centre `c2` has not opened 1 of its commitments
    ");
    let opening = night.signed(&night.opening(commitment, [1; 32], vec![return_leaf]), &["c1"]);
    night.admit(&opening);
    let opening = night.signed(&night.opening(other, [2; 32], Vec::new()), &["c2"]);
    night.admit(&opening);
    let (verdict, reasons) = said(&mut night);
    assert_eq!(verdict, Verdict::Unrevealed);
    let leaf = results::lines::hex(&return_leaf);
    assert_eq!(
        reasons,
        format!("unlogged: the opening in entry 5 names return {leaf}, which is not in the log\n")
    );
    night.admit(&bytes);
    assert_eq!(said(&mut night), (Verdict::Ok, String::new()));
}
