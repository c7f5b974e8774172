//! Each verdict with the way that leads to it, from what is published and what the reader brings.

use domain::Timestamp;
use results::answer::{Answer, Number, answer, history};
use results::bundle::{self, Published};
use results::returns::{Return, Status};
use results::verify::{Report, Trust, Verdict, verify};
use results::{Votes, totals};
use tlog::Note;

use crate::common::{Keys, Night, centre_of, contest_id, list_id, unit_id};

/// Verdict and codes of all reasons.
fn said(report: &Report) -> (Verdict, Vec<&'static str>) {
    (report.verdict, report.reasons.iter().map(|reason| reason.code).collect())
}

/// A night on which two units have reported, one of them twice.
fn half_a_night() -> Night {
    let mut night = Night::new();
    night.report("council", "d1/1", &[219, 180, 30]);
    night.report("council", "d2/1", &[90, 80, 30]);
    night.report("council", "d1/1", &[291, 180, 30]);
    night
}

#[test]
fn each_verdict_has_an_exit_code_of_its_own() {
    let codes: Vec<(&str, u8)> = Verdict::ALL.iter().map(|it| (it.name(), it.exit_code())).collect();
    let expected = [
        ("ok", 0),
        ("stale", 12),
        ("unrevealed", 16),
        ("disputed", 17),
        ("self-consistent-only", 10),
        ("incomplete", 14),
        ("unavailable", 15),
        ("split-view", 13),
        ("wrong", 11),
    ];
    assert_eq!(codes, expected);
    assert!(Verdict::ALL.is_sorted(), "from good to bad");
}

#[test]
fn ok_needs_the_fingerprint_and_nothing_amiss() {
    let mut night = half_a_night();
    let published = night.published();
    let report = verify(&published, &night.trust());
    assert_eq!(said(&report), (Verdict::Ok, vec![]));
    assert_eq!(report.cosigned.len(), 2);
    let progress: Vec<_> = report.progress().into_iter().map(|(id, n)| (id.to_string(), n)).collect();
    assert_eq!(progress, [("council".into(), (6, 2)), ("mayor".into(), (4, 0))]);
    // The same from a file.
    let read = bundle::read(&bundle::write(&published)).expect("a bundle");
    assert_eq!(read, published);
}

#[test]
fn without_a_fingerprint_it_only_fits_itself() {
    let mut night = half_a_night();
    let trust = Trust { fingerprint: None, ..night.trust() };
    let report = verify(&night.published(), &trust);
    assert_eq!(said(&report), (Verdict::SelfConsistentOnly, vec!["no-fingerprint"]));
    let message = &report.reasons[0].message;
    assert!(message.contains(&results::lines::hex(&night.definition.fingerprint())), "{message}");
}

/// Somebody makes a whole election: the same names, units and numbers that would suit him, and keys of his own for everybody.
#[test]
fn a_forged_election_is_never_ok() {
    let honest = half_a_night();
    let mut forged = Night::adopted(Keys::of(666), false);
    forged.report("council", "d1/1", &[19, 380, 30]);
    let published = forged.published();
    let without = verify(&published, &Trust { fingerprint: None, ..honest.trust() });
    assert_eq!(said(&without), (Verdict::SelfConsistentOnly, vec!["no-fingerprint"]));
    let with = verify(&published, &honest.trust());
    assert_eq!(said(&with), (Verdict::Wrong, vec!["fingerprint"]));
    // Beside a checkpoint of the true log, which somebody's witness had kept.
    let trust = Trust { seen: vec![honest.checkpoint(&["w1"], 0)], ..honest.trust() };
    assert_eq!(said(&verify(&published, &trust)).0, Verdict::Wrong);
    let trust = Trust { fingerprint: None, ..trust };
    let report = verify(&published, &trust);
    assert_eq!(said(&report), (Verdict::SelfConsistentOnly, vec!["no-fingerprint", "seen-not-signed"]));
}

#[test]
fn too_few_witnesses_leave_the_log_to_its_own_word() {
    let mut night = half_a_night();
    let mut published = night.published();
    for (witnesses, verdict) in [
        (&[][..], Verdict::SelfConsistentOnly),
        (&["w2"], Verdict::SelfConsistentOnly),
        (&["w2", "w3"], Verdict::Ok),
        (&["w1", "w2", "w3"], Verdict::Ok),
    ] {
        published.checkpoint = night.checkpoint(witnesses, night.now() - 60);
        let report = verify(&published, &night.trust());
        assert_eq!(report.verdict, verdict, "{witnesses:?}");
        assert_eq!(report.cosigned.len(), witnesses.len());
        let is_named = report.reasons.iter().any(|reason| reason.code == "too-few-witnesses");
        assert_eq!(is_named, verdict != Verdict::Ok);
    }
}

#[test]
fn an_old_state_is_stale_during_the_count_and_fine_after_it() {
    let mut night = half_a_night();
    let published = night.published();
    let at = |night: &Night, now: u64| Trust { now: Some(now), ..night.trust() };
    let cosigned = night.now() - 59;
    // The older one of the two that make the quorum is a second older.
    assert_eq!(said(&verify(&published, &at(&night, cosigned - 1 + 900))), (Verdict::Ok, vec![]));
    let report = verify(&published, &at(&night, cosigned + 900));
    assert_eq!(said(&report), (Verdict::Stale, vec!["stale"]));
    insta::assert_snapshot!(report.reasons[0].message, @"no quorum of witnesses has seen this log for 901 s, and during the count 900 s are allowed");
    // Without a clock nothing is said about time.
    assert_eq!(said(&verify(&published, &Trust { now: None, ..night.trust() })), (Verdict::Ok, vec![]));
    for (contest, unit) in
        [("council", "d1/1"), ("council", "d1/2"), ("council", "d1/early"), ("council", "d1/small")]
            .into_iter()
            .chain(["d1/1", "d1/2", "d1/early", "d1/small"].map(|unit| ("mayor", unit)))
            .chain([("council", "d2/1")])
    {
        finally(&mut night, contest, unit);
    }
    let published = night.published();
    let later = night.now() + 1_000_000;
    assert_eq!(said(&verify(&published, &at(&night, later))), (Verdict::Stale, vec!["stale"]), "one is due");
    finally(&mut night, "council", "d2/2");
    let published = night.published();
    assert_eq!(said(&verify(&published, &at(&night, later))), (Verdict::Ok, vec![]));
}

fn finally(night: &mut Night, contest: &str, unit: &str) {
    let votes: &[u64] = if contest == "mayor" { &[60, 50] } else { &[50, 40, 30] };
    let it = Return { status: Status::Final, ..night.next(contest, unit, votes) };
    let bytes = night.signed(&it, &[centre_of(unit)]);
    night.admit(&bytes);
}

/// One of three witnesses helps to hide a correction: the others have not seen this old state lately.
#[test]
fn one_witness_cannot_make_an_old_state_fresh() {
    let mut night = half_a_night();
    let mut published = night.published();
    let mut note = Note::parse(&night.checkpoint(&["w1", "w2"], night.now() - 5000)).expect("a note");
    let fresh = Note::parse(&night.checkpoint(&["w3"], night.now() - 1)).expect("a note");
    note.add(fresh.signatures()[1].clone());
    published.checkpoint = note.to_string().into_bytes();
    let report = verify(&published, &night.trust());
    assert_eq!(said(&report), (Verdict::Stale, vec!["stale"]));
    assert_eq!(report.cosigned.len(), 3);
}

#[test]
fn an_older_state_than_was_seen_is_stale() {
    let mut night = half_a_night();
    let older = night.published();
    night.report("council", "d2/2", &[90, 80, 30]);
    let newer = night.published();
    let trust =
        |seen: &Published, night: &Night| Trust { seen: vec![seen.checkpoint.clone()], ..night.trust() };
    assert_eq!(said(&verify(&newer, &trust(&older, &night))), (Verdict::Ok, vec![]), "it has grown");
    assert_eq!(said(&verify(&newer, &trust(&newer, &night))), (Verdict::Ok, vec![]));
    let report = verify(&older, &trust(&newer, &night));
    assert_eq!(said(&report), (Verdict::Stale, vec!["rolled-back"]));
    insta::assert_snapshot!(report.reasons[0].message, @"this shows 5 entries, but 6 were seen already: somebody shows an older state");
}

/// The operator shows two people two logs, both signed.
#[test]
fn two_states_of_which_neither_contains_the_other_are_a_split_view() {
    let (mut one, mut other) = (half_a_night(), half_a_night());
    one.report("council", "d2/2", &[90, 80, 30]);
    other.report("council", "d2/2", &[80, 90, 30]);
    let (shown, elsewhere) = (one.published(), other.published());
    let trust = Trust { seen: vec![elsewhere.checkpoint.clone()], ..one.trust() };
    let report = verify(&shown, &trust);
    assert_eq!(said(&report), (Verdict::SplitView, vec!["split-view"]));
    // Grown since, the two have no state in common still.
    one.report("council", "d1/2", &[90, 80, 30]);
    assert_eq!(said(&verify(&one.published(), &trust)).0, Verdict::SplitView);
    // Of a log of which entries are missing only a checkpoint of the same size tells.
    let mut cut = shown.clone();
    cut.entries.pop();
    assert_eq!(said(&verify(&cut, &trust)), (Verdict::SplitView, vec!["split-view", "missing-entries"]));
    // Entries that somebody has changed on the way say nothing about what the log's key has signed.
    let mut changed = shown.clone();
    changed.entries[2] = elsewhere.entries[5].clone();
    let same = Trust { seen: vec![half_a_night().checkpoint(&[], 0)], ..one.trust() };
    let (verdict, codes) = said(&verify(&changed, &same));
    assert_eq!(verdict, Verdict::Wrong);
    assert!(codes.contains(&"root") && !codes.contains(&"split-view"), "{codes:?}");
}

#[test]
fn what_is_cut_off_is_incomplete_and_nothing_is_unavailable() {
    let mut night = half_a_night();
    let published = night.published();
    let bytes = bundle::write(&published);
    let head = bytes.len() - published.entries.iter().map(|entry| entry.len() + 2).sum::<usize>();
    for end in (head..bytes.len()).step_by(97) {
        let cut = bundle::read(&bytes[..end]).expect("the checkpoint is whole");
        let (verdict, codes) = said(&verify(&cut, &night.trust()));
        assert_eq!((verdict, codes), (Verdict::Incomplete, vec!["missing-entries"]), "{end}");
    }
    for end in (0..head).step_by(31) {
        assert!(bundle::read(&bytes[..end]).is_err(), "{end}");
    }
    let report = verify(&Published::default(), &night.trust());
    assert_eq!(said(&report), (Verdict::Unavailable, vec!["no-checkpoint"]));
    let unreachable =
        Published { missing: Some("could not read `checkpoint`: no route".into()), ..Published::default() };
    let report = verify(&unreachable, &night.trust());
    assert_eq!(
        (report.verdict, report.reasons[0].message.as_str()),
        (Verdict::Unavailable, "could not read `checkpoint`: no route")
    );
}

#[test]
fn what_does_not_hold_is_wrong_and_named() {
    let mut night = half_a_night();
    let good = night.published();
    let try_it = |change: &dyn Fn(&mut Published)| {
        let mut published = good.clone();
        change(&mut published);
        said(&verify(&published, &night.trust()))
    };
    assert_eq!(try_it(&|it| it.checkpoint = b"nothing\n".to_vec()), (Verdict::Wrong, vec!["checkpoint"]));
    let no_checkpoint = Note::sign("log.example\nmany\n", &night.keys.signer("log")).to_string().into_bytes();
    assert_eq!(try_it(&|it| it.checkpoint = no_checkpoint.clone()), (Verdict::Wrong, vec!["checkpoint"]));
    let stranger = half_a_night().writer.signed().sign(&Keys::of(1).signer("log")).to_string().into_bytes();
    assert_eq!(
        try_it(&|it| it.checkpoint = stranger.clone()),
        (Verdict::Wrong, vec!["checkpoint-signature"])
    );
    assert_eq!(try_it(&|it| it.entries.push(b"more".to_vec())), (Verdict::Wrong, vec!["extra-entries"]));
    assert_eq!(try_it(&|it| it.missing = Some("two bytes".into())), (Verdict::Wrong, vec!["extra-entries"]));
    assert_eq!(try_it(&|it| it.entries.swap(2, 3)), (Verdict::Wrong, vec!["root"]));
    assert_eq!(try_it(&|it| it.entries[1] = b"?".to_vec()).0, Verdict::Wrong);
    let mut before = Night::before(Keys::of(0), false);
    assert_eq!(said(&verify(&before.published(), &night.trust())), (Verdict::Wrong, vec!["no-definition"]));
}

/// Two hundred entries, whose signatures are checked in one batch: what was forged is named all the same, and nothing else.
#[test]
fn one_forged_signature_among_two_hundred_is_named() {
    let mut night = Night::new();
    for n in 0..100 {
        night.report("council", "d1/1", &[219 + n, 180, 30]);
        night.report("council", "d2/1", &[90, 80 + n, 30]);
    }
    let published = night.published();
    assert_eq!(said(&verify(&published, &night.trust())), (Verdict::Ok, vec![]));
    // The last word on one unit, so that no later one names it.
    let mut forged = published.clone();
    let text = String::from_utf8(published.entries[201].clone()).expect("text");
    forged.entries[201] = text.replace("list red=179", "list red=178").into_bytes();
    assert_ne!(forged, published);
    let report = verify(&forged, &night.trust());
    assert_eq!(said(&report), (Verdict::Wrong, vec!["root", "bad-signature"]));
    assert_eq!(report.reasons[1].index, Some(201));
}

/// "The television said 219." It was so until revision 2, and in the sum of the district for one minute.
#[test]
fn what_was_true_when() {
    let mut night = half_a_night();
    let retraction = night.retraction("council", "d2/1");
    let bytes = night.signed(&retraction, &["c2"]);
    night.admit(&bytes);
    let election = night.board.election().expect("adopted");
    let green = Number::List(list_id("green"));
    let of = |unit: &str, number: &Number| history(election, &contest_id("council"), &unit_id(unit), number);
    let station = of("d1/1", &green);
    let Answer::Was { from, until, now } = answer(&station, Votes(219)) else { panic!("{station:?}") };
    assert_eq!((from.revision, from.index), (1, 2));
    assert_eq!((until.revision, until.index, until.value), (2, 4, Votes(291)));
    assert_eq!((now, until.time), (until.clone(), Timestamp(crate::common::CLOSES.0 + 3 * 60_000)));
    assert!(matches!(answer(&station, Votes(291)), Answer::True { since } if since.revision == 2));
    assert!(matches!(answer(&station, Votes(192)), Answer::Never { now: Some(_) }));
    assert_eq!(answer(&of("d1/2", &green), Votes(0)), Answer::Never { now: None });
    let values = |unit: &str, number: &Number| {
        let moments = of(unit, number);
        moments.iter().map(|it| format!("{}: {} by {}\n", it.index, it.value, it.unit)).collect::<String>()
    };
    insta::assert_snapshot!(values("nation", &green), @r"
    2: 219 by d1/1
    3: 309 by d2/1
    4: 381 by d1/1
    5: 291 by d2/1
    ");
    insta::assert_snapshot!(values("d1", &Number::parse("candidate green/2").expect("a number")), @r"
    2: 110 by d1/1
    4: 146 by d1/1
    ");
    insta::assert_snapshot!(values("nation", &Number::parse("count cast").expect("a number")), @r"
    2: 430 by d1/1
    3: 631 by d2/1
    4: 703 by d1/1
    5: 502 by d2/1
    ");
    // The sums are those that the last moments say.
    let sums = totals::totals(election);
    let nation = &sums[&(contest_id("council"), unit_id("nation"))];
    assert_eq!(nation.tally.lists["green"].votes(), Votes(291));
    assert_eq!((nation.due, nation.counted), (6, 1));
    let missing = totals::missing(election, &contest_id("council"));
    assert_eq!(
        missing.iter().map(results::UnitId::as_str).collect::<Vec<_>>(),
        ["d1/2", "d1/early", "d1/small", "d2/1", "d2/2"]
    );
}
