//! How a place goes from state to state, and that the diagram in the documents has just these ways.

use std::collections::BTreeSet;

use results::Tally;
use results::validate::spoken::Code;
use results::validate::{Heard, HeardError, Ledger, Place, Road, State};
use tlog::Hash;

use crate::common::Night;
use crate::support::{Paper, election, night, other, place};

const SPEC: &str = include_str!("../../../../docs/specs/validation.md");

fn name(state: State) -> &'static str {
    match state {
        State::NotHeard => "not-heard",
        State::HeardNotLogged => "heard-not-logged",
        State::Matched(_) => "matched",
        State::Differs => "differs",
        State::Asked => "asked",
        State::Resolved(_) => "resolved",
        State::DiffersConfirmed => "differs-confirmed",
        State::Superseded => "superseded",
    }
}

/// One place of a night, a validator that hears of it, and the ways it went.
struct Walk {
    night: Night,
    ledger: Ledger,
    at: Place,
    last: State,
    seconds: i64,
    ways: BTreeSet<(&'static str, &'static str)>,
}

impl Walk {
    fn new() -> Self {
        let night = night(0, false);
        let at = place("council", "d1/1");
        Self {
            night,
            ledger: Ledger::default(),
            at,
            last: State::NotHeard,
            seconds: 0,
            ways: BTreeSet::new(),
        }
    }

    /// The centre signs its next return.
    fn sign(&mut self, votes: &[u64]) -> (Paper, Vec<u8>) {
        let it = self.night.next("council", "d1/1", votes);
        let bytes = self.night.signed(&it, &["c1"]);
        (Paper::of(&it, &bytes), bytes)
    }

    fn log(&mut self, bytes: &[u8], expected: &str) {
        self.night.admit(bytes);
        self.arrive(expected);
    }

    fn hear(&mut self, paper: &Paper, road: Road, expected: &str) {
        self.hear_as(paper, road, expected, |_| {});
    }

    fn hear_as(&mut self, paper: &Paper, road: Road, expected: &str, change: impl FnOnce(&mut Heard)) {
        self.seconds += 1;
        let mut heard = paper.heard(&self.night, road, self.seconds);
        change(&mut heard);
        assert_eq!(Heard::parse(&heard.to_string()), Ok(heard.clone()), "one spelling");
        self.ledger.hear(election(&self.night), heard).expect("it is about this election");
        self.arrive(expected);
    }

    fn ask(&mut self) {
        let is_due = self.ledger.to_ask(election(&self.night)).contains(&self.at);
        assert!(is_due, "{:?}", self.last);
        assert!(self.ledger.ask(&self.at));
        self.arrive("asked");
    }

    fn arrive(&mut self, expected: &str) {
        let state = self.ledger.state(election(&self.night), &self.at);
        assert_eq!(name(state), expected, "after {:?}", self.last);
        if state != self.last {
            self.ways.insert((name(self.last), name(state)));
        }
        self.last = state;
    }
}

/// All ways, each of them walked.
fn ways() -> BTreeSet<(&'static str, &'static str)> {
    let (mut one, mut two, mut three, mut four) = (Walk::new(), Walk::new(), Walk::new(), Walk::new());
    // Honest, then a correction, whose first report is late.
    let (paper, bytes) = one.sign(&[219, 180, 30]);
    one.hear(&paper, Road::Phone, "heard-not-logged");
    one.log(&bytes, "matched");
    let (second, bytes) = one.sign(&[220, 180, 30]);
    one.hear(&second, Road::Qr, "heard-not-logged");
    one.log(&bytes, "matched");
    let (third, bytes) = one.sign(&[221, 180, 30]);
    one.log(&bytes, "superseded");
    one.ask();
    one.hear(&third, Road::Phone, "matched");
    let (fourth, bytes) = one.sign(&[222, 180, 30]);
    one.log(&bytes, "superseded");
    one.hear(&fourth, Road::Qr, "matched");
    // The same is heard otherwise later; that was a slip.
    let slip = Paper { tally: other(&fourth.tally, 7), ..fourth.clone() };
    one.hear(&slip, Road::Phone, "differs");
    one.ask();
    one.hear(&Paper { tally: other(&fourth.tally, 8), ..fourth.clone() }, Road::Phone, "differs");
    one.ask();
    one.hear(&fourth, Road::Phone, "resolved");
    one.hear(&slip, Road::Phone, "differs-confirmed");
    // A later revision that the centre speaks of does not hide that.
    let (fifth, _) = one.sign(&[1, 2, 3]);
    one.hear(&fifth, Road::Phone, "differs-confirmed");
    // The log has another return than the centre.
    let (paper, _) = two.sign(&[219, 180, 30]);
    let (_, altered) = two.sign(&[319, 80, 30]);
    two.hear(&paper, Road::Phone, "heard-not-logged");
    two.log(&altered, "differs");
    two.ask();
    two.hear(&paper, Road::Phone, "differs-confirmed");
    // Whatever is said later of this revision, it stays; a correction is compared anew.
    let altered = Paper { leaf: Hash::leaf(&altered), ..paper.clone() };
    two.hear_as(&altered, Road::Qr, "differs-confirmed", |_| {});
    let (corrected, bytes) = two.sign(&[219, 180, 31]);
    two.log(&bytes, "superseded");
    two.ask();
    two.hear(&corrected, Road::Phone, "matched");
    assert_eq!(two.ledger.findings(election(&two.night)).len(), 1, "the finding about revision 1 stays");
    // Logged first; mistyped, heard again, corrected.
    let (paper, bytes) = three.sign(&[219, 180, 30]);
    three.log(&bytes, "not-heard");
    three.hear_as(&paper, Road::Text, "not-heard", |_| {});
    three.hear(&Paper { tally: other(&paper.tally, 9), ..paper.clone() }, Road::Phone, "differs");
    three.hear(&paper, Road::Phone, "resolved");
    three.hear(&Paper { tally: other(&paper.tally, 11), ..paper.clone() }, Road::Phone, "differs");
    three.ask();
    let (later, bytes) = three.sign(&[219, 180, 31]);
    three.hear(&later, Road::Qr, "heard-not-logged");
    three.log(&bytes, "matched");
    // Matched at once; taken back.
    let (paper, bytes) = four.sign(&[219, 180, 30]);
    four.log(&bytes, "not-heard");
    four.hear(&paper, Road::Qr, "matched");
    let retraction = four.night.retraction("council", "d1/1");
    let bytes = four.night.signed(&retraction, &["c1"]);
    four.log(&bytes, "superseded");
    four.ask();
    let nothing = Tally::new(paper.tally.contest.clone(), paper.tally.unit.clone());
    let taken_back = Paper { revision: 2, tally: nothing, leaf: Hash::leaf(&bytes) };
    four.hear(&taken_back, Road::Phone, "matched");
    [one, two, three, four].into_iter().flat_map(|walk| walk.ways).collect()
}

#[test]
fn every_way_of_the_diagram_is_walked_and_there_is_no_other() {
    let drawn: BTreeSet<(&str, &str)> = SPEC
        .lines()
        .filter_map(|line| {
            let (from, to) = line.split_once(" → ")?;
            Some((from.trim(), to.split("  ").next()?.trim()))
        })
        .collect();
    assert_eq!(ways(), drawn);
}

#[test]
fn a_message_that_anybody_can_send_makes_the_validator_call_and_nothing_else() {
    let mut walk = Walk::new();
    let (paper, bytes) = walk.sign(&[219, 180, 30]);
    walk.hear(&paper, Road::Text, "not-heard");
    walk.log(&bytes, "not-heard");
    assert_eq!(walk.ledger.to_ask(election(&walk.night)), []);
    for more in [1, 1, 2] {
        walk.hear(&Paper { leaf: Hash::leaf(b"else"), ..paper.clone() }, Road::Text, "not-heard");
        walk.hear(&Paper { tally: other(&paper.tally, more), ..paper.clone() }, Road::Text, "not-heard");
        assert_eq!(walk.ledger.to_ask(election(&walk.night)), [place("council", "d1/1")]);
    }
    walk.hear(&paper, Road::Phone, "matched");
    assert_eq!(walk.ledger.to_ask(election(&walk.night)), []);
}

/// The machine that signs can print what it likes on the paper.
#[test]
fn what_the_signing_machine_says_by_another_road_confirms_nothing() {
    let mut walk = Walk::new();
    let (paper, _) = walk.sign(&[219, 180, 30]);
    let (altered, bytes) = walk.sign(&[319, 80, 30]);
    let own = |heard: &mut Heard| heard.is_independent = false;
    walk.hear_as(&altered, Road::Qr, "not-heard", own);
    walk.log(&bytes, "not-heard");
    // By hand from the paper the people say something else; the machine does not talk it away.
    walk.hear(&paper, Road::Phone, "differs");
    walk.hear_as(&altered, Road::Stick, "differs", own);
    walk.ask();
    walk.hear(&paper, Road::Phone, "differs-confirmed");
    // Twice the machine against itself is one contact; with a person's word it is two.
    let mut walk = Walk::new();
    let (paper, _) = walk.sign(&[219, 180, 30]);
    let (_, bytes) = walk.sign(&[319, 80, 30]);
    walk.log(&bytes, "not-heard");
    walk.hear_as(&paper, Road::Qr, "differs", own);
    walk.hear_as(&paper, Road::Stick, "differs", own);
    walk.hear(&paper, Road::Phone, "differs-confirmed");
}

/// Two mistyped contacts are no confirmation unless both say the same.
#[test]
fn two_different_slips_confirm_nothing() {
    let mut walk = Walk::new();
    let (paper, bytes) = walk.sign(&[219, 180, 30]);
    walk.log(&bytes, "not-heard");
    for more in 1..20 {
        walk.hear(&Paper { tally: other(&paper.tally, more), ..paper.clone() }, Road::Phone, "differs");
    }
    // One contact that is typed twice is one.
    let twice = Paper { tally: other(&paper.tally, 40), ..paper.clone() };
    let time = twice.heard(&walk.night, Road::Phone, 100).time;
    walk.hear_as(&twice, Road::Phone, "differs", |heard| heard.time = time);
    walk.hear_as(&twice, Road::Phone, "differs", |heard| (heard.time, heard.code) = (time, None));
    let again = walk.ledger.case(&walk.at).expect("heard").heard()[0].clone();
    walk.ledger.hear(election(&walk.night), again).expect("it is about this election");
    walk.arrive("differs");
    walk.hear(&paper, Road::Phone, "resolved");
}

#[test]
fn a_finding_shows_both_documents_side_by_side() {
    let mut walk = Walk::new();
    let (paper, _) = walk.sign(&[219, 180, 30]);
    let (_, bytes) = walk.sign(&[319, 80, 30]);
    walk.log(&bytes, "not-heard");
    walk.hear(&paper, Road::Phone, "differs");
    assert!(walk.ledger.findings(election(&walk.night)).is_empty(), "not before the second contact");
    walk.hear(&paper, Road::Qr, "differs-confirmed");
    let findings = walk.ledger.findings(election(&walk.night));
    let rows: Vec<String> = findings[0].side_by_side().iter().map(|row| row.join(" | ")).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    list green | 219 | 319
    list green candidate 1 | 109 | 159
    list green candidate 2 | 110 | 160
    list red | 180 | 80
    ");
}

#[test]
fn what_cannot_be_about_this_election_is_not_taken() {
    let mut walk = Walk::new();
    let (paper, _) = walk.sign(&[219, 180, 30]);
    let heard = paper.heard(&walk.night, Road::Phone, 1);
    let mut refused = |change: &dyn Fn(&mut Heard)| {
        let mut heard = heard.clone();
        change(&mut heard);
        walk.ledger.hear(election(&walk.night), heard).expect_err("to be refused")
    };
    assert_eq!(refused(&|it| it.definition = Hash::leaf(b"")), HeardError::OtherElection);
    let upper = refused(&|it| it.unit = place("council", "d1/small/a").1);
    assert!(matches!(upper, HeardError::NotDue { .. }), "{upper}");
    let elsewhere = refused(&|it| (it.contest, it.unit) = place("mayor", "d2/1"));
    assert!(matches!(elsewhere, HeardError::NotDue { .. }), "{elsewhere}");
    let other_centre = refused(&|it| it.called = Some("+38615550102".to_owned()));
    insta::assert_snapshot!(other_centre, @"`+38615550102` is no number of a centre that reports unit `d1/1`");
    let text = heard.to_string();
    for (from, to) in [
        ("road phone", "road fax"),
        ("machine other", "machine mine"),
        ("revision 1", "revision 0"),
        ("called +38615550101\n", ""),
        ("road phone", "road qr"),
        (" 1\n", "  1\n"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        assert!(Heard::parse(&text.replacen(from, to, 1)).is_err(), "{from} to {to}");
    }
    let code = Code::of(&paper.leaf).to_string();
    assert!(Heard::parse(&text.replace(&code, &code.replace(' ', ""))).is_err(), "one spelling of a code");
    let end = text.find("code").expect("a code");
    assert!(Heard::parse(&text[..end]).is_err(), "nothing was heard");
}

#[test]
fn a_file_on_a_stick_is_the_centre_s_word_if_its_key_has_signed() {
    let mut walk = Walk::new();
    let (_, bytes) = walk.sign(&[219, 180, 30]);
    let (_, other_bytes) = walk.sign(&[319, 80, 30]);
    let time = walk.night.clock;
    let read = |walk: &Walk, bytes: &[u8]| Heard::of_file(bytes, &walk.night.board, time, true);
    let heard = read(&walk, &bytes).expect("signed");
    assert_eq!(Heard::parse(&heard.to_string()), Ok(heard.clone()));
    walk.ledger.hear(election(&walk.night), heard).expect("this election");
    walk.arrive("heard-not-logged");
    walk.log(&bytes, "matched");
    walk.ledger
        .hear(election(&walk.night), read(&walk, &other_bytes).expect("signed"))
        .expect("this election");
    walk.arrive("differs");
    let retraction = walk.night.retraction("council", "d1/1");
    let retraction = walk.night.signed(&retraction, &["c1"]);
    let heard = read(&walk, &retraction).expect("signed");
    assert_eq!((heard.revision, heard.numbers), (2, None));
    // Not of that centre, not signed, not a return.
    let it = walk.night.next("council", "d1/1", &[219, 180, 31]);
    for signer in ["c2", "a1", "x"] {
        let bytes = walk.night.signed(&it, &[signer]);
        assert_eq!(read(&walk, &bytes), Err(HeardError::NotSigned("d1/1".to_owned())), "{signer}");
    }
    let text = String::from_utf8(bytes).expect("text").replace("=219", "=218");
    assert_eq!(read(&walk, text.as_bytes()), Err(HeardError::NotSigned("d1/1".to_owned())));
    let adoption = walk.night.signed(&walk.night.adoption(), &["a1", "a2"]);
    for bytes in [&b"219"[..], &adoption] {
        assert_eq!(read(&walk, bytes), Err(HeardError::NoReturn));
    }
}
