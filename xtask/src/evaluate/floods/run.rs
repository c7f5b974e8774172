//! One mix through the detector, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use detect::detectors::availability::application_flood::{By, Event, Group, Weights, judge_with};
use detect::{Case, Detector, Engine, Names, Settings};
use domain::{Finding, Verdict};
use exercise::web::{Label, Mix, Plan, Who, mix};
use traffic::{AccountNames, Address, Batch, ObjectNames, Part, Texts};

use super::super::EvaluateError;
use super::figures::{self, FIGURES};
use super::siege::{self, Siege};
use super::sites::{SEED, Site};

/// Rows to a batch.
const BATCH: usize = 65_536;
/// Memory that one run may take before it spills.
const MEMORY: usize = 2 << 30;
/// Lengths of the windows that are compared, in seconds.
pub(super) const WINDOWS_S: [u64; 3] = [60, 120, 300];

/// What came of one mix.
pub(super) struct Outcome {
    pub(super) plan: Plan,
    pub(super) site: usize,
    /// Rows of the whole log.
    pub(super) rows: usize,
    /// The verdict on the event; none where the rate did not rise beyond what is usual.
    pub(super) verdict: Option<Verdict>,
    /// Those of its windows, as [`WINDOWS_S`].
    pub(super) windows: [Option<Verdict>; 3],
    /// Share of the excess with machine evidence.
    pub(super) phi: f64,
    /// Verdicts on rises that lie before the event.
    pub(super) before: Vec<Verdict>,
    pub(super) blocked: Blocked,
    /// The verdict with each group of signs silenced, as [`Group::ALL`].
    pub(super) without: Vec<Option<Verdict>>,
    /// Share of the excess with machine evidence that each group alone sees.
    pub(super) alone: Vec<f64>,
    /// Plain figures of the event's rows.
    pub(super) figures: [f64; FIGURES.len()],
    pub(super) siege: Option<Siege>,
}

/// What a block would do within the window that the verdict rests on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blocked {
    /// Requests of the flood.
    pub(super) flood: usize,
    /// Those whose address is listed.
    pub(super) flood_by_address: usize,
    /// Those that the list or a rule blocks.
    pub(super) flood_by_any: usize,
    /// People's clients, apart from those whose address sends a part of the flood too.
    pub(super) people: usize,
    pub(super) people_by_address: usize,
    pub(super) people_by_any: usize,
    /// Clients from whose address people and the flood both send; those blocked.
    pub(super) shared: usize,
    pub(super) shared_by_any: usize,
    /// Addresses of many of which four agents or more were seen; those blocked.
    pub(super) nats: usize,
    pub(super) nats_by_any: usize,
    /// Addresses of many of which fewer were seen: no more than a household shows. Those blocked.
    pub(super) quiet_nats: usize,
    pub(super) quiet_nats_by_any: usize,
    /// Newsrooms' programs; those blocked.
    pub(super) programs: usize,
    pub(super) programs_by_any: usize,
}

/// The detector in question.
pub(super) fn detector() -> Result<&'static Detector, EvaluateError> {
    detect::catalogue::find("application-flood").ok_or_else(|| "no detector of that name".into())
}

/// An engine of one thread: seeds run side by side.
pub(super) fn engine() -> Result<Engine, EvaluateError> {
    Ok(Engine::new(1, MEMORY, Arc::new(store::TempScratch::create(None)?)))
}

/// The site on which a mix is played: the seeds take turns.
pub(super) fn site_of<'a>(sites: &'a [Site], plan: &Plan) -> (usize, &'a Site) {
    let number = (plan.seed % sites.len() as u64) as usize;
    (number, &sites[number])
}

/// Runs plans on as many threads as the machine has; outcomes are in the order of the plans.
pub(super) fn all(
    sites: &[Site],
    plans: &[Plan],
    thorough: bool,
    say: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Outcome>, EvaluateError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Outcome)>, EvaluateError> {
        let engine = engine()?;
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = plans.get(at) else { return Ok(done) };
            let (number, site) = site_of(sites, plan);
            done.push((at, one(site, number, plan, &engine, thorough)?));
            say(at + 1);
        }
    };
    let mut done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().expect("internal error: a worker ends with a result")?);
        }
        Ok::<_, EvaluateError>(all)
    })?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Events and findings of some traffic.
pub(super) struct Judged {
    pub(super) events: Vec<Event>,
    pub(super) findings: Vec<Finding>,
    /// Events with each group silenced, and with all others silenced.
    pub(super) without: Vec<Vec<Event>>,
    pub(super) alone: Vec<Vec<Event>>,
    pub(super) rows: u64,
}

/// Runs the detector as [`detect::run`] does, and keeps its tables to judge them again with other weights.
pub(super) fn judged(
    parts: Vec<Part>,
    names: &mut dyn FnMut() -> Names,
    settings: &Settings,
    engine: &Engine,
    thorough: bool,
) -> Result<Judged, EvaluateError> {
    let detector = detector()?;
    let (tables, totals) = engine.run(&[(detector.gather)(settings)], parts)?;
    let names = names();
    let case = Case { tables: &tables, totals: &totals, names: &names, settings, threads: 1 };
    let usual = Weights::default();
    let groups = if thorough { &Group::ALL[..] } else { &[] };
    let only = |group: Group| {
        Group::ALL
            .iter()
            .filter(|other| **other != group)
            .fold(usual, |weights, other| weights.without(*other))
    };
    Ok(Judged {
        events: judge_with(&case, &usual),
        findings: (detector.judge)(&case),
        without: groups.iter().map(|group| judge_with(&case, &usual.without(*group))).collect(),
        alone: groups.iter().map(|group| judge_with(&case, &only(*group))).collect(),
        rows: names.rows_read,
    })
}

/// Names of traffic that no file has.
pub(super) fn names(texts: Texts, rows: usize) -> Names {
    Names {
        accounts: AccountNames::numbers(),
        objects: ObjectNames::numbers(),
        texts,
        sources: Vec::new(),
        rows_read: rows as u64,
        rows_refused: 0,
    }
}

/// Batches as the one part of a source.
pub(super) fn part(batches: Vec<Batch>) -> Part {
    Box::new(batches.into_iter().map(Ok))
}

fn one(
    site: &Site,
    number: usize,
    plan: &Plan,
    engine: &Engine,
    thorough: bool,
) -> Result<Outcome, EvaluateError> {
    let mut mix = mix(&site.learnt, plan);
    let settings = Settings { site: mix.site(), seed: SEED, ..Settings::default() };
    let mut texts = Some(std::mem::take(&mut mix.texts));
    let rows = mix.rows.len();
    let mut names = || names(texts.take().expect("internal error: names are asked for once"), rows);
    let judged = judged(vec![part(mix.batches(BATCH))], &mut names, &settings, engine, thorough)?;
    let told = judged.findings.iter().filter(|finding| finding.verdict.is_some()).count();
    if told != judged.events.len() {
        return Err(format!("seed {}: {told} findings of {} events", plan.seed, judged.events.len()).into());
    }
    let main = event_of(&mix, &judged.events);
    let of = |events: &Vec<Event>| event_of(&mix, events).map(|event| event.verdict);
    Ok(Outcome {
        plan: *plan,
        site: number,
        rows,
        verdict: main.map(|event| event.verdict),
        windows: WINDOWS_S.map(|seconds| {
            main?.windows.iter().find(|seen| seen.seconds() == seconds).map(|seen| seen.verdict)
        }),
        phi: main.map_or(f64::NAN, |event| event.strongest().phi),
        before: judged
            .events
            .iter()
            .filter(|event| event.until.0 <= mix.onset)
            .map(|event| event.verdict)
            .collect(),
        blocked: blocked(&mix, main),
        without: judged.without.iter().map(of).collect(),
        alone: judged
            .alone
            .iter()
            .map(|events| event_of(&mix, events).map_or(0.0, |event| event.strongest().phi))
            .collect(),
        figures: figures::of(&mix),
        siege: (plan.has_flood() && thorough).then(|| siege::of(&mix)),
    })
}

/// The rise that is the event: of those that it overlaps, the one that asks for most.
fn event_of<'a>(mix: &Mix, events: &'a [Event]) -> Option<&'a Event> {
    let rank = |verdict: Verdict| match verdict {
        Verdict::FlashCrowd => 0,
        Verdict::Unsure => 1,
        Verdict::Mixed => 2,
        Verdict::Attack => 3,
    };
    let overlaps = |event: &&Event| event.until.0 > mix.onset && event.from.0 < mix.until;
    events.iter().filter(overlaps).max_by_key(|event| (rank(event.verdict), std::cmp::Reverse(event.from)))
}

fn blocked(mix: &Mix, event: Option<&Event>) -> Blocked {
    let (from, until) =
        event.map_or((mix.onset, mix.until), |event| (event.strongest().from.0, event.strongest().until.0));
    let blocking = event.and_then(|event| event.strongest().blocking.as_ref());
    let nats: BTreeSet<Address> = mix.nats.iter().map(|nat| nat.client()).collect();
    let mut blocked = Blocked::default();
    // By client: whether people, a program and the flood send from it, and whether address or rule hit people.
    let mut clients: BTreeMap<Address, Seen> = BTreeMap::new();
    for (row, who) in mix.rows.iter().zip(&mix.truth) {
        if row.time < from || row.time >= until {
            continue;
        }
        let by = blocking.and_then(|blocking| blocking.blocks(row));
        let client = mix.client(row);
        let seen = clients.entry(client).or_default();
        if *who == Who::Bot {
            blocked.flood += 1;
            blocked.flood_by_address += usize::from(by == Some(By::Address));
            blocked.flood_by_any += usize::from(by.is_some());
            seen.flood = true;
        } else {
            seen.people |= who.is_human();
            if nats.contains(&client) && !seen.agents.contains(&row.agent) {
                seen.agents.push(row.agent);
            }
            seen.program |= *who == Who::Scraper;
            seen.by_address |= by == Some(By::Address);
            seen.by_any |= by.is_some();
        }
    }
    for (client, seen) in &clients {
        let hit = usize::from(seen.by_any);
        if nats.contains(client) && seen.agents.len() >= MANY {
            blocked.nats += 1;
            blocked.nats_by_any += hit;
        } else if nats.contains(client) {
            blocked.quiet_nats += 1;
            blocked.quiet_nats_by_any += hit;
        } else if seen.people && seen.flood {
            blocked.shared += 1;
            blocked.shared_by_any += hit;
        } else if seen.people {
            blocked.people += 1;
            blocked.people_by_address += usize::from(seen.by_address);
            blocked.people_by_any += hit;
        } else if seen.program {
            blocked.programs += 1;
            blocked.programs_by_any += hit;
        }
    }
    blocked
}

/// Agents from which an address is seen to be that of many.
const MANY: usize = 4;

/// What is known of a client.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each was seen or was not, and they are independent")]
struct Seen {
    /// Distinct agents, where it is an address of many.
    agents: Vec<i64>,
    people: bool,
    program: bool,
    flood: bool,
    by_address: bool,
    by_any: bool,
}

impl Outcome {
    /// True where the flood replays visits at the pace of people.
    pub(super) fn is_smart_human(&self) -> bool {
        self.plan.has_flood() && self.plan.flood.kind == exercise::web::FloodKind::SmartHuman
    }

    /// A verdict other than unsure.
    pub(super) fn decided(verdict: Option<Verdict>) -> bool {
        matches!(verdict, Some(Verdict::Attack | Verdict::FlashCrowd | Verdict::Mixed))
    }

    /// The verdict says what the mix is.
    pub(super) fn right(&self, verdict: Option<Verdict>) -> bool {
        match verdict {
            Some(Verdict::FlashCrowd) => self.plan.label == Label::Crowd,
            Some(Verdict::Mixed) => self.plan.label == Label::Mixed,
            Some(Verdict::Attack) => self.plan.label == Label::Attack,
            Some(Verdict::Unsure) | None => false,
        }
    }

    /// The verdict says whether there is a flood.
    pub(super) fn right_on_any_flood(&self, verdict: Option<Verdict>) -> bool {
        match verdict {
            Some(Verdict::FlashCrowd) => !self.plan.has_flood(),
            Some(Verdict::Mixed | Verdict::Attack) => self.plan.has_flood(),
            Some(Verdict::Unsure) | None => false,
        }
    }

    /// People called a flood.
    pub(super) fn false_alarm(&self, verdict: Option<Verdict>) -> bool {
        !self.plan.has_flood() && matches!(verdict, Some(Verdict::Mixed | Verdict::Attack))
    }
}
