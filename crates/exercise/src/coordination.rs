//! Groups that act in step, and groups that only look so, planted into a background of shares.
//!
//! Accounts and objects are numbers; times are milliseconds. Everything depends on the seed alone.

use oorandom::Rand64;

/// One share of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Account number.
    pub account: i32,
    /// Object number.
    pub object: i64,
    /// Milliseconds since the epoch.
    pub time: i64,
}

/// What a coordinated group shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Objects of its own that nobody else shares.
    Own,
    /// Objects with an audience, at the moment of some existing share.
    Popular,
    /// Objects with an audience, within five minutes of their first share.
    Early,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Own, Self::Popular, Self::Early];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Popular => "popular",
            Self::Early => "early",
        }
    }
}

/// A coordinated group to plant.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Accounts.
    pub size: usize,
    /// Objects that the group acts on.
    pub objects: usize,
    /// Chance that one account takes part on one object.
    pub participation: f64,
    /// Each share comes uniformly within so many seconds of the group's moment.
    pub jitter_s: i64,
    /// What it shares.
    pub kind: Kind,
}

/// Shares to add, and who made them.
#[derive(Clone, Debug, Default)]
pub struct Planted {
    /// To be added to the background.
    pub shares: Vec<Share>,
    /// The accounts of the group, those that share nothing included.
    pub accounts: Vec<i32>,
}

/// A background, with what planting needs to know of it.
#[derive(Clone, Debug)]
pub struct Background {
    /// The shares.
    pub shares: Vec<Share>,
    /// Objects with at least [`POPULAR`] accounts, and where their shares lie in `by_object`.
    popular: Vec<(usize, usize)>,
    by_object: Vec<Share>,
    next_account: i32,
    next_object: i64,
}

/// Accounts from which an object counts as popular.
pub const POPULAR: usize = 20;

impl Background {
    /// Takes shares in any order.
    pub fn new(shares: Vec<Share>) -> Self {
        let mut by_object = shares.clone();
        by_object.sort_unstable_by_key(|share| (share.object, share.time, share.account));
        let mut popular = Vec::new();
        let mut start = 0;
        for run in by_object.chunk_by(|a, b| a.object == b.object) {
            let mut accounts: Vec<i32> = run.iter().map(|share| share.account).collect();
            accounts.sort_unstable();
            accounts.dedup();
            if accounts.len() >= POPULAR {
                popular.push((start, start + run.len()));
            }
            start += run.len();
        }
        let next_account = shares.iter().map(|share| share.account + 1).max().unwrap_or(0);
        let next_object = shares.iter().map(|share| share.object + 1).max().unwrap_or(0);
        Self { shares, popular, by_object, next_account, next_object }
    }

    /// Number of popular objects.
    pub fn n_popular(&self) -> usize {
        self.popular.len()
    }

    /// The same shares with accounts exchanged at random within each UTC day: nothing in it is
    /// coordinated, while objects keep their rates and accounts their activity.
    #[must_use]
    pub fn shuffled_within_days(&self, seed: u64) -> Self {
        let mut shares = self.shares.clone();
        shares.sort_unstable_by_key(|share| (share.time, share.object, share.account));
        let mut random = Rand64::new(seed.into());
        for day in shares.chunk_by_mut(|a, b| a.time.div_euclid(86_400_000) == b.time.div_euclid(86_400_000))
        {
            for at in (1..day.len()).rev() {
                let other = below(&mut random, at + 1);
                let account = day[at].account;
                day[at].account = day[other].account;
                day[other].account = account;
            }
        }
        Self::new(shares)
    }

    /// Fresh account numbers.
    fn accounts(&mut self, n: usize) -> Vec<i32> {
        let first = self.next_account;
        self.next_account += n as i32;
        (first..self.next_account).collect()
    }

    fn object(&mut self) -> i64 {
        self.next_object += 1;
        self.next_object - 1
    }

    /// Makes a coordinated group. Its accounts are new, and so are its objects where they are its
    /// own. Popular objects are drawn without repetition; where there are fewer than planned, all
    /// are taken.
    pub fn plant(&mut self, plan: &Plan, seed: u64) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(plan.size);
        let mut shares = Vec::new();
        let chosen = self.distinct_popular(plan.objects, &mut random);
        let runs: Vec<Option<(usize, usize)>> = match plan.kind {
            Kind::Own => vec![None; plan.objects],
            Kind::Popular | Kind::Early => chosen.into_iter().map(Some).collect(),
        };
        for run in runs {
            let (object, moment) = match run.map(|(from, to)| &self.by_object[from..to]) {
                None => (self.object(), self.any_time(&mut random)),
                Some(run) if plan.kind == Kind::Early => {
                    (run[0].object, run[0].time + within(&mut random, 300_000))
                }
                Some(run) => (run[0].object, run[below(&mut random, run.len())].time),
            };
            for &account in &accounts {
                if random.rand_float() < plan.participation {
                    shares.push(Share {
                        account,
                        object,
                        time: seconds(moment + within(&mut random, plan.jitter_s * 1000)),
                    });
                }
            }
        }
        Planted { shares, accounts }
    }

    fn distinct_popular(&self, n: usize, random: &mut Rand64) -> Vec<(usize, usize)> {
        let mut all = self.popular.clone();
        let n_all = all.len();
        for at in 0..n.min(n_all) {
            let other = at + below(random, n_all - at);
            all.swap(at, other);
        }
        all.truncate(n);
        all
    }

    /// The time of some existing share, so that daily rhythm is kept.
    fn any_time(&self, random: &mut Rand64) -> i64 {
        self.shares[below(random, self.shares.len())].time
    }

    /// A live event: many people, a few moments, each person at each moment with some chance, all
    /// within `spread_s` of it. Each moment has an object of its own.
    pub fn live_event(
        &mut self,
        people: usize,
        moments: usize,
        chance: f64,
        spread_s: i64,
        seed: u64,
    ) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(people);
        let start = self.any_time(&mut random);
        let mut shares = Vec::new();
        for moment in 0..moments {
            let object = self.object();
            let at = start + (moment as i64 * 600 + below(&mut random, 300) as i64) * 1000;
            for &account in &accounts {
                if random.rand_float() < chance {
                    shares.push(Share {
                        account,
                        object,
                        time: seconds(at + within(&mut random, spread_s * 1000)),
                    });
                }
            }
        }
        Planted { shares, accounts }
    }

    /// A fan club: the same popular objects, each fan at any time of the object's life.
    pub fn fan_club(&mut self, fans: usize, objects: usize, seed: u64) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(fans);
        let mut shares = Vec::new();
        for (from, to) in self.distinct_popular(objects, &mut random) {
            for &account in &accounts {
                let share = self.by_object[from + below(&mut random, to - from)];
                let time = seconds(share.time + within(&mut random, 3_600_000));
                shares.push(Share { account, object: share.object, time });
            }
        }
        Planted { shares, accounts }
    }

    /// Fans with push notifications: each shares each of some popular posts after a delay of its
    /// own, exponential with a mean of `mean_s`, counted from the post's first share.
    pub fn notified_fans(&mut self, fans: usize, objects: usize, mean_s: f64, seed: u64) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(fans);
        let mut shares = Vec::new();
        for (from, _) in self.distinct_popular(objects, &mut random) {
            let first = self.by_object[from];
            for &account in &accounts {
                let delay = -(1.0 - random.rand_float()).ln() * mean_s * 1000.0;
                shares.push(Share {
                    account,
                    object: first.object,
                    time: seconds(first.time + delay as i64),
                });
            }
        }
        Planted { shares, accounts }
    }

    /// A newsroom: a few accounts of one house, all sharing each of its articles within minutes.
    pub fn newsroom(&mut self, accounts: usize, articles: usize, spread_s: i64, seed: u64) -> Planted {
        self.plant(
            &Plan {
                size: accounts,
                objects: articles,
                participation: 1.0,
                jitter_s: spread_s,
                kind: Kind::Own,
            },
            seed,
        )
    }

    /// A syndication network: every account posts every item in the same second.
    pub fn syndication(&mut self, accounts: usize, items: usize, seed: u64) -> Planted {
        self.plant(
            &Plan { size: accounts, objects: items, participation: 1.0, jitter_s: 0, kind: Kind::Own },
            seed,
        )
    }

    /// Scheduling tools: accounts that post popular objects, each on its own choice, always on the
    /// quarter hour.
    pub fn schedulers(&mut self, accounts: usize, objects: usize, seed: u64) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(accounts);
        let pool = self.distinct_popular(objects * 3, &mut random);
        let mut shares = Vec::new();
        for &account in &accounts {
            for _ in 0..objects {
                let (from, to) = pool[below(&mut random, pool.len())];
                let share = self.by_object[from + below(&mut random, to - from)];
                let quarter = 900_000;
                let time = share.time.div_euclid(quarter) * quarter + quarter;
                shares.push(Share { account, object: share.object, time });
            }
        }
        Planted { shares, accounts }
    }

    /// Aggregators: each shares a large part of everything, at a time of the object's life.
    pub fn aggregators(&mut self, accounts: usize, part: f64, seed: u64) -> Planted {
        let mut random = Rand64::new(seed.into());
        let accounts = self.accounts(accounts);
        let mut shares = Vec::new();
        let mut start = 0;
        for run in self.by_object.chunk_by(|a, b| a.object == b.object) {
            for &account in &accounts {
                if random.rand_float() < part {
                    let share = run[below(&mut random, run.len())];
                    let time = seconds(share.time + within(&mut random, 600_000));
                    shares.push(Share { account, object: share.object, time });
                }
            }
            start += run.len();
        }
        debug_assert_eq!(start, self.by_object.len());
        Planted { shares, accounts }
    }
}

fn below(random: &mut Rand64, n: usize) -> usize {
    random.rand_range(0..n as u64) as usize
}

/// Uniform in 0..=span.
fn within(random: &mut Rand64, span: i64) -> i64 {
    random.rand_range(0..span as u64 + 1) as i64
}

/// Whole seconds, as platforms give them.
fn seconds(time: i64) -> i64 {
    time.div_euclid(1000) * 1000
}
