//! Pages as readers see them, and that only what changes is written again.

use std::collections::BTreeSet;

use jiff::tz::{Offset, TimeZone};
use site::{Cache, MAX_PAGE_BYTES, Notices, Options};

use crate::common::Night;
use crate::support::{Tree, night, pages, read_aloud, soon, text, tree, tree_with, with_site};

#[test]
fn the_tree_of_a_small_night_has_these_files() {
    let paths: Vec<String> = tree(&mut night()).into_keys().filter(|path| !path.starts_with("sl/")).collect();
    insta::assert_snapshot!(paths.join("\n"), @r"
    amendments.atom
    c-council/u-d1.1.html
    c-council/u-d1.2.html
    c-council/u-d1.early.html
    c-council/u-d1.html
    c-council/u-d1.small.html
    c-council/u-d2.1.html
    c-council/u-d2.2.html
    c-council/u-d2.html
    c-council/u-nation.html
    c-mayor/u-d1.1.html
    c-mayor/u-d1.2.html
    c-mayor/u-d1.early.html
    c-mayor/u-d1.html
    c-mayor/u-d1.small.html
    c-mayor/u-nation.html
    checkpoint
    corrections.html
    definition.txt
    entry/2.txt
    entry/3.txt
    entry/4.txt
    entry/5.txt
    entry/6.txt
    entry/7.txt
    index.html
    latest.json
    nist-err-v2.json
    proof/2.tlog-proof
    proof/3.tlog-proof
    proof/4.tlog-proof
    proof/5.tlog-proof
    proof/6.tlog-proof
    proof/7.tlog-proof
    returns-council.csv
    returns-mayor.csv
    state-council.csv
    state-mayor.csv
    tile/0/000.p/8
    tile/entries/000.p/8
    units.csv
    ");
}

#[test]
fn the_page_of_an_amended_unit_says_what_changed() {
    let zone = TimeZone::fixed(Offset::constant(1));
    let options = Options { zone, address: "https://results.example".to_owned(), ..Options::default() };
    let tree = tree_with(&mut night(), &options);
    insta::assert_snapshot!(read_aloud(&text(&tree, "c-council/u-d1.1.html")), @r"
    Council › The whole country › District 1
    Town hall: 190 votes
    Polling station d1/1
    Most votes: Green List, 100 of 190 (52.6 %).
    Statement 2, signed by c1.example at 22 Mar 2026, 20:03:00. It replaces statement 1. Reason: Typing error. (provisional)
    List Votes Share
    Green List 100 52.6 %
    Red List 70 36.8 %
    White List 20 10.5 %
    Candidates
    Candidates List Votes
    1 Ana Novak Green List 50
    2 Bo Kralj Green List 50
    Ballots and voters
    Valid ballots 190
    Blank ballots 1
    Ballots cast 191
    Turnout 21.2 %. 191 ballots cast of 900 people who may vote.
    What was amended
    Each column is one statement of the count centre, the newest on the right. Marked figures differ from the statement before.
    Statement 1 Statement 2
    Signed at 22 Mar 2026, 20:01:00 22 Mar 2026, 20:03:00
    Reason First statement Typing error
    Red List 50 *70
    Valid ballots 170 *190
    Ballots cast 171 *191
    Entry in the log 2 4
    Figures that were the same in all of them are left out: 5.
    How to check this yourself
    Compare the fingerprint with the official gazette, not with this site: a forged site shows a forged one.
    Fingerprint of the election
    88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c
    Entry in the log
    4
    Hash of the statement
    6939f5d18243d6972bdacd8399136366dbd8d4caa9d90741a62930bc54df3c31
    The signed statement
    entry/4.txt
    Proof that it is in the log
    proof/4.tlog-proof
    Anyone can verify all of it with the free program Scrutineer:
    scrutineer results verify https://results.example --fingerprint 88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c --unit d1/1 --contest council --number 'count valid'
    ");
}

#[test]
fn the_page_of_the_nation_says_what_is_counted_and_what_is_missing() {
    insta::assert_snapshot!(read_aloud(&text(&tree(&mut night()), "c-council/u-nation.html")), @r"
    Council
    The whole country: 2 of 6 units counted
    Most votes: Green List, 300 of 609 (49.3 %).
    2 of 6 units counted. Not yet counted
    List Votes Share Seats
    Green List 300 49.3 % 3
    Red List 190 31.2 % 1
    White List 119 19.5 % 1
    Seats
    5 seats, by D’Hondt. Computed from the returns that are counted; not an official allocation.
    The last seat goes to Green List. Red List would need 11 more votes to take it.
    At most 2,290 votes can still come. They can move a seat: Red List would need 10 of them.
    Ballots and voters
    Valid ballots 609
    Blank ballots 2
    Ballots cast 611
    Turnout is shown once every unit has reported.
    Not yet counted
    School (d1/2), Two hamlets (d1/small), Fire station (d2/1), Library (d2/2).
    By unit
    Unit Counted Votes Most votes
    District 1 2 of 4 609 Green List
    District 2 0 of 2 0 –
    How to check this yourself
    Compare the fingerprint with the official gazette, not with this site: a forged site shows a forged one.
    Fingerprint of the election
    88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c
    Anyone can verify all of it with the free program Scrutineer:
    scrutineer results verify ADDRESS --fingerprint 88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c --unit nation --contest council --number 'count valid'
    Sums on this page are made of the signed statements of count centres and of nothing else. Nothing is estimated.
    ");
}

#[test]
fn a_unit_whose_statement_was_taken_back_shows_no_numbers_but_those_of_its_history() {
    let page = read_aloud(&text(&tree(&mut night()), "sl/c-council/u-d2.1.html"));
    insta::assert_snapshot!(page, @r"
    Council › The whole country › District 2
    Fire station: izjava je umaknjena, številk trenutno ni
    Volišče d2/1
    Središče za štetje je svojo izjavo umaknilo 22. 3. 2026, 19:05:00 UTC. Razlog: Tu so bile številke druge enote.
    Kaj je bilo popravljeno
    Vsak stolpec je ena izjava središča za štetje, najnovejša je desno. Označene številke se razlikujejo od prejšnje izjave.
    Izjava 1 Izjava 2
    Podpisano 22. 3. 2026, 19:04:00 UTC 22. 3. 2026, 19:05:00 UTC
    Razlog Prva izjava Tu so bile številke druge enote
    Vnos v dnevniku 5 6
    Številke, ki so bile v vseh enake, so izpuščene: 8.
    Kako to preverite sami
    Prstni odtis primerjajte z uradnim listom, ne s to stranjo: ponarejena stran kaže ponarejenega.
    Prstni odtis volitev
    88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c
    Vnos v dnevniku
    6
    Zgoščena vrednost izjave
    95cbde270fdaa452749dc58173c14cdb7d88acc82b9f278a534d818d8ed918a1
    Podpisana izjava
    entry/6.txt
    Dokaz, da je v dnevniku
    proof/6.tlog-proof
    Vse lahko vsakdo preveri s prostim programom Scrutineer:
    scrutineer results verify NASLOV --fingerprint 88d738d8ef370dfaae1ac145483a4c574eea4c804a2079562bfc42fa3d9f5a5c --unit d2/1 --contest council --number 'count valid'
    ");
}

#[test]
fn a_statement_of_a_revoked_key_is_in_question() {
    let mut night = night();
    let mut change = night.change();
    let key = night.keys.signer("c1").verifier().name().to_owned();
    let revocation = results::statement::Revocation { distrust_from: 4 };
    change.revoked.insert(key, revocation);
    let bytes = night.signed(&change, &["a1", "a2"]);
    night.admit(&bytes);
    let tree = tree(&mut night);
    let page = read_aloud(&text(&tree, "c-council/u-d1.1.html"));
    assert!(page.contains("The last statement of this unit is in question"), "{page}");
    assert!(page.starts_with("Council › The whole country › District 1\nTown hall: 170 votes"), "{page}");
    assert!(text(&tree, "c-council/u-nation.html").contains("In question"));
    assert!(text(&tree, "returns-council.csv").contains(",yes,"));
}

#[test]
fn all_links_lead_to_files_of_the_tree() {
    let tree = tree(&mut night());
    let mut n_links = 0;
    for (path, page) in pages(&tree) {
        let ids: BTreeSet<&str> =
            page.split("id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for target in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            n_links += 1;
            if let Some(id) = target.strip_prefix('#') {
                assert!(ids.contains(id), "{path}: {target}");
                continue;
            }
            let file = resolved(path, target);
            assert!(tree.contains_key(&file) || file == site::manifest::PATH, "{path}: {target} is {file}");
        }
    }
    assert!(n_links > 500, "{n_links} links were followed");
}

fn resolved(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{from}: {target} leads out"),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn pages_need_no_script_and_nothing_from_elsewhere_and_are_small() {
    for (path, page) in pages(&tree(&mut night())) {
        let lower = page.to_lowercase();
        for needle in
            ["<script", "javascript:", " onload", " onclick", " src=", "@import", "url(", "<iframe", "<form"]
        {
            assert!(!lower.contains(needle), "{path} has {needle}");
        }
        assert!(page.contains("default-src 'none'"), "{path}");
        assert!(page.len() < MAX_PAGE_BYTES, "{path}: {} bytes", page.len());
        assert_eq!(page.matches("<h1>").count(), 1, "{path}");
        assert!(page.contains("<html lang=\"en\">") != path.starts_with("sl/"), "{path}");
    }
}

#[test]
fn a_hold_and_a_correction_stand_on_the_pages() {
    let notices = "scrutineer-notices v1
hold 2026-03-22T20:00:00Z District 2 is being <b>checked</b>.
correction 2026-03-22T20:10:00Z The school had shown other numbers.
";
    let notices = Notices::parse(notices).expect("notices");
    let tree = tree_with(&mut night(), &Options { notices, ..Options::default() });
    for (path, page) in pages(&tree) {
        assert!(page.contains("District 2 is being &lt;b&gt;checked&lt;/b&gt;."), "{path}");
    }
    insta::assert_snapshot!(read_aloud(&text(&tree, "corrections.html")), @r"
    Publication is on hold. District 2 is being <b>checked</b>.
    Since 22 Mar 2026, 20:00:00 UTC. What stands below was published before.
    Corrections
    Statements are never edited. A correction is a further signed statement, and the earlier one stays for all to see.
    From the election authority
    22 Mar 2026, 20:10:00 UTC The school had shown other numbers.
    Units that count centres amended, the newest first
    Unit Reason Signed at
    Fire station (d2/1) Numbers of another unit had stood here 22 Mar 2026, 19:05:00 UTC
    Town hall (d1/1) Typing error 22 Mar 2026, 19:03:00 UTC
    ");
}

/// The promise of `files_since`: whatever a reader must see at once is among them, as it is among all files.
#[test]
fn a_return_touches_its_own_pages_and_those_above_and_no_other() {
    let mut night = night();
    let before = tree(&mut night);
    let size = night.board.size();
    night.report("council", "d2/2", &[40, 30, 20]);
    night.report("council", "d1/early", &[201, 120, 99]);
    let after = tree(&mut night);
    let since: Tree = with_site(&mut night, &Options::default(), |site| {
        let files = site.files_since(size).expect("returns alone");
        files.into_iter().map(|file| (file.path.clone(), file.bytes())).collect()
    });
    let debounced: BTreeSet<String> = soon(&mut night, Cache::Debounced).into_iter().collect();
    // A proof that stood before holds still; in a tree that is made anew it is one for the new checkpoint.
    let once: BTreeSet<String> = soon(&mut night, Cache::Once).into_iter().collect();
    let stays = |path: &String| once.contains(path) && before.contains_key(path);
    let mut touched = Vec::new();
    for (path, bytes) in after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)) {
        if !debounced.contains(path) && !stays(path) {
            assert_eq!(since.get(path), Some(bytes), "{path}");
            touched.push(path.as_str());
        }
    }
    for (path, bytes) in &since {
        assert_eq!(after.get(path), Some(bytes), "{path}");
    }
    let pages: Vec<&str> =
        touched.into_iter().filter(|path| path.ends_with(".html") && !path.starts_with("sl/")).collect();
    insta::assert_snapshot!(pages.join("\n"), @r"
    c-council/u-d1.early.html
    c-council/u-d1.html
    c-council/u-d2.2.html
    c-council/u-d2.html
    c-council/u-nation.html
    index.html
    ");
}

#[test]
fn what_may_change_every_page_is_not_written_quickly() {
    let mut night = Night::under_embargo();
    let size = night.board.size();
    let release = night.release();
    let bytes = night.signed(&release, &["r1", "r2"]);
    night.admit(&bytes);
    assert!(with_site(&mut night, &Options::default(), |site| site.files_since(size).is_none()));
    assert!(with_site(&mut night, &Options::default(), |site| site.files_since(1_000).is_none()));
}
