//! What all pages have in common: head, way, banner, foot, and how to check.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use results::id::{ContestId, UnitId};
use results::lines::hex;

use crate::words::{LANGUAGES, Words, fill, shown};
use crate::{Site, path};

const STYLE: &str = include_str!("style.css");

/// Nothing may be fetched and nothing may run, should a name ever slip through as markup.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The longest name that is shown whole, in characters.
pub(crate) const NAME: usize = 80;

/// A page that is small: made with fewer rows where it is too large with all that one shows. `make` is asked for a half, a
/// quarter … of the rows.
pub(crate) fn fitting(make: &dyn Fn(usize) -> String) -> String {
    let mut page = make(1);
    for part in [2, 4, 8, 16] {
        if page.len() < crate::MAX_PAGE_BYTES {
            break;
        }
        page = make(part);
    }
    page
}

/// Which page, in which language.
pub(crate) struct Page<'p> {
    pub(crate) words: &'p Words,
    /// Its place.
    pub(crate) path: String,
    pub(crate) title: String,
    /// Its places in all languages, in their order.
    pub(crate) others: Vec<String>,
    /// What stands in its main part.
    pub(crate) body: Markup,
}

impl Page<'_> {
    /// The way to another file.
    pub(crate) fn to(&self, file: &str) -> String {
        path::relative(&self.path, file)
    }

    pub(crate) fn render(&self, site: &Site<'_>) -> String {
        let (words, t) = (self.words, &self.words.t);
        let definition = &site.election().definition;
        let page = html! {
            (DOCTYPE)
            html lang=(words.code) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="referrer" content="no-referrer";
                    title { (self.title) }
                    link rel="alternate" type="application/atom+xml" href=(self.to("amendments.atom"));
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { (t.skip) }
                    header {
                        a href=(self.to(&path::home(words))) { (name(&definition.title)) }
                        nav aria-label=(t.language) {
                            a href=(self.to(&path::corrections(words))) { (t.corrections) }
                            @for (other, path) in LANGUAGES.iter().zip(&self.others) {
                                @if other.code != words.code {
                                    a href=(self.to(path)) lang=(other.code) hreflang=(other.code) { (other.name) }
                                }
                            }
                        }
                    }
                    main id="main" {
                        @if let Some((since, said)) = &site.options.notices.hold {
                            div.hold role="note" {
                                p { strong { (t.hold) } " " (shown(said, 600)) }
                                p { (fill(t.hold_since, &[&words.time(*since, &site.options.zone)])) }
                            }
                        }
                        (self.body)
                    }
                    footer {
                        @if site.is_open() { (self.data(site)) }
                        p { (fill(t.footer_source, &[&zone(site)])) }
                    }
                }
            }
        };
        page.into_string()
    }

    fn data(&self, site: &Site<'_>) -> Markup {
        let t = &self.words.t;
        let contests = site.election().definition.contests.keys();
        let mut files = vec![("units.csv".to_owned(), t.files_units.to_owned())];
        for contest in contests.take(CONTESTS_LINKED) {
            let of = if site.election().definition.contests.len() > 1 {
                format!(", {contest}")
            } else {
                String::new()
            };
            let slug = path::slug(contest.as_str());
            files.push((format!("returns-{slug}.csv"), format!("{}{of}", t.files_returns)));
            files.push((format!("state-{slug}.csv"), format!("{}{of}", t.files_state)));
        }
        files.push(("nist-err-v2.json".to_owned(), t.files_nist.to_owned()));
        files.push(("amendments.atom".to_owned(), t.files_feed.to_owned()));
        files.push(("latest.json".to_owned(), t.files_latest.to_owned()));
        files.push(("manifest.txt".to_owned(), t.files_manifest.to_owned()));
        html! {
            nav aria-label=(t.data) {
                ul { @for (file, label) in &files { li { a href=(self.to(file)) { (label) } } } }
            }
        }
    }
}

/// Contests whose tables are linked at the foot; the manifest names all.
const CONTESTS_LINKED: usize = 6;

/// The zone of the times that are shown.
pub(crate) fn zone(site: &Site<'_>) -> String {
    site.options.zone.iana_name().unwrap_or("UTC").to_owned()
}

/// Somebody else's name.
pub(crate) fn name(text: &str) -> Markup {
    html! { bdi { (shown(text, NAME)) } }
}

/// The name of a unit, or its id where it has none.
pub(crate) fn unit_name(site: &Site<'_>, unit: &UnitId) -> String {
    let name = site.election().definition.units.get(unit).map_or("", |unit| unit.name.as_str());
    shown(if name.trim().is_empty() { unit.as_str() } else { name }, NAME)
}

/// The way from the top of the contest to a unit.
pub(crate) fn way(site: &Site<'_>, words: &Words, here: &str, contest: &ContestId, unit: &UnitId) -> Markup {
    let definition = &site.election().definition;
    let above: Vec<&UnitId> = definition.upwards(unit).skip(1).collect();
    let above = above
        .into_iter()
        .rev()
        .filter(|above| site.totals.contains_key(&(contest.clone(), (*above).clone())));
    let title = &definition.contests[contest].title;
    html! {
        p.way {
            (name(title))
            @for above in above {
                " › " a href=(path::relative(here, &path::unit(words, contest, above, 0))) { bdi { (unit_name(site, above)) } }
            }
        }
    }
}

/// A bar from zero.
pub(crate) fn bar(part: u64, whole: u64) -> Markup {
    let share = u128::from(part) * 1000 / u128::from(whole.max(1));
    html! {
        svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.on width=(share) height="10" {}
        }
    }
}

/// What a reader compares, and with what.
pub(crate) fn check(site: &Site<'_>, words: &Words, rows: &Markup, arguments: &str) -> Markup {
    let t = &words.t;
    let fingerprint = hex(&site.election().fingerprint);
    let address = if site.options.address.is_empty() { t.check_place } else { &site.options.address };
    html! {
        h2 id="check" { (t.check) }
        p { (t.check_gazette) }
        dl.facts {
            dt { (t.check_fingerprint) } dd { code { (fingerprint) } }
            (rows)
        }
        p { (t.check_command) }
        pre { code { "scrutineer results verify " (address) " --fingerprint " (fingerprint) (arguments) } }
    }
}
