//! The table of all rules.

use super::Class;

/// A rule: what it says and who decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its code, which is also the name of its test.
    pub code: &'static str,
    /// How its findings are to be taken.
    pub class: Class,
    /// Who decides it.
    pub decided_by: DecidedBy,
    /// What is reported. Letters are those of the Dutch forms, see [`crate::Count`].
    pub reports: &'static str,
    /// How often it speaks where all is well, as measured.
    pub base_rate: Option<&'static str>,
}

/// Who decides a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// [`super::check_tally`].
    Tally,
    /// [`super::check_set`], and [`super::History`] at the moment at which it becomes so.
    Set,
    /// [`super::History`].
    History,
    /// [`super::check_sums`].
    Sums,
    /// Nobody who has only the file: it is about ticks, boxes and pages of the paper form, or about who typed it in.
    /// The text says why.
    Form(&'static str),
}

/// A rule of the table; its code must be there.
pub(super) fn find(code: &str) -> &'static Rule {
    RULES
        .iter()
        .find(|rule| rule.code == code)
        .expect("internal error: a rule raised a code that the table lacks, though a test raises every code")
}

const fn hard(code: &'static str, decided_by: DecidedBy, reports: &'static str) -> Rule {
    Rule { code, class: Class::Hard, decided_by, reports, base_rate: None }
}

const fn triage(
    code: &'static str,
    decided_by: DecidedBy,
    reports: &'static str,
    base_rate: &'static str,
) -> Rule {
    Rule { code, class: Class::Triage, decided_by, reports, base_rate: Some(base_rate) }
}

const fn form(code: &'static str, reports: &'static str, why: &'static str) -> Rule {
    Rule { code, class: Class::Hard, decided_by: DecidedBy::Form(why), reports, base_rate: None }
}

const PAGE: &str = "an answer on the paper form about how the count was done; no file of results carries it";
const TICK: &str =
    "a tick beside D and H on the paper form; the file carries D and H themselves, which F.305 to F.309 use";
const ENTRY: &str = "about a person who types a form in; the file is what came of it";

/// All rules: those of the Dutch count forms by their codes (Kiesraad, "Validatieregels en plausibiliteitschecks voor
/// invoer tellingen", documentation of Abacus), those of the control protocol of the Dutch central electoral committee,
/// and ours.
///
/// Two readings of the Dutch rules were chosen. W.203 is written there with "and", while the programs of the committee
/// use "or": here it is "or". Percentages are of H in all three of W.201 to W.203.
pub const RULES: &[Rule] = &[
    form("F.101", "one of the two questions on extra inquiry is answered, the other not", PAGE),
    form("F.102", "several answers to a question on extra inquiry", PAGE),
    form("F.111", "a question on differences with the station's own count is not answered", PAGE),
    form("F.112", "several answers to a question on differences with the station's own count", PAGE),
    form("F.121", "a question on which documents there are is not answered", PAGE),
    form("F.122", "the documents ticked do not go together", PAGE),
    form("F.131", "the first two questions on checks and corrections are not answered", PAGE),
    form("F.132", "a corrigendum, though no result is said to be corrected", PAGE),
    form("F.133", "a request of the central committee in the first session", PAGE),
    form("F.134", "several answers on whether results were corrected", PAGE),
    hard("F.201", DecidedBy::Tally, "A + B + C is not D"),
    hard("F.202", DecidedBy::Tally, "the lists' votes do not add to E (where F.204 does not speak)"),
    hard("F.203", DecidedBy::Tally, "E + F + G is not H (where F.204 does not speak)"),
    hard("F.204", DecidedBy::Tally, "lists have votes and E is 0"),
    form("F.301", "ticked that D is H, which it is not", TICK),
    form("F.302", "ticked that H is more than D, which it is not", TICK),
    form("F.303", "ticked that H is less than D, which it is not", TICK),
    form("F.304", "none or several of the three are ticked", TICK),
    hard("F.305", DecidedBy::Tally, "D is H, and I or J is not 0"),
    hard("F.306", DecidedBy::Tally, "H is more than D, and I is not H - D"),
    hard("F.307", DecidedBy::Tally, "H is more than D, and J is not 0"),
    hard("F.308", DecidedBy::Tally, "H is less than D, and J is not D - H"),
    hard("F.309", DecidedBy::Tally, "H is less than D, and I is not 0"),
    form("F.310", "none or both answers on whether a difference is explained", PAGE),
    form("F.311", "a difference is not explained, and no recount is ticked", PAGE),
    hard("F.312", DecidedBy::Tally, "D is not H - I + J, on a form of totals"),
    hard("F.401", DecidedBy::Tally, "candidates have votes and their list's total is 0"),
    hard(
        "F.402",
        DecidedBy::Tally,
        "a list's total is not the sum of its candidates and of votes for the list only",
    ),
    form(
        "F.403",
        "a list's total is not the one on the front page",
        "the paper states each list's total twice; a file states it once, so there is nothing to compare",
    ),
    form("W.001", "the second entry differs from the first", ENTRY),
    form("W.002", "fields were emptied while typing", ENTRY),
    triage(
        "W.201",
        DecidedBy::Tally,
        "F is 3 % of H or more",
        "the Dutch committee expects less than 0.1 % blank ballots; other countries have more",
    ),
    triage("W.202", DecidedBy::Tally, "G is 3 % of H or more", BASE_W202),
    triage(
        "W.203",
        DecidedBy::Tally,
        "D and H differ by 2 % of H or more, or by 15 or more",
        "none of 21 stations of a real council election (West Maas en Waal 2022)",
    ),
    triage(
        "W.204",
        DecidedBy::Tally,
        "H is 0",
        "1,481 of 4,673 records published in the Slovenian night of 2024, most of stations not yet counted",
    ),
    triage("W.205", DecidedBy::Tally, "the people who may vote are 0, on a form of totals", "not measured"),
    triage(
        "W.206",
        DecidedBy::Tally,
        "fewer people may vote than cards were handed in (A), on a form of totals",
        "not measured",
    ),
    hard("unknown-contest", DecidedBy::Tally, "the definition has no such contest"),
    hard("unknown-unit", DecidedBy::Tally, "the definition has no such unit"),
    hard("unit-not-in-contest", DecidedBy::Tally, "the unit is not below the contest's unit"),
    hard("unknown-list", DecidedBy::Tally, "the contest has no such list"),
    hard("unknown-candidate", DecidedBy::Tally, "the list has no such candidate"),
    hard(
        "turnout-bound",
        DecidedBy::Tally,
        "more ballots than people who may vote, where a register bounds them",
    ),
    hard("votes-bound", DecidedBy::Tally, "more votes than the ballots have"),
    hard("mode-sum", DecidedBy::Tally, "votes by way of voting do not add to the votes"),
    hard(
        "duplicate-vector",
        DecidedBy::Set,
        "a unit states exactly another unit's votes, and chance does not do that",
    ),
    triage(
        "moved-vector",
        DecidedBy::History,
        "a unit states what another unit stated earlier and took back",
        BASE_MOVED,
    ),
    triage(
        "returned-to-earlier",
        DecidedBy::History,
        "a unit states again what it stated before something else",
        BASE_RETURNED,
    ),
    triage("vanished", DecidedBy::History, "a count that was stated is now stated as 0", BASE_VANISHED),
    triage(
        "vanish-and-return",
        DecidedBy::History,
        "a count that was stated, and then stated as 0, is stated again",
        BASE_RETURN,
    ),
    triage("fallen-count", DecidedBy::History, "a unit's ballots or votes became fewer", BASE_FALLEN),
    triage(
        "fallen-total",
        DecidedBy::History,
        "the ballots or votes of a total became fewer",
        "the national total of Slovenia fell twice in the night of 2024, each time for a fault below it",
    ),
    hard("sum-differs", DecidedBy::Sums, "a stated total is not the sum of what is below it"),
    triage(
        "sum-eligible",
        DecidedBy::Sums,
        "a stated total of people who may vote is not the sum of what is below it",
        "usual where people may vote anywhere: their number is then stated at one station, or at each",
    ),
    triage(
        "party-share",
        DecidedBy::Set,
        "a list's share is 50 points or more from that of the other units",
        BASE_PARTY,
    ),
    triage(
        "local-deviation",
        DecidedBy::Set,
        "among the one in a thousand units least like their neighbours",
        BASE_LOCAL,
    ),
    triage(
        "switched-candidates",
        DecidedBy::Set,
        "one candidate has five times what is expected of the list's votes, another a fifth",
        "5 of 21 stations of a real council election (West Maas en Waal 2022), all plausibly candidates of the village",
    ),
    triage(
        "contest-mix-up",
        DecidedBy::Set,
        "a unit's votes in two contests stand in each other's place",
        BASE_MIXUP,
    ),
];

const BASE_W202: &str =
    "2,319 of 3,078 Slovenian stations of 2024; the Dutch committee expects 0.2 % invalid ballots";
const BASE_MOVED: &str =
    "1 in the Slovenian night of 2024 with 14 corrections of votes, and it was the trace of a mix-up";
const BASE_RETURNED: &str =
    "2 of 3,079 stations in the Slovenian night of 2024, each for a fault of one poll";
const BASE_VANISHED: &str =
    "3 of 3,079 stations in the Slovenian night of 2024, each for a fault of one poll";
const BASE_RETURN: &str = "1 of 3,079 stations in the Slovenian night of 2024, for a fault of one poll";
const BASE_FALLEN: &str = "4 of 3,079 stations in the Slovenian night of 2024, all corrections";
const BASE_PARTY: &str = "3 of 3,078 Slovenian stations of 2024; 10 of 21 in West Maas en Waal 2022, where villages have their own lists";
const BASE_LOCAL: &str =
    "one unit in a thousand by construction; of 14 corrected Slovenian results it named 1 at this level";
const BASE_MIXUP: &str =
    "none of 27 German districts (Vaterstetten 2021), nor of 200,000 units of simulated nights";
