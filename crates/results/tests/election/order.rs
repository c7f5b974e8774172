//! The same for what must come in an order: embargo, commitments, release and openings, revisions and changes.

use results::CentreId;
use results::returns::Return;
use results::verify::{Verdict, verify};
use tlog::Hash;

use crate::common::{Keys, Night, RELEASES, contest_id, unit_id};

#[test]
fn embargo() {
    let code = "embargo";
    let mut night = Night::under_embargo();
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, code);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    night.admit(&bytes);
}

#[test]
fn embargo_of_openings() {
    let code = "embargo";
    let mut night = Night::under_embargo();
    let commitment = night.signed(&night.commitment(0, &[1; 32], &[]), &["c1"]);
    let leaf = night.admit(&commitment);
    let opening = night.signed(&night.opening(leaf, [1; 32], Vec::new()), &["c1"]);
    night.refused(&opening, code);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    night.admit(&opening);
}

#[test]
fn no_embargo() {
    let code = "no-embargo";
    let mut night = Night::new();
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.refused(&release, code);
    Night::under_embargo().admit(&{
        let night = Night::under_embargo();
        night.signed(&night.release(), &["r1", "r2"])
    });
}

#[test]
fn too_early() {
    let code = "too-early";
    let mut night = Night::under_embargo();
    let mut release = night.release();
    release.time.0 -= 1000;
    let early = night.signed(&release, &["r1", "r2"]);
    let refusal = night.refused(&early, code);
    assert!(refusal.to_string().contains(&RELEASES.to_string()), "{refusal}");
    let in_time = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&in_time);
}

#[test]
fn no_slot() {
    let code = "no-slot";
    let mut night = Night::under_embargo();
    let beyond = night.signed(&night.commitment(3, &[1; 32], &[]), &["c1"]);
    night.refused(&beyond, code);
    let last = night.signed(&night.commitment(2, &[1; 32], &[]), &["c1"]);
    night.admit(&last);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    // Who commits when the numbers are out has seen those of the others.
    let late = night.signed(&night.commitment(1, &[1; 32], &[]), &["c1"]);
    night.refused(&late, code);
    let mut open = Night::new();
    let there_are_none = open.signed(&open.commitment(0, &[1; 32], &[]), &["c1"]);
    open.refused(&there_are_none, code);
}

#[test]
fn no_commitment() {
    let code = "no-commitment";
    let mut night = Night::under_embargo();
    let commitment = night.signed(&night.commitment(0, &[1; 32], &[]), &["c1"]);
    let leaf = night.admit(&commitment);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    for (wrong, signer) in [(Hash::leaf(b"none"), "c1"), (leaf, "c2")] {
        let opening = night.signed(&night.opening(wrong, [1; 32], Vec::new()), &[signer]);
        night.refused(&opening, code);
    }
    let opening = night.signed(&night.opening(leaf, [1; 32], Vec::new()), &["c1"]);
    night.admit(&opening);
}

#[test]
fn opened_before() {
    let code = "opened-before";
    let mut night = Night::under_embargo();
    let commitments = [0, 1].map(|slot| {
        let bytes = night.signed(&night.commitment(slot, &[1; 32], &[]), &["c1"]);
        night.admit(&bytes)
    });
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    let openings = commitments.map(|leaf| night.signed(&night.opening(leaf, [1; 32], Vec::new()), &["c1"]));
    night.admit(&openings[0]);
    night.refused(&openings[0], code);
    night.admit(&openings[1]);
}

#[test]
fn not_sealed() {
    let code = "not-sealed";
    let mut night = Night::under_embargo();
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let sealed_return = Hash::leaf(&night.signed(&it, &["c1"]));
    let commitment = night.signed(&night.commitment(0, &[1; 32], &[sealed_return]), &["c1"]);
    let leaf = night.admit(&commitment);
    let release = night.signed(&night.release(), &["r1", "r2"]);
    night.admit(&release);
    let wrong = [
        ([2; 32], vec![sealed_return]),
        ([1; 32], Vec::new()),
        ([1; 32], vec![sealed_return, sealed_return]),
    ];
    for (salt, returns) in wrong {
        let opening = night.signed(&night.opening(leaf, salt, returns), &["c1"]);
        night.refused(&opening, code);
    }
    let opening = night.signed(&night.opening(leaf, [1; 32], vec![sealed_return]), &["c1"]);
    night.admit(&opening);
}

#[test]
fn equivocation() {
    let code = "equivocation";
    let mut night = Night::new();
    let first = night.next("council", "d2/1", &[90, 80, 30]);
    let second = night.next("council", "d2/1", &[80, 90, 30]);
    let (first, second) = (night.signed(&first, &["c2"]), night.signed(&second, &["c2"]));
    night.admit(&first);
    night.refused(&second, code);
    // The same numbers as a further revision are a correction.
    night.report("council", "d2/1", &[80, 90, 30]);
}

#[test]
fn equivocation_of_commitments() {
    let code = "equivocation";
    let mut night = Night::under_embargo();
    let [one, other, next] = [(0, [1; 32]), (0, [2; 32]), (1, [2; 32])]
        .map(|(slot, salt)| night.signed(&night.commitment(slot, &salt, &[]), &["c1"]));
    night.admit(&one);
    night.refused(&other, code);
    night.admit(&next);
    assert_eq!(night.known(&one), 2);
}

#[test]
fn conflict() {
    let code = "conflict";
    let mut night = Night::new();
    let mut change = night.change();
    let key = Keys::of(0).signer("c1b").verifier().clone();
    change.centre_keys.insert("c1b.example".into(), (CentreId::new("c1").expect("an id"), key));
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let by_one = night.signed(&it, &["c1"]);
    let by_other = night.signed(&it, &["c1b"]);
    night.admit(&by_one);
    night.refused(&by_other, code);
    let it = night.next("council", "d1/1", &[90, 80, 30]);
    let next = night.signed(&it, &["c1b"]);
    night.admit(&next);
}

#[test]
fn revision() {
    let code = "revision";
    let mut night = Night::new();
    night.report("council", "d2/1", &[90, 80, 30]);
    let right = night.next("council", "d2/1", &[90, 80, 31]);
    let skips = Return { revision: 3, ..right.clone() };
    let names_another = Return { supersedes: Some(Hash::leaf(b"another")), ..right.clone() };
    for wrong in [skips, names_another] {
        let bytes = night.signed(&wrong, &["c2"]);
        night.refused(&bytes, code);
    }
    let retracts_nothing = night.retraction("council", "d2/2");
    let bytes = night.signed(&results::returns::Retraction { revision: 2, ..retracts_nothing }, &["c2"]);
    night.refused(&bytes, code);
    let bytes = night.signed(&right, &["c2"]);
    night.admit(&bytes);
}

#[test]
fn sequence() {
    let code = "sequence";
    let mut night = Night::new();
    let right = night.change();
    let skips = results::statement::Change { number: 2, ..right.clone() };
    let names_another = results::statement::Change { supersedes: Hash::leaf(b"another"), ..right.clone() };
    for wrong in [skips, names_another] {
        let bytes = night.signed(&wrong, &["a1", "a2"]);
        night.refused(&bytes, code);
    }
    let bytes = night.signed(&right, &["a1", "a2"]);
    night.admit(&bytes);
    night.refused(&bytes, code);
    let second = night.change();
    let bytes = night.signed(&second, &["a1", "a3"]);
    night.admit(&bytes);
}

#[test]
fn unknown_kind() {
    let code = "unknown-kind";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    let text = it.to_string();
    let newer = night.signed(&text.replacen("return v1", "return v2", 1), &["c2"]);
    night.refused(&newer, code);
    night.admit(&night.signed(&text, &["c2"]));
    // A reader of a log that a newer program wrote counts such an entry, and believes the rest.
    night.force(&newer);
    let published = night.published();
    let report = verify(&published, &night.trust());
    assert_eq!((report.verdict, report.board.unknown()), (Verdict::Ok, 1));
}

#[test]
fn known() {
    let code = "known";
    let mut night = Night::new();
    let first = night.next("council", "d2/1", &[90, 80, 30]);
    let first = night.signed(&first, &["c2"]);
    night.admit(&first);
    night.report("council", "d2/1", &[90, 80, 31]);
    // Somebody sends the old revision again: it is known, and the newer one goes on counting.
    night.refused(&first, code);
    assert_eq!(night.known(&first), 2);
    let chain = &night.board.election().expect("adopted").chains[&(contest_id("council"), unit_id("d2/1"))];
    assert_eq!(chain.current().map(|link| link.revision), Some(2));
    let mut sealed = Night::under_embargo();
    let release = sealed.signed(&sealed.release(), &["r1", "r2"]);
    sealed.admit(&release);
    assert_eq!(sealed.known(&release), 2);
}
