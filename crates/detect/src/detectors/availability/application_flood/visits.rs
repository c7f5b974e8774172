//! What one client did in one window, in a few hundred bytes whatever it did.

use super::gather::{Flags, NOT_FOUND, OVERLOADED, Referer, short};

/// Different pages that are kept apart; requests for more are counted together.
pub(super) const PAGES: usize = 10;
/// Different agents whose pace is kept apart.
const AGENTS: usize = 4;
/// A page brings its assets within so many milliseconds.
const FOLLOW: i64 = 10_000;
/// Pages further apart than this belong to two sittings.
const SITTING: i64 = 300_000;
/// Logs have whole seconds: a gap of none is about this long, in seconds.
const SAME_SECOND: f64 = 0.05;

/// One row, as the kernel sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) path: i64,
    pub(super) agent: i64,
    pub(super) from: i64,
    pub(super) flags: Flags,
}

/// What one client asked for of one page or data path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) path: i64,
    /// Requests, at most 4,095.
    pub(super) n: u32,
    pub(super) followed: bool,
    pub(super) api: bool,
    pub(super) not_found: bool,
    /// First and last time, while the window is open.
    pub(super) first: i64,
    pub(super) last: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Agent {
    agent: i64,
    n: u32,
    last_page: i64,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) n: u32,
    pub(super) pages: u32,
    pub(super) assets: u32,
    pub(super) apis: u32,
    pub(super) not_found: u32,
    pub(super) overloaded: u32,
    /// Requests with a random query.
    pub(super) random: u32,
    /// Requests for other than assets: in rows that tell the referer, without one, from own pages that the
    /// client had not asked for, from elsewhere, from declared embeds.
    pub(super) asked: u32,
    pub(super) bare: u32,
    pub(super) own: u32,
    pub(super) odd: u32,
    pub(super) other: u32,
    pub(super) embed: u32,
    /// The client had opened a page in the hour before.
    pub(super) opened: bool,
    /// Requests for other than assets that have a query; the first such path, and the low byte of its query.
    pub(super) queried: u32,
    pub(super) query_path: i64,
    pub(super) query_token: u32,
    /// Bits of agents and of queries, by hash, for counting distinct ones.
    pub(super) agent_bits: u64,
    pub(super) token_bits: u64,
    pub(super) gaps: u32,
    pub(super) ln_gaps: f64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) n_slots: u32,
    /// Requests for pages that have no slot.
    pub(super) beyond: u32,
    pub(super) slots: [Page; PAGES],
    n_agents: u32,
    agents: [Agent; AGENTS],
    last_asset: i64,
}

impl Visit {
    pub(super) const EMPTY: Self = Self {
        n: 0,
        pages: 0,
        assets: 0,
        apis: 0,
        not_found: 0,
        overloaded: 0,
        random: 0,
        asked: 0,
        bare: 0,
        own: 0,
        odd: 0,
        other: 0,
        embed: 0,
        opened: false,
        queried: 0,
        query_path: -1,
        query_token: 0,
        agent_bits: 0,
        token_bits: 0,
        gaps: 0,
        ln_gaps: 0.0,
        first: 0,
        last: 0,
        n_slots: 0,
        beyond: 0,
        slots: [Page { path: 0, n: 0, followed: false, api: false, not_found: false, first: 0, last: 0 };
            PAGES],
        n_agents: 0,
        agents: [Agent { agent: 0, n: 0, last_page: 0 }; AGENTS],
        last_asset: i64::MIN,
    };

    /// A window that begins; `opened` as in the field.
    pub(super) fn open(opened: bool) -> Self {
        Self { opened, ..Self::EMPTY }
    }

    /// Adds a row. `plausible`: the client asked for the page that its referer names. Gives the gap to the
    /// page before, in seconds, where there is one.
    pub(super) fn add(&mut self, row: &Row, plausible: bool) -> Option<f64> {
        let flags = row.flags;
        if self.n == 0 {
            self.first = row.time;
        }
        self.n += 1;
        self.last = row.time;
        self.not_found += u32::from(flags.status() == NOT_FOUND);
        self.overloaded += u32::from(flags.status() == OVERLOADED);
        self.agent_bits |= bit(row.agent as u64);
        let agent = self.agent(row.agent);
        if flags.is_asset() {
            self.assets += 1;
            self.last_asset = row.time;
            let slots = &mut self.slots[..self.n_slots as usize];
            for slot in slots.iter_mut() {
                slot.followed |= row.time.saturating_sub(slot.last) <= FOLLOW;
            }
            return None;
        }
        match flags.referer() {
            Referer::Unknown => {}
            Referer::None => {
                self.asked += 1;
                self.bare += 1;
            }
            Referer::Own => {
                self.asked += 1;
                self.own += 1;
                self.odd += u32::from(!plausible);
            }
            Referer::Embed => {
                self.asked += 1;
                self.embed += 1;
            }
            Referer::Other => {
                self.asked += 1;
                self.other += 1;
            }
        }
        self.slot(row);
        self.random += u32::from(flags.random());
        if flags.has_query() {
            self.queried += 1;
            self.token_bits |= bit(u64::from(flags.token()));
            if self.query_path < 0 {
                (self.query_path, self.query_token) = (row.path, flags.token());
            }
        }
        if flags.is_api() {
            self.apis += 1;
            return None;
        }
        self.pages += 1;
        let agent = &mut self.agents[agent?];
        let before = std::mem::replace(&mut agent.last_page, row.time);
        let gap = row.time.saturating_sub(before);
        if before == i64::MIN || gap >= SITTING {
            return None;
        }
        let seconds = gap as f64 / 1000.0 + SAME_SECOND;
        self.gaps += 1;
        self.ln_gaps += seconds.ln();
        Some(seconds)
    }

    fn agent(&mut self, agent: i64) -> Option<usize> {
        let n = self.n_agents as usize;
        let at = match self.agents[..n].iter().position(|known| known.agent == agent) {
            Some(at) => at,
            None if n < AGENTS => {
                self.agents[n] = Agent { agent, n: 0, last_page: i64::MIN };
                self.n_agents += 1;
                n
            }
            None => return None,
        };
        self.agents[at].n += 1;
        Some(at)
    }

    fn slot(&mut self, row: &Row) {
        let n = self.n_slots as usize;
        let at = match self.slots[..n].iter().position(|slot| slot.path == row.path) {
            Some(at) => at,
            None if n < PAGES => {
                self.slots[n] = Page { path: row.path, first: row.time, ..Page::default() };
                self.n_slots += 1;
                n
            }
            None => {
                self.beyond += 1;
                return;
            }
        };
        let slot = &mut self.slots[at];
        slot.n = (slot.n + 1).min(4095);
        slot.last = row.time;
        slot.api = row.flags.is_api();
        slot.not_found |= row.flags.status() == NOT_FOUND;
        // Rows of the same time come in no particular order.
        slot.followed |= self.last_asset == row.time;
    }

    /// A page that was asked for in this very second makes a referer plausible after all.
    pub(super) fn excuse(&mut self) {
        self.odd = self.odd.saturating_sub(1);
    }

    /// The agent of most requests, and how many they are.
    pub(super) fn agent_of_most(&self) -> (i64, u32) {
        let agents = &self.agents[..self.n_agents as usize];
        agents.iter().map(|a| (a.n, a.agent)).max().map_or((-1, 0), |(n, agent)| (agent, n))
    }

    /// About how many different agents, by linear counting in 64 bits (Whang and others, 1990).
    pub(super) fn n_agents(&self) -> f64 {
        if self.n_agents < AGENTS as u32 { f64::from(self.n_agents) } else { counted(self.agent_bits) }
    }

    /// Pages that were asked for long enough before `until` to have brought their assets, and those that did.
    pub(super) fn followed(&self, until: i64) -> (u32, u32) {
        let pages = self.slots[..self.n_slots as usize].iter().filter(|slot| !slot.api);
        let ripe = pages.filter(|slot| slot.followed || slot.first <= until.saturating_sub(FOLLOW));
        ripe.fold((0, 0), |(n, yes), slot| (n + 1, yes + u32::from(slot.followed)))
    }
}

fn bit(value: u64) -> u64 {
    1 << (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// How many distinct values set these bits.
pub(super) fn counted(bits: u64) -> f64 {
    let empty = f64::from(bits.count_zeros()).max(0.5);
    -64.0 * (empty / 64.0).ln()
}

/// Pages that a client asked for lately: a small table in place, with nothing to clear between clients.
pub(super) struct Lately {
    table: Vec<(i64, i64, u64)>,
    client: u64,
}

/// A client reads a page for at most half an hour before it follows a link.
const READING: i64 = 1_800_000;
const PLACES: usize = 1024;

impl Lately {
    pub(super) fn new() -> Self {
        Self { table: vec![(0, 0, 0); PLACES], client: 0 }
    }

    pub(super) fn next_client(&mut self) {
        self.client += 1;
    }

    fn place(page: i64) -> usize {
        ((page as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % PLACES
    }

    /// The client asks for a page.
    pub(super) fn ask(&mut self, path: i64, time: i64) {
        let page = short(path);
        self.table[Self::place(page)] = (page, time, self.client);
    }

    /// Whether it asked for the page that a referer names.
    pub(super) fn asked(&self, from: i64, time: i64) -> bool {
        let (page, when, client) = self.table[Self::place(from)];
        page == from && client == self.client && time.saturating_sub(when) <= READING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::request::Resource;

    fn row(seconds: i64, path: i64, resource: Resource) -> Row {
        let flags = Flags::of(resource.code(), 0, 200, Referer::None, 0, -1);
        Row { time: seconds * 1000, path, agent: 1, from: -1, flags }
    }

    #[test]
    fn a_reader_brings_assets_and_pauses() {
        let mut visit = Visit::EMPTY;
        for (at, path) in [(0, 1), (30, 2), (60, 3)] {
            visit.add(&row(at, path, Resource::Page), true);
            visit.add(&row(at + 1, 100, Resource::Asset), true);
        }
        assert_eq!((visit.pages, visit.assets, visit.followed(300_000)), (3, 3, (3, 3)));
        assert!(((visit.ln_gaps / 2.0).exp() - 30.05).abs() < 0.01);
    }

    #[test]
    fn an_asset_in_the_same_second_counts_in_either_order() {
        let mut visit = Visit::EMPTY;
        visit.add(&row(5, 100, Resource::Asset), true);
        visit.add(&row(5, 1, Resource::Page), true);
        assert_eq!(visit.followed(300_000), (1, 1));
    }

    #[test]
    fn distinct_values_are_counted_well_enough() {
        let texts = (0..40_u64).map(|n| traffic::Seed(1).text(&n.to_le_bytes()));
        let bits = texts.fold(0, |bits, text| bits | bit(text as u64));
        assert!((counted(bits) - 40.0).abs() < 12.0, "{}", counted(bits));
    }

    #[test]
    fn what_a_client_asked_for_is_its_own() {
        let mut lately = Lately::new();
        lately.next_client();
        lately.ask(7, 0);
        assert!(lately.asked(7, 1000) && !lately.asked(7, READING + 1) && !lately.asked(8, 0));
        lately.next_client();
        assert!(!lately.asked(7, 1000));
    }
}
