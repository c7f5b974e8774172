//! Nights that are harder than those of the mixer: one thing at a time is taken to its end.

use exercise::web::{Label, Plan};

/// One hard case: a name, its truth, and what it changes in a plan.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) label: Label,
    pub(super) change: fn(&mut Plan),
}

/// All of them.
pub(super) const CASES: [Case; 12] = [
    Case { name: "90 % send no referer", label: Label::Crowd, change: |plan| plan.crowd.no_referer = 0.9 },
    Case {
        name: "a storm of reloads, half of the answers 499 or 503",
        label: Label::Crowd,
        change: |plan| (plan.crowd.reloading, plan.errors) = (0.7, 0.5),
    },
    Case {
        name: "pictures and styles served by others",
        label: Label::Crowd,
        change: |plan| plan.log.assets = false,
    },
    Case {
        name: "log without referers and agents",
        label: Label::Crowd,
        change: |plan| plan.log.combined = false,
    },
    Case {
        name: "half of the crowd behind a few addresses",
        label: Label::Crowd,
        change: |plan| (plan.crowd.nat, plan.crowd.nat_size) = (0.5, 100.0),
    },
    Case {
        name: "a fifth uses an app that was used before",
        label: Label::Crowd,
        change: |plan| (plan.crowd.app, plan.crowd.app_is_known) = (0.2, true),
    },
    Case {
        name: "60 % use an app that nobody used before",
        label: Label::Crowd,
        change: |plan| (plan.crowd.app, plan.crowd.app_is_known) = (0.6, false),
    },
    Case {
        name: "20 newsrooms poll every 1 to 5 s",
        label: Label::Crowd,
        change: |plan| (plan.crowd.scrapers, plan.crowd.scraper_every_s) = (20, (1.0, 5.0)),
    },
    Case {
        name: "95 % new, none from known networks",
        label: Label::Crowd,
        change: |plan| (plan.crowd.new, plan.crowd.in_known) = (0.95, 0.0),
    },
    Case {
        name: "everybody comes by a link with a token",
        label: Label::Crowd,
        change: |plan| (plan.crowd.token, plan.crowd.hot, plan.crowd.tabs) = (1.0, 0.9, 0.1),
    },
    Case {
        name: "flood, pictures and styles served by others",
        label: Label::Attack,
        change: |plan| plan.log.assets = false,
    },
    Case {
        name: "flood, log without referers and agents",
        label: Label::Attack,
        change: |plan| plan.log.combined = false,
    },
];

impl Case {
    /// The plan of a seed.
    pub(super) fn plan(&self, seed: u64) -> Plan {
        let mut plan = Plan::of(self.label, seed);
        (self.change)(&mut plan);
        plan
    }
}
