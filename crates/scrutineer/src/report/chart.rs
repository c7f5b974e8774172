//! The picture of a rise: what was counted, step by step, with what was usual, where the alarm lies, and
//! when people were expected.

use domain::{ExpectedEvent, Finding, Series, Timestamp};
use maud::{Markup, html};

use super::page::said;
use super::scale::px;
use super::tables;
use crate::availability::{event, highest, level, peak, start_of, step_name, step_s};
use crate::summary::capital;
use crate::words::{self, NAME_LIMIT, bound, clock, day, hour, seconds, shown, span, thousands, time};

/// Rows of the table behind the picture; closer steps are shown together.
const TABLE_ROWS: usize = 360;

/// Events that are marked.
const EVENTS: usize = 4;

/// Lengths between two marks of the time axis, in seconds.
const MARKS: [i64; 20] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800,
];

/// The figure with its heading, its caption and its table. `events` are those that may concern it.
pub(super) fn figure(series: &Series, finding: &Finding, events: &[&ExpectedEvent]) -> Markup {
    let alternative = alternative(series, events);
    html! {
        figure {
            h3 { (said(&series.name, NAME_LIMIT)) }
            figcaption {
                p {
                    (capital_unit(series)) " in each " (step_name(series)) ". Bars in colour belong to the finding."
                    @if let Some(peak) = peak(series) { " The highest: " (bound(&peak)) "." }
                    @for event in events.iter().take(EVENTS) { " Expected: " (said(&self::event(event), 2 * NAME_LIMIT)) "." }
                    @if events.len() > EVENTS { " " (events.len() - EVENTS) " more events were expected." }
                }
            }
            (picture(series, finding, events, &WIDE, &alternative))
            (picture(series, finding, events, &NARROW, &alternative))
        }
        (table(series))
    }
}

/// The measures of one of the two drawings, in CSS pixels.
struct Sheet {
    class: &'static str,
    width: f64,
    /// Where the time axis begins and ends.
    axis: [f64; 2],
    /// Top and bottom of the bars.
    bars: [f64; 2],
    /// Least distance between two marks of the time axis.
    gap: f64,
}

const WIDE: Sheet =
    Sheet { class: "wide", width: 912.0, axis: [64.0, 796.0], bars: [36.0, 236.0], gap: 88.0 };
const NARROW: Sheet =
    Sheet { class: "narrow", width: 356.0, axis: [48.0, 350.0], bars: [36.0, 196.0], gap: 76.0 };

/// Least width of a bar; closer steps are drawn as one, the highest of them.
const LEAST_BAR: f64 = 3.0;

/// One bar: some steps, the highest of them, and whether they belong to the finding.
struct Bar {
    first: usize,
    steps: usize,
    value: f64,
}

fn bars(series: &Series, most: usize) -> Vec<Bar> {
    let group = series.values.len().div_ceil(most.max(1)).max(1);
    let chunks = series.values.chunks(group).enumerate();
    chunks
        .map(|(n, values)| Bar {
            first: n * group,
            steps: values.len(),
            value: values.iter().copied().map(level).fold(0.0, f64::max),
        })
        .collect()
}

/// Where things lie on a sheet.
struct Scale {
    start: i64,
    length_ms: f64,
    axis: [f64; 2],
    bars: [f64; 2],
    top_value: f64,
}

impl Scale {
    fn x(&self, t: Timestamp) -> f64 {
        let share = (t.millis().saturating_sub(self.start)) as f64 / self.length_ms;
        self.axis[0] + share.clamp(0.0, 1.0) * (self.axis[1] - self.axis[0])
    }

    fn y(&self, value: f64) -> f64 {
        self.bars[1] - (level(value) / self.top_value).min(1.0) * (self.bars[1] - self.bars[0])
    }
}

fn picture(
    series: &Series,
    finding: &Finding,
    events: &[&ExpectedEvent],
    sheet: &Sheet,
    alternative: &str,
) -> Markup {
    let steps = series.values.len().max(1);
    let length_ms = (steps as f64 * step_s(series) * 1000.0).max(1.0);
    let most = highest(series).map_or(0.0, |(_, value)| value);
    // An alarm far above everything would press the bars flat; then it is only said.
    let drawn = |line: Option<f64>| line.filter(|v| v.is_finite() && *v >= 0.0 && *v <= 2.5 * most.max(1.0));
    let (usual, alarm) = (drawn(series.expected), drawn(series.threshold));
    let rows = marks_of(most.max(usual.unwrap_or(0.0)).max(alarm.unwrap_or(0.0)));
    let scale = Scale {
        start: series.start.millis(),
        length_ms,
        axis: sheet.axis,
        bars: sheet.bars,
        top_value: rows.last().copied().unwrap_or(1.0),
    };
    let bars = bars(series, ((sheet.axis[1] - sheet.axis[0]) / LEAST_BAR) as usize);
    let bottom = sheet.bars[1];
    let narrow = sheet.class == NARROW.class;
    html! {
        svg class=(sheet.class) viewBox={ "0 0 " (px(sheet.width)) " " (px(bottom + 44.0)) } role="img" aria-label=(alternative) {
            @for event in events.iter().take(EVENTS) {
                @let (from, until) = (scale.x(event.from), scale.x(event.until));
                rect.event x=(px(from)) y=(px(sheet.bars[0] - 12.0)) width=(px((until - from).max(2.0))) height=(px(bottom - sheet.bars[0] + 12.0)) {}
            }
            @for row in &rows {
                line.axis x1=(px(sheet.axis[0])) x2=(px(sheet.axis[1])) y1=(px(scale.y(*row))) y2=(px(scale.y(*row))) {}
                text x=(px(sheet.axis[0] - 8.0)) y=(px(scale.y(*row) + 5.0)) text-anchor="end" { (short(*row)) }
            }
            @for bar in &bars {
                @let (from, until) = (start_of(series, bar.first), start_of(series, bar.first + bar.steps));
                @let (left, right) = (scale.x(from), scale.x(until));
                @let gap = if right - left > 6.0 { 1.0 } else { 0.0 };
                @let inside = from <= finding.last_seen && until > finding.first_seen;
                @let class = if inside { "seen" } else { "due" };
                @if bar.value > 0.0 {
                    rect class=(class) x=(px(left)) y=(px(scale.y(bar.value))) width=(px((right - left - gap).max(0.5))) height=(px(bottom - scale.y(bar.value))) {}
                }
            }
            (lines(usual, alarm, &scale, sheet, narrow))
            @for (event, x) in named(events, &scale) {
                @let end = x > sheet.axis[1] - EVENT_WIDTH;
                text.name.halo x=(px(x)) y=(px(sheet.bars[0] - 20.0)) text-anchor=(if end { "end" } else { "start" }) { (shown(&event.name, 22)) }
            }
            @for mark in time_marks(&scale, sheet.gap) {
                @let x = scale.x(mark);
                line.axis x1=(px(x)) x2=(px(x)) y1=(px(bottom)) y2=(px(bottom + 5.0)) {}
                text x=(px(x)) y=(px(bottom + 20.0)) text-anchor=(if x > sheet.width - 34.0 { "end" } else { "middle" }) { (mark_words(mark, &scale)) }
            }
            text x=(px(sheet.axis[0])) y=(px(bottom + 40.0)) { (days(series)) }
        }
    }
}

/// Room for the name of an event, in pixels.
const EVENT_WIDTH: f64 = 160.0;

/// The events whose names do not run into the one before; the caption has them all.
fn named<'a>(events: &[&'a ExpectedEvent], scale: &Scale) -> Vec<(&'a ExpectedEvent, f64)> {
    let mut named: Vec<(&ExpectedEvent, f64)> = Vec::new();
    for event in events.iter().take(EVENTS) {
        let x = scale.x(event.from);
        if named.iter().all(|(_, other)| (x - other).abs() >= EVENT_WIDTH) {
            named.push((event, x));
        }
    }
    named
}

/// What is usual, and where the alarm lies, each with its figure.
fn lines(usual: Option<f64>, alarm: Option<f64>, scale: &Scale, sheet: &Sheet, narrow: bool) -> Markup {
    let mut usual_y = usual.map(|value| scale.y(value) + if narrow { -6.0 } else { 5.0 });
    let mut alarm_y = alarm.map(|value| scale.y(value) + if narrow { -6.0 } else { 5.0 });
    if let (Some(u), Some(a)) = (usual_y, alarm_y)
        && (u - a).abs() < 17.0
    {
        // One above the other; beside the bars there is room below the axis, on them there is none.
        (usual_y, alarm_y) = if narrow { (Some(u), Some(u - 17.0)) } else { (Some(a + 17.0), Some(a)) };
    }
    let place = if narrow { (sheet.axis[0] + 4.0, "start") } else { (sheet.axis[1] + 8.0, "start") };
    html! {
        @if let (Some(value), Some(y)) = (usual, usual_y) {
            line.usual x1=(px(sheet.axis[0])) x2=(px(sheet.axis[1])) y1=(px(scale.y(value))) y2=(px(scale.y(value))) {}
            text.halo x=(px(place.0)) y=(px(y)) text-anchor=(place.1) { "usual " (words::figure(value)) }
        }
        @if let (Some(value), Some(y)) = (alarm, alarm_y) {
            line.limit x1=(px(sheet.axis[0])) x2=(px(sheet.axis[1])) y1=(px(scale.y(value))) y2=(px(scale.y(value))) {}
            text.halo x=(px(place.0)) y=(px(y)) text-anchor=(place.1) { "alarm " (words::figure(value)) }
        }
    }
}

/// Round values from 0 to at least `most`, three to six of them.
fn marks_of(most: f64) -> Vec<f64> {
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    let rough = most / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|n| n * power).find(|s| *s >= rough);
    // Halves of things that are counted would be odd.
    let step = step.unwrap_or(rough).max(1.0);
    let rows = (most / step).ceil().clamp(1.0, 8.0) as u32;
    (0..=rows).map(|n| f64::from(n) * step).collect()
}

/// A round value, short: `1,500`, `20 k`, `1.5 M`.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e15 => format!("{v:.0e}"),
        v if v >= 1e9 => format!("{} G", v / 1e9),
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e4 => format!("{} k", v / 1e3),
        v if v == v.trunc() => thousands(v as u64),
        v => format!("{v}"),
    }
}

/// Times to mark, at round clock times, at least `gap` pixels apart.
fn time_marks(scale: &Scale, gap: f64) -> Vec<Timestamp> {
    let width = scale.axis[1] - scale.axis[0];
    let least = gap * scale.length_ms / width;
    let step = MARKS.into_iter().map(|s| s * 1000).find(|ms| *ms as f64 >= least);
    let Some(step) = step else { return vec![Timestamp(scale.start)] };
    let end = scale.start.saturating_add(scale.length_ms as i64);
    let first = scale.start.div_euclid(step).saturating_add(i64::from(scale.start.rem_euclid(step) > 0));
    let mut marks = Vec::new();
    let mut at = first.saturating_mul(step);
    while at >= scale.start && at <= end && marks.len() < 40 {
        marks.push(Timestamp(at));
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    marks
}

fn mark_words(t: Timestamp, scale: &Scale) -> String {
    match scale.length_ms {
        ms if ms > 3.0 * 86_400_000.0 => day(t),
        ms if ms > 300_000.0 => hour(t),
        _ => clock(t).trim_end_matches(" UTC").to_owned(),
    }
}

/// The day or days of the axis.
fn days(series: &Series) -> String {
    let (from, until) = (series.start, start_of(series, series.values.len()));
    if day(from) == day(until) {
        format!("{}, UTC", day(from))
    } else {
        format!("{} to {}, UTC", day(from), day(until))
    }
}

fn capital_unit(series: &Series) -> String {
    capital(&shown(&series.unit, NAME_LIMIT))
}

/// The picture in words, for those who do not see it.
fn alternative(series: &Series, events: &[&ExpectedEvent]) -> String {
    let until = start_of(series, series.values.len());
    let mut words = format!(
        "Chart of {}: {} in each {}, {}.",
        shown(&series.name, NAME_LIMIT),
        shown(&series.unit, NAME_LIMIT),
        step_name(series),
        span(series.start, until),
    );
    if let Some(peak) = peak(series) {
        words.push_str(&format!(" The highest is {peak}."));
    }
    for event in events.iter().take(EVENTS) {
        words.push_str(&format!(" Expected: {}.", self::event(event)));
    }
    words.push_str(" The table below has the figures.");
    words
}

fn table(series: &Series) -> Markup {
    let bars = bars(series, TABLE_ROWS);
    let together = bars.first().map_or(1, |bar| bar.steps);
    let note = if together > 1 {
        format!(
            "Times are in UTC. Each row is the highest of {together} steps of {}.",
            seconds(step_s(series))
        )
    } else {
        "Times are in UTC.".to_owned()
    };
    html! {
        details.rows {
            summary { "Figures of the chart " span { "(" (thousands(series.values.len() as u64)) " steps)" } }
            (tables::scroll("Figures of the chart", &note, &html! {
                thead { tr { th scope="col" { "From" } th.n scope="col" { (capital_unit(series)) } } }
                tbody {
                    @for bar in &bars {
                        tr {
                            th scope="row" { (time(start_of(series, bar.first))) }
                            td.n { (words::figure(bar.value)) }
                        }
                    }
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn drawn(finding: &Finding) -> String {
        let event = ExpectedEvent {
            name: "Polls close".to_owned(),
            from: Timestamp(finding.first_seen.millis() - 60_000),
            until: Timestamp(finding.last_seen.millis() + 600_000),
            asset: None,
        };
        figure(&finding.evidence.series[0], finding, &[&event]).into_string()
    }

    #[test]
    fn the_chart_of_a_crowd() {
        let mut crowd = sample::crowd();
        crowd.evidence.series[0].values.truncate(64);
        insta::assert_snapshot!(drawn(&crowd).replace("><", ">\n<"));
    }

    #[test]
    fn bars_stand_on_zero_and_only_those_of_the_finding_are_coloured() {
        let page = drawn(&sample::flood());
        assert_eq!(page.matches("class=\"seen\"").count(), 30 + 15, "thirty seconds, by one and by two");
        assert!(
            page.contains(">usual 12<") && page.contains(">alarm 1,000<") && page.contains(">Polls close<")
        );
    }

    #[test]
    fn an_alarm_far_above_is_said_and_not_drawn() {
        let mut crowd = sample::crowd();
        crowd.evidence.series[0].threshold = Some(1e7);
        let page = drawn(&crowd);
        assert!(!page.contains(">alarm ") && page.contains("alarm above 10,000,000"));
    }

    #[test]
    fn many_steps_are_drawn_together_and_none_is_lost() {
        let values: Vec<f64> = (0..10_000).map(|n| if n == 7_777 { 900.0 } else { 1.0 }).collect();
        let series = Series { values, step_s: 1.0, ..Series::default() };
        let bars = bars(&series, 240);
        assert!(bars.len() <= 240);
        assert_eq!(bars.iter().map(|bar| bar.steps).sum::<usize>(), 10_000);
        assert_eq!(bars.iter().filter(|bar| bar.value == 900.0).count(), 1);
    }

    #[test]
    fn value_marks_are_round_and_reach_the_top() {
        assert_eq!(marks_of(7_197.0), [0.0, 2_000.0, 4_000.0, 6_000.0, 8_000.0]);
        assert_eq!(marks_of(0.0), [0.0, 1.0]);
        assert_eq!(marks_of(f64::NAN), [0.0, 1.0]);
        assert!(marks_of(1e300).last().is_some_and(|top| *top >= 1e300));
        assert_eq!([0.0, 1_500.0, 20_000.0, 2_500_000.0].map(short), ["0", "1,500", "20 k", "2.5 M"]);
    }

    #[test]
    fn broken_figures_make_a_whole_chart() {
        let page = drawn(&sample::hostile_flood());
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    }
}
