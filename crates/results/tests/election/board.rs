//! Each reason for which an entry may not stand in the log, with the nearest entry that may.

use results::entry::Part;
use results::returns::Return;
use results::statement::Revocation;
use results::tally::ListVotes;
use results::verify::{Verdict, verify};
use results::{CentreId, ElectionId, Votes};
use tlog::Hash;

use crate::common::{Keys, Night, definition_text, list_id, unit_id};

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
    let tests = concat!(include_str!("board.rs"), include_str!("order.rs"));
    let is_tested = |code: &&str| tests.contains(&format!("#[test]\nfn {}() {{", code.replace('-', "_")));
    let untested: Vec<&str> = codes.into_iter().filter(|code| !is_tested(code)).collect();
    assert!(untested.is_empty(), "{untested:?}");
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
