//! Coverage lists, and what a reader makes of them.

use std::collections::BTreeSet;

use results::board::Board;
use results::entry::Part;
use results::replay::admit;
use results::statement::Revocation;
use results::validate::{
    Coverage, CoverageError, Heard, Ledger, ListError, MAX_PART_BYTES, Road, Status, statuses,
};
use results::verify::{Report, Trust, Verdict, verify};
use tlog::cosignature::cosign;
use tlog::{Checkpoint, Hash, Note};

use crate::common::{Keys, Night, centre_of};
use crate::support::{Paper, election, lists, night, other, place, text};

/// A night on which three units have reported, and a validator that has heard all three.
fn compared() -> (Night, Ledger, Vec<Paper>) {
    let mut night = night(0, false);
    let mut ledger = Ledger::default();
    let mut papers = Vec::new();
    for (unit, votes) in [("d1/1", [219, 180, 30]), ("d1/2", [90, 80, 30]), ("d2/1", [50, 60, 70])] {
        let it = night.next("council", unit, &votes);
        let bytes = night.signed(&it, &[centre_of(unit)]);
        night.admit(&bytes);
        let paper = Paper::of(&it, &bytes);
        ledger
            .hear(election(&night), paper.heard(&night, Road::Phone, 1))
            .expect("it is about this election");
        papers.push(paper);
    }
    (night, ledger, papers)
}

fn said(report: &Report) -> (Verdict, Vec<&'static str>) {
    (report.verdict, report.reasons.iter().map(|reason| reason.code).collect())
}

fn with(night: &Night, coverage: Vec<Vec<u8>>) -> Trust {
    Trust { coverage, ..night.trust() }
}

#[test]
fn a_reader_is_told_how_many_are_confirmed_and_by_whom() {
    let (mut night, mut ledger, papers) = compared();
    let one = lists(&night, &ledger, "v1");
    ledger = Ledger::default();
    ledger.hear(election(&night), papers[0].heard(&night, Road::Qr, 1)).expect("this election");
    let both = [one.clone(), lists(&night, &ledger, "v2")].concat();
    let published = night.published();
    let report = verify(&published, &with(&night, both));
    assert_eq!(said(&report), (Verdict::Ok, vec![]));
    insta::assert_snapshot!(report.confirmed.sentence(), @"confirmed 3 of 10 by validators v1, v2; not heard: 7");
    let twice = &report.confirmed.places[&place("council", "d1/1")];
    assert_eq!(twice.matched, BTreeSet::from(["v1".to_owned(), "v2".to_owned()]));
    let report = verify(&published, &night.trust());
    insta::assert_snapshot!(report.confirmed.sentence(), @"confirmed 0 of 10: no validator has said anything");
}

#[test]
fn a_list_with_a_wrong_key_or_of_another_election_is_refused_by_name() {
    let (mut night, ledger, _) = compared();
    let parts = ledger.coverage(election(&night), night.writer.signed(), "v1", night.clock).expect("open");
    let published = night.published();
    let wrong_key = parts[0].sign(&night.keys.signer("v2"));
    let witness = parts[0].sign(&night.keys.signer("w1"));
    let same_name = parts[0].sign(&Keys::of(9).signer("v1"));
    for bytes in [wrong_key, witness, same_name] {
        let report = verify(&published, &with(&night, vec![bytes]));
        assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-key"]));
        assert!(report.confirmed.validators.is_empty());
    }
    let stranger = Coverage { validator: "v9".to_owned(), ..parts[0].clone() };
    let report = verify(&published, &with(&night, vec![stranger.sign(&night.keys.signer("v1"))]));
    assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-key"]));
    let elsewhere = Coverage { definition: Hash::leaf(b""), ..parts[0].clone() };
    let report = verify(&published, &with(&night, vec![elsewhere.sign(&night.keys.signer("v1"))]));
    assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-other-election"]));
    let report = verify(&published, &with(&night, vec![b"confirmed, all of it\n".to_vec()]));
    assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-unreadable"]));
}

#[test]
fn no_byte_of_a_signed_list_can_be_changed() {
    let (night, ledger, _) = compared();
    let bytes = &lists(&night, &ledger, "v1")[0];
    let open = |bytes: &[u8]| Coverage::open(bytes, &night.definition, &night.definition.fingerprint());
    let whole = open(bytes).expect("signed");
    for at in 0..bytes.len() {
        for bit in [1, 4, 32] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let read = open(&changed);
            assert!(read.is_err(), "byte {at} {read:?}");
        }
    }
    // Two signatures are one too many: each list is one validator's word.
    let mut note = Note::parse(bytes).expect("a note");
    note.add(Note::parse(&whole.sign(&night.keys.signer("v2"))).expect("a note").signatures()[0].clone());
    assert_eq!(open(note.to_string().as_bytes()), Err(CoverageError::Key("v1".to_owned())));
}

#[test]
fn an_old_tree_says_nothing_of_what_came_after_and_a_larger_one_shows_a_rollback() {
    let (mut night, ledger, _) = compared();
    let old = night.published();
    let list = lists(&night, &ledger, "v1");
    night.report("council", "d1/1", &[220, 180, 30]);
    let report = verify(&night.published(), &with(&night, list.clone()));
    assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-old"]));
    insta::assert_snapshot!(report.confirmed.sentence(), @"confirmed 2 of 10 by validators v1; not heard: 8");
    let newer = lists(&night, &ledger, "v1");
    let report = verify(&old, &with(&night, newer.clone()));
    assert_eq!(said(&report), (Verdict::Stale, vec!["coverage-ahead"]));
    // Of two lists of one validator the newer counts.
    let report = verify(&night.published(), &with(&night, [newer, list].concat()));
    assert_eq!(said(&report), (Verdict::Ok, vec![]));
    insta::assert_snapshot!(report.confirmed.sentence(), @"confirmed 2 of 10 by validators v1; being asked again: d1/1 in council; not heard: 7");
}

#[test]
fn a_validator_that_was_shown_another_log_is_heard() {
    let (mut night, ledger, _) = compared();
    let mut elsewhere = night.writer.signed().clone();
    elsewhere.root = Hash::leaf(b"another log");
    let parts = ledger.coverage(election(&night), &elsewhere, "v1", night.clock).expect("open");
    let report = verify(&night.published(), &with(&night, vec![parts[0].sign(&night.keys.signer("v1"))]));
    assert_eq!(said(&report), (Verdict::Disputed, vec!["coverage-root"]));
    let foreign = Checkpoint::new("other.example", elsewhere.size, elsewhere.root);
    let parts = ledger.coverage(election(&night), &foreign, "v1", night.clock).expect("open");
    let report = verify(&night.published(), &with(&night, vec![parts[0].sign(&night.keys.signer("v1"))]));
    assert_eq!(said(&report), (Verdict::Ok, vec!["coverage-other-election"]));
    // Where entries are missing, nothing can be compared.
    let mut published = night.published();
    published.entries.pop();
    let report = verify(&published, &with(&night, lists(&night, &ledger, "v1")));
    assert_eq!(said(&report), (Verdict::Incomplete, vec!["missing-entries", "coverage-unchecked"]));
}

#[test]
fn a_list_names_every_unit_once_and_in_order() {
    let (mut night, ledger, _) = compared();
    let parts = ledger.coverage(election(&night), night.writer.signed(), "v1", night.clock).expect("open");
    let whole = statuses(election(&night), &parts).expect("whole");
    assert_eq!(whole.len(), 10);
    assert_eq!(whole[&place("council", "d2/1")], Status::Matched(Road::Phone));
    let runs = &parts[0].runs;
    for (at, run) in runs.iter().enumerate() {
        let mut without = parts[0].clone();
        without.runs.remove(at);
        let error = statuses(election(&night), &[without.clone()]).expect_err("not whole");
        assert!(matches!(error, ListError::Order { .. }), "{error}");
        let mut twice = parts[0].clone();
        twice.runs.insert(at, run.clone());
        assert!(statuses(election(&night), &[twice]).is_err());
        let bytes = without.sign(&night.keys.signer("v1"));
        let report = verify(&night.published(), &with(&night, vec![bytes]));
        // Where neighbours are left that stand alike, it is no list to begin with.
        let (verdict, codes) = said(&report);
        let is_named = [["coverage-list"], ["coverage-unreadable"]].iter().any(|code| codes == code);
        assert!(verdict == Verdict::Ok && is_named, "run {at}: {codes:?}");
        assert_eq!(report.confirmed.confirmed(), 0);
    }
    let missing = Coverage { of: 2, ..parts[0].clone() };
    assert_eq!(statuses(election(&night), &[missing]), Err(ListError::Missing { part: 2, of: 2 }));
    let later = Coverage { validator: "v2".to_owned(), ..parts[0].clone() };
    assert_eq!(statuses(election(&night), &[parts[0].clone(), later]), Err(ListError::Mixed(1)));
}

#[test]
fn under_embargo_a_validator_publishes_nothing() {
    let night = night(0, true);
    let ledger = Ledger::default();
    assert_eq!(ledger.coverage(election(&night), night.writer.signed(), "v1", night.clock), None);
}

/// Ten thousand stations of which no two that follow each other stand alike, and all alike.
#[test]
fn the_list_of_ten_thousand_stations_comes_in_parts_that_a_leaf_holds() {
    let keys = Keys::of(0);
    let stations: String =
        (0..10_000).map(|n| format!("unit d1/1/{n:05} polling-station d1/1 500 Station {n}\n")).collect();
    let text = text(&keys, false).replace("unit d1/2 ", &format!("{stations}unit d1/2 "));
    let (mut board, night) = (Board::new(), Night::of(keys, &text));
    let adoption = night.signed(&night.adoption(), &["a1", "a2"]);
    for bytes in Part::cut(text.as_bytes()).into_iter().chain([adoption]) {
        let (entry, leaf) = admit(&board, &bytes).expect("it may stand there");
        board.apply(entry, leaf);
    }
    let election = board.election().expect("adopted");
    let mut ledger = Ledger::default();
    let checkpoint = Checkpoint::new("log.example", board.size(), Hash::leaf(b"any"));
    let alike = ledger.coverage(election, &checkpoint, "v1", night.clock).expect("open");
    assert_eq!((alike.len(), alike[0].runs.len()), (1, 2));
    // The fingerprint of so long a definition takes a while: one contact is made, and the unit changed.
    let tally = results::Tally::new(place("council", "d1/1").0, place("council", "d1/2").1);
    let paper = Paper { revision: 1, tally, leaf: Hash::leaf(b"a return") };
    let heard = paper.heard(&night, Road::Qr, 0);
    for n in (0..10_000).step_by(2) {
        for contest in ["council", "mayor"] {
            let (contest, unit) = place(contest, &format!("d1/1/{n:05}"));
            ledger.hear(election, Heard { contest, unit, ..heard.clone() }).expect("this election");
        }
    }
    let parts = ledger.coverage(election, &checkpoint, "v1", night.clock).expect("open");
    assert_eq!(parts.iter().map(|part| part.runs.len()).sum::<usize>(), 20_000);
    assert_eq!(parts.len(), 14);
    for part in &parts {
        let bytes = part.sign(&night.keys.signer("v1"));
        assert!(bytes.len() < 65_535 && part.to_string().len() < MAX_PART_BYTES + 1000, "{}", bytes.len());
        let read = Coverage::open(&bytes, &election.definition, &election.fingerprint);
        assert_eq!(read.as_ref(), Ok(part));
    }
    let all = statuses(election, &parts).expect("whole");
    assert_eq!(all.len(), 20_000 + 8);
    assert_eq!(all.values().filter(|status| **status == Status::HeardNotLogged).count(), 10_000);
    assert!(statuses(election, &parts[1..]).is_err());
}

/// Whatever is read is written in the same way, so that a list and what was heard have one spelling.
#[test]
fn lists_and_contacts_have_one_spelling() {
    let (night, ledger, papers) = compared();
    let part = &ledger.coverage(election(&night), night.writer.signed(), "v1", night.clock).expect("open")[0];
    let list = part.to_string();
    let heard = papers[0].heard(&night, Road::Phone, 1).to_string();
    let (mut read, mut all) = (0, 0);
    for text in [&list, &heard] {
        let words = ["0", " ", "\n", "1", "d1/1", "contest", "9"];
        let cut = |at: usize, to: usize, with: &str| format!("{}{with}{}", &text[..at], &text[to..]);
        let changes = (0..text.len()).flat_map(|at| {
            let ends = [at, at + 1, (at + 7).min(text.len())];
            ends.map(|end| words.map(|word| cut(at, end, word))).into_iter().flatten().chain([cut(
                at,
                at + 1,
                "",
            )])
        });
        for changed in changes {
            all += 1;
            let again = if *text == list {
                Coverage::parse(&changed).map(|it| it.to_string())
            } else {
                Heard::parse(&changed).map(|it| it.to_string())
            };
            if let Ok(again) = again {
                read += 1;
                assert_eq!(again, changed);
            }
        }
    }
    assert!(read > 100 && all > read * 2, "{read} of {all}");
}

/// A thief's return that a validator had compared before the theft was known.
#[test]
fn what_is_in_question_is_not_confirmed() {
    let (mut night, ledger, _) = compared();
    let before = lists(&night, &ledger, "v1");
    let mut change = night.change();
    change.revoked.insert("c2.example".into(), Revocation { distrust_from: 0 });
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    let published = night.published();
    for list in [before, lists(&night, &ledger, "v1")] {
        let report = verify(&published, &with(&night, list));
        assert_eq!(report.verdict, Verdict::Ok);
        assert_eq!(report.confirmed.confirmed(), 2, "{}", report.confirmed.sentence());
    }
    assert_eq!(ledger.to_ask(election(&night)), [place("council", "d2/1")]);
}

/// What is public of one contact that does not fit is that the centre is being asked; of two, that it differs.
#[test]
fn one_contact_accuses_nobody() {
    let (mut night, mut ledger, papers) = compared();
    let slip = Paper { tally: other(&papers[0].tally, 9), ..papers[0].clone() };
    let reader = |ledger: &Ledger, night: &mut Night| {
        let report = verify(&night.published(), &with(night, lists(night, ledger, "v1")));
        (said(&report), report.confirmed.sentence())
    };
    ledger.hear(election(&night), slip.heard(&night, Road::Phone, 2)).expect("this election");
    let once = reader(&ledger, &mut night);
    assert_eq!(once.0, (Verdict::Ok, vec![]));
    insta::assert_snapshot!(once.1, @"confirmed 2 of 10 by validators v1; being asked again: d1/1 in council; not heard: 7");
    ledger.ask(&place("council", "d1/1"));
    assert_eq!(reader(&ledger, &mut night), once);
    ledger.hear(election(&night), slip.heard(&night, Road::Phone, 3)).expect("this election");
    let twice = reader(&ledger, &mut night);
    assert_eq!(twice.0, (Verdict::Disputed, vec!["differs"]));
    insta::assert_snapshot!(twice.1, @"confirmed 2 of 10 by validators v1; differs: d1/1 in council; not heard: 7");
}

/// A cosignature carries a time of its own, which must be that of the list.
#[test]
fn a_list_has_one_time() {
    let (night, ledger, _) = compared();
    let part = &ledger.coverage(election(&night), night.writer.signed(), "v1", night.clock).expect("open")[0];
    for later in [0, 1] {
        let time = night.now() + later;
        let line = cosign(&part.attested(), &night.keys.signer("v1"), time).to_line();
        let bytes = format!("{part}\n{line}").into_bytes();
        let read = Coverage::open(&bytes, &night.definition, &night.definition.fingerprint());
        assert_eq!(read.is_ok(), later == 0, "{read:?}");
    }
}
