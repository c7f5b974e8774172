//! Every key of `scrutineer.toml`, in one table. The check follows it, and the reference page is
//! written from it, so that neither can know a key that the other does not.

/// What a key's value must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Words for people.
    Text,
    /// A short name that nothing else in the file bears: letters, digits, `-`, `_` and `.`.
    Id,
    /// The id of an asset of this file.
    AssetId,
    /// A list of addresses and networks.
    Prefixes,
    /// A list of host names.
    Hosts,
    /// A list of whole paths of a web site.
    Paths,
    /// A time with its zone.
    Time,
    /// A file, looked for from the folder of the configuration.
    File,
    /// One section.
    Section(&'static Section),
    /// Any number of sections.
    Sections(&'static Section),
}

impl Kind {
    /// What a person writes there.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Id => "short name of letters, digits, `-`, `_` and `.`",
            Self::AssetId => "`id` of an asset in this file",
            Self::Prefixes => "list of addresses and networks",
            Self::Hosts => "list of host names",
            Self::Paths => "list of paths, each whole and without a query",
            Self::Time => "date and time with its zone",
            Self::File => "file, from the folder of this configuration",
            Self::Section(_) => "section",
            Self::Sections(_) => "section, any number of times",
        }
    }
}

/// One key.
#[derive(Debug)]
pub(crate) struct Key {
    /// As it is written.
    pub(crate) name: &'static str,
    /// What its value must be.
    pub(crate) kind: Kind,
    /// False where it may be left out.
    pub(crate) needed: bool,
    /// What it does, as sentences.
    pub(crate) about: &'static str,
    /// A value, as it is written. Empty for sections.
    pub(crate) example: &'static str,
}

/// Keys that stand together.
#[derive(Debug)]
pub(crate) struct Section {
    /// As it is written: `[[assets]]`. Empty for the top of the file.
    pub(crate) title: &'static str,
    /// What it is for, as sentences.
    pub(crate) about: &'static str,
    /// Its keys, in the order in which a person would write them.
    pub(crate) keys: &'static [Key],
}

/// The top of the file.
pub(crate) static ROOT: Section = Section {
    title: "",
    about: "Keys at the top stand before the first section.",
    keys: &[
        Key {
            name: "asn-table",
            kind: Kind::File,
            needed: false,
            about: "Whose network an address is: lines of first address, last address, number of the autonomous \
                    system, country and name, between tabs (as iptoasn.com gives them) or commas; plain, .gz or \
                    .zst. Findings then name networks beside addresses. Nothing is fetched.",
            example: "\"ip2asn-combined.tsv.gz\"",
        },
        Key { name: "assets", kind: Kind::Sections(&ASSET), needed: false, about: ASSET.about, example: "" },
        Key {
            name: "known-good",
            kind: Kind::Section(&KNOWN_GOOD),
            needed: false,
            about: KNOWN_GOOD.about,
            example: "",
        },
        Key { name: "events", kind: Kind::Sections(&EVENT), needed: false, about: EVENT.about, example: "" },
    ],
};

const NAME: Key = Key {
    name: "name",
    kind: Kind::Text,
    needed: true,
    about: "What people call it; findings and reports use it.",
    example: "\"Election night service\"",
};

static ASSET: Section = Section {
    title: "[[assets]]",
    about: "One thing that is defended. It needs `prefixes` or `hosts` or both. Findings that concern it \
            carry its id. Parts of one site are told apart by their host names and not by paths, for of paths only digests \
            are kept.",
    keys: &[
        Key {
            name: "id",
            kind: Kind::Id,
            needed: true,
            about: "Its id in your register, as findings give it.",
            example: "\"results-site\"",
        },
        Key {
            name: "name",
            kind: Kind::Text,
            needed: false,
            about: "What people call it; its id where it is left out.",
            example: "\"Results site\"",
        },
        Key {
            name: "prefixes",
            kind: Kind::Prefixes,
            needed: false,
            about: "Its addresses.",
            example: "[\"192.0.2.0/28\", \"2001:db8:12::/48\"]",
        },
        Key {
            name: "hosts",
            kind: Kind::Hosts,
            needed: false,
            about: "Its host names, without scheme, port or path.",
            example: "[\"results.example\", \"www.results.example\"]",
        },
    ],
};

static KNOWN_GOOD: Section = Section {
    title: "[known-good]",
    about: "What is known to be harmless. It weakens suspicion and is named where it does; it never hides that a \
            service is overloaded.",
    keys: &[
        Key {
            name: "own",
            kind: Kind::Prefixes,
            needed: false,
            about: "Your own networks. They may be the victim of an attack and are never proposed for blocking.",
            example: "[\"203.0.113.0/24\"]",
        },
        Key {
            name: "proxies",
            kind: Kind::Prefixes,
            needed: false,
            about: "Your reverse proxies and load balancers. Only from these is the client in X-Forwarded-For \
                    believed; from everybody else it is something that a stranger wrote.",
            example: "[\"198.51.100.8\", \"198.51.100.9\"]",
        },
        Key {
            name: "clients",
            kind: Kind::Sections(&CLIENT),
            needed: false,
            about: CLIENT.about,
            example: "",
        },
        Key { name: "embeds", kind: Kind::Sections(&EMBED), needed: false, about: EMBED.about, example: "" },
    ],
};

static CLIENT: Section = Section {
    title: "[[known-good.clients]]",
    about: "Clients that are busy and welcome: monitors, press, other authorities.",
    keys: &[
        NAME,
        Key {
            name: "prefixes",
            kind: Kind::Prefixes,
            needed: true,
            about: "Their addresses.",
            example: "[\"198.51.100.64/26\"]",
        },
    ],
};

static EMBED: Section = Section {
    title: "[[known-good.embeds]]",
    about: "A site that shows a part of yours in its own pages and lets its readers' browsers ask for it again and \
            again.",
    keys: &[
        NAME,
        Key {
            name: "hosts",
            kind: Kind::Hosts,
            needed: true,
            about: "Its host names, as they show up as referer.",
            example: "[\"news.example\"]",
        },
        Key {
            name: "paths",
            kind: Kind::Paths,
            needed: false,
            about: "What its readers ask for; anything where it is left out.",
            example: "[\"/api/ticker.json\"]",
        },
    ],
};

static EVENT: Section = Section {
    title: "[[events]]",
    about: "A time when many people are expected: polls close, results come out, a programme is on the air. It is \
            shown beside what was seen and marked in charts. It never turns an attack into a crowd, for attackers choose \
            the same hour; only where nothing but counts is known, a rise at such a time is called a crowd.",
    keys: &[
        Key {
            name: "name",
            kind: Kind::Text,
            needed: true,
            about: "What happens.",
            example: "\"Polls close\"",
        },
        Key {
            name: "from",
            kind: Kind::Time,
            needed: true,
            about: "When it begins.",
            example: "2026-09-13T18:00:00+02:00",
        },
        Key {
            name: "until",
            kind: Kind::Time,
            needed: true,
            about: "When it is over.",
            example: "2026-09-13T23:30:00+02:00",
        },
        Key {
            name: "asset",
            kind: Kind::AssetId,
            needed: false,
            about: "The asset that people come for; all of them where it is left out.",
            example: "\"results-site\"",
        },
    ],
};
