//! EML_NL.

use eml_nl::documents::EML;
use eml_nl::documents::election_count::{ElectionCountSelection, ElectionCountSelectionType};
use eml_nl::io::{EMLParsingMode, EMLRead};
use results::{ContestId, ListId};

use super::*;

const REAL: &str = "eml-nl-real-westmaasenwaal/Telling_GR2022_WestMaasenWaal.eml.xml";

#[test]
fn a_real_municipality_is_its_official_csv_cell_by_cell() {
    let (Some(count), Some(lists), Some(csv)) = (
        open(REAL),
        open("eml-nl-real-westmaasenwaal/Kandidatenlijsten_GR2022_WestMaasenWaal.eml.xml"),
        shared("eml-nl-real-westmaasenwaal/osv4-3_telling_gr2022_westmaasenwaal.csv"),
    ) else {
        return;
    };
    let (count, lists) = (count.expect("a count"), lists.expect("lists"));
    insta::assert_snapshot!(summary(&count), @"EML_NL 510b: 21 tallies, 1 stated, 0 events; 22 units, 1 contests, 8 lists, 251 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems");
    insta::assert_snapshot!(summary(&lists), @"EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 8 lists, 251 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems");
    assert_eq!(problems(&count) + &problems(&lists), "");
    let total = &count.stated[0];
    assert_eq!(totals(&count.tallies), totals([total]), "the stations add to the total that the file states");

    let text = fs::read_to_string(csv).expect("a readable file");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut compared = 0;
    let mut list = None;
    let geen = ContestId::new("geen").expect("an id");
    for row in reader.records() {
        let row = row.expect("a row");
        if row.len() < 26 {
            continue;
        }
        let cells: Vec<u64> = row.iter().skip(4).map_while(|cell| cell.parse().ok()).collect();
        if cells.len() != 22 {
            continue;
        }
        let tallies = std::iter::once(total).chain(&count.tallies);
        let label = &row[1];
        for (tally, expected) in tallies.zip(&cells) {
            let got = if let Ok(id) = row[0].parse::<u32>() {
                list = ListId::new(&id.to_string());
                let list = list.as_ref().expect("an id");
                assert_eq!(lists.draft.contests[&geen].lists[list].name, *label);
                tally.lists[list].total
            } else if let Ok(number) = row[2].parse::<u32>() {
                let list = list.as_ref().expect("a list before its candidates");
                assert_eq!(lists.draft.contests[&geen].lists[list].candidates[&number], row[3]);
                tally.lists[list].candidates.get(&number).copied()
            } else {
                match count_of(label) {
                    Some(count) => tally.count(&count),
                    None => continue,
                }
            };
            assert_eq!(got, Some(Votes(*expected)), "{label} {} of {}", &row[3], tally.unit);
            compared += 1;
        }
    }
    insta::assert_snapshot!(compared, @"6028");
}

/// The count of a row's label in the official CSV; none for the sum that the EML file does not state.
fn count_of(label: &str) -> Option<Count> {
    let name = match label {
        "opgeroepenen" => "eligible",
        "geldige stempas" => "polling-cards",
        "geldig volmachtbewijs" => "proxies",
        "geldige kiezerspas" => "voter-cards",
        "toegelaten kiezers" => "admitted",
        "geldige stembiljetten" => "valid",
        "blanco stembiljetten" => "blank",
        "ongeldige stembiljetten" => "invalid",
        "meer stembiljetten dan toegelaten kiezers" => "excess",
        "minder stembiljetten dan toegelaten kiezers" => "shortfall",
        "kiezers met stembiljet hebben niet gestemd" => "ballots-taken",
        "er zijn te weinig stembiljetten uitgereikt" => "too-few-issued",
        "er zijn te veel stembiljetten uitgereikt" => "too-many-issued",
        "geen verklaring" => "no-explanation",
        "andere verklaring" => "other-explanation",
        "aangetroffen stembiljetten" => return None,
        other => panic!("the official CSV has a row `{other}`"),
    };
    Count::parse(name)
}

/// Our tree and `eml-nl` read the same numbers of every count that both can read.
#[test]
fn the_kiesraads_own_reader_reads_the_same_numbers() {
    let files = [
        REAL,
        "eml-nl-hcp-fixtures/Fake_test_data_Telling_EP2024_gemeente_Steenwijkerland.eml.xml",
        "eml-nl-hcp-fixtures/Fake_test_data_Telling_TK2023_gemeente_Dordrecht.eml.xml",
        "eml-nl-hcp-fixtures/empty_party_name.eml.xml",
        "eml-nl-rust-fixtures/deserialize_eml510b_test.eml.xml",
        "eml-nl-rust-fixtures/deserialize_eml510d_test.eml.xml",
        "eml-nl-rust-fixtures/eml510b_with_investigations.eml.xml",
    ];
    let mut compared = Vec::new();
    for path in files {
        let (Some(read), Some(file)) = (open(path), shared(path)) else { return };
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        let text = fs::read_to_string(file).expect("a readable file");
        let theirs = EML::parse_eml(&text, EMLParsingMode::StrictFallback).ok().expect("a count for both");
        let contest = &theirs.as_count_doc().expect("a count").count.election.contests[0];
        let mut votes = Vec::new();
        for unit in &contest.reporting_unit_votes {
            let number = |text: &str| text.parse::<u64>().expect("a number");
            let mut all =
                vec![number(&unit.eligible_voter_count.raw()), number(&unit.candidate_votes_count.raw())];
            all.extend(unit.rejected_votes.values().map(|votes| number(&votes.raw())));
            all.extend(unit.uncounted_votes.values().map(|votes| number(&votes.raw())));
            all.sort_unstable();
            votes.push((unit.identifier.id.raw().into_owned(), all, selections(&unit.selections)));
        }
        assert_eq!(read.tallies.len(), votes.len(), "{path}");
        for (tally, (unit, all, selections)) in read.tallies.iter().zip(votes) {
            assert_eq!(tally.unit.as_str(), unit);
            let ours = tally.counts.iter().filter(|(count, _)| !count.name().starts_with("investigated:"));
            let mut ours: Vec<u64> = ours.map(|(_, votes)| votes.0).collect();
            ours.sort_unstable();
            assert_eq!(ours, all, "{path} {unit}");
            let own: Vec<(String, Option<u32>, u64)> = tally
                .lists
                .iter()
                .flat_map(|(list, votes)| {
                    let total = votes.total.map(|votes| (list.to_string(), None, votes.0));
                    let candidates =
                        votes.candidates.iter().map(|(n, votes)| (list.to_string(), Some(*n), votes.0));
                    total.into_iter().chain(candidates)
                })
                .collect();
            assert_eq!(own.len(), selections.len(), "{path} {unit}");
            assert!(own.iter().all(|each| selections.contains(each)), "{path} {unit}");
            compared.push(all.len() + selections.len());
        }
    }
    insta::assert_snapshot!(format!("{} units, {} numbers", compared.len(), compared.iter().sum::<usize>()), @"31 units, 6486 numbers");
}

fn selections(selections: &[ElectionCountSelection]) -> Vec<(String, Option<u32>, u64)> {
    let mut list = String::new();
    let mut out = Vec::new();
    for selection in selections {
        let votes = selection.valid_votes.raw().parse().expect("a number");
        match &selection.selection_type {
            ElectionCountSelectionType::Affiliation(affiliation) => {
                list = affiliation.id.raw().into_owned();
                out.push((list.clone(), None, votes));
            }
            ElectionCountSelectionType::Candidate(candidate) => {
                let number = candidate.identifier.id.raw().parse().expect("a number");
                out.push((list.clone(), Some(number), votes));
            }
            ElectionCountSelectionType::ReferendumOption(_) => panic!("no file has one"),
        }
    }
    out
}

fn told(path: &str) -> String {
    let base = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".eml.xml");
    match open(path) {
        Some(Ok(read)) => {
            let first = read.problems.first().map(|problem| format!("; {problem}")).unwrap_or_default();
            format!("{base}: {}{first}\n", summary(&read))
        }
        Some(Err(error)) => format!("{base}: ERROR {error}\n").replace(path, "…"),
        None => String::new(),
    }
}

#[test]
fn the_councils_test_files_are_read_or_told() {
    if shared("eml-nl-hcp-fixtures").is_none() {
        return;
    }
    let files = [
        "Fake_test_data_Telling_EP2024_gemeente_Steenwijkerland",
        "Fake_test_data_Telling_TK2023_gemeente_Dordrecht",
        "empty_party_name",
        "invalid_eml_id",
    ];
    let out: String = files.iter().map(|file| told(&format!("eml-nl-hcp-fixtures/{file}.eml.xml"))).collect();
    insta::assert_snapshot!(out, @"
    Fake_test_data_Telling_EP2024_gemeente_Steenwijkerland: EML_NL 510b: 4 tallies, 1 stated, 0 events; 5 units, 1 contests, 4 lists, 100 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 5 problems; line 622: TotalVotes/list 4: the list has no name (no-name)
    Fake_test_data_Telling_TK2023_gemeente_Dordrecht: EML_NL 510b: 1 tallies, 1 stated, 0 events; 2 units, 1 contests, 4 lists, 24 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    empty_party_name: EML_NL 510b: 2 tallies, 1 stated, 0 events; 3 units, 1 contests, 5 lists, 76 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 3 problems; line 210: TotalVotes/list 5: the list has no name (no-name)
    invalid_eml_id: ERROR line 2 of `…` breaks the rules of EML_NL: the document `510f` is none that is read
    ");
}

#[test]
fn juinen_becomes_a_draft() {
    let files = ["eml110a_verkiezingsdefinitie", "eml110b_stembureaulijst", "eml230b_kandidatenlijsten"];
    let mut out = String::new();
    for file in files {
        let Some(read) = open(&format!("eml-nl-juinen/{file}-juinen.eml.xml")) else { return };
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        out += &format!("{}\n{}", summary(&read), problems(&read));
        for (id, unit) in &read.draft.units {
            out += &format!("  {id} {} {:?} {:?}\n", unit.kind.name(), unit.name, unit.eligible);
        }
        for (id, contest) in &read.draft.contests {
            out += &format!(
                "  {id} of {} {:?} {} {}\n",
                contest.unit,
                contest.title,
                contest.seats,
                contest.method.name()
            );
            for (list, entry) in &contest.lists {
                out += &format!("    {list} {} {:?}\n", entry.name, entry.candidates.first_key_value());
            }
        }
    }
    insta::assert_snapshot!(out, @r#"
    EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
      0042 municipality "Juinen" None
      geen of 0042 "Gemeenteraad 2025 Juinen" 45 dhondt
    EML_NL 110b: 0 tallies, 0 stated, 0 events; 4 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
      0042 municipality "Juinen" Some(3353)
      0042::SB1 polling-station "Studio The Rules" Some(1)
      0042::SB2 polling-station "De Mattenklopper" Some(2)
      0042::SB3 polling-station "De Positivozaal" Some(3)
      geen of 0042 "Gemeenteraad 2025 Juinen" 0 none
    EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 4 lists, 94 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
      0042 municipality "Juinen" None
      geen of 0042 "Gemeenteraad 2025 Juinen" 0 none
        1 Lijst Hekking Some((1, "Hekking, T."))
        2 De Tegenpartij Some((1, "Jacobse, F."))
        3 Juinen Vooruit Some((1, "Oud, L."))
        4 Stadspartij Juinen Some((1, "Bakker, T."))
    "#);
}

#[test]
fn the_rust_librarys_test_files_are_read_or_told() {
    let Some(folder) = shared("eml-nl-rust-fixtures") else { return };
    let mut out = String::new();
    for sub in ["", "candidate_list", "election_definition", "polling_stations"] {
        let entries = fs::read_dir(folder.join(sub)).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".xml")).collect();
        names.sort();
        out.extend(names.iter().map(|name| told(&format!("eml-nl-rust-fixtures/{sub}/{name}"))));
    }
    insta::assert_snapshot!(out, @"
    deserialize_eml510b_test: EML_NL 510b: 1 tallies, 1 stated, 0 events; 2 units, 1 contests, 1 lists, 2 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    deserialize_eml510d_test: EML_NL 510d: 1 tallies, 1 stated, 0 events; 2 units, 1 contests, 1 lists, 2 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml510b_with_investigations: EML_NL 510b: 1 tallies, 1 stated, 0 events; 2 units, 1 contests, 1 lists, 2 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml520_test: EML_NL 520: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 10 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml230b_invalid_document_type: ERROR line 344 of `…` breaks the rules of EML_NL: Missing required element: {urn:oasis:names:tc:evs:schema:eml}ElectionEvent
    eml230b_invalid_empty_affiliates: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 21: 230b: Missing required element: {urn:oasis:names:tc:evs:schema:eml}Affiliation (eml-rule)
    eml230b_invalid_empty_candidates: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 16 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 300: 230b: Missing required element: {urn:oasis:names:tc:evs:schema:eml}Candidate (eml-rule)
    eml230b_invalid_incorrect_election: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml230b_invalid_incorrect_election_date: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 13: 230b: The NominationDate is before the ElectionDate, which is not allowed (eml-rule)
    eml230b_invalid_incorrect_election_domain: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml230b_invalid_incorrect_election_type: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 13: 230b: The ElectionSubcategory is not valid for the ElectionCategory (eml-rule)
    eml230b_invalid_missing_authority: ERROR line 340 of `…` breaks the rules of EML_NL: Missing required element: {urn:oasis:names:tc:evs:schema:eml}ManagingAuthority
    eml230b_invalid_missing_election_domain: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml230b_test: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml230b_test_without_addresses: EML_NL 230b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 3 lists, 18 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml110a_invalid_election_date_format: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 14: 110a: Invalid value for {http://www.kiesraad.nl/extensions}ElectionDate: input is out of range (eml-rule)
    eml110a_invalid_election_date_nomination_format: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 15: 110a: Invalid value for {http://www.kiesraad.nl/extensions}NominationDate: input is out of range (eml-rule)
    eml110a_invalid_election_mismatch_preference_threshold: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; 110a: The preference threshold specified does not match the election identifier (eml-rule)
    eml110a_invalid_election_mismatch_preference_threshold_small_election: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 2 problems; 110a: The preference threshold specified does not match the election identifier (eml-rule)
    eml110a_invalid_election_missing_election_domain: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml110a_invalid_election_missing_election_tree: ERROR line 101 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}ElectionTree
    eml110a_invalid_election_missing_nomination_date: ERROR line 15 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}NominationDate
    eml110a_invalid_election_missing_number_of_seats: ERROR line 107 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}NumberOfSeats
    eml110a_invalid_election_missing_preference_threshold: ERROR line 107 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}PreferenceThreshold
    eml110a_invalid_election_missing_region: EML_NL 110a: 0 tallies, 0 stated, 0 events; 0 units, 0 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 2 problems; line 24: 110a: Missing required element: {http://www.kiesraad.nl/extensions}Region (eml-rule)
    eml110a_invalid_election_missing_subcategory: ERROR line 15 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}ElectionSubcategory
    eml110a_invalid_election_number_of_seats: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 2 problems; 110a: The number of seats specified does not match the subcategory (eml-rule)
    eml110a_invalid_election_number_of_seats_out_of_range: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml110a_invalid_election_only_municipal_supported: ERROR line 15 of `…` breaks the rules of EML_NL: Missing required element: {http://www.kiesraad.nl/extensions}ElectionSubcategory
    eml110a_invalid_election_subcategory: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 2 problems; 110a: The preference threshold specified does not match the election identifier (eml-rule)
    eml110a_invalid_election_voting_method: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 19: 110a: Invalid value for {urn:oasis:names:tc:evs:schema:eml}VotingMethod: Unknown voting method: EPV (eml-rule)
    eml110a_invalid_xml: ERROR line 4 of `…` is not XML that can be read: syntax error: attribute value not closed: `'` not found before end of input
    eml110a_test: EML_NL 110a: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eml110b_1_station: EML_NL 110b: 0 tallies, 0 stated, 0 events; 2 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_empty_polling_station: EML_NL 110b: 0 tallies, 0 stated, 0 events; 1 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 2 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_invalid_number_of_voters: EML_NL 110b: 0 tallies, 0 stated, 0 events; 421 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 3 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_invalid_polling_station_number_of_voters.xml: EML_NL 110b: 0 tallies, 0 stated, 0 events; 10 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 4 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_less_than_10_stations: EML_NL 110b: 0 tallies, 0 stated, 0 events; 10 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_not_matching_election_id: EML_NL 110b: 0 tallies, 0 stated, 0 events; 421 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 24: 110b: Missing value for element: {urn:oasis:names:tc:evs:schema:eml}VotingMethod (eml-rule)
    eml110b_test: EML_NL 110b: 0 tallies, 0 stated, 0 events; 421 units, 1 contests, 0 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems; line 19: 110b: Unexpected element: {http://www.kiesraad.nl/extensions}NominationDate inside of {urn:oasis:names:tc:evs:schema:eml}ElectionIdentifier (eml-rule)
    ");
}

/// The three files of an election become one draft, and the count of another election does not fit it.
#[test]
fn juinens_files_join() {
    let files = ["eml110b_stembureaulijst", "eml230b_kandidatenlijsten", "eml110a_verkiezingsdefinitie"];
    let mut draft = read::Draft::default();
    for file in files {
        let Some(read) = open(&format!("eml-nl-juinen/{file}-juinen.eml.xml")) else { return };
        assert_eq!(draft.join(read.unwrap_or_else(|error| panic!("{error}")).draft), []);
    }
    let contest = &draft.contests["geen"];
    let candidates: usize = contest.lists.values().map(|list| list.candidates.len()).sum();
    let method = contest.method.name();
    insta::assert_snapshot!(
        format!("{} units, {} lists, {candidates} candidates, {} seats by {method}", draft.units.len(), contest.lists.len(), contest.seats),
        @"4 units, 4 lists, 94 candidates, 45 seats by dhondt"
    );
    let other = open(REAL).expect("it lies beside").expect("a count").draft;
    let problems = draft.join(other);
    insta::assert_snapshot!(problems.iter().take(4).map(|problem| format!("{problem}\n")).collect::<String>(), @r#"
    election: ElectionId("GR2025_Juinen") in one file and ElectionId("GR2022_WestMaasenWaal") in another (files-differ)
    title: "Gemeenteraad 2025 Juinen" in one file and "Gemeenteraad West Maas en Waal 2022" in another (files-differ)
    date: 2025-08-29 in one file and 2022-03-16 in another (files-differ)
    contest geen: UnitId("0042") in one file and UnitId("0668") in another (files-differ)
    "#);
}
