//! What the page holds, and the texts that it makes.

use std::collections::BTreeSet;

use results::checks::{Facts, check_tally};
use results::entry_page::{Language, double_entry_page};
use results::returns::Return;
use results::{CentreId, ContestId, Count};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::clerk::{WICKED, definition, page, page_in};

fn between<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("both are there").0
}

#[test]
fn the_page_holds_the_facts_of_one_centre_in_one_contest() {
    let page = page("ep").expect("a page");
    let facts = between(&page, "id=\"facts\">", "</script>");
    let read: Value = serde_json::from_str(facts).expect("JSON");
    assert_eq!(read["definition"], json!(results::lines::hex(&definition().fingerprint())));
    let ids = |of: &str| -> Vec<String> {
        let all = read[of].as_array().expect("an array");
        all.iter().map(|each| each["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(
        ids("units"),
        ["3007/005", "3007/007", "3007/901", "3009"],
        "those that report, of this centre"
    );
    assert_eq!(ids("lists"), ["1", "10", "2", "3"], "in the order of a return");
    assert_eq!(read["units"][2]["name"], json!(WICKED), "a name survives as it is");
    assert!(!facts.contains(['<', '\u{2028}', '\u{2029}']), "and cannot end the element or a line");
    let without = page.len() - facts.len();
    assert!(without < 60 << 10, "{without} bytes before the facts");
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    for loads in ["src=", "@import", "url(", "<link", "http:", "https:"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

/// Keys of the table of words, each with the places that it fills.
fn keys(page: &str) -> Vec<(&str, BTreeSet<char>)> {
    let table = between(page, "const WORDS = {", "\n};");
    let rows = table.lines().filter_map(|line| line.trim().strip_prefix('\'')?.split_once("': "));
    let places =
        |words: &str| words.match_indices('{').filter_map(|(at, _)| words[at + 1..].chars().next()).collect();
    rows.map(|(key, words)| (key, places(words))).collect()
}

#[test]
fn every_language_has_every_word() {
    let pages = Language::ALL.map(|language| page_in("ep", language).expect("a page"));
    let [english, others @ ..] = pages.each_ref().map(|page| keys(page));
    assert!(english.len() > 100, "{}", english.len());
    for other in others {
        assert_eq!(english, other);
    }
    for (language, page) in Language::ALL.into_iter().zip(&pages) {
        let Some(mut browser) = Browser::open(page) else { return };
        assert_eq!(browser.text("document.documentElement.lang").get(..2), Some(language.code()));
        assert_eq!(browser.errors(), Vec::<String>::new());
    }
}

#[test]
fn there_is_no_page_of_what_the_definition_does_not_know() {
    let make = |contest, centre| {
        let (contest, centre) =
            (ContestId::new(contest).expect("an id"), CentreId::new(centre).expect("an id"));
        double_entry_page(&definition(), &contest, &centre, Language::English)
            .expect_err("no page")
            .to_string()
    };
    let said = [make("mayor", "north"), make("ep", "west"), make("local", "south")];
    insta::assert_snapshot!(said.join("\n"), @"
    the definition has no contest `mayor`
    the definition has no centre `west`
    centre `south` reports no unit in contest `local`
    ");
}

#[test]
fn the_hash_on_the_screen_is_sha256_of_any_length() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    let said = browser.eval(
        "Array.from({ length: 200 }, (_, n) => sha256(Uint8Array.from({ length: n }, (_, i) => i * 7 + n)))",
    );
    let expected: Vec<String> = (0..200_usize)
        .map(|n| (0..n).map(|i| u8::try_from((i * 7 + n) % 256).expect("below 256")).collect::<Vec<u8>>())
        .map(|bytes| results::lines::hex(&tlog::hash::sha256(&bytes)))
        .collect();
    assert_eq!(said, json!(expected));
}

/// Forms of any kind with any numbers, without the keyboard: their texts.
const MANY: &str = "
    let state = 1;
    const below = (n) => { state = (state * 48271) % 2147483647; return state % n; };
    const number = () => [String(below(10)), String(below(1000)), '0', '4294967295'][below(4)];
    Array.from({ length: 300 }, () => {
        work = fresh();
        Object.assign(work, { unit: UNITS[below(UNITS.length)].id, time: below(2000000) * 1000000 + 7 });
        Object.assign(work, { correction: below(2) === 1, revision: String(2 + below(9)), supersedes: 'ab'.repeat(32) });
        work.reason = ['completion', 'typing-error', 'mix-up', 'recount', 'decision', 'reaffirmation'][below(6)];
        work.status = ['provisional', 'final'][below(2)];
        for (const key of [...COUNTS.map((count) => count.name), 'totals', 'candidates', 'only']) form[key] = below(3) > 0;
        for (const field of fields()) work.first[field.key] = field.mayBeEmpty && below(2) ? '' : number();
        return returnText();
    })";

#[test]
fn any_form_makes_one_spelling_of_a_return_and_the_flags_that_its_checks_find() {
    let definition = definition();
    let facts = Facts::new(&definition.units, &definition.contests);
    let mut all = BTreeSet::new();
    for contest in ["ep", "local", "two"] {
        let Some(mut browser) = Browser::open(&page(contest).expect("a page")) else { return };
        let texts = browser.eval(MANY);
        for text in texts.as_array().expect("an array").iter().filter_map(Value::as_str) {
            let read = Return::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
            assert_eq!(read.to_string(), text);
            let found: BTreeSet<Box<str>> =
                check_tally(&facts, &read.tally).iter().map(|finding| finding.code.into()).collect();
            let mut flags = read.flags.clone();
            // The page sees the paper's boxes: an empty one says 0 there, and nothing in a return.
            for (code, box_of) in [("F.306", Count::Excess), ("F.308", Count::Shortfall)] {
                if read.tally.count(&box_of).is_none() {
                    flags.remove(code);
                }
            }
            assert_eq!(flags, found, "{text}");
            all.extend(read.flags);
        }
    }
    let seen: Vec<&str> = all.iter().map(AsRef::as_ref).collect();
    insta::assert_snapshot!(seen.join(" "), @"
    F.201 F.202 F.203 F.204 F.305 F.306 F.307 F.308 F.309 F.312 F.401 F.402 W.201 W.202 W.203 W.204 W.205 W.206 turnout-bound votes-bound
    ");
}
