//! Small files of our own, that the project carries: what they say, what is told of wrong ones, and that no change of their
//! bytes stops a reader.

use proptest::prelude::*;

use super::*;

const EML: &str = include_str!("../samples/510b.eml.xml");
const VOTE: &str = include_str!("../samples/vote.ech.xml");
const MAJORITY: &str = include_str!("../samples/majority.ech.xml");
const WIDE: &str = include_str!("../samples/wide.csv");
const WIDE_MAPPING: &str = include_str!("../samples/wide.toml");
const LONG: &str = include_str!("../samples/long.csv");
const LONG_MAPPING: &str = include_str!("../samples/long.toml");
const WABSTIC: [(&str, &str); 6] = [
    ("WP_Wahl.csv", "SortGeschaeft;GeBezOffiziell;Sonntag;Kanton\n1;Council;18.10.2015;SG\n"),
    (
        "WP_Gemeinden.csv",
        "BfsNrGemeinde;Stimmberechtigte;StmAbgegeben;StmGueltig;StmLeer;StmUngueltig\n3203;50;20;18;1;1\n3212;9;;;;\n",
    ),
    (
        "WP_Listen.csv",
        "ListNr;ListBez;StimmenTotal;StimmenZusatz;Sitze;ListVerb;ListUntVerb\n01;Gr\u{fc}ne;24;4;1;2;1\n02;Blau;10;0;1;;\n99;Leer;2;2;;;\n",
    ),
    (
        "WP_ListenGde.csv",
        "BfsNrGemeinde;ListNr;StimmenTotal;StimmenZusatz\n3203;01;24;4\n3203;02;10;0\n3203;99;2;2\n",
    ),
    ("WP_Kandidaten.csv", "KNR;Stimmen\n0101;15\n0102;5\n0201;10\n"),
    ("WP_KandidatenGde.csv", "BfsNrGemeinde;KNR;Stimmen\n3203;0101;15\n3203;0102;5\n3203;0201;10\n"),
];

fn table(text: &str, mapping: &str) -> Result<Read, ReadError> {
    let mapping = Mapping::parse(mapping, "sample").unwrap_or_else(|error| panic!("{error}"));
    read::read(text.as_bytes(), "sample.csv", Some(&mapping))
}

fn file(text: &str) -> Result<Read, ReadError> {
    read::read(text.as_bytes(), "sample", None)
}

/// Everything that was read, as lines.
fn check(read: Result<Read, ReadError>) -> String {
    let read = match read {
        Ok(read) => read,
        Err(error) => return format!("{error}\nhint: {:?}\n", error.hint()),
    };
    let mut out =
        format!("{}: {:?} {:?} {:?}\n", read.format, read.draft.election, read.draft.title, read.draft.date);
    for (id, unit) in &read.draft.units {
        let parent = unit.parent.as_ref().map(ToString::to_string);
        out += &format!(
            "unit {id} {} {:?} in {parent:?} eligible {:?}\n",
            unit.kind.name(),
            unit.name,
            unit.eligible
        );
    }
    for (id, contest) in &read.draft.contests {
        let (method, ballot) = (contest.method.name(), contest.votes_per_ballot);
        out += &format!(
            "contest {id} of {} {:?} seats {} {method} {ballot}\n",
            contest.unit, contest.title, contest.seats
        );
        for (list, entry) in &contest.lists {
            let (connection, sub) = (&entry.connection, &entry.sub_connection);
            out += &format!("  list {list} {:?} {connection:?} {sub:?} {:?}\n", entry.name, entry.candidates);
        }
    }
    read.draft
        .seats
        .iter()
        .for_each(|((contest, list), seats)| out += &format!("seats {contest} {list} {seats}\n"));
    read.tallies.iter().for_each(|tally| out += &line("tally", tally));
    read.stated.iter().for_each(|tally| out += &line("stated", tally));
    for (time, tally) in &read.events {
        out += &line(&time.map_or_else(|| "no time".to_owned(), |time| time.to_string()), tally);
    }
    out + &problems(&read)
}

fn line(word: &str, tally: &Tally) -> String {
    let counts: Vec<String> = tally.counts.iter().map(|(count, votes)| format!("{count}={votes}")).collect();
    let lists: Vec<String> = tally
        .lists
        .iter()
        .map(|(list, votes)| {
            let total = votes.total.map(|votes| votes.to_string()).unwrap_or_default();
            let alone = votes.list_only.map(|votes| format!(" alone={votes}")).unwrap_or_default();
            let candidates: String =
                votes.candidates.iter().map(|(n, votes)| format!(" {n}={votes}")).collect();
            format!("{list}[{total}{alone}{candidates}]")
        })
        .collect();
    let modes: String =
        tally.modes.iter().map(|((mode, list, _), votes)| format!(" {mode}:{list}={votes}")).collect();
    format!("{word} {} {}: {} {}{modes}\n", tally.contest, tally.unit, counts.join(" "), lists.join(" "))
}

#[test]
fn an_eml_count() {
    insta::assert_snapshot!(check(file(EML)), @r#"
    EML_NL 510b: Some(ElectionId("GR2026_Example")) Some("Council of Example 2026") Some(2026-03-18)
    unit 0042 municipality "Example" in None eligible Some(100)
    unit 0042::SB1 polling-station "School" in Some("0042") eligible Some(60)
    unit 0042::SB2 polling-station "Town hall" in Some("0042") eligible Some(40)
    contest geen of 0042 "Council of Example 2026" seats 0 none 1
      list 1 "Green" None None {1: "", 2: ""}
      list 2 "Blue" None None {1: ""}
    tally geen 0042::SB1: eligible=60 admitted=16 valid=16 blank=1 invalid=0 excess=1 1[12 1=9 2=3] 2[4 1=4]
    tally geen 0042::SB2: eligible=40 admitted=7 valid=6 blank=0 invalid=0 shortfall=1 1[3 1=1 2=2] 2[3 1=3]
    stated geen 0042: eligible=100 admitted=23 valid=22 blank=1 invalid=0 1[15 1=10 2=5] 2[7 1=7]
    "#);
}

/// The problems after one change of a sample.
fn changed(text: &str, from: &str, to: &str, read: impl Fn(&str) -> Result<Read, ReadError>) -> String {
    assert!(text.contains(from), "{from}");
    match read(&text.replacen(from, to, 1)) {
        Ok(read) => problems(&read),
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn what_is_wrong_in_an_eml_count_is_told_with_its_place() {
    let one = "<CandidateIdentifier Id=\"2\"/></Candidate><ValidVotes>5<";
    let blank = "<RejectedVotes ReasonCode=\"blanco\">1</RejectedVotes>";
    let list_2 = "<AffiliationIdentifier Id=\"2\">";
    let changes = [
        ("a cell that is no number", "<Cast>100<", "<Cast>1OO<".to_owned()),
        ("a count twice", blank, format!("{blank}{blank}")),
        ("a count missing", blank, String::new()),
        ("a reason nobody knows", "meer getelde", "onbekende".to_owned()),
        ("a candidate twice", one, format!("{one}/ValidVotes></Selection><Selection><Candidate>{one}")),
        ("a candidate without votes", one, one.replace("<ValidVotes>5<", "<ValidVotes><")),
        ("a list twice", list_2, list_2.replace('2', "1")),
        ("a list without id", list_2, list_2.replace('2', "")),
        ("a unit twice", "0042::SB2", "0042::SB1".to_owned()),
        ("an element nobody knows", "<Cast>100</Cast>", "<Cast>100</Cast><Cost>1</Cost>".to_owned()),
        ("a date that is none", "2026-03-18<", "2026-02-31<".to_owned()),
        ("no contests", "Contests", "Contest_s".to_owned()),
        ("another document", "510b", "510x".to_owned()),
        ("the end missing", "</EML>", String::new()),
    ];
    let out = changes.map(|(what, from, to)| format!("# {what}\n{}", changed(EML, from, &to, file)));
    insta::assert_snapshot!(out.join(""), @"
    # a cell that is no number
    line 18: TotalVotes/eligible: `1OO` is not a whole number (not-a-number)
    line 12: TotalVotes: the number for eligible is not stated (missing)
    # a count twice
    line 19: TotalVotes/blank: blank is stated before as 1 (stated-twice)
    # a count missing
    line 12: TotalVotes: the number for blank is not stated (missing)
    # a reason nobody knows
    line 34: ReportingUnitVotes[0042::SB1]: the reason `onbekende stembiljetten` is none of EML_NL; it is kept under its own name (unknown-reason)
    # a candidate twice
    line 15: TotalVotes/list 1/candidate 2: the candidate is here a second time (duplicate-candidate)
    # a candidate without votes
    line 15: TotalVotes/list 1/candidate 2: the candidate has no number of votes (missing)
    line 23: ReportingUnitVotes[0042::SB1]: 1 choices here are not in the total, the first of them candidate 2 of list 1 (choices-differ)
    line 36: ReportingUnitVotes[0042::SB2]: 1 choices here are not in the total, the first of them candidate 2 of list 1 (choices-differ)
    # a list twice
    line 16: TotalVotes/list 1: the list is here a second time; it and its candidates are not read again (duplicate-list)
    line 17: TotalVotes: candidate `1` is under no list (candidate-without-list)
    line 23: ReportingUnitVotes[0042::SB1]: 2 choices here are not in the total, the first of them list 2 (choices-differ)
    line 36: ReportingUnitVotes[0042::SB2]: 2 choices here are not in the total, the first of them list 2 (choices-differ)
    # a list without id
    line 16: TotalVotes/list : the list has no id; its candidates are not read either (no-id)
    line 17: TotalVotes: candidate `1` is under no list (candidate-without-list)
    line 23: ReportingUnitVotes[0042::SB1]: 2 choices here are not in the total, the first of them list 2 (choices-differ)
    line 36: ReportingUnitVotes[0042::SB2]: 2 choices here are not in the total, the first of them list 2 (choices-differ)
    # a unit twice
    line 36: ReportingUnitVotes[0042::SB1]: unit `0042::SB1` is stated before in contest `geen` (duplicate-unit)
    # an element nobody knows
    line 18: TotalVotes: `Cost` is not known here (unknown-element)
    # a date that is none
    line 7: ElectionDate: the election has no date that can be read (not-a-date)
    # no contests
    line 49 of `sample` is not XML that can be read: ill-formed document: expected `</Contest_s>`, but `</Contests>` was found
    # another document
    line 2 of `sample` breaks the rules of EML_NL: the document `510x` is none that is read
    # the end missing
    line 52 of `sample` is not XML that can be read: it ends inside an element
    ");
}

/// Why counts are not read by `eml-nl`: when this fails, a newer release may do.
#[test]
fn the_kiesraads_own_reader_loses_a_number_or_a_file() {
    use eml_nl::documents::EML as Document;
    use eml_nl::io::{EMLParsingMode, EMLRead, EMLReadResult};

    let parse = |text: &str| Document::parse_eml(text, EMLParsingMode::StrictFallback);
    let blank = "<RejectedVotes ReasonCode=\"blanco\">1</RejectedVotes>";
    let twice = EML.replacen(blank, &format!("{blank}{}", blank.replace('1', "9")), 1);
    let EMLReadResult::Ok(document, errors) = parse(&twice) else { panic!("it is read") };
    let count = document.as_count_doc().expect("a count");
    let total = count.count.election.contests[0].total_votes.as_ref().expect("totals");
    assert_eq!(total.blank_votes().expect("a number").raw(), "9");
    assert!(!errors.iter().any(|error| error.to_string().contains("RejectedVotes")), "{errors:?}");
    let unknown = EML.replacen("meer getelde", "onbekende", 1);
    assert!(matches!(parse(&unknown), EMLReadResult::Err(_)));
}

#[test]
fn a_swiss_vote_and_a_swiss_majority() {
    insta::assert_snapshot!(check(file(VOTE)), @r#"
    eCH-0252 voteBaseDelivery: None None Some(2026-03-08)
    unit 3542 municipality "Upper Example" in Some("CH-18") eligible Some(50)
    unit 3701 municipality "Lower Example" in Some("CH-18") eligible None
    unit CH-18 nation "Canton CH-18" in None eligible None
    contest V1 of CH-18 "Eine Frage" seats 0 none 1
      list no "No" None None {}
      list unanswered "Unanswered" None None {}
      list yes "Yes" None None {}
    tally V1 3542: eligible=50 valid=17 blank=2 invalid=1 cast=20 no[5] unanswered[3] yes[9]
    "#);
    insta::assert_snapshot!(check(file(MAJORITY)), @r#"
    eCH-0252 electionResultDelivery: None None Some(2026-03-08)
    unit 3211 municipality "Example" in Some("CH-17") eligible Some(70)
    unit CH-17 nation "Canton CH-17" in None eligible None
    contest E1 of CH-17 "" seats 0 plurality 1
      list a-1 "" None None {}
      list a-2 "" None None {}
      list individual "Individual votes" None None {}
    seats E1 a-1 1
    tally E1 3211: eligible=70 valid=22 blank=1 invalid=0 cast=23 blank-votes=0 invalid-votes=0 voting-cards-post=18 a-1[14] a-2[6] individual[2]
    line 2: testDeliveryFlag: the delivery says that it is a test (test-delivery)
    line 10: E1/3211: the circle says that it has not counted all (not-fully-counted)
    "#);
}

fn wabstic(change: impl Fn(&str, &str) -> Vec<u8>) -> Result<Read, ReadError> {
    let files = WABSTIC.map(|(name, text)| (name, change(name, text)));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    read::read_set(&files)
}

#[test]
fn a_set_of_wabstic_files() {
    // The signs of the real files are those of windows-1252, where `ü` is one byte.
    let latin =
        |_: &str, text: &str| text.chars().map(|letter| u8::try_from(letter).expect("one byte")).collect();
    insta::assert_snapshot!(check(wabstic(latin)), @r#"
    WabstiC proporz: Some(ElectionId("SG-2015-10-18")) Some("Council") Some(2015-10-18)
    unit 3203 municipality "" in Some("SG") eligible Some(50)
    unit 3212 municipality "" in Some("SG") eligible Some(9)
    unit SG nation "Canton SG" in None eligible None
    contest 1 of SG "Council" seats 2 hagenbach-bischoff 2
      list 01 "Grüne" Some("2") Some("2.1") {1: "", 2: ""}
      list 02 "Blau" None None {1: ""}
    seats 1 01 1
    seats 1 02 1
    tally 1 3203: eligible=50 valid=18 blank=1 invalid=1 cast=20 blank-votes=2 01[24 alone=4 1=15 2=5] 02[10 alone=0 1=10]
    tally 1 3212: eligible=9 
    stated 1 SG: blank-votes=2 01[24 alone=4 1=15 2=5] 02[10 alone=0 1=10]
    "#);
    let missing = read::read_set(&[("WP_Wahl.csv", WABSTIC[0].1.as_bytes())]).expect_err("files are missing");
    insta::assert_snapshot!(missing, @"the set of files has no `WP_Gemeinden`");
    let odd = |name: &str, text: &str| match name {
        "WP_KandidatenGde.csv" => {
            format!("{text}3203;0101;16\n9999;0101;1\n3203;x;1\n3203;0102;-3\n").into_bytes()
        }
        _ => text.as_bytes().to_vec(),
    };
    insta::assert_snapshot!(problems(&wabstic(odd).expect("it is read")), @"
    line 5: WP_KandidatenGde: candidate 1 of list 01 is stated before (duplicate-candidate)
    line 6: WP_KandidatenGde: municipality `9999` is not in WP_Gemeinden (unknown-unit)
    line 7: WP_KandidatenGde/KNR: `x` is no number of a list and a candidate (no-id)
    line 8: WP_KandidatenGde/Stimmen: `-3` is not a whole number (not-a-number)
    ");
}

#[test]
fn a_wide_table() {
    insta::assert_snapshot!(check(table(WIDE, WIDE_MAPPING)), @r#"
    table by mapping sample: None None None
    unit North district "North" in None eligible None
    unit North/1 polling-station "School" in Some("North") eligible Some(1000)
    unit North/9 postal "Post" in Some("North") eligible Some(0)
    unit South district "South" in None eligible None
    unit South/1 polling-station "Hall" in Some("South") eligible Some(80)
    contest council of North "The council" seats 3 sainte-lague 1
      list 1 "Green" None None {1: "", 2: ""}
      list 2 "Blue" None None {}
    tally council North/1: eligible=1000 invalid=1 cast=24 1[16 1=11 2=4] 2[7]
    tally council North/9: eligible=0 invalid=0 cast=5 1[2 1=1 2=1] 2[3]
    tally council South/1: eligible=80 invalid=1 1[ 1=3] 2[4]
    stated council North: eligible=1000 invalid=1 cast=28 1[17 1=11 2=5] 2[10]
    2026-03-18T20:00:00Z council North/1: eligible=1000 invalid=1 cast=23 1[15 1=10 2=4] 2[7]
    2026-03-18T20:05:00Z council North/9: eligible=0 invalid=0 cast=5 1[2 1=1 2=1] 2[3]
    no time council South/1: eligible=80 invalid=1 1[ 1=3] 2[4]
    2026-03-18T20:30:00Z council North/1: eligible=1000 invalid=1 cast=24 1[16 1=11 2=4] 2[7]
    line 6: row: unit `South` is not below `North`, where contest `council` is held (outside-contest)
    line 6: ballots: `x` is not a whole number (not-a-number)
    line 6: list_1: `-1` is not a whole number (not-a-number)
    line 6: when: `yesterday` is no time of RFC 3339 (not-a-time)
    line 7: row: the row has 6 cells and the heading 12 (row-length)
    line 10: unit: `` leaves nothing of which an id could be made (no-id)
    "#);
}

#[test]
fn a_long_table() {
    insta::assert_snapshot!(check(table(LONG, LONG_MAPPING)), @r#"
    table by mapping sample: None None None
    unit New-Town district "New Town" in Some("state") eligible None
    unit New-Town/1 polling-station "" in Some("New-Town") eligible None
    unit Old-Town district "Old Town" in Some("state") eligible None
    unit Old-Town/1 polling-station "" in Some("Old-Town") eligible None
    unit state nation "" in None eligible None
    contest Mayor of state "Mayor" seats 1 plurality 1
      list Blue:Bob "Bob (Blue)" None None {}
      list Green:A-n "A-n (Green)" None None {}
      list Green:Ann "Ann (Green)" None None {}
    contest Senate/4 of state "Senate 4" seats 1 plurality 1
      list Green:Cyd "Cyd (Green)" None None {}
    tally Mayor Old-Town/1:  Blue:Bob[7] Green:Ann[12] absentee:Blue:Bob=0 absentee:Green:Ann=2 election-day:Blue:Bob=7 election-day:Green:Ann=10
    tally Senate/4 Old-Town/1:  Green:Cyd[10] absentee:Green:Cyd=1 election-day:Green:Cyd=9
    tally Mayor New-Town/1:  Blue:Bob[] Green:A-n[1] Green:Ann[1] absentee:Blue:Bob=1 absentee:Green:A-n=0 election-day:Blue:Bob=3 election-day:Green:A-n=1 election-day:Green:Ann=1
    stated Mayor Old-Town:  Green:Ann[12] absentee:Green:Ann=2 election-day:Green:Ann=10
    line 4: row: list Green:Ann is stated before for unit `Old-Town/1` (duplicate-choice)
    line 9: list: `Green:A-n` and `Green:A n` would both be `Green:A-n` (same-id)
    line 10: votes: `four` is not a whole number (not-a-number)
    "#);
}

/// The sample of the mapping's page is read as it stands there.
#[test]
fn the_sample_of_the_page() {
    let page = include_str!("../../../../docs/specs/mapping.md");
    let block = |sort: &str| {
        let rest = page.split_once(&format!("```{sort}\n")).expect("a block").1;
        rest.split_once("```").expect("its end").0
    };
    insta::assert_snapshot!(check(table(block("csv"), block("toml"))), @r#"
    table by mapping sample: None None None
    unit 1001 district "VO 1001 - JESENICE" in Some("SI") eligible None
    unit 1001/001 polling-station "Vrtec Rateče, Rateče 18, Rateče" in Some("1001") eligible Some(544)
    unit 1001/901 early-voting "Predčasno glasovanje" in Some("1001") eligible Some(0)
    unit SI nation "Slovenia" in None eligible None
    contest ep of SI "European Parliament 2024" seats 9 dhondt 1
      list 107648 "NSi" None None {}
      list 107649 "VESNA" None None {}
    tally ep 1001/001: eligible=544 valid=260 invalid=13 cast=273 107648[18] 107649[23]
    tally ep 1001/901: eligible=0 valid=757 invalid=28 cast=785 107648[29] 107649[72]
    "#);
}

#[test]
fn what_is_wrong_with_a_whole_table_is_told_with_a_remedy() {
    let cases = [
        table("made\narea;no\n", WIDE_MAPPING),
        table("", WIDE_MAPPING),
        file("a,b\n1,2\n"),
        file("<a/>"),
        file(""),
        read::read(b"snapshot_time\n\xff\n", "sample.csv", Mapping::built_in("us-openelections").as_ref()),
    ];
    insta::assert_snapshot!(cases.map(check).join(""), @r#"
    line 2 of `sample.csv`, the heading, has no column `when`, which mapping `sample` names
    hint: Some("correct the column's name in the mapping, or give the other spelling after `|`; delimiter and `skip-lines` decide what the heading is")
    `sample.csv` is empty
    hint: None
    no mapping was given for the table `sample`, and 0 of the built-in ones fit its columns
    hint: Some("write a mapping for the columns a, b")
    `sample` is XML with the root `a`, which no reader knows
    hint: None
    `sample` is empty
    hint: None
    line 2 of `sample.csv` is not UTF-8
    hint: Some("state `encoding = \"windows-1252\"` in the mapping")
    "#);
}

/// One change of a file's bytes.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, u8),
    Insert(usize, Vec<u8>),
    Cut(usize, usize),
    Repeat(usize, usize),
    End(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = prop_oneof![any::<u8>(), prop::sample::select(b"<>&;,\"'\n/= 0189-.{}[]".to_vec())];
    prop_oneof![
        (any::<usize>(), bytes.clone()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<usize>(), prop::collection::vec(bytes, 1..6))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<usize>(), 1..80_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 1..200_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        any::<usize>().prop_map(Change::End),
    ]
}

fn apply(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let within = |at: usize| at % (bytes.len() + 1);
        match change {
            Change::Put(at, byte) => {
                let at = within(*at);
                if let Some(place) = bytes.get_mut(at) {
                    *place = *byte;
                }
            }
            Change::Insert(at, more) => {
                let at = within(*at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Cut(at, length) => {
                let at = within(*at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Change::Repeat(at, length) => {
                let at = within(*at);
                let part = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Change::End(at) => bytes.truncate(within(*at)),
        }
    }
    bytes
}

/// What holds of whatever a reader returns.
fn sound(read: &Result<Read, ReadError>) -> Result<(), TestCaseError> {
    let Ok(read) = read else { return Ok(()) };
    let rows = read.rows;
    prop_assert_eq!(rows.all, rows.used + rows.stated + rows.ignored + rows.refused, "no row is lost");
    prop_assert!(rows.refused == 0 || !read.problems.is_empty(), "a refused row has a problem");
    let mut places = std::collections::BTreeSet::new();
    for tally in &read.tallies {
        prop_assert!(places.insert((&tally.unit, &tally.contest)), "one tally for each unit and contest");
        prop_assert!(read.draft.units.contains_key(&tally.unit), "{}", tally.unit);
        let contest = read.draft.contests.get(&tally.contest);
        prop_assert!(contest.is_some(), "{}", tally.contest);
        let lists = &contest.expect("just seen").lists;
        for (list, votes) in &tally.lists {
            prop_assert!(lists.contains_key(list), "{list}");
            prop_assert!(votes.candidates.keys().all(|number| lists[list].candidates.contains_key(number)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_bytes_stops_a_reader(changes in prop::collection::vec(change(), 0..5), which in 0..3_usize) {
        let text = [EML, VOTE, MAJORITY][which];
        sound(&read::read(&apply(text, &changes), "sample", None))?;
        let (text, mapping) = [(WIDE, WIDE_MAPPING), (LONG, LONG_MAPPING), (WIDE, LONG_MAPPING)][which];
        let mapping = Mapping::parse(mapping, "sample").expect("it reads");
        sound(&read::read(&apply(text, &changes), "sample", Some(&mapping)))?;
        let name = WABSTIC[changes.len()].0;
        let set = |own: &str, text: &str| if own == name { apply(text, &changes) } else { text.as_bytes().to_vec() };
        sound(&wabstic(set))?;
    }

    #[test]
    fn no_change_of_a_mapping_stops_it(changes in prop::collection::vec(change(), 0..5), long: bool) {
        let (text, mapping) = if long { (LONG, LONG_MAPPING) } else { (WIDE, WIDE_MAPPING) };
        if let Ok(mapping) = std::str::from_utf8(&apply(mapping, &changes))
            && let Ok(mapping) = Mapping::parse(mapping, "sample")
        {
            sound(&read::read(text.as_bytes(), "sample", Some(&mapping)))?;
        }
    }
}
