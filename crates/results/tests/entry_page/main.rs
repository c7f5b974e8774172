//! The double-entry page, as a clerk meets it: from a file, by the keyboard, with the errors that people make.

mod browser;
mod clerk;
mod texts;

use browser::Browser;
use clerk::{FORM, begin, definition, fill, hand_over, page, saved, total, type_twice};
use results::Count;
use results::returns::{Reason, Status};
use serde_json::json;

#[test]
fn a_form_typed_twice_becomes_the_text_of_a_return() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    type_twice(&mut browser, &FORM, &FORM);
    assert_eq!(
        browser.heading(),
        "Station 3007/007, Fire station Šentjur: both entries agree, and the numbers fit."
    );
    let (name, read) = saved(&mut browser);
    assert_eq!(name, "3007-007-r1.return.txt");
    assert_eq!(read.definition, definition().fingerprint());
    assert_eq!((read.revision, read.reason, read.status), (1, Reason::First, Status::Provisional));
    insta::assert_snapshot!(results::returns::numbers(&read.tally), @"
    count eligible=578
    count admitted=318
    count valid=310
    count blank=3
    count invalid=5
    count cast=318
    list 1=150
    list 10=20
    list 2=95
    list 3=45
    ");
    assert!(read.flags.is_empty());
    browser.click("Next station");
    assert!(browser.shown().contains("saved, revision 1"), "{}", browser.shown());
    assert_eq!(browser.errors(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(request.starts_with("\"file:") || request.starts_with("\"blob:"), "{request}");
    }
}

#[test]
fn what_two_people_type_differently_is_read_a_third_time() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    // Digits exchanged in H, a digit lost in E, and the lists 2 and 3 exchanged.
    let mut slips = FORM;
    slips[2] = "31";
    slips[5] = "381";
    slips.swap(7, 8);
    type_twice(&mut browser, &FORM, &slips);
    assert_eq!(browser.heading(), "4 fields must be read once more.");
    let shown = browser.shown();
    assert!(shown.contains("stand exchanged in the two entries"), "{shown}");
    for number in ["310", "318", "381", "150", "95", "45"] {
        assert!(!shown.contains(number), "`{number}` is hidden: {shown}");
    }
    fill(&mut browser, &["310"]);
    // Neither was right, or this is one slip more: it counts when it is typed twice.
    fill(&mut browser, &["319"]);
    assert!(browser.shown().contains("Type it once more from the paper."));
    browser.click("Go on");
    assert_eq!(browser.heading(), "4 fields must be read once more.", "nobody gets past an open field");
    fill(&mut browser, &["318"]);
    assert!(
        browser.shown().contains("Type it once more from the paper."),
        "318 is now the first word of two"
    );
    fill(&mut browser, &["318", "95", "45"]);
    browser.click("Go on");
    let (_, read) = saved(&mut browser);
    assert_eq!(
        [read.tally.count(&Count::Valid), read.tally.count(&Count::Cast)].map(|n| n.map(|n| n.0)),
        [Some(310), Some(318)]
    );
    assert_eq!([total(&read, "2"), total(&read, "3")], [Some(95), Some(45)]);
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn one_person_or_two_stations_or_an_empty_field_go_no_further() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    begin(&mut browser);
    let mut hasty = FORM;
    hasty[3] = "";
    hasty[4] = "-5a";
    fill(&mut browser, &hasty);
    browser.press("Enter");
    assert!(browser.shown().contains("Fields without a number: 1."), "{}", browser.shown());
    assert!(browser.shown().contains("F: Blank ballots"));
    browser.eval("document.querySelector('[aria-invalid=true]').focus()");
    fill(&mut browser, &["3"]);
    browser.click("End the first entry");
    browser.keys("ab");
    browser.press("Enter");
    browser.keys("005");
    browser.press("Enter");
    let shown = browser.shown();
    assert!(shown.contains("These are the initials of the first entry."), "{shown}");
    assert!(shown.contains("The first entry is of another station."), "{shown}");
    assert!(!shown.contains("3007/007"), "which one is not told: {shown}");
    assert_eq!(browser.eval("work.first['count invalid']"), json!("5"), "only digits got in");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn a_form_that_does_not_add_up_is_marked_and_not_refused() {
    let Some(mut browser) = Browser::open(&page("local").expect("a page")) else { return };
    browser.keys("007");
    browser.press("Enter");
    browser.keys("AB");
    browser.click("A correction of an earlier return");
    browser.click("Final");
    browser.eval(
        "document.getElementById('reason').value = 'recount'; \
                  document.getElementById('reason').dispatchEvent(new Event('change'))",
    );
    browser.eval("document.getElementById('supersedes').focus()");
    browser.keys(&"0A".repeat(32));
    browser.click("Fields of Dutch forms");
    for field in ["A: ", "B: ", "C: ", "I: ", "J: "] {
        browser.click(field);
    }
    browser.click("Begin the first entry");
    // Eligible, A to J (J stays empty), then list 1 with candidates 1, 2, 10 and its total, then list 2.
    let form =
        ["578", "90", "5", "4", "100", "80", "0", "4", "90", "3", "", "30", "20", "10", "61", "20", "20"];
    fill(&mut browser, &form);
    browser.press("Enter");
    hand_over(&mut browser);
    fill(&mut browser, &form);
    browser.press("Enter");
    assert_eq!(browser.heading(), "Some numbers on the form do not fit together.");
    browser.click("Go on");
    assert!(browser.shown().contains("Not answered yet"), "{}", browser.shown());
    // One number was misread by both.
    browser
        .eval("[...document.querySelectorAll('[aria-label=\"Type again: D: Voters admitted\"]')][0].click()");
    fill(&mut browser, &["99", "99"]);
    browser.click("Go on");
    let codes = browser.text("findings(tally()).map((finding) => finding.code).join(' ')");
    assert_eq!(codes, "F.202 F.203 F.308 F.309 F.402 W.202 W.203");
    for _ in codes.split(' ') {
        browser
            .eval("[...document.querySelectorAll('input[name=seen]')].find((box) => !box.checked).click()");
    }
    browser.click("Go on");
    let (name, read) = saved(&mut browser);
    assert_eq!(name, "3007-007-r2.return.txt");
    assert_eq!((read.revision, read.reason, read.status), (2, Reason::Recount, Status::Final));
    assert_eq!(read.supersedes.expect("a hash").0, [0x0a; 32]);
    assert_eq!(read.flags.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" "), codes);
    insta::assert_snapshot!(results::returns::numbers(&read.tally), @"
    count eligible=578
    count polling-cards=90
    count proxies=5
    count voter-cards=4
    count admitted=99
    count valid=80
    count blank=0
    count invalid=4
    count cast=90
    count excess=3
    list 1=61
    candidate 1=30
    candidate 2=20
    candidate 10=10
    list 2=20
    candidate 1=20
    ");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn half_typed_work_survives_a_reload_and_leaving_is_asked_about() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    begin(&mut browser);
    fill(&mut browser, &FORM[..4]);
    browser.call("Page.reload", &json!({}));
    assert_eq!(browser.wait_for("Page.javascriptDialogOpening")["type"], json!("beforeunload"));
    browser.wait_for("Page.loadEventFired");
    assert_eq!(browser.heading(), "Type what the paper says.");
    browser.eval("document.querySelectorAll('input.figure')[4].focus()");
    fill(&mut browser, &FORM[4..]);
    browser.press("Enter");
    hand_over(&mut browser);
    assert_eq!(browser.eval("Object.values(work.first)"), json!(FORM));
    // As the browser tells it where a second window begins to write.
    browser.eval("dispatchEvent(new StorageEvent('storage', { key: `${PLACE} work` }))");
    assert_eq!(browser.heading(), "This page is open in another window.");
}

#[test]
fn where_a_browser_keeps_nothing_the_page_says_so_and_works() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    let source = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })";
    browser.call("Page.addScriptToEvaluateOnNewDocument", &json!({"source": source}));
    browser.call("Page.reload", &json!({}));
    browser.wait_for("Page.loadEventFired");
    assert!(browser.shown().contains("This browser keeps nothing"), "{}", browser.shown());
    type_twice(&mut browser, &FORM, &FORM);
    saved(&mut browser);
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn nothing_gets_out_and_nothing_gets_in() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    assert_eq!(browser.errors(), Vec::<String>::new());
    browser.eval(
        "globalThis.blocked = []; \
         document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective))",
    );
    let answer = browser.text("fetch('http://192.0.2.1/').then(() => 'sent', (error) => error.name)");
    assert_eq!(answer, "TypeError");
    browser.eval(
        "new Promise((done) => { const image = new Image(); image.onerror = done; \
         image.src = 'http://192.0.2.1/x.png'; })",
    );
    browser
        .eval("document.body.append(Object.assign(document.createElement('style'), { textContent: 'a{}' }))");
    let markup = "try { document.body.innerHTML = '<b>x</b>'; 'taken' } catch (error) { error.name }";
    assert_eq!(browser.text(markup), "TypeError");
    let blocked = browser.eval("blocked");
    assert_eq!(
        blocked,
        json!(["connect-src", "img-src", "style-src-elem", "require-trusted-types-for"]),
        "each by the policy, not by the network"
    );
}

#[test]
fn the_printed_sheet_is_one_page() {
    let Some(mut browser) = Browser::open(&page("ep").expect("a page")) else { return };
    type_twice(&mut browser, &FORM, &FORM);
    let answer = browser.call("Page.printToPDF", &json!({"paperWidth": 8.27, "paperHeight": 11.69}));
    let encoded = answer["data"].as_str().expect("a PDF").as_bytes().to_vec();
    let pdf = data_encoding::BASE64.decode(&encoded).expect("Base64");
    let pages = pdf.windows(11).filter(|bytes| bytes == b"/Type /Page").count();
    let trees = pdf.windows(12).filter(|bytes| bytes == b"/Type /Pages").count();
    assert_eq!(pages - trees, 1);
}

/// What keeps people out, on a phone and a desktop, in both themes.
fn unreachable(browser: &mut Browser) -> Vec<String> {
    let mut wrong = Vec::new();
    for (width, height) in [(390, 844), (1280, 900)] {
        for theme in ["light", "dark"] {
            let screen =
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700});
            browser.call("Emulation.setDeviceMetricsOverride", &screen);
            let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
            browser.call("Emulation.setEmulatedMedia", &scheme);
            let found = browser.eval(include_str!("reachable.js"));
            for each in found.as_array().expect("an array") {
                wrong.push(format!("{} {width} {theme}: {each}", browser.heading()));
            }
        }
    }
    wrong
}

#[test]
fn every_stage_is_for_keyboard_reader_finger_and_weak_eyes() {
    let Some(mut browser) = Browser::open(&page("local").expect("a page")) else { return };
    let mut wrong = unreachable(&mut browser);
    browser.keys("007");
    browser.press("Enter");
    browser.click("A correction of an earlier return");
    browser.click("Begin the first entry");
    wrong.extend(unreachable(&mut browser));
    browser.click("The first return of this station");
    browser.eval("document.getElementById('person').focus()");
    browser.keys("AB");
    browser.click("Begin the first entry");
    browser.click("End the first entry");
    wrong.extend(unreachable(&mut browser));
    browser.eval("document.querySelector('input.figure').focus()");
    let form = ["578", "318", "310", "3", "15", "328", "30", "20", "10", "61", "20", "20"];
    fill(&mut browser, &form);
    browser.press("Enter");
    browser.click("Begin the second entry");
    wrong.extend(unreachable(&mut browser));
    browser.eval("document.getElementById('person').focus()");
    hand_over(&mut browser);
    let mut slips = form;
    slips.swap(0, 1);
    fill(&mut browser, &slips);
    browser.press("Enter");
    fill(&mut browser, &["578", "1"]);
    wrong.extend(unreachable(&mut browser));
    fill(&mut browser, &["318"]);
    fill(&mut browser, &["318"]);
    browser.click("Go on");
    browser.click("Go on");
    wrong.extend(unreachable(&mut browser));
    browser.eval("document.querySelectorAll('input[name=seen]').forEach((box) => box.click())");
    browser.click("Go on");
    browser.click("The text of the return");
    browser.click("Next station");
    wrong.extend(unreachable(&mut browser));
    assert_eq!(browser.heading(), {
        "Station 3007/007, Fire station Šentjur: both entries agree; what is strange is marked."
    });
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(browser.errors(), Vec::<String>::new());
}
