//! From what is seen of windows to the verdict on a rise.

use std::sync::Arc;

use domain::{Timestamp, Verdict};

use crate::case::Case;

use super::block::{Blocking, blocking};
use super::clients::{Planned, plan};
use super::gather::{FROM_REQUESTS, NO_ASSET, Reader, own_site};
use super::history::History;
use super::records::{Kept, What};
use super::rises::{self, RiseRow};
use super::score::{self, Look, Setting};
use super::signs::minutes;
use super::weights::Weights;

/// Share of the excess with machine evidence: from here on an attack, from here on a mixture, below that people.
const ATTACK: f64 = 0.82;
const MIXED: f64 = 0.15;
const CROWD: f64 = 0.02;
/// Where replays are found, this part of the machines' share must be hard evidence: machines that send many requests
/// each are known one by one, and leave no replays of one page over that pass for people.
const BEYOND_DOUBT: f64 = 0.75;
/// Most of the excess.
const MOST: f64 = 0.5;
/// Share of the excess that replays with all that belongs to pages, from which on what people show says little.
const MIMICS: f64 = 0.05;
/// A window with less beyond the usual, as a part of the most that any window of the rise has, says little: its end.
const LEAST_EXCESS: f64 = 0.25;
/// No verdict of attack or mixture without so much hard evidence.
const HARD_LEAST: f64 = 0.02;

/// One window and what it says.
#[derive(Clone, Debug)]
pub struct Seen {
    /// First and last millisecond.
    pub from: Timestamp,
    /// See `from`.
    pub until: Timestamp,
    /// The verdict of this window alone.
    pub verdict: Verdict,
    /// Requests in the window.
    pub requests: f64,
    /// Requests beyond what is usual.
    pub excess: f64,
    /// Clients in it.
    pub clients: f64,
    /// Clients that were looked at one by one; the others are represented by a sample.
    pub kept: f64,
    /// Share of the excess with machine evidence.
    pub phi: f64,
    /// Share of the excess that is hard evidence.
    pub hard: f64,
    /// What could be blocked; nothing unless the verdict is attack or mixed.
    pub blocking: Option<Blocking>,
    pub(super) look: Arc<Look>,
}

impl Seen {
    /// Length of the window in seconds.
    pub fn seconds(&self) -> u64 {
        ((self.until.0 - self.from.0) / 1000).max(0) as u64
    }
}

/// One rise at one asset, with its verdict.
#[derive(Clone, Debug)]
pub struct Event {
    /// Number of the declared asset, where it is one.
    pub asset: Option<usize>,
    /// When the rise began and ended.
    pub from: Timestamp,
    /// See `from`.
    pub until: Timestamp,
    /// The verdict on all of it.
    pub verdict: Verdict,
    /// Seconds after the beginning of the rise at which this verdict was first given.
    pub decided_at_s: u64,
    /// The windows: the first minute, the first two, and then every five.
    pub windows: Vec<Seen>,
    pub(super) row: RiseRow,
    /// The window that the verdict rests on.
    pub(super) strongest: usize,
    /// Calm clients that were seen before it, and whether they are too few to know the site.
    pub(super) calm_clients: f64,
    pub(super) thin: bool,
}

impl Event {
    /// The window that the verdict rests on.
    pub fn strongest(&self) -> &Seen {
        &self.windows[self.strongest]
    }
}

/// What one window says.
fn verdict(look: &Look) -> Verdict {
    let flood = look.phi >= MIXED && look.hard >= HARD_LEAST;
    if flood && (look.mimics >= MIMICS || !look.knows_people) {
        // Who shows what people show may be a replay, or nothing of it is seen: the machines' share alone decides, and
        // between half and nearly all of the excess replays of one page only leave it open.
        match look.phi {
            phi if phi >= ATTACK => Verdict::Attack,
            phi if phi >= MOST && look.knows_people && look.hard < BEYOND_DOUBT * phi => Verdict::Unsure,
            _ => Verdict::Mixed,
        }
    } else if flood && look.people >= MIXED + look.people_off {
        Verdict::Mixed
    } else if flood && look.phi >= MOST && look.people < MIXED {
        Verdict::Attack
    } else if !flood
        && look.phi < CROWD
        && look.few.is_none()
        && (look.people >= 1.0 - MIXED || !look.knows_people)
    {
        Verdict::FlashCrowd
    } else {
        Verdict::Unsure
    }
}

/// How much a verdict asks for.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::FlashCrowd => 0,
        Verdict::Unsure => 1,
        Verdict::Mixed => 2,
        Verdict::Attack => 3,
    }
}

/// Every rise with rows, judged with these weights: for evaluations, which silence one group of signs after the
/// other. In order of asset and time.
pub fn judge_with(case: &Case<'_>, weights: &Weights) -> Vec<Event> {
    let rises = rises::read(case.tables);
    let (planned, _) = plan(&rises);
    let kept = Kept::new(case.tables);
    let reader = Arc::new(Reader::new(case.settings));
    let own = own_site(case.tables).map(|site| site & 0xfff);
    let mut events = Vec::new();
    for windows in planned.chunk_by(|a, b| a.rise == b.rise) {
        let row = &rises[windows[0].rise];
        if row.source == FROM_REQUESTS {
            events.push(event(case, &kept, row, windows, weights, &reader, own));
        }
    }
    events
}

fn event(
    case: &Case<'_>,
    kept: &Kept<'_>,
    row: &RiseRow,
    windows: &[Planned],
    weights: &Weights,
    reader: &Arc<Reader>,
    own: Option<i64>,
) -> Event {
    let history = History::of(&kept.others, row.key, windows[0].epoch);
    let mut seen = Vec::new();
    for window in windows {
        let clients = kept.clients(window.number);
        let n_kept = clients.len() as f64;
        let setting = Setting {
            from: window.from,
            minutes: minutes(window.from, window.until),
            requests: window.n as f64,
            usual: row.rise.usual.median,
            spread: row.rise.usual.spread,
            history: &history,
            site: &case.settings.site,
        };
        let look = score::look(clients, &setting, weights);
        let verdict = verdict(&look);
        let counted = kept.others.iter().filter(|r| r.what == What::Kept as i32 && r.at == window.number);
        let blocked = matches!(verdict, Verdict::Attack | Verdict::Mixed)
            .then(|| blocking(&look, &history, reader, own));
        seen.push(Seen {
            from: Timestamp(window.from),
            until: Timestamp(window.until),
            verdict,
            requests: look.requests,
            excess: look.excess,
            clients: counted.map(|record| record.words[0] as f64).sum(),
            kept: n_kept,
            phi: look.phi,
            hard: look.hard,
            blocking: blocked,
            look: Arc::new(look),
        });
    }
    for early in &mut seen {
        // A minute says little: nothing stronger than unsure, unless nearly all of it is machines.
        if early.seconds() <= 60 && early.phi < ATTACK && early.verdict == Verdict::Mixed {
            early.verdict = Verdict::Unsure;
        }
    }
    let most = seen.iter().map(|seen| seen.excess).fold(0.0, f64::max);
    let full = |seen: &Seen| seen.seconds() >= 300 && seen.excess >= LEAST_EXCESS * most;
    let first = seen.iter().position(|seen| seen.seconds() >= 300).unwrap_or(seen.len() - 1);
    let strongest = (0..seen.len())
        .filter(|&at| full(&seen[at]))
        .max_by(|&a, &b| {
            (rank(seen[a].verdict), std::cmp::Reverse(a)).cmp(&(rank(seen[b].verdict), std::cmp::Reverse(b)))
        })
        .unwrap_or(first);
    let verdict = seen[strongest].verdict;
    let start = windows[0].from;
    let decided =
        seen[..=strongest].iter().find(|early| early.verdict == verdict).unwrap_or(&seen[strongest]);
    Event {
        asset: (row.key != NO_ASSET).then_some(row.key as usize),
        from: Timestamp(start),
        until: Timestamp(row.rise.end * super::gather::MINUTE),
        verdict,
        decided_at_s: ((decided.until.0 - start) / 1000).max(0) as u64,
        strongest,
        calm_clients: history.clients,
        thin: history.is_thin(),
        windows: seen,
        row: row.clone(),
    }
}
