//! What the page says round its tables.

/// How the mixes are made, and how to make the page again.
pub(super) fn about(command: &str, n: usize, machine: &str) -> String {
    format!(
        "Made by `{command}`: {n} mixes, each of another seed, through the same gather and judge as files. {machine}

Each mix is one log: three hours of usual traffic and, in three of four mixes, the same time of day on two or three
days before; then an event of five minutes with 3 to 50 times as many requests. The event is a crowd, a flood, or
both. Visits, pages, agents and referers are those of two recorded sites; addresses are drawn, and that these
visitors come on an election night is made up. **Nothing here is a rate of the field.** `exercise::web::Plan` has
every figure that is drawn, with its range. Seeds 1000 to 1999 served development; 20000 to 20599 were the
final table of an earlier state, and what they showed of it was known when rules were changed. The detector has never
been changed after a look at seeds from 30000."
    )
}

pub(super) const CONFUSION: &str = "\
A flood that replays recorded visits at the pace of people (*smart-human*) is no different from people by design and \
is counted apart: `crowd` there means that there was no machine evidence, never that there was no attack.";

pub(super) const OVERALL: &str = "\
*Decided* is any verdict but *unsure*, as a share of events with a rise; *right* is the exact verdict of three, and \
*right on any flood* lets attack and mixed pass for each other. Where a rise stays below the trigger there is \
no finding: with one day of history five times the usual is the bar.";

pub(super) const BLOCK: &str = "\
Shares of the flood's requests within the window that the verdict rests on. The list names addresses for ten minutes; \
rules name path, kind of query, kind of referer and agent. Nothing is blocked unless the verdict is attack or mixed, \
so that the first two shares count floods that were not named as if nothing could be done; the last two are of those \
that were.";

pub(super) const ABLATION: &str = "\
The same mixes with one group of signs silenced. A group that costs nothing when it is missing is there for a \
kind of log that the others cannot read.";

pub(super) const AREAS: &str = "\
Chance that a flood drawn at random has more of a figure than a crowd drawn at random. Were one of them near 1, the \
mixer would give the truth away, and the verdict would be worth nothing. The last column leaves out floods that replay \
visits: those that are left fetch no pictures, and at a site that serves its own pictures that says nearly all. What \
remains where it says nothing is under *Hard nights*.";

pub(super) const SIEGE: &str = "\
The server can do three times the usual. Shares of people's requests that are answered: first come first served; with \
max-min fair shares among clients; and with copies of whatever ten clients or more asked for beside that.";

pub(super) const STRESS: &str = "One thing at a time taken to its end, 30 seeds each.";

pub(super) const BEFORE: &str = "Usual traffic that was called a rise:";

pub(super) const REAL: &str = "Recordings as they are. Nobody attacked these sites.";
