//! Keys that say two things, are replaced, or were stolen.

use results::replay::replay;
use results::returns::{Reason, Return};
use results::statement::Revocation;
use results::verify::{Verdict, verify};
use results::{CentreId, Votes};

use crate::common::{DUE, Night, contest_id, unit_id};

/// The operator who let both in has lied too: whoever reads the log is told which centre said two things.
#[test]
fn a_log_that_holds_both_words_of_one_centre_is_wrong() {
    let mut night = Night::new();
    let first = night.next("council", "d2/1", &[90, 80, 30]);
    let second = night.next("council", "d2/1", &[80, 90, 30]);
    let (first, second) = (night.signed(&first, &["c2"]), night.signed(&second, &["c2"]));
    night.admit(&first);
    night.force(&second);
    let published = night.published();
    let report = verify(&published, &night.trust());
    assert_eq!(report.verdict, Verdict::Wrong);
    let said: Vec<_> = report.reasons.iter().map(|reason| (reason.code, reason.index)).collect();
    assert_eq!(said, [("equivocation", Some(3))]);
    insta::assert_snapshot!(report.reasons[0].message, @"entry 3 may not stand in the log: key `c2.example` has signed two things where there can be one; the other is entry 2");
    // What is refused counts for nothing.
    let chain = &report.election().expect("adopted").chains[&(contest_id("council"), unit_id("d2/1"))];
    assert_eq!(chain.links().len(), 1);
}

#[test]
fn a_new_key_takes_over_in_mid_night() {
    let mut night = Night::new();
    night.report("council", "d1/1", &[90, 80, 30]);
    let mut change = night.change();
    let key = night.keys.signer("c1b").verifier().clone();
    change.centre_keys.insert("c1b.example".into(), (CentreId::new("c1").expect("an id"), key));
    change.revoked.insert("c1.example".into(), Revocation { distrust_from: night.board.size() });
    let next = night.next("council", "d1/1", &[91, 80, 30]);
    let early = night.signed(&next, &["c1b"]);
    night.refused(&early, "unknown-key");
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    night.admit(&early);
    // Its signer is known by now only by the new key; what the old one signed before the revocation stands.
    let old = night.next("council", "d1/2", &[90, 80, 30]);
    let by_old = night.signed(&old, &["c1"]);
    night.refused(&by_old, "revoked-key");
    let published = night.published();
    let report = verify(&published, &night.trust());
    assert_eq!(report.verdict, Verdict::Ok, "{:?}", report.reasons);
    let chain = &report.election().expect("adopted").chains[&(contest_id("council"), unit_id("d1/1"))];
    let signers: Vec<_> =
        chain.links().iter().map(|link| (link.signer.as_str(), link.is_in_question)).collect();
    assert_eq!(signers, [("c1.example", false), ("c1b.example", false)]);
    let key = report.election().expect("adopted").keys.iter().find(|key| key.key.name() == "c1.example");
    assert_eq!(key.and_then(|key| key.revoked), Some(3));
}

/// Place in the log decides, never the time that a document names: a thief can write any time.
#[test]
fn what_a_stolen_key_signed_is_in_question_until_another_key_says_it_again() {
    let mut night = Night::new();
    night.report("council", "d1/1", &[90, 80, 30]);
    night.report("council", "d1/2", &[50, 60, 70]);
    // From entry 4 on somebody else had the key: a false correction of one unit, and another unit's first word.
    let stolen_from = night.board.size();
    night.report("council", "d1/2", &[70, 60, 50]);
    night.report("council", "d1/early", &[20, 10, 5]);
    let mut change = night.change();
    let key = night.keys.signer("c1b").verifier().clone();
    change.centre_keys.insert("c1b.example".into(), (CentreId::new("c1").expect("an id"), key));
    change.revoked.insert("c1.example".into(), Revocation { distrust_from: stolen_from });
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    let state = |night: &Night| {
        let election = night.board.election().expect("adopted");
        let line = |unit: &&str| {
            let chain = election.chains.get(&(contest_id("council"), unit_id(unit)))?;
            let current =
                chain.current().map_or("nothing".to_owned(), |link| format!("revision {}", link.revision));
            Some(format!(
                "{unit}: {current}{}\n",
                if chain.is_in_question() { ", last word in question" } else { "" }
            ))
        };
        DUE.iter().filter_map(line).collect::<String>()
    };
    insta::assert_snapshot!(state(&night), @r"
    d1/1: revision 1
    d1/2: revision 1, last word in question
    d1/early: nothing, last word in question
    ");
    let totals = results::totals::totals(night.board.election().expect("adopted"));
    let nation = &totals[&(contest_id("council"), unit_id("nation"))];
    assert_eq!((nation.due, nation.counted, nation.in_question), (6, 2, 2));
    assert_eq!(nation.tally.votes(), Votes(200 + 180));
    // The centre looks again with its new key: one was false and is corrected, the other was its own.
    for (unit, votes, reason) in
        [("d1/2", [50, 60, 70], Reason::Reaffirmation), ("d1/early", [20, 10, 5], Reason::Reaffirmation)]
    {
        let it = Return { reason, ..night.next("council", unit, &votes) };
        let bytes = night.signed(&it, &["c1b"]);
        night.admit(&bytes);
    }
    insta::assert_snapshot!(state(&night), @r"
    d1/1: revision 1
    d1/2: revision 3
    d1/early: revision 2
    ");
    let published = night.published();
    assert_eq!(replay(&published.entries).wrong, []);
}

/// A key can be revoked again when more is known of when it was stolen.
#[test]
fn a_second_revocation_may_reach_further_back() {
    let mut night = Night::new();
    night.report("council", "d1/1", &[90, 80, 30]);
    for (from, in_question) in [(3, false), (2, true)] {
        let mut change = night.change();
        change.revoked.insert("c1.example".into(), Revocation { distrust_from: from });
        let bytes = night.signed(&change, &["a1", "a2"]);
        night.admit(&bytes);
        let chain =
            &night.board.election().expect("adopted").chains[&(contest_id("council"), unit_id("d1/1"))];
        assert_eq!(chain.is_in_question(), in_question);
    }
}

#[test]
fn a_revoked_key_of_the_authority_counts_no_more() {
    let mut night = Night::new();
    let mut change = night.change();
    change.revoked.insert("a3.example".into(), Revocation { distrust_from: night.board.size() });
    change.authority.insert("a4.example".into(), night.keys.signer("a4").verifier().clone());
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    let next = night.change();
    let bytes = night.signed(&next, &["a1", "a3"]);
    night.refused(&bytes, "revoked-key");
    let bytes = night.signed(&next, &["a1", "a4"]);
    night.admit(&bytes);
}
