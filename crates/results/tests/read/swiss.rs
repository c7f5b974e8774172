//! Swiss files.

use super::*;

const ROOT: &str = "switzerland-ech0252";

#[test]
fn ech_deliveries_are_read() {
    let files = [
        "multiple_gr_ech_neu_elections-information",
        "multiple_gr_ech_neu_votes-empty",
        "multiple_gr_ech_neu_votes-intermediate",
        "multiple_sg_majority-election-info-delivery_20250518",
        "multiple_sg_majority-election-result-delivery_20250518",
    ];
    let mut out = String::new();
    for file in files {
        let Some(read) = open(&format!("{ROOT}/{file}.xml")) else { return };
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        out += &format!("{}\n{}", summary(&read), problems(&read));
        for tally in &read.tallies {
            if let Some(valid) = tally.count(&Count::Valid) {
                let blank = tally.count(&Count::Other("blank-votes".into())).unwrap_or_default();
                assert_eq!(tally.votes().0 + blank.0, valid.0, "{} {}", tally.contest, tally.unit);
            }
            let parts = [Count::Valid, Count::Blank, Count::Invalid].map(|count| sum([tally], &count));
            assert_eq!(
                Some(Votes(parts.iter().sum())),
                tally.count(&Count::Cast),
                "{} {}",
                tally.contest,
                tally.unit
            );
        }
    }
    insta::assert_snapshot!(out, @"
    eCH-0252 electionInformationDelivery: 0 tallies, 0 stated, 0 events; 102 units, 2 contests, 28 lists, 122 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eCH-0252 voteBaseDelivery: 0 tallies, 0 stated, 0 events; 102 units, 8 contests, 16 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eCH-0252 voteBaseDelivery: 19 tallies, 0 stated, 0 events; 102 units, 8 contests, 19 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    eCH-0252 electionInformationDelivery: 0 tallies, 0 stated, 0 events; 13 units, 4 contests, 7 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems
    line 2: testDeliveryFlag: the delivery says that it is a test (test-delivery)
    eCH-0252 electionResultDelivery: 12 tallies, 0 stated, 0 events; 12 units, 4 contests, 11 lists, 0 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 1 problems
    line 2: testDeliveryFlag: the delivery says that it is a test (test-delivery)
    ");
}

#[test]
fn wabstic_municipalities_add_to_the_cantons_own_totals() {
    let mut out = String::new();
    for election in ["nationalratswahl-2015", "NR2019-alphanumerische_list_nr"] {
        let Some(folder) = shared(&format!("{ROOT}/canton/sg/wabstic_proporz/{election}")) else { return };
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut files: Vec<(String, Vec<u8>)> = entries
            .map(|path| (path.display().to_string(), fs::read(&path).expect("a readable file")))
            .collect();
        files.sort();
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let read = read::read_set(&files).unwrap_or_else(|error| panic!("{error}"));
        let stated = totals(&read.stated);
        let mut sums = totals(&read.tallies);
        sums.retain(|name, _| stated.contains_key(name));
        assert_eq!(sums, stated);
        for tally in &read.tallies {
            for (list, votes) in &tally.lists {
                let parts: Votes = votes.candidates.values().copied().chain(votes.list_only).sum();
                assert_eq!(Some(parts), votes.total, "list {list} in {}", tally.unit);
            }
        }
        let contest = read.draft.contests.values().next().expect("a contest");
        out += &format!(
            "{}\n{} numbers of the canton, of {} lists; {:?} {:?} {} seats, {} votes for candidates\n{}",
            summary(&read),
            stated.len(),
            read.stated[0].lists.len(),
            contest.title,
            read.draft.date,
            contest.seats,
            stated.iter().filter(|(name, _)| name.contains("candidate")).map(|(_, votes)| votes).sum::<u64>(),
            problems(&read),
        );
        for (id, list) in contest.lists.iter().take(3) {
            out += &format!(
                "  {id} {} {:?} {:?} {:?}\n",
                list.name,
                list.connection,
                list.sub_connection,
                list.candidates.get(&1)
            );
        }
    }
    insta::assert_snapshot!(out, @r#"
    WabstiC proporz: 78 tallies, 1 stated, 0 events; 79 units, 1 contests, 23 lists, 198 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    245 numbers of the canton, of 23 lists; "Erneuerungswahl des Nationalrates" Some(2015-10-18) 12 seats, 1615061 votes for candidates
      01 CVP Kanton St.Gallen, Junge CVP Some("2") Some("2.1") Some("Burkhard Andreas")
      02 FDP Kanton St.Gallen - Jungfreisinnige Some("5") None Some("Lamprecht Odilo")
      03 CVP Kanton St.Gallen, Hauptliste Some("2") Some("2.1") Some("Büchler Jakob")
    WabstiC proporz: 78 tallies, 1 stated, 0 events; 79 units, 1 contests, 6 lists, 53 candidates; rows 0 = 0 used + 0 stated + 0 ignored + 0 refused; 0 problems
    66 numbers of the canton, of 6 lists; "TEST NR-Wahl mit alphanumerischen ListenNr" Some(2018-10-20) 12 seats, 223 votes for candidates
      02a CVP Kanton St.Gallen, Hauptliste Some("1") Some("1.1") Some("Büchler Jakob")
      02b CVP Kanton St.Gallen, Junge CVP Some("1") Some("1.1") Some("Burkhard Andreas")
      05 Grünliberale (glp), Junge Grünliberale (jglp) Some("1") None Some("Betschart Yves")
    "#);
}

#[test]
fn onegov_tables_are_read_by_mapping() {
    let files = [
        "bl/internal_vote/ja-zur-guten-schule-baselland",
        "gr/internal_proporz/nationalratswahlen-2019-final",
        "zg/internal_proporz/nationalratswahlen-2015",
        "zg/internal_proporz/nationalratswahlen-2015-intermediate",
    ];
    let mut out = String::new();
    for file in files {
        let Some(read) = open(&format!("{ROOT}/canton/{file}.csv")) else { return };
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        out += &format!("{}\n{}", summary(&read), problems(&read));
        let votes: u64 = read.tallies.iter().map(|tally| tally.votes().0).sum();
        out += &format!("  {votes} votes, {} valid\n", sum(&read.tallies, &Count::Valid));
        for tally in &read.tallies {
            let accounted = tally.count(&Count::Other("accounted-votes".into()));
            assert!(accounted.is_none_or(|accounted| tally.votes() == accounted), "{}", tally.unit);
        }
    }
    insta::assert_snapshot!(out, @"
    table by mapping onegov-vote: 258 tallies, 0 stated, 0 events; 92 units, 3 contests, 6 lists, 0 candidates; rows 258 = 258 used + 0 stated + 0 ignored + 0 refused; 0 problems
      145096 votes, 0 valid
    table by mapping onegov-proporz: 106 tallies, 0 stated, 0 events; 107 units, 1 contests, 20 lists, 100 candidates; rows 10600 = 10600 used + 0 stated + 0 ignored + 0 refused; 0 problems
      58624 votes, 11774 valid
    table by mapping onegov-proporz: 11 tallies, 0 stated, 0 events; 12 units, 1 contests, 17 lists, 50 candidates; rows 550 = 550 used + 0 stated + 0 ignored + 0 refused; 0 problems
      116689 votes, 39067 valid
    table by mapping onegov-proporz: 4 tallies, 0 stated, 0 events; 5 units, 1 contests, 17 lists, 50 candidates; rows 200 = 200 used + 0 stated + 0 ignored + 0 refused; 0 problems
      50869 votes, 17038 valid
    ");
}
