//! Each reason for which an entry may not stand in the log, with the nearest entry that may.

use results::entry::Part;
use results::replay::replay;
use results::returns::{Reason, Return};
use results::statement::Revocation;
use results::tally::ListVotes;
use results::verify::{Verdict, verify};
use results::{CentreId, ElectionId, Votes};
use tlog::Hash;

use crate::common::{DUE, Keys, Night, RELEASES, contest_id, definition_text, list_id, unit_id};

#[test]
fn no_definition() {
    let code = "no-definition";
    let mut adopted = Night::new();
    let first = adopted.next("council", "d2/1", &[90, 80, 30]);
    let bytes = adopted.signed(&first, &["c2"]);
    let mut before = Night::before(Keys::of(0), false);
    before.refused(&bytes, code);
    adopted.admit(&bytes);
}

#[test]
fn already_adopted() {
    let code = "already-adopted";
    let mut night = Night::new();
    let again = night.signed(&night.adoption(), &["a1", "a2"]);
    night.refused(&again, code);
    let part = Part::cut(night.definition.to_string().as_bytes()).remove(0);
    night.refused(&part, code);
    Night::before(Keys::of(0), false).admit(&part);
}

#[test]
fn definition_parts() {
    let code = "definition-parts";
    let mut night = Night::before(Keys::of(0), false);
    // Four hundred lists more, and the definition needs a second leaf.
    let lists: String = (0..4000).map(|n| format!("list l{n:04} List {n}\n")).collect();
    let text = definition_text(&night.keys, false).replace("list red", &(lists + "list red"));
    night.definition = results::definition::Definition::parse(text.as_bytes()).expect("a definition");
    let parts = Part::cut(text.as_bytes());
    assert_eq!(parts.len(), 2);
    let adoption = night.signed(&night.adoption(), &["a1", "a2"]);
    night.refused(&adoption, code);
    night.admit(&parts[1]);
    night.refused(&adoption, code);
    night.refused(&parts[1], code);
    let other_number_of_parts =
        String::from_utf8(parts[0].clone()).expect("text").replacen(" 1 2\n", " 1 3\n", 1);
    night.refused(other_number_of_parts.as_bytes(), code);
    let too_many = String::from_utf8(parts[0].clone()).expect("text").replacen(" 1 2\n", " 1 281\n", 1);
    night.refused(too_many.as_bytes(), code);
    // Parts may come in any order.
    night.admit(&parts[0]);
    night.admit(&adoption);
}

#[test]
fn definition_parts_of_other_bytes() {
    let code = "definition-parts";
    let mut night = Night::before(Keys::of(0), false);
    let part = Part::cut(night.definition.to_string().as_bytes()).remove(0);
    let forged = String::from_utf8(part)
        .expect("text")
        .replace("unit d1/1 polling-station d1 900", "unit d1/1 polling-station d1 901");
    night.admit(forged.as_bytes());
    let adoption = night.signed(&night.adoption(), &["a1", "a2"]);
    night.refused(&adoption, code);
}

#[test]
fn bad_definition() {
    let code = "bad-definition";
    let mut night = Night::before(Keys::of(0), false);
    let text = night.definition.to_string().replace("merged d1/small", "merged d2/1");
    night.log_parts(&text);
    let mut adoption = night.adoption();
    adoption.definition = tlog::hash::sha256(text.as_bytes());
    let bytes = night.signed(&adoption, &["a1", "a2"]);
    let refusal = night.refused(&bytes, code);
    assert!(refusal.to_string().contains("merged unit `d2/1` has no units below it"), "{refusal}");
    // The right one may still come.
    night.log_parts(&night.definition.to_string());
    let bytes = night.signed(&night.adoption(), &["a1", "a2"]);
    night.admit(&bytes);
}

#[test]
fn other_election() {
    changed_return("other-election", |it| it.election = ElectionId::new("made-up-2030").expect("an id"));
}
#[test]
fn other_election_adopted() {
    let code = "other-election";
    let mut night = Night::before(Keys::of(0), false);
    night.log_parts(&night.definition.to_string());
    let mut adoption = night.adoption();
    adoption.election = ElectionId::new("made-up-2030").expect("an id");
    let bytes = night.signed(&adoption, &["a1", "a2"]);
    night.refused(&bytes, code);
}

#[test]
fn other_definition() {
    changed_return("other-definition", |it| it.definition = Hash::leaf(b"another one"));
}
#[test]
fn unknown_key() {
    let code = "unknown-key";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    // The name of a centre's key is known; the key is not.
    let stranger = Keys::of(1).signer("c2");
    night.refused(it.sign(&stranger).to_string().as_bytes(), code);
    night.admit(it.sign(&night.keys.signer("c2")).to_string().as_bytes());
    let mut change = night.change();
    change.revoked.insert("nobody.example".into(), Revocation { distrust_from: 0 });
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.refused(&bytes, code);
}

#[test]
fn revoked_key() {
    let code = "revoked-key";
    let mut night = Night::new();
    let before = night.next("council", "d1/1", &[90, 80, 30]);
    let mut change = night.change();
    change.revoked.insert("c1.example".into(), Revocation { distrust_from: 99 });
    let bytes = night.signed(&change, &["a1", "a2"]);
    let same = night.signed(&before, &["c1"]);
    let stands = night.next("council", "d1/2", &[90, 80, 30]);
    let stands = night.signed(&stands, &["c1"]);
    night.admit(&stands);
    let index = night.board.size() - 1;
    night.admit(&bytes);
    night.refused(&same, code);
    // What stood in the log before keeps its place.
    assert_eq!(night.known(&stands), index);
    night.report("council", "d2/1", &[90, 80, 30]);
}

#[test]
fn wrong_role() {
    let code = "wrong-role";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    for name in ["a1", "r1"] {
        let bytes = night.signed(&it, &[name]);
        night.refused(&bytes, code);
    }
    let bytes = night.signed(&it, &["c2"]);
    night.admit(&bytes);
    let change = night.change();
    for others in [["a1", "c1"], ["a1", "r1"]] {
        let bytes = night.signed(&change, &others);
        night.refused(&bytes, code);
    }
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
}

#[test]
fn signatures() {
    let code = "signatures";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    let bytes = night.signed(&it, &["c1", "c2"]);
    night.refused(&bytes, code);
    let bytes = night.signed(&it, &["c2"]);
    night.admit(&bytes);
    let change = night.change();
    let bytes = night.signed(&change, &["a2", "a1"]);
    night.refused(&bytes, code);
    let once = String::from_utf8(night.signed(&change, &["a1"])).expect("text");
    let line = once.lines().last().expect("a signature");
    night.refused(format!("{once}{line}\n").as_bytes(), code);
    let bytes = night.signed(&change, &["a1", "a2", "a3"]);
    night.admit(&bytes);
}

#[test]
fn bad_signature() {
    let code = "bad-signature";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    let good = String::from_utf8(night.signed(&it, &["c2"])).expect("text");
    for (from, to) in [("count blank=1", "count blank=2"), ("d2/1", "d2/2"), ("revision 1\n", "revision 1\n")]
    {
        let forged = good.replacen(from, to, 1);
        if forged != good {
            night.refused(forged.as_bytes(), code);
        }
    }
    night.admit(good.as_bytes());
    let text = String::from_utf8(night.adoption().to_string().into_bytes()).expect("text");
    let mut before = Night::before(Keys::of(0), false);
    before.log_parts(&before.definition.to_string());
    let two = String::from_utf8(before.signed(&before.adoption(), &["a1", "a2"])).expect("text");
    // Both lines are there, and one of them was made for another time.
    let forged = two.replace(&text, &text.replace("19:00:00Z", "19:00:01Z"));
    before.refused(forged.as_bytes(), code);
    before.admit(two.as_bytes());
}

#[test]
fn too_few_signatures() {
    let code = "too-few-signatures";
    let mut night = Night::new();
    let change = night.change();
    let bytes = night.signed(&change, &["a2"]);
    night.refused(&bytes, code);
    let bytes = night.signed(&change, &["a2", "a3"]);
    night.admit(&bytes);
    let mut before = Night::before(Keys::of(0), false);
    before.log_parts(&before.definition.to_string());
    let bytes = before.signed(&before.adoption(), &["a2"]);
    before.refused(&bytes, code);
}

#[test]
fn key_in_use() {
    let code = "key-in-use";
    let mut night = Night::new();
    let centre = CentreId::new("c1").expect("an id");
    let mut try_key = |name: &str, key: tlog::VerifierKey| {
        let mut change = night.change();
        change.centre_keys.insert(name.to_owned(), (centre.clone(), key));
        night.signed(&change, &["a1", "a2"])
    };
    let seeds = Keys::of(7);
    let witness = seeds.signer("w9").verifier().clone();
    let taken_name = seeds.signer("c2").verifier().clone();
    let same_bytes = {
        let old = Keys::of(0).signer("log");
        tlog::VerifierKey::new(
            "fresh.example",
            tlog::key::KeyKind::Ed25519,
            old.verifier().ed25519().expect("Ed25519"),
        )
        .expect("a name")
    };
    let tries = [
        try_key("w9.example", witness),
        try_key("c2.example", taken_name),
        try_key("fresh.example", same_bytes),
    ];
    let good = try_key("c9.example", seeds.signer("c9").verifier().clone());
    for bytes in &tries {
        night.refused(bytes, code);
    }
    night.admit(&good);
}

#[test]
fn key_in_use_twice_in_one_change() {
    let code = "key-in-use";
    let mut night = Night::new();
    let key = Keys::of(7).signer("c9").verifier().clone();
    let centre = CentreId::new("c1").expect("an id");
    let mut change = night.change();
    change.centre_keys.insert("c9.example".into(), (centre, key.clone()));
    let one = night.signed(&change, &["a1", "a2"]);
    change.authority.insert("c9.example".into(), key);
    let both = night.signed(&change, &["a1", "a2"]);
    night.refused(&both, code);
    night.admit(&one);
}

#[test]
fn unknown_centre() {
    let code = "unknown-centre";
    let mut night = Night::new();
    let key = Keys::of(7).signer("c9").verifier().clone();
    for (centre, is_good) in [("c3", false), ("c1", true)] {
        let mut change = night.change();
        change.centre_keys.insert("c9.example".into(), (CentreId::new(centre).expect("an id"), key.clone()));
        let bytes = night.signed(&change, &["a1", "a2"]);
        if is_good {
            night.admit(&bytes);
        } else {
            night.refused(&bytes, code);
        }
    }
}

#[test]
fn unknown_unit() {
    let code = "unknown-unit";
    changed_return(code, |it| it.tally.unit = unit_id("d2/3"));
    let mut night = Night::new();
    for (unit, is_good) in [("d2/3", false), ("d2/2", true)] {
        let mut change = night.change();
        change.eligible.insert(unit_id(unit), 710);
        let bytes = night.signed(&change, &["a1", "a2"]);
        if is_good {
            night.admit(&bytes);
        } else {
            night.refused(&bytes, code);
        }
    }
    assert_eq!(night.board.election().expect("adopted").definition.units["d2/2"].eligible, Some(710));
}

#[test]
fn unknown_list() {
    let code = "unknown-list";
    changed_return(code, |it| {
        it.tally.lists.insert(list_id("blue"), ListVotes::default());
    });
    changed_return(code, |it| {
        let green = it.tally.lists.get_mut("green").expect("reported");
        green.candidates.insert(3, Votes(0));
    });
    changed_return(code, |it| {
        it.tally.modes.insert(("absentee".into(), list_id("blue"), None), Votes(1));
    });
    changed_return(code, |it| {
        it.tally.modes.insert(("absentee".into(), list_id("green"), Some(3)), Votes(1));
    });
}

#[test]
fn not_held() {
    let code = "not-held";
    let mut night = Night::new();
    for contest in ["mayor", "senate"] {
        let it = night.next(contest, "d2/1", &[90, 80]);
        let bytes = night.signed(&it, &["c2"]);
        night.refused(&bytes, code);
    }
    night.report("mayor", "d1/1", &[90, 80]);
}

#[test]
fn unauthorised_unit() {
    let code = "unauthorised-unit";
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, code);
    let bytes = night.signed(&it, &["c2"]);
    night.admit(&bytes);
}

#[test]
fn not_reporting() {
    let code = "not-reporting";
    let mut night = Night::new();
    let it = night.next("council", "d1", &[90, 80, 30]);
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, code);
    night.report("council", "d1/early", &[90, 80, 30]);
}

#[test]
fn merged_unit() {
    let code = "merged-unit";
    let mut night = Night::new();
    for member in ["d1/small/a", "d1/small/b"] {
        let it = night.next("council", member, &[9, 8, 3]);
        let bytes = night.signed(&it, &["c1"]);
        let refusal = night.refused(&bytes, code);
        assert!(refusal.to_string().contains("`d1/small` reports for it"), "{refusal}");
    }
    night.report("council", "d1/small", &[9, 8, 3]);
}

#[test]
fn too_small() {
    let code = "too-small";
    let mut night = Night::new();
    let it = night.next("council", "d1/1", &[4, 3, 1]);
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, code);
    night.report("council", "d1/1", &[4, 3, 2]);
    // Where nobody voted there is nothing to give away.
    night.report("council", "d1/2", &[0, 0, 0]);
}

#[test]
fn small_change() {
    let code = "small-change";
    let mut night = Night::new();
    night.report("council", "d1/small", &[9, 8, 3]);
    let it = night.next("council", "d1/small", &[9, 8, 5]);
    let bytes = night.signed(&it, &["c1"]);
    night.refused(&bytes, code);
    // Votes that only move give away nobody's ballot; nor does a correction of a unit that is large by itself.
    night.report("council", "d1/small", &[8, 9, 3]);
    night.report("council", "d1/1", &[90, 80, 30]);
    night.report("council", "d1/1", &[90, 80, 31]);
}

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

/// A return that is changed in one point is refused, and admitted without the change.
fn changed_return(code: &str, change: impl Fn(&mut Return)) {
    let mut night = Night::new();
    let right = night.next("council", "d2/1", &[90, 80, 30]);
    let mut wrong = right.clone();
    change(&mut wrong);
    let bytes = night.signed(&wrong, &["c2"]);
    night.refused(&bytes, code);
    let bytes = night.signed(&right, &["c2"]);
    night.admit(&bytes);
}

/// The codes of all refusals, as the source names them.
pub(crate) fn codes() -> Vec<&'static str> {
    let source = include_str!("../../src/board/refusal.rs");
    let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""));
    arms.map(|(_, code)| code.trim_end_matches("\",")).collect()
}

#[test]
fn every_code_has_a_test_that_is_named_for_it() {
    let codes = codes();
    assert_eq!(codes.len(), 35, "{codes:?}");
    let this = include_str!("board.rs");
    let is_tested = |code: &&str| this.contains(&format!("#[test]\nfn {}() {{", code.replace('-', "_")));
    let untested: Vec<&str> = codes.into_iter().filter(|code| !is_tested(code)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

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

#[test]
fn an_entry_that_cannot_be_read_is_refused_and_in_a_log_it_is_wrong() {
    let mut night = Night::new();
    let it = night.next("council", "d2/1", &[90, 80, 30]);
    let text = String::from_utf8(night.signed(&it, &["c2"])).expect("text");
    for broken in
        [text.replacen("status", "state", 1), text.trim_end().to_owned(), text.replacen("green", "gr een", 1)]
    {
        night.refused(broken.as_bytes(), "no-entry");
    }
    night.force(text.replacen("status", "state", 1).as_bytes());
    night.admit(text.as_bytes());
    let published = night.published();
    let report = verify(&published, &night.trust());
    assert_eq!(
        report.reasons.iter().map(|it| (it.code, it.index)).collect::<Vec<_>>(),
        [("no-entry", Some(2))]
    );
    assert_eq!(report.verdict, Verdict::Wrong);
}
