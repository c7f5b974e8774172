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
    insta::assert_snapshot!(out, @"");
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
    insta::assert_snapshot!(out, @"");
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
    insta::assert_snapshot!(out, @"");
}
