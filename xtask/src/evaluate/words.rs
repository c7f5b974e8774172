//! What the page says beside its figures.

use super::grid::Levels;

/// What is measured, and how to repeat it.
pub(super) fn about(quick: bool) -> String {
    let quick =
        if quick { "This is the page of a quick look, with a thinned grid and one seed.\n\n" } else { "" };
    format!(
        "For whoever must decide how far to trust a finding of `coordinated-sharing`: what it finds of groups \
         that were planted, what it flags wrongly, and what it says about recordings as they are.\n\n\
         {quick}Every number below was written by `cargo xtask evaluate`. The same seed gives the same numbers; \
         each part names its seeds, and `--seed` takes others. The detector was developed with seeds 1, 11, 12 \
         and 13. The seeds here were not looked at before, but the recordings and the grid are those that the \
         development used.\n\n\
         Words: *recall* is the part of the planted accounts that was flagged, *precision* the part of the \
         flagged accounts that was planted. Both are pooled over accounts, so a group of thirty weighs ten \
         times as much as one of three. A *pair* is two accounts that a method puts together: in one finding, \
         or over one threshold. A *false pair* holds at least one account that was not planted. *Pairs across plants* \
         hold accounts of two planted groups: a finding that joins them is right about every member and wrong \
         about there being one group.\n\n\
         The recordings are read from `../shared/data` (`--data` names another folder). The control is not \
         part of the project, for it comes without a licence."
    )
}

/// Before the grid's tables.
pub(super) fn grid(levels: &Levels) -> String {
    let listed = |values: Vec<String>| match values.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => values.join(""),
    };
    format!(
        "## Planted groups in the German election of 2021\n\n\
         The background is 41,100 shares of links. Into it go groups of {} accounts, each on {} objects; each \
         account takes part in an object with a chance of {} %; each share comes up to {} s after the group's \
         moment. The objects are the group's *own*, or *popular* ones at the moment of an existing share, or \
         popular ones within five minutes of their first share (*early*). Groups of all sizes are planted \
         together, so a run tests {} groups. The *core* are groups of at least 5 accounts on at least 10 \
         objects with at least 60 % participation and at most 45 s of jitter.\n\n\
         Beside the detector stand the two plain thresholds that are silent on the control as it was \
         recorded: at least four objects within 60 s, at least five within 600 s, and either of them. A \
         threshold flags every pair of accounts that reaches it.",
        listed(levels.sizes.iter().map(ToString::to_string).collect()),
        listed(levels.objects.iter().map(ToString::to_string).collect()),
        listed(levels.participations.iter().map(|p| format!("{:.0}", p * 100.0)).collect()),
        listed(levels.jitters_s.iter().map(ToString::to_string).collect()),
        levels.sizes.len(),
    )
}

/// Before the tables of the shuffled background.
pub(super) const SHUFFLED: &str = "\
### Accounts exchanged within each day

Accounts are exchanged at random within each UTC day, so nothing in the background is coordinated: every \
flagged account that was not planted is false, also one that is flagged with nothing planted and so counts \
again in every run.";

/// Before the tables of the background as it was recorded.
pub(super) const AS_RECORDED: &str = "\
### The background as it was recorded

Nobody has labelled it. Accounts and pairs that are flagged with nothing planted are left out of the count; \
precision says only how many further ones are flagged once groups are planted. The columns that say *false* count \
those further ones: some of them may belong to groups that the background holds, or be drawn in by the \
planted ones. None of it is precision on real traffic.";

/// Before the tables of the control.
pub(super) fn control(levels: &Levels) -> String {
    let thinned = if levels.objects.len() < 4 {
        " This grid is thinned (`--thin-control`): it holds every second number of objects only (3 and 10), so its figures are \
         not comparable with those of the full grid above."
    } else {
        ""
    };
    format!(
        "## Planted groups in the control\n\n\
         The control is 1,275,106 reposts of 3,387 natural cascades on Weibo, with accounts exchanged within \
         each UTC day. It is a hard background: every object has an audience, and a large one.{thinned}"
    )
}

/// Before the pictures.
pub(super) const CURVES: &str = "\
## Beside plain thresholds, and where it fails

German background with accounts exchanged. A threshold's recall falls as it asks for more objects; the \
detector has no such knob, so it is a level line. A threshold of two objects finds more of what was planted, at \
the price in the table: mostly strangers who met twice.";

/// Before the table of look-alikes.
pub(super) fn lookalikes(seeds: &str) -> String {
    format!(
        "## Look-alikes\n\n\
         Each case is planted alone into a background with accounts exchanged, on seeds {seeds}, whose values \
         stand beside each other. *Pairs* counts pairs of accounts of the case in one finding. Live events, \
         fans, schedulers and aggregators are innocent: what is flagged there is wrong. A newsroom and a \
         syndication network do act in step; they belong on the allow-list, and the finding should say so \
         first."
    )
}

/// Before the table of recordings.
pub(super) const REAL: &str = "\
## Recordings as they are

Nobody has labelled these sets, so no precision is claimed: this is what a person would be shown. A person's \
reading of some of them is below.";

/// The end of the page.
pub(super) const LIMITS: &str = "\
## What this does not show

- Planted groups are simple: one moment on each object, uniform jitter, independent participation. Real \
operators adapt; a group that knows the windows stays outside them.
- No labelled campaign was at hand. Recall is recall of planted groups, not of campaigns.
- Exchanging accounts within days also breaks up communities that are organic. The look-alikes put some of \
them back; no list of them is complete.
- Groups of four sizes are planted together, which makes each a little easier to find than one alone, since \
the family of tests holds other true groups.
- The windows, the floor of evidence and the size of a crowd were chosen on the same recordings, though with \
other seeds. A second control and a second election would be a harder test.
- Times are whole seconds. Where a platform gives minutes, the shortest windows say nothing.";
