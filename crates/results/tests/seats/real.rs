//! Elections whose seats the authority published. Where the files are missing the tests say so and pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use results::ListId;
use results::definition::Method;
use results::seats::{Stability, Standing, Standings};

/// A file of the shared data as text, whatever its encoding; nothing where it is missing.
fn shared(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/results").join(name);
    if let Ok(bytes) = fs::read(path) {
        return Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    let _ = writeln!(std::io::stderr(), "skipped: shared/data/results/{name} is missing");
    None
}

/// Lists with votes and connections, and the seats that the authority published.
#[derive(Default)]
struct Published {
    lists: BTreeMap<ListId, Standing>,
    seats: BTreeMap<ListId, u32>,
}

impl Published {
    fn add(&mut self, id: &str, standing: Standing, seats: u32) {
        let id = ListId::new(id).expect("an id");
        self.seats.insert(id.clone(), seats);
        self.lists.insert(id, standing);
    }

    /// The seats of all lists together.
    fn all(&self) -> u32 {
        self.seats.values().sum()
    }

    fn standings(&self, method: Method, threshold: u32) -> Standings {
        let valid = self.lists.values().map(|each| each.votes).sum();
        Standings::new(self.all(), method, threshold, valid, self.lists.clone()).expect("standings")
    }

    /// Whether the method gives the published seats, without a tie.
    fn fits(&self, method: Method, threshold: u32) -> bool {
        let outcome = self.standings(method, threshold).allocate();
        outcome.ties.is_empty() && outcome.seats == self.seats
    }

    /// The methods that give the published seats.
    fn fitting(&self, threshold: u32) -> String {
        let fitting = Method::ALL.into_iter().filter(|&method| self.fits(method, threshold));
        fitting.map(Method::name).collect::<Vec<_>>().join(" ")
    }

    fn without_connections(&self) -> Self {
        let alone = |each: &Standing| Standing { votes: each.votes, ..Standing::default() };
        let lists = self.lists.iter().map(|(id, each)| (id.clone(), alone(each))).collect();
        Self { lists, seats: self.seats.clone() }
    }
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("a number: `{text}`"))
}

fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn slovenia() -> Option<Published> {
    shared("slovenia-ep2024/raw/rezultati.csv").map(|text| slovenian(&text))
}

fn slovenian(text: &str) -> Published {
    let mut published = Published::default();
    let rows = text.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let national = rows.filter(|row| row.len() == 5 && row[2].contains(',')).take(11);
    for row in national {
        let [id, votes, _, seats, _] = row[..] else { panic!("five fields in {row:?}") };
        published.add(id, Standing { votes: number(votes), ..Standing::default() }, number(seats));
    }
    published
}

#[test]
fn slovenia_2024_is_dhondt() {
    let Some(published) = slovenia() else { return };
    assert_eq!((published.lists.len(), published.all()), (11, 9));
    let elected = shared("slovenia-ep2024/raw/mandati.csv").expect("the file beside it");
    for (id, &seats) in &published.seats {
        let rows = elected.lines().filter(|line| line.split(';').next() == Some(id.as_str()));
        assert_eq!(rows.count(), seats as usize, "{id}");
    }
    assert!(published.fits(Method::DHondt, 0) && published.fits(Method::DHondt, 400));
    assert_eq!(published.fitting(400), "dhondt hagenbach-bischoff");
    let outcome = published.standings(Method::DHondt, 0).allocate();
    let last = outcome.last_seat.expect("a last seat");
    let line = format!(
        "{} before {}: {} to tie, {} to take",
        last.holder, last.runner_up, last.votes_to_tie, last.votes_to_take
    );
    assert_eq!(line, "107700 before 107650: 2960 to tie, 2960 to take");
    let settled = |uncovered| {
        matches!(published.standings(Method::DHondt, 0).could_change(uncovered), Stability::Settled { .. })
    };
    assert!(settled(last.votes_to_tie - 1) && !settled(last.votes_to_tie));
}

/// Every published state of the night: where the votes still missing from the final number could not move a seat, the
/// seats are those of the end.
#[test]
fn a_night_once_settled_stays_so() {
    let Some(end) = slovenia() else { return };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/results");
    let files = fs::read_dir(folder.join("slovenia-ep2024/snapshots")).expect("the folder beside it");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let total = |published: &Published| published.lists.values().map(|each| each.votes).sum::<u64>();
    let (mut settled, mut first, mut fewest_open) = (0, None, u64::MAX);
    for file in &files {
        let then = slovenian(&fs::read_to_string(file).expect("text"));
        let uncovered = total(&end).saturating_sub(total(&then));
        let valid = total(&then);
        let standings = Standings::new(9, Method::DHondt, 0, valid, then.lists).expect("standings");
        if let Stability::Settled { .. } = standings.could_change(uncovered) {
            assert_eq!(standings.allocate().seats, end.seats, "{}", file.display());
            settled += 1;
            first = first.or(Some(uncovered));
        } else {
            fewest_open = fewest_open.min(uncovered);
        }
    }
    assert_eq!((files.len(), settled, first, fewest_open), (74, 3, Some(2367), 5401));
}

/// WabstiC's export of lists; the row 99 has the votes without a party, which are no list's.
fn wabstic(folder: &str) -> Option<Published> {
    let text = shared(&format!("switzerland-ech0252/canton/sg/wabstic_proporz/{folder}/WP_Listen.csv"))?;
    let mut published = Published::default();
    for line in text.lines().skip(1) {
        let row: Vec<&str> = line.split(';').map(|field| field.trim_matches('"')).collect();
        if row[1] == "99" {
            continue;
        }
        let standing =
            Standing { votes: number(row[4]), connection: named(row[8]), sub_connection: named(row[9]) };
        published.add(row[1], standing, number(row[7]));
    }
    Some(published)
}

#[test]
fn st_gallen_2015_needs_both_levels_of_connections() {
    let Some(published) = wabstic("nationalratswahl-2015") else { return };
    assert_eq!((published.lists.len(), published.all()), (23, 12));
    assert!(published.fits(Method::HagenbachBischoff, 0));
    assert_eq!(published.fitting(0), "dhondt modified-sainte-lague hagenbach-bischoff droop-remainder");
    assert_eq!(published.without_connections().fitting(0), "");
    let outcome = published.standings(Method::HagenbachBischoff, 0).allocate();
    let last = outcome.last_seat.expect("a last seat");
    let line = format!("{} before {}: {}", last.holder, last.runner_up, last.votes_to_tie);
    assert_eq!(line, "connection 5 before connection 1: 26239");
}

#[test]
fn the_test_delivery_of_2019_has_the_published_seats() {
    // Few votes for many seats: neither the connections nor the method make a difference here.
    let every = "dhondt sainte-lague modified-sainte-lague hagenbach-bischoff hare-remainder droop-remainder";
    // A test run of the canton with 292 votes, but with seats that its program computed.
    let Some(published) = wabstic("NR2019-alphanumerische_list_nr") else { return };
    assert_eq!((published.lists.len(), published.all()), (6, 12));
    assert_eq!(published.fitting(0), every);
    assert_eq!(published.without_connections().fitting(0), every);
}

/// The cantons' files of candidates by municipality. `list_connection` is the closer connection where
/// `list_connection_parent` names the wider one.
fn onegov(name: &str) -> Option<Published> {
    let text = shared(&format!("switzerland-ech0252/canton/{name}"))?;
    let mut rows =
        text.trim_start_matches('\u{feff}').lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let at = |column: &str| header.iter().position(|each| *each == column).expect("the column");
    let (entity, id, votes) = (at("entity_id"), at("list_id"), at("list_votes"));
    let (seats, connection) = (at("list_number_of_mandates"), at("list_connection"));
    let parent = at("list_connection_parent");
    let (mut seen, mut lists) = (BTreeSet::new(), BTreeMap::new());
    for row in rows {
        if !seen.insert((row[entity].to_owned(), row[id].to_owned())) {
            continue;
        }
        let list = lists.entry(row[id].to_owned()).or_insert_with(|| {
            let (wider, closer) = match named(row[parent]) {
                Some(parent) => (Some(parent), named(row[connection])),
                None => (named(row[connection]), None),
            };
            let standing = Standing { votes: 0, connection: wider, sub_connection: closer };
            (standing, number(row[seats]))
        });
        list.0.votes += number::<u64>(row[votes]);
    }
    let mut published = Published::default();
    for (id, (standing, seats)) in lists {
        published.add(&id, standing, seats);
    }
    Some(published)
}

#[test]
fn grisons_2019_has_the_published_seats() {
    let Some(published) = onegov("gr/internal_proporz/nationalratswahlen-2019-final.csv") else { return };
    assert_eq!((published.lists.len(), published.all()), (20, 5));
    assert_eq!(published.fitting(0), "dhondt hagenbach-bischoff");
    assert_eq!(published.without_connections().fitting(0), "");
}

#[test]
fn zug_2015_has_the_published_seats() {
    for (name, fitting, without_connections) in [
        (
            "nationalratswahlen-2015.csv",
            "plurality dhondt modified-sainte-lague hagenbach-bischoff droop-remainder",
            "plurality dhondt sainte-lague modified-sainte-lague hagenbach-bischoff hare-remainder \
             droop-remainder",
        ),
        (
            "nationalratswahlen-2015-intermediate.csv",
            "plurality dhondt hagenbach-bischoff",
            "plurality sainte-lague hare-remainder droop-remainder",
        ),
    ] {
        let Some(published) = onegov(&format!("zg/internal_proporz/{name}")) else { return };
        assert_eq!((published.lists.len(), published.all()), (17, 3));
        assert_eq!(published.fitting(0), fitting, "{name}");
        assert_eq!(published.without_connections().fitting(0), without_connections, "{name}");
    }
}
