//! The one table of weights: what each sign says of a client, in nats of log-odds.
//!
//! A client's score is the sum of the weights of its signs and [`Weights::base`]. Signs of one group exclude
//! each other, so that every group speaks once. `usual` is how often people show the sign where nothing
//! is known of the site yet; a site whose own people show it more often weakens it (see [`Weights::at`]).

/// What a sign is about. Groups can be silenced one at a time, for an ablation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Requests of the client within the window, beside those of clients on calm days.
    Rate,
    /// Whether pages bring along their pictures and styles.
    Completeness,
    /// Pauses between pages.
    Think,
    /// Answers "not found".
    NotFound,
    /// Random queries, which no cache has.
    CacheBust,
    /// Requests without referer.
    NoReferer,
    /// Referers that name pages of the site which the client had not asked for.
    OddReferer,
    /// Many agents for few requests.
    Agents,
    /// Whether the client, or anybody of its network, came on calm days.
    History,
    /// Requests of its /24 or /48.
    Neighbours,
    /// Data paths, with and without pages.
    Api,
    /// Paths that nobody knows.
    RarePath,
    /// Several requests that come from elsewhere, or from here, there and nowhere by turns.
    MixedReferer,
    /// The same page over minutes, without anything that belongs to it.
    Lingering,
    /// Clients with one agent that leave out what belongs to pages, far more of them than there used to be.
    Cohort,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Rate,
        Self::Completeness,
        Self::Think,
        Self::NotFound,
        Self::CacheBust,
        Self::NoReferer,
        Self::OddReferer,
        Self::Agents,
        Self::History,
        Self::Neighbours,
        Self::Api,
        Self::RarePath,
        Self::MixedReferer,
        Self::Lingering,
        Self::Cohort,
    ];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Completeness => "completeness",
            Self::Think => "think time",
            Self::NotFound => "not found",
            Self::CacheBust => "cache-bust",
            Self::NoReferer => "no referer",
            Self::OddReferer => "implausible referer",
            Self::Agents => "agent rotation",
            Self::History => "history",
            Self::Neighbours => "neighbours",
            Self::Api => "data paths",
            Self::RarePath => "unknown paths",
            Self::MixedReferer => "mixed referers",
            Self::Lingering => "lingering",
            Self::Cohort => "cohort",
        }
    }
}

macro_rules! signs {
    ($($(#[$doc:meta])* $name:ident: $group:ident, $weight:literal, $usual:literal, $text:literal;)+) => {
        /// One thing that may be seen of a client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Sign { $($(#[$doc])* $name),+ }

        impl Sign {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// What it is about.
            pub fn group(self) -> Group { match self { $(Self::$name => Group::$group),+ } }
            /// How often people show it, where nothing is known of the site.
            pub fn usual(self) -> f64 { match self { $(Self::$name => $usual),+ } }
            /// The sign in words, as in "71 % of them …".
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text),+ } }
            fn weight(self) -> f64 { match self { $(Self::$name => $weight),+ } }
        }
    };
}

signs! {
    /// Fewer requests than nine of ten clients on calm days.
    FewRequests: Rate, -0.25, 0.859, "made as few requests as most clients on calm days";
    /// More requests than 99 of 100.
    ManyRequests: Rate, 2.75, 0.011, "made more requests than 99 of 100 clients on calm days";
    /// Most pages brought their assets.
    Complete: Completeness, -0.5, 0.47, "fetched the pictures and styles of most pages";
    /// Some did.
    PartlyComplete: Completeness, -0.25, 0.02, "fetched the pictures and styles of some pages";
    /// One page without.
    BareOne: Completeness, 0.5, 0.245, "asked for one page and nothing that belongs to it";
    /// Two or three pages without.
    BareTwo: Completeness, 1.5, 0.074, "asked for two or three pages and nothing that belongs to them";
    /// Four pages or more without.
    BareFour: Completeness, 2.5, 0.023, "asked for four pages or more and nothing that belongs to them";
    /// Faster than 19 of 20 readers.
    NoPause: Think, 3.0, 0.008, "went from page to page faster than 19 of 20 readers";
    /// Faster than three of four.
    ShortPause: Think, 1.0, 0.033, "went from page to page faster than three of four readers";
    /// Faster than 19 of 20 readers, on average over many pauses: a reader is hasty now and then, and not always.
    NeverPauses: Think, 4.5, 0.002, "went through many pages, each faster than 19 of 20 readers";
    /// Faster than three of four, on average over very many pauses.
    Hurries: Think, 2.5, 0.005, "went through very many pages, each faster than three of four readers";
    /// One or two requests, not found.
    NotFoundFew: NotFound, 1.5, 0.014, "asked for what does not exist, once or twice";
    /// Three and more.
    NotFoundMany: NotFound, 1.75, 0.002, "asked for what does not exist, three times or more";
    /// A random query, once or twice.
    BustFew: CacheBust, 2.5, 0.002, "sent a random query that no cache has, once or twice";
    /// Three times and more.
    BustMany: CacheBust, 2.5, 0.002, "sent random queries that no cache has, three or more";
    /// No referer, in fewer than three requests.
    NoRefererFew: NoReferer, 0.5, 0.324, "sent no referer in one or two requests";
    /// In three and more.
    NoRefererMany: NoReferer, 1.25, 0.025, "sent no referer in three requests or more";
    /// A referer that names a page not asked for.
    OddFew: OddReferer, 1.75, 0.011, "named a page as referer that it had not asked for";
    /// Several.
    OddMany: OddReferer, 2.25, 0.005, "named pages as referers that it had not asked for, three times or more";
    /// Agents changed with most requests.
    Rotating: Agents, 3.0, 0.002, "changed its agent from request to request";
    /// The client came before.
    KnownClient: History, -1.75, 0.046, "came on calm days too";
    /// Nobody of its network did.
    NewNet: History, 1.25, 0.262, "came from networks that nobody came from on calm days";
    /// Its /24 has half a percent of all requests.
    NearSome: Neighbours, 0.25, 0.002, "share a /24 that sent half a percent of all requests";
    /// Two percent.
    NearMany: Neighbours, 0.5, 0.002, "share a /24 that sent two percent of all requests";
    /// Data paths with pages: an open tab.
    PollWithPage: Api, -2.0, 0.043, "polled data as an open page does";
    /// Data paths without a page, slowly.
    PollSlow: Api, 3.0, 0.030, "polled data without having opened a page";
    /// Data paths without a page, fast.
    PollFast: Api, 2.5, 0.002, "polled data fast without having opened a page";
    /// Paths that nobody knows, once or twice.
    RareFew: RarePath, 1.0, 0.027, "asked for paths that nobody else asks for, once or twice";
    /// More often.
    RareMany: RarePath, 0.25, 0.017, "asked for paths that nobody else asks for, three times or more";
    /// Three requests and more, nearly all as if a page elsewhere had just led there.
    OutsideMany: MixedReferer, 1.5, 0.008, "named pages elsewhere as referer, three times or more, and fetched nothing \
        that belongs to pages";
    /// Three requests and more, without referer, from elsewhere, and from pages not asked for.
    Mixture: MixedReferer, 2.0, 0.002, "changed between no referer, pages elsewhere and pages not asked for";
    /// More than two minutes without anything that belongs to pages.
    Lingers: Lingering, 1.25, 0.026, "asked over minutes and fetched nothing that belongs to pages";
    /// An agent that has eight times its share of clients.
    SharedAgent: Cohort, 2.5, 0.007, "share an agent that has eight times its usual share of clients, and fetched nothing \
        that belongs to pages";
}

/// How many signs there are.
pub(super) const SIGNS: usize = Sign::ALL.len();

/// What each sign weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Log-odds of a client that shows no sign.
    pub base: f64,
    of: [f64; SIGNS],
}

impl Default for Weights {
    fn default() -> Self {
        let mut of = [0.0; SIGNS];
        for &sign in Sign::ALL {
            of[sign as usize] = sign.weight();
        }
        Self { base: -2.25, of }
    }
}

/// People that stand behind `usual`, when a site's own figures are mixed with it.
pub(super) const USUAL_CLIENTS: f64 = 60.0;
/// A site's people may show a sign so many times as often as usual before it weakens.
pub(super) const SLACK: f64 = 2.5;
/// No sign is taken to be rarer than this among people.
const RAREST: f64 = 0.002;

impl Weights {
    /// What a sign weighs.
    pub fn of(&self, sign: Sign) -> f64 {
        self.of[sign as usize]
    }

    /// The same with one group silenced.
    #[must_use]
    pub fn without(mut self, group: Group) -> Self {
        Sign::ALL.iter().filter(|sign| sign.group() == group).for_each(|&sign| self.of[sign as usize] = 0.0);
        self
    }

    /// The same with another weight for one sign.
    #[must_use]
    pub fn with(mut self, sign: Sign, weight: f64) -> Self {
        self.of[sign as usize] = weight;
        self
    }

    /// At a site of whose `clients` on calm days so many showed each sign. Signs that people show there more
    /// often weigh less; none ever weighs more.
    #[must_use]
    pub(super) fn at(mut self, clients: f64, showed: &[f64; SIGNS]) -> Self {
        for &sign in Sign::ALL {
            let usual = sign.usual().max(RAREST);
            let here = (showed[sign as usize] + USUAL_CLIENTS * usual) / (clients + USUAL_CLIENTS);
            let weight = &mut self.of[sign as usize];
            if *weight > 0.0 {
                *weight = (*weight + (SLACK * usual / here.max(RAREST)).ln().min(0.0)).max(0.0);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_weakens_what_its_people_do_and_strengthens_nothing() {
        let mut showed = [0.0; SIGNS];
        showed[Sign::BareFour as usize] = 800.0;
        let here = Weights::default().at(1000.0, &showed);
        assert_eq!(here.of(Sign::BareFour), 0.0);
        for &sign in Sign::ALL {
            assert!(here.of(sign) <= Weights::default().of(sign));
        }
        assert_eq!(here.of(Sign::KnownClient), Weights::default().of(Sign::KnownClient));
    }

    #[test]
    fn a_group_can_be_silenced() {
        let quiet = Weights::default().without(Group::Rate);
        assert_eq!(quiet.of(Sign::ManyRequests), 0.0);
        assert_eq!(quiet.of(Sign::BareOne), 0.5);
    }
}
