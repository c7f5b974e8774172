//! What a mix is to be made of: every figure that is drawn, in one place, with the range it is drawn from.

use crate::random::Random;

/// What a mix is, in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Nothing but the usual.
    Calm,
    /// Many people.
    Crowd,
    /// Crowd and flood at once.
    Mixed,
    /// A flood.
    Attack,
}

impl Label {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Crowd, Self::Mixed, Self::Attack];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Crowd => "crowd",
            Self::Mixed => "mixed",
            Self::Attack => "attack",
        }
    }
}

/// What a flood asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FloodKind {
    /// One URL, again and again.
    SingleUrl,
    /// Paths that do not exist, a new one each time.
    Random404,
    /// A page with a query that no cache has seen.
    CacheBust,
    /// The interface that tabs of people poll.
    Api,
    /// Real pages by turns.
    Walk,
    /// Recorded visits with all they brought along, at 2 to 20 % of their time.
    SmartFast,
    /// Recorded visits at the pace at which they were made. Nothing tells it from people by design.
    SmartHuman,
}

impl FloodKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SingleUrl,
        Self::Random404,
        Self::CacheBust,
        Self::Api,
        Self::Walk,
        Self::SmartFast,
        Self::SmartHuman,
    ];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleUrl => "single URL",
            Self::Random404 => "random 404",
            Self::CacheBust => "cache-bust",
            Self::Api => "API",
            Self::Walk => "walk",
            Self::SmartFast => "smart-fast",
            Self::SmartHuman => "smart-human",
        }
    }
}

/// Where a flood comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Many households' addresses, each for a few requests.
    ResidentialProxy,
    /// Infected hosts.
    Botnet,
    /// A few networks of rented hosts.
    Datacentre,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ResidentialProxy, Self::Botnet, Self::Datacentre];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResidentialProxy => "residential proxy",
            Self::Botnet => "botnet",
            Self::Datacentre => "datacentre",
        }
    }

    /// Requests per address within the event.
    pub fn per_address(self) -> (f64, f64) {
        match self {
            Self::ResidentialProxy => (1.2, 8.0),
            Self::Botnet => (15.0, 150.0),
            Self::Datacentre => (100.0, 600.0),
        }
    }
}

/// How an event begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ramp {
    /// All at once, and then evenly.
    Instant,
    /// More with each second.
    Linear,
    /// Ever faster, as word spreads.
    Exponential,
}

/// Which agents a flood shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotAgents {
    /// One for all.
    Fixed,
    /// Another for each request.
    Rotating,
    /// One for each host.
    PerClient,
}

/// Which referers a flood shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotReferers {
    /// None.
    None,
    /// Pages elsewhere.
    Outside,
    /// Pages of the site that the bot never asked for.
    Inside,
    /// Each of these by turns.
    Mixed,
}

/// When a bot asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Evenly.
    Regular,
    /// Evenly, give or take 30 %.
    Jittered,
    /// By chance.
    Poisson,
}

/// The usual traffic, before and during the event.
#[derive(Clone, Copy, Debug)]
pub struct BasePlan {
    /// Requests a minute, 30 to 150.
    pub per_minute: f64,
    /// Minutes of it before the onset.
    pub minutes_before: i64,
    /// Earlier days of which the same time of day is there too: none (the first day ever) in a quarter of seeds,
    /// else 2 or 3.
    pub earlier_days: i64,
    /// Minutes of each of them.
    pub day_minutes: i64,
    /// Share of visits by clients that came before.
    pub returning: f64,
    /// Share of clients with IPv6.
    pub v6: f64,
    /// Share of visits that leave a tab open which polls the results.
    pub tabs: f64,
}

/// People who come because of an event.
#[derive(Clone, Copy, Debug)]
pub struct CrowdPlan {
    /// Share of clients never seen before, 30 to 80 %.
    pub new: f64,
    /// Share of the new in /16 (IPv6: /32) networks that were seen, 40 to 95 %.
    pub in_known: f64,
    /// Share of clients behind addresses of many, 0 to 25 %.
    pub nat: f64,
    /// Share of visits that begin with the one page that everybody wants, 30 to 90 %.
    pub hot: f64,
    /// True where that page did not exist before the event.
    pub hot_is_new: bool,
    /// Share of clients that have the pictures and styles already, 0 to 35 %.
    pub cached: f64,
    /// Share of clients that send no referer, 10 to 40 %.
    pub no_referer: f64,
    /// Share of clients whose referers name pages that they did not ask for (opened in another tab, or from
    /// the browser's cache).
    pub broken_referer: f64,
    /// Share of clients that leave a tab open which polls, 0 to 50 %.
    pub tabs: f64,
    /// Share of clients that reload the page again and again, 0 to 15 %.
    pub reloading: f64,
    /// Share of clients that come with a personal token in their link, mostly 0, up to 8 %.
    pub token: f64,
    /// Share of clients that use an app: the interface alone, one agent, no referer.
    pub app: f64,
    /// True where people used the app before the event.
    pub app_is_known: bool,
    /// Newsrooms' programs that poll every few seconds.
    pub scrapers: usize,
    /// Seconds between two polls of each, from and to.
    pub scraper_every_s: (f64, f64),
    /// Clients behind one address of many, 8 to 80.
    pub nat_size: f64,
    /// How it begins.
    pub ramp: Ramp,
}

/// A flood.
#[derive(Clone, Copy, Debug)]
pub struct FloodPlan {
    /// What it asks for.
    pub kind: FloodKind,
    /// Where it comes from.
    pub source: Source,
    /// Requests of an address within the event, on average.
    pub per_address: f64,
    /// Share of addresses in networks that were seen, 20 to 80 %.
    pub in_known: f64,
    /// Share of clusters that were seen before.
    pub known_clusters: f64,
    /// Share of addresses from which somebody came before: 0 to 6 % in one half of the floods, 10 to 50 % in
    /// the other, whose owner took households of the country, or sent each host for a look first.
    pub seen_address: f64,
    /// Share of hosts with IPv6.
    pub v6: f64,
    /// Agents.
    pub agents: BotAgents,
    /// Referers.
    pub referers: BotReferers,
    /// When each asks.
    pub rhythm: Rhythm,
    /// How it begins.
    pub ramp: Ramp,
    /// Pace of replayed visits: 1 as recorded, .1 ten times as fast.
    pub pace: f64,
}

/// What is written down of it all.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one property of a log, and they are independent")]
pub struct LogPlan {
    /// False: Common Log Format, without referers and agents.
    pub combined: bool,
    /// False: pictures and styles are served by others and never seen.
    pub assets: bool,
    /// True: each row names the site's host.
    pub host: bool,
    /// True: times in milliseconds, otherwise in seconds.
    pub milliseconds: bool,
    /// True: a declared proxy stands in front, and clients are in `forwarded`.
    pub proxied: bool,
}

/// Everything of a mix that is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What all else follows from.
    pub seed: u64,
    /// The truth.
    pub label: Label,
    /// Requests within the event, as a multiple of the usual, 3 to 50, each factor as likely.
    pub load: f64,
    /// Share of the extra requests that are the flood's: 0, 1, or between .25 and .75 where both are.
    pub flood_share: f64,
    /// Seconds from the onset to the end of the log.
    pub event_s: i64,
    /// The most extra requests.
    pub most: usize,
    /// Share of requests within the event that are given up or refused (499, 503), 0 to 20 %.
    pub errors: f64,
    /// True where the calendar has the event: 70 % of crowds, 45 % of floods.
    pub declared: bool,
    /// The usual.
    pub base: BasePlan,
    /// The people, where there are some.
    pub crowd: CrowdPlan,
    /// The flood, where there is one.
    pub flood: FloodPlan,
    /// The log.
    pub log: LogPlan,
}

impl Plan {
    /// The plan of a seed: a crowd in 45 % of seeds, a flood in 33 %, both in 22 %.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let label = match random.uniform((0.0, 1.0)) {
            x if x < 0.45 => Label::Crowd,
            x if x < 0.78 => Label::Attack,
            _ => Label::Mixed,
        };
        Self::of(label, seed)
    }

    /// The plan of a seed with that truth.
    pub fn of(label: Label, seed: u64) -> Self {
        // Each part has a stream of its own, so that another figure in one of them changes no other.
        let mut random = Random::new(seed, 2);
        let declared = match label {
            Label::Calm => 0.1,
            Label::Crowd => 0.7,
            Label::Mixed | Label::Attack => 0.45,
        };
        Self {
            seed,
            label,
            load: random.log_uniform((3.0, 50.0)),
            flood_share: match label {
                Label::Calm | Label::Crowd => 0.0,
                Label::Mixed => random.uniform((0.25, 0.75)),
                Label::Attack => 1.0,
            },
            event_s: 300,
            most: 18_000,
            errors: if random.chance(0.4) { random.uniform((0.0, 0.2)) } else { 0.0 },
            declared: random.chance(declared),
            base: BasePlan::draw(&mut Random::new(seed, 3)),
            crowd: CrowdPlan::draw(&mut Random::new(seed, 4)),
            flood: FloodPlan::draw(&mut Random::new(seed, 5)),
            log: LogPlan::draw(&mut Random::new(seed, 6)),
        }
    }

    /// True where people come because of the event.
    pub fn has_crowd(&self) -> bool {
        matches!(self.label, Label::Crowd | Label::Mixed)
    }

    /// True where a flood comes.
    pub fn has_flood(&self) -> bool {
        matches!(self.label, Label::Attack | Label::Mixed)
    }
}

impl BasePlan {
    fn draw(random: &mut Random) -> Self {
        Self {
            per_minute: random.uniform((30.0, 150.0)),
            minutes_before: 180,
            earlier_days: if random.chance(0.25) { 0 } else { 2 + random.below(2) as i64 },
            day_minutes: 120,
            returning: random.uniform((0.2, 0.5)),
            v6: if random.chance(0.7) { random.uniform((0.05, 0.4)) } else { 0.0 },
            tabs: random.uniform((0.0, 0.08)),
        }
    }
}

impl CrowdPlan {
    fn draw(random: &mut Random) -> Self {
        Self {
            new: random.uniform((0.3, 0.8)),
            in_known: random.uniform((0.4, 0.95)),
            nat: random.uniform((0.0, 0.25)),
            hot: random.uniform((0.3, 0.9)),
            hot_is_new: random.chance(0.5),
            cached: random.uniform((0.0, 0.35)),
            no_referer: random.uniform((0.1, 0.4)),
            broken_referer: 0.08,
            tabs: random.uniform((0.0, 0.5)),
            reloading: random.uniform((0.0, 0.15)),
            token: if random.chance(0.2) { random.uniform((0.0, 0.08)) } else { 0.0 },
            app: if random.chance(0.25) { random.uniform((0.0, 0.2)) } else { 0.0 },
            app_is_known: random.chance(0.75),
            scrapers: if random.chance(0.4) { 1 + random.below(3) } else { 0 },
            scraper_every_s: (2.0, 30.0),
            nat_size: random.log_uniform((8.0, 80.0)),
            ramp: *random.pick(&[Ramp::Instant, Ramp::Linear, Ramp::Exponential]),
        }
    }
}

impl FloodPlan {
    fn draw(random: &mut Random) -> Self {
        let kind = *random.pick(&FloodKind::ALL);
        let source = *random.pick(&Source::ALL);
        let agents = *random.pick(&[BotAgents::Fixed, BotAgents::Rotating, BotAgents::PerClient]);
        let referers = [BotReferers::None, BotReferers::Outside, BotReferers::Inside, BotReferers::Mixed];
        let smart = matches!(kind, FloodKind::SmartFast | FloodKind::SmartHuman);
        Self {
            kind,
            source,
            per_address: random.log_uniform(source.per_address()),
            in_known: random.uniform((0.2, 0.8)),
            known_clusters: 0.5,
            seen_address: if random.chance(0.5) {
                random.uniform((0.0, 0.06))
            } else {
                random.uniform((0.1, 0.5))
            },
            v6: if source == Source::ResidentialProxy { random.uniform((0.0, 0.3)) } else { 0.0 },
            agents: if smart { BotAgents::PerClient } else { agents },
            referers: *random.pick(&referers),
            rhythm: *random.pick(&[Rhythm::Regular, Rhythm::Jittered, Rhythm::Poisson]),
            ramp: *random.pick(&[Ramp::Instant, Ramp::Linear]),
            pace: if kind == FloodKind::SmartFast { random.log_uniform((0.02, 0.2)) } else { 1.0 },
        }
    }
}

impl LogPlan {
    fn draw(random: &mut Random) -> Self {
        Self {
            combined: true,
            assets: true,
            host: random.chance(0.4),
            milliseconds: random.chance(0.2),
            proxied: random.chance(0.1),
        }
    }
}
