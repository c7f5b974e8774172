//! Which signs a client shows.

use super::gather::MINUTE;
use super::records::{Client, Did};
use super::rises::WINDOW;
use super::weights::Sign;

/// Signs of one client: at most one of each group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs(u64);

impl Signs {
    pub(super) fn add(&mut self, sign: Sign) {
        self.0 |= 1 << sign as u32;
    }

    /// Faster from page to page than nearly all readers.
    pub(super) fn is_fast(self) -> bool {
        self.has(Sign::NoPause) || self.has(Sign::NeverPauses)
    }

    pub(super) fn has(self, sign: Sign) -> bool {
        self.0 >> (sign as u32) & 1 == 1
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.iter().copied().filter(move |&sign| self.has(sign))
    }
}

/// Signs that need no knowledge of the site: kernels count how often calm clients show them.
/// `minutes` is the length of the window.
pub(super) fn plain(did: &Did, minutes: f64) -> Signs {
    let mut signs = Signs::default();
    if did.ripe > 0.0 {
        let share = did.followed / did.ripe;
        signs.add(if share >= 0.5 {
            Sign::Complete
        } else if share > 0.0 {
            Sign::PartlyComplete
        } else if did.ripe < 2.0 {
            Sign::BareOne
        } else if did.ripe < 4.0 {
            Sign::BareTwo
        } else {
            Sign::BareFour
        });
    }
    if did.not_found >= 0.5 * did.n {
        signs.add(if did.n < 3.0 { Sign::NotFoundFew } else { Sign::NotFoundMany });
    }
    if did.random >= 1.0 && did.tokens >= 0.3 * did.random.min(40.0) {
        signs.add(if did.random < 3.0 { Sign::BustFew } else { Sign::BustMany });
    }
    if did.asked > 0.0 && did.bare >= 0.5 * did.asked {
        signs.add(if did.asked < 3.0 { Sign::NoRefererFew } else { Sign::NoRefererMany });
    }
    if did.asked > 0.0 && did.odd >= 0.3 * did.asked {
        signs.add(if did.asked < 3.0 { Sign::OddFew } else { Sign::OddMany });
    }
    // Several people behind one address change agents too, but bring along what belongs to pages.
    let brings = did.ripe > 0.0 && did.followed >= 0.5 * did.ripe;
    if did.agents >= 3.0 && did.agents > 0.35 * did.n && !brings {
        signs.add(Sign::Rotating);
    }
    if did.apis > 0.0 && did.embed < 0.5 * did.asked {
        // A tab polls every few seconds at most, and its page was opened not long ago.
        if (did.pages > 0.0 || did.opened) && did.apis <= 20.0 * minutes.max(1.0) {
            signs.add(Sign::PollWithPage);
        } else {
            signs.add(if did.apis <= 6.0 * minutes { Sign::PollSlow } else { Sign::PollFast });
        }
    }
    if did.asked >= 3.0 && did.followed == 0.0 {
        if did.other >= 0.8 * did.asked {
            signs.add(Sign::OutsideMany);
        } else if did.bare > 0.0 && did.other > 0.0 && did.odd > 0.0 {
            signs.add(Sign::Mixture);
        }
    }
    if did.ripe > 0.0 && did.followed == 0.0 && did.span > 120.0 {
        signs.add(Sign::Lingers);
    }
    signs
}

/// An address of many people: several agents, each with several requests, that read pages as people do. Never
/// hard evidence, never blocked.
pub(super) fn many_people(did: &Did) -> bool {
    did.agents >= 4.0
        && did.agents <= 0.35 * did.n
        && did.assets > 0.0
        && did.followed >= 0.2 * did.ripe
        && did.ripe > 0.0
}

/// An address that several people may use: two agents or more that showed what people show, on calm days or now. It
/// may be evidence, and is never blocked: a household's second reader has done nothing.
pub(super) fn maybe_many(client: &Client) -> bool {
    client.peoples_agents.count_ones() >= 2 || many_people(&client.did)
}

/// What is known of the site before a rise, as far as signs need it.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// Requests of a client within five minutes, which 90 and 99 of 100 do not exceed.
    pub(super) n90: f64,
    pub(super) n99: f64,
    /// Pauses between pages in seconds, which 5 and 25 of 100 undercut; none where they are not known.
    pub(super) pauses: Option<(f64, f64)>,
    /// False where the recording begins too late to say who came before.
    pub(super) knows_nets: bool,
    /// False where the paths of the site are too many to remember.
    pub(super) knows_paths: bool,
    /// False where pages bring along nothing that is seen here.
    pub(super) knows_assets: bool,
}

/// All signs of a client. `rare` is its share of requests for paths that nobody knows.
pub(super) fn all(
    client: &Client,
    habits: &Habits,
    minutes: f64,
    requests: f64,
    from: i64,
    rare: f64,
) -> Signs {
    let did = &client.did;
    let mut signs = plain(did, minutes);
    let part = minutes / WINDOW as f64;
    if did.n > (habits.n99 * part).max(24.0 * part).max(3.0) {
        signs.add(Sign::ManyRequests);
    } else if did.n <= (habits.n90 * part).max(6.0 * part).max(1.0) {
        signs.add(Sign::FewRequests);
    }
    if let Some((p5, p25)) = habits.pauses
        && did.gaps > 0.0
    {
        let pause = did.ln_gap.exp();
        // The mean of many pauses lies far closer to what is usual than one pause does. Reloads of one page, which
        // people do in a hurry, are not meant.
        let through = |pauses: f64, pages: usize| {
            did.gaps >= pauses && client.slots.iter().filter(|slot| !slot.api).count() >= pages
        };
        if pause < p5 {
            signs.add(if through(6.0, 3) { Sign::NeverPauses } else { Sign::NoPause });
        } else if pause < p25 {
            signs.add(if through(12.0, 4) { Sign::Hurries } else { Sign::ShortPause });
        }
    }
    if client.seen.is_some_and(|seen| seen < from) {
        signs.add(Sign::KnownClient);
    } else if habits.knows_nets && client.key.has_net() && client.net_seen.is_none_or(|seen| seen >= from) {
        signs.add(Sign::NewNet);
    }
    if client.near_clients >= 3.0 {
        let share = client.near_n / requests.max(1.0);
        if share > 0.02 {
            signs.add(Sign::NearMany);
        } else if share > 0.005 {
            signs.add(Sign::NearSome);
        }
    }
    if habits.knows_paths && rare >= 0.3 {
        signs.add(if did.n < 3.0 { Sign::RareFew } else { Sign::RareMany });
    }
    signs
}

/// Milliseconds to minutes.
pub(super) fn minutes(from: i64, until: i64) -> f64 {
    (until - from) as f64 / MINUTE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_and_a_script_differ() {
        let reader = Did {
            n: 20.0,
            pages: 2.0,
            assets: 18.0,
            asked: 2.0,
            own: 1.0,
            other: 1.0,
            agents: 1.0,
            ..Did::default()
        };
        let signs = plain(&Did { ripe: 2.0, followed: 2.0, ..reader }, 5.0);
        assert_eq!(signs.iter().collect::<Vec<_>>(), [Sign::Complete]);
        let script =
            Did { n: 40.0, pages: 40.0, asked: 40.0, bare: 40.0, agents: 30.0, ripe: 1.0, ..Did::default() };
        let signs = plain(&script, 5.0);
        assert_eq!(signs.iter().collect::<Vec<_>>(), [Sign::BareOne, Sign::NoRefererMany, Sign::Rotating]);
    }

    #[test]
    fn an_address_of_many_people_is_known_by_its_agents() {
        let nat = Did {
            n: 100.0,
            pages: 20.0,
            assets: 80.0,
            agents: 8.0,
            ripe: 9.0,
            followed: 8.0,
            ..Did::default()
        };
        assert!(many_people(&nat));
        assert!(!many_people(&Did { assets: 0.0, followed: 0.0, ..nat }));
    }
}
