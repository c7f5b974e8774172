//! *Reports* more requests than is usual at a website, with a verdict: attack, flash crowd, mixed, or unsure. A flash
//! crowd is no alarm; the duty officer wants to know of it all the same.
//!
//! *Why it matters.* On election night a crowd of voters looks like an attack on every graph. Calling it one costs
//! trust, and blocking it costs voters their information; not seeing the flood inside it costs the site.
//!
//! *Needs* requests with client and time; referers, agents and pages with their pictures and styles make the verdict
//! sure. An hour of recording before the rise at least, better four weeks. Declared assets, own networks, proxies,
//! known clients, embeds and expected events are applied when findings are made. An asset is told by its host names,
//! and what an embed polls by its whole path: rows have digests of paths, so that paths below a declared one cannot be
//! told from others.
//!
//! *How.*
//!
//! 1. **Rise.** Requests a minute are held against the median and its spread at the same hour of the week, or of the
//!    day, or, with a higher bar, in the hour before (a cold start, which the finding says). Two of three minutes
//!    above the bar are a rise. A rise is an event and never a verdict, and counts without rows get none.
//! 2. **Clients.** In windows of five minutes, and early in the first and the first two, each client (IPv4 address
//!    or IPv6 /64, behind a declared proxy the forwarded one) shows signs: how many requests, whether pages bring
//!    their assets, pauses, referers that are missing or name pages that it never asked for, agents that rotate,
//!    random queries, paths that nobody knows, whether it or its network came before. Each sign has a weight in nats,
//!    all in one table; the sum is the client's log-odds. Signs that people show at this site on calm days weigh
//!    less here; none weighs more. What the log does not have, says nothing.
//! 3. **Cohorts.** Clients that share an agent with eight times its usual share of clients, and leave out what belongs
//!    to pages, have one more sign. Where many clients go from page to page faster than nearly all readers, a part
//!    of all clients replays visits, those included that show one page only. A crowd too has a page that everybody
//!    wants, so a page alone makes no cohort.
//! 4. **Window.** The part of clients that are machines is what makes the clients' mean chance equal to itself. From
//!    it follow *phi*, the share of the excess with machine evidence, and *hard*, the share that is beyond doubt
//!    client by client or because many agree; a few busy crawlers do not make it, they are named. Nor do programs that
//!    poll data and nothing else, as a new app or twenty newsrooms do, unless they show more or are very many.
//! 5. **People.** The same is asked from the other side: which share of the excess shows what people show (pages
//!    that bring something along, polls of an open page), beyond what is usual of it. Clients whose pages bring
//!    nothing along, more than 2.5 times as often as people with that kind of referer here, are hard evidence together
//!    where each alone is none.
//! 6. **Verdict.** A flood is a phi of .15 or more with hard evidence. With it, people of .15 or more are a crowd of
//!    their own, and the verdict is mixed; without, it is attack where phi is half or more. Where machines show what
//!    people show, phi decides: attack from .82 on, and unsure from a half on unless three quarters are beyond doubt. A
//!    flash crowd is a phi below .02 with .85 of the excess from people; a rise that five clients or fewer carry is
//!    none. All else is unsure. The calendar is shown and changes nothing: attackers choose the same hour.
//! 7. **What could be blocked.** Addresses whose own evidence is strong, for ten minutes, and rules over path, query,
//!    referer and agent whose requests nearly all have machine evidence. Never an address of many people (two
//!    agents that read pages as people do, then or on calm days), a declared proxy, a known client or an own network.
//!
//! *Benign causes and blind spots.* A new app or embed that polls data; newsrooms' programs; pictures that moved to
//! another host. A flood that replays people's visits at people's pace has no machine evidence, and the finding says
//! just that, never "no attack": a static copy and fair shares help then, blocking does not. A recording that begins
//! within the rise has nothing to compare it with and shows none. Weights come from mixes of recorded visits, so
//! figures of the evaluation are not field rates.
//!
//! *Memory.* Of each window every partition keeps the busiest clients and a sample of the others by seeded hash,
//! with exact totals; the finding says how many were looked at. Random paths, agents and hosts cost nothing.
//!
//! *Next step for the operator.* Take over the block list and the rules, strip random queries at the cache; for a
//! crowd serve a static copy, and block nobody.

mod block;
mod causes;
mod clients;
mod exhibit;
mod explain;
mod gather;
mod history;
mod kept;
mod records;
mod rises;
mod score;
mod signs;
mod verdict;
mod visits;
mod weights;

use domain::Finding;

use crate::case::Case;
use crate::catalogue::Detector;

pub use block::{Blocking, By, Rule, RulePath, TTL_S};
pub use gather::Referer;
pub use verdict::{Event, Seen, judge_with};
pub use weights::{Group, Sign, Weights};

/// See the module.
pub const DETECTOR: Detector = Detector {
    name: "application-flood",
    summary: "more requests than usual at a website: attack, flash crowd, both, or not to be told",
    gather: gather::gather,
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Finding> {
    let rises = rises::read(case.tables);
    let (_, left_out) = clients::plan(&rises);
    let events = judge_with(case, &Weights::default());
    let series = rises.iter().filter(|row| row.source == gather::FROM_SERIES);
    let series = series.map(|row| explain::series(case, row));
    events.iter().map(|event| explain::finding(case, event, left_out)).chain(series).collect()
}
