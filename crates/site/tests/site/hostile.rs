//! Names, ids and amounts that somebody chose to do harm.

use site::{MAX_LATEST_BYTES, MAX_PAGE_BYTES};

use crate::support::{changed, pages, text, tree};

#[test]
fn names_are_never_markup() {
    let evil = "<script>alert(1)</script>\"'&amp;<img src=x onerror=alert(2)>\u{202e}";
    let mut night = changed(false, |text| {
        [
            "Town hall",
            "District 1",
            "Green List",
            "Ana Novak",
            "Election of the council and of the mayor",
            "The whole country",
        ]
        .iter()
        .fold(text, |text, name| text.replace(name, &format!("{name}{evil}")))
    });
    night.report("council", "d1/1", &[100, 50, 20]);
    night.report("council", "d1/1", &[101, 50, 20]);
    let tree = tree(&mut night);
    for (path, page) in pages(&tree) {
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'), "{path}");
        // The entity that the name has is text too.
        assert!(page.contains("&amp;amp;"), "{path}");
    }
    let atom = text(&tree, "amendments.atom");
    assert!(atom.contains("&lt;script") && !atom.contains("<script"));
    assert!(text(&tree, "units.csv").contains("\"Town hall<script>alert(1)</script>\"\"'&amp;"));
}

#[test]
fn ids_do_not_lead_out_of_the_tree() {
    let mut night = changed(false, |text| {
        let units = "unit ../../../etc/passwd polling-station d2 700 Passwords
unit .htaccess polling-station d2 700 Rules
unit //host/share polling-station d2 700 Share
unit C:/boot polling-station d2 700 Boot
unit D1/1 polling-station d2 700 The same letters
";
        // Units stand in the order of their ids.
        let mut lines: Vec<&str> =
            text.lines().filter(|line| line.starts_with("unit ")).chain(units.lines()).collect();
        lines.sort_by_key(|line| line.split(' ').nth(1));
        let before: String = text
            .lines()
            .take_while(|line| !line.starts_with("unit "))
            .map(|line| format!("{line}\n"))
            .collect();
        let after: String = text
            .lines()
            .skip_while(|line| !line.starts_with("merged"))
            .map(|line| format!("{line}\n"))
            .collect();
        format!("{before}{}\n{after}", lines.join("\n"))
    });
    for unit in ["../../../etc/passwd", ".htaccess", "//host/share", "C:/boot", "D1/1"] {
        let next = night.next("council", unit, &[30, 20, 10]);
        let bytes = night.signed(&next, &["c2"]);
        night.admit(&bytes);
    }
    let tree = tree(&mut night);
    let mut lower = std::collections::BTreeSet::new();
    for path in tree.keys() {
        assert!(path.split('/').all(|part| !part.is_empty() && !part.starts_with('.')), "{path}");
        assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b)), "{path}");
        assert!(lower.insert(path.to_lowercase()), "{path}");
    }
    assert!(text(&tree, "c-council/u-_d_1.1.html").contains("The same letters"));
}

#[test]
fn pages_stay_small_however_much_there_is_to_say() {
    let long = "&<&\"".repeat(60);
    let mut night = changed(false, |text| {
        let units: String =
            (0..450).map(|n| format!("unit d1/1/{n:03} polling-station d1/1 2 {n} {long}\n")).collect();
        let lists: String = (0..70)
            .map(|list| {
                let candidates: String = (1..=15).map(|n| format!("candidate {n} {n} {long}\n")).collect();
                format!("list l{list:02} {list} {long}\n{candidates}")
            })
            .collect();
        text.replace("unit d1/2 ", &format!("{units}unit d1/2 "))
            .replace("list red Red List\n", &format!("{lists}list red Red List\n"))
    });
    let mut votes = vec![7_u64; 73];
    for round in 0..9 {
        votes[0] = 50 + round;
        votes[5] = 9 * round;
        let mut next = night.next("council", "d2/1", &votes);
        next.flags = (0..40).map(|n| format!("flag-{n}").into()).collect();
        let bytes = night.signed(&next, &["c2"]);
        night.admit(&bytes);
    }
    let tree = tree(&mut night);
    let largest = pages(&tree).map(|(path, page)| (page.len(), path.to_owned())).max().expect("pages");
    assert!(largest.0 < MAX_PAGE_BYTES, "{largest:?}");
    assert!(tree.contains_key("c-council/u-d1.1_p6.html") && !tree.contains_key("c-council/u-d1.1_p7.html"));
}

#[test]
fn the_small_file_stays_small_however_many_contests_there_are() {
    let mut night = changed(false, |text| {
        let contests: String = (0..60)
            .map(|n| {
                let id = format!("{}{n:02}", "a".repeat(60));
                format!("contest {id} nation none 0 0 1 Question {n}\nlist {} Yes\n", "b".repeat(64))
            })
            .collect();
        text.replace("contest council", &format!("{contests}contest council"))
    });
    night.report("council", "d1/1", &[100, 50, 20]);
    let latest = text(&tree(&mut night), "latest.json");
    assert!(latest.len() <= MAX_LATEST_BYTES, "{latest}");
    let latest: serde_json::Value = serde_json::from_str(&latest).expect("JSON");
    assert_eq!(latest["whole"], false);
    assert_eq!(latest["counted"], 1);
}
