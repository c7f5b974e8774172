//! The made-up election, and what a clerk does with its page.

use results::definition::Definition;
use results::entry_page::{EntryPageError, Language, double_entry_page};
use results::returns::Return;
use results::{CentreId, ContestId, ListId};
use tlog::SignerKey;
use tlog::key::KeyKind;

use crate::browser::Browser;

/// A name that would end the script and begin another one.
pub(crate) const WICKED: &str = "</script><script>alert(1)</script><!-- \"\\ \u{2028}\u{2029}";

pub(crate) fn definition() -> Definition {
    let key = |name: &str, seed: u8| {
        SignerKey::from_seed(name, KeyKind::Ed25519, &[seed; 32]).expect("a name").verifier().to_string()
    };
    let [authority, log, north, south] =
        [("authority.example", 1), ("log.example", 2), ("north.example", 3), ("south.example", 4)]
            .map(|(name, seed)| key(name, seed));
    let text = format!(
        "scrutineer-definition v1\nelection EX2024\ntitle Example election {WICKED}\nday 2024-06-09\n\
         zone Europe/Ljubljana\ncloses 2024-06-09T17:00:00Z\nembargo none\nleast-cast 10\nfresh-for 600\nthreshold 1\n\
         authority {authority}\npolicy log {log}\npolicy quorum none\n\
         unit 01 nation - - Nation\n\
         unit 3007 municipality 01 - Vrhnika\n\
         unit 3007/005 polling-station 3007 612 School\n\
         unit 3007/007 polling-station 3007 578 Fire station Šentjur\n\
         unit 3007/901 early-voting 3007 - {WICKED}\n\
         unit 3009 municipality 01 400 Three small places\n\
         unit 3009/001 polling-station 3009 - The smallest\n\
         unit 4010 municipality 01 - Another\n\
         unit 4010/001 polling-station 4010 - Not of this centre\nmerged 3009\n\
         contest ep 01 dhondt 9 0 1 European Parliament\n\
         list 1 Red\nlist 10 {WICKED}\nlist 2 Green\nlist 3 Blue\n\
         contest local 3007 dhondt 5 0 1 Council\n\
         list 1 Red\ncandidate 1 Ana\ncandidate 2 Bor\ncandidate 10 Cene\nlist 2 Green\ncandidate 1 Dana\n\
         contest two 01 plurality 2 0 2 Two votes each\nlist ana Ana\nlist bor Bor\n\
         centre north North\nmay 3007\nmay 3009\nkey {north}\n\
         centre south South\nmay 4010\nkey {south}\n"
    );
    Definition::parse(text.as_bytes()).expect("a definition")
}

pub(crate) fn page(contest: &str) -> Result<String, EntryPageError> {
    page_in(contest, Language::English)
}

pub(crate) fn page_in(contest: &str, language: Language) -> Result<String, EntryPageError> {
    let id = |text| ContestId::new(text).expect("an id");
    double_entry_page(&definition(), &id(contest), &CentreId::new("north").expect("an id"), language)
}

/// What stands on a form: people who may vote, D, E, F, G, H, then the lists 1, 2, 3 and 10.
pub(crate) const FORM: [&str; 10] = ["578", "318", "310", "3", "5", "318", "150", "95", "45", "20"];

/// Types each number and goes to the next field.
pub(crate) fn fill(browser: &mut Browser, numbers: &[&str]) {
    for number in numbers {
        browser.keys(number);
        browser.press("Enter");
    }
}

/// Chooses station 3007/007 by its number and begins.
pub(crate) fn begin(browser: &mut Browser) {
    browser.keys("007");
    browser.press("Enter");
    assert_eq!(browser.heading(), "Station 3007/007, Fire station Šentjur.");
    browser.keys("AB");
    browser.click("Begin the first entry");
}

/// Gives the form to a second person.
pub(crate) fn hand_over(browser: &mut Browser) {
    assert_eq!(browser.heading(), "Hand the form and the keyboard to a second person.");
    browser.keys("CD");
    browser.press("Enter");
    browser.keys("3007/007");
    browser.press("Enter");
    assert_eq!(browser.heading(), "Type the paper again, from the first field.");
}

/// Both entries; the second begins with empty fields.
pub(crate) fn type_twice(browser: &mut Browser, first: &[&str], second: &[&str]) {
    begin(browser);
    fill(browser, first);
    browser.press("Enter");
    hand_over(browser);
    let left = browser.text("[...document.querySelectorAll('input')].map((input) => input.value).join('')");
    assert_eq!(left, "", "nothing of the first entry is left");
    fill(browser, second);
    browser.press("Enter");
}

/// Saves, and reads what was saved as the program that signs will.
pub(crate) fn saved(browser: &mut Browser) -> (String, Return) {
    browser.click("Save the return");
    let (name, bytes) = browser.saved();
    let shown = browser.text("document.getElementById('hash').innerText.replace(/\\s/g, '')");
    assert_eq!(shown, results::lines::hex(&tlog::hash::sha256(&bytes)), "the hash on the screen");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let read = Return::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    assert_eq!(read.to_string(), text, "byte for byte");
    (name, read)
}

/// A list's total.
pub(crate) fn total(read: &Return, list: &str) -> Option<u64> {
    read.tally.lists[&ListId::new(list).expect("an id")].total.map(|votes| votes.0)
}
