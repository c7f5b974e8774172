//! Datagrams of many exporters, each with its own templates and sampling rates.

use std::collections::{BTreeMap, VecDeque};

use traffic::Address;
use traffic::flow::Flow;

use super::record::{self, Record, SKEW_MS, Sent};
use super::sflow;
use super::template::{self, Entry, Template, Values};
use super::wire::{
    self, FIRST_DATA_SET, IPFIX_HEADER, Protocol, SET_HEADER, V5_HEADER, V5_RECORD, V9_HEADER, u16_at, u32_at,
};
use crate::network::fields::LARGEST;
use crate::problems::Reason;
use crate::records::Log;
use crate::rows::Rows;

/// Exporters and observation domains whose templates are kept. The one that was silent for the
/// longest time makes room.
const MAX_SOURCES: usize = 4096;

/// Fields of templates that are kept for all exporters together: some 8 MiB.
const MAX_STEPS: usize = 1 << 20;

/// Sampling rates that are kept for one exporter. An interface card has a handful.
const MAX_SAMPLERS: usize = 4096;

/// Bytes of data that wait for their templates, of one exporter: a minute of a busy one.
const MAX_WAITING: usize = 4 << 20;

/// Bytes of data that wait for their templates, of all exporters.
const MAX_WAITING_IN_ALL: usize = 32 << 20;

/// How long data waits for its template: what a template may be old by default (RFC 7011, section
/// 8.4, through RFC 6728). Later, the same id may mean something else.
const WAITING_MS: i64 = 30 * 60_000;

/// Who sends: address, observation domain ("Source ID" in RFC 3954) and port (RFC 7011, section 8).
type SourceKey = (Protocol, Address, u32, u16);

/// Decodes export datagrams. Templates and sampling rates are kept for each exporter.
#[derive(Debug)]
pub(crate) struct Collector {
    /// The latest time that is believed, milliseconds since the epoch.
    latest: i64,
    sources: BTreeMap<SourceKey, Source>,
    /// Sources by when they were heard last.
    by_age: BTreeMap<u64, SourceKey>,
    datagrams: u64,
    steps: usize,
    waiting: usize,
    values: Values,
}

#[derive(Debug, Default)]
struct Source {
    heard: u64,
    templates: BTreeMap<u16, Template>,
    sampling: Option<u32>,
    samplers: BTreeMap<u64, u32>,
    /// When its uptime was 0, milliseconds since the epoch.
    system_init: Option<u64>,
    /// When it started at the latest, if it does not say: milliseconds since the epoch.
    started: Option<i64>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

/// A set of data without a template.
#[derive(Debug)]
struct Waiting {
    id: u16,
    sent: Sent,
    datagram: u64,
    set: Vec<u8>,
}

/// Where rows and counts go.
pub(super) struct Sink<'a> {
    pub(super) rows: &'a mut Rows,
    pub(super) log: &'a mut Log,
    pub(super) latest: i64,
    /// Number of the datagram, from 1.
    pub(super) datagram: u64,
}

impl Sink<'_> {
    pub(super) fn flow(&mut self, flow: &Flow, reason: Option<Reason>) {
        if flow.time < 0 || flow.time > self.latest {
            let reason = if flow.time < 0 { Reason::BeforeEpoch } else { Reason::Future };
            return self.log.refuse(reason, self.datagram, flow.time.to_string().as_bytes());
        }
        // Counts of 64 bits, and those that are multiplied by the sampling rate, may be anything.
        let counts = [flow.packets, flow.bytes, flow.back_packets, flow.back_bytes, flow.fragments];
        if let Some(count) = counts.into_iter().find(|&count| count > LARGEST) {
            return self.log.refuse(Reason::BadNumber, self.datagram, count.to_string().as_bytes());
        }
        self.rows.flows.push(flow);
        self.log.read += 1;
        if let Some(reason) = reason {
            self.log.note(reason, self.datagram, b"");
        }
    }

    pub(super) fn other(&mut self) {
        self.log.outcome(Ok(Some(Reason::NoFlow)), self.datagram, b"");
    }

    fn no_template(&mut self, id: u16, datagram: u64) {
        self.log.refuse(Reason::NoTemplate, datagram, format!("template {id}").as_bytes());
    }
}

impl Default for Collector {
    /// Believes all times.
    fn default() -> Self {
        Self::until(i64::MAX)
    }
}

impl Collector {
    /// Refuses flows that lie after `latest`, in milliseconds since the epoch.
    pub(crate) fn until(latest: i64) -> Self {
        Self {
            latest,
            sources: BTreeMap::new(),
            by_age: BTreeMap::new(),
            datagrams: 0,
            steps: 0,
            waiting: 0,
            values: Values::default(),
        }
    }

    /// Refuses, from now on, flows that lie after `latest`.
    pub(crate) fn set_latest(&mut self, latest: i64) {
        self.latest = latest;
    }

    /// Bytes of data that wait for their templates.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Decodes one datagram: the payload of UDP, from an exporter's address and port, received at so
    /// many milliseconds since the epoch. Rows are added, and what cannot be read is counted.
    pub(crate) fn datagram(
        &mut self,
        exporter: Address,
        exporter_port: u16,
        payload: &[u8],
        received: i64,
        rows: &mut Rows,
        log: &mut Log,
    ) {
        self.take(exporter, exporter_port, payload, Some(received), rows, log);
    }

    /// Whether a payload looks like a datagram that [`Self::datagram`] reads: its header is
    /// plausible and its counts and lengths fit. Cheap, for use on every packet of UDP.
    pub(crate) fn looks_like(payload: &[u8]) -> bool {
        wire::protocol(payload).is_ok()
    }

    /// Counts what still waits for its template, by reason. To be called when nothing more will come.
    pub(crate) fn finish(&mut self, log: &mut Log) {
        for source in self.sources.values_mut() {
            for waiting in source.waiting.drain(..) {
                no_template(log, &waiting);
            }
            source.waiting_bytes = 0;
        }
        self.waiting = 0;
    }

    /// As [`Self::datagram`], with or without a time of reception.
    pub(super) fn take(
        &mut self,
        exporter: Address,
        port: u16,
        payload: &[u8],
        received: Option<i64>,
        rows: &mut Rows,
        log: &mut Log,
    ) {
        self.datagrams += 1;
        let mut sink = Sink { rows, log, latest: self.latest, datagram: self.datagrams };
        match wire::protocol(payload) {
            Ok(Protocol::V5) => v5(payload, received, &mut sink),
            Ok(protocol @ (Protocol::V9 | Protocol::Ipfix)) => {
                self.sets(protocol, exporter, port, payload, received, &mut sink);
            }
            Ok(Protocol::Sflow) => sflow::datagram(payload, received, &mut sink),
            Err(why) => sink.log.refuse(Reason::BadDatagram, self.datagrams, why.as_bytes()),
        }
    }

    /// A datagram of sets.
    fn sets(
        &mut self,
        protocol: Protocol,
        exporter: Address,
        port: u16,
        payload: &[u8],
        received: Option<i64>,
        sink: &mut Sink<'_>,
    ) {
        // The header is whole: `wire::protocol` has seen the set behind it, or the message's length.
        let word = |at| u32_at(payload, at).unwrap_or(0);
        let (seconds, uptime, domain, sets) = if protocol == Protocol::V9 {
            (word(8), Some(word(4)), word(16), &payload[V9_HEADER..])
        } else {
            let length = usize::from(u16_at(payload, 2).unwrap_or(0));
            (word(4), None, word(12), &payload[IPFIX_HEADER..length])
        };
        let sent = Sent { time: i64::from(seconds) * 1000, uptime, received };
        note_skew(&sent, sink);
        let key = (protocol, exporter, domain, port);
        self.heard(key, sink.log);
        let mut rest = sets;
        while let Some((id, length)) = u16_at(rest, 0).zip(u16_at(rest, 2)) {
            let length = usize::from(length);
            if length < SET_HEADER || length > rest.len() {
                break;
            }
            let (set, behind) = rest.split_at(length);
            let set = &set[SET_HEADER..];
            match (protocol, id) {
                (Protocol::V9, 0 | 1) | (Protocol::Ipfix, 2 | 3) => {
                    self.templates(key, set, id & 1 == 1, sink);
                }
                (_, FIRST_DATA_SET..) => self.data(key, id, set, sent, sink),
                _ => sink.other(),
            }
            rest = behind;
        }
        // Some exporters fill their datagrams up with zeros.
        if rest.iter().any(|&byte| byte != 0) {
            sink.log.refuse(Reason::BadDatagram, sink.datagram, b"a set that does not fit");
        }
    }

    /// Makes the source the youngest one, and room for it if it is new.
    fn heard(&mut self, key: SourceKey, log: &mut Log) {
        if let Some(source) = self.sources.get_mut(&key) {
            self.by_age.remove(&source.heard);
            source.heard = self.datagrams;
        } else {
            if self.sources.len() >= MAX_SOURCES
                && let Some((_, oldest)) = self.by_age.pop_first()
                && let Some(source) = self.sources.remove(&oldest)
            {
                log.note(Reason::ExporterForgotten, self.datagrams, b"");
                self.steps -= source.templates.values().map(Template::size).sum::<usize>();
                self.waiting -= source.waiting_bytes;
                for waiting in &source.waiting {
                    no_template(log, waiting);
                }
            }
            self.sources.insert(key, Source { heard: self.datagrams, ..Source::default() });
        }
        self.by_age.insert(self.datagrams, key);
    }

    /// A set of templates.
    fn templates(&mut self, key: SourceKey, mut set: &[u8], options: bool, sink: &mut Sink<'_>) {
        let take = if key.0 == Protocol::V9 { template::take_v9 } else { template::take_ipfix };
        while set.len() >= 4 {
            let Some((entry, rest)) = take(set, options) else {
                if set.iter().any(|&byte| byte != 0) {
                    sink.log.refuse(Reason::BadTemplate, sink.datagram, b"it does not fit into its set");
                }
                return;
            };
            set = rest;
            match entry {
                Entry::Template(id, template) => self.define(key, id, template, sink),
                Entry::Withdrawal(id) => self.withdraw(key, id, options),
                Entry::Unusable => sink.log.refuse(Reason::BadTemplate, sink.datagram, b""),
            }
        }
    }

    /// Keeps a template, in place of an older one of the same id, and decodes what waited for it.
    fn define(&mut self, key: SourceKey, id: u16, template: Template, sink: &mut Sink<'_>) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        let before = source.templates.get(&id).map_or(0, Template::size);
        if self.steps - before + template.size() > MAX_STEPS {
            return sink.log.refuse(
                Reason::TooManyTemplates,
                sink.datagram,
                format!("template {id}").as_bytes(),
            );
        }
        self.steps = self.steps - before + template.size();
        source.templates.insert(id, template);
        for key in self.ports(key) {
            let Some(source) = self.sources.get_mut(&key) else { continue };
            if source.waiting.iter().all(|waiting| waiting.id != id) {
                continue;
            }
            let (now, later): (VecDeque<_>, VecDeque<_>) =
                std::mem::take(&mut source.waiting).into_iter().partition(|waiting| waiting.id == id);
            source.waiting = later;
            let bytes: usize = now.iter().map(Waiting::size).sum();
            source.waiting_bytes -= bytes;
            self.waiting -= bytes;
            for waiting in now {
                self.data(key, id, &waiting.set, waiting.sent, sink);
            }
        }
    }

    /// The ports of one exporter and observation domain.
    fn ports(&self, (protocol, exporter, domain, _): SourceKey) -> Vec<SourceKey> {
        let all = (protocol, exporter, domain, 0)..=(protocol, exporter, domain, u16::MAX);
        self.sources.range(all).map(|(&key, _)| key).collect()
    }

    /// The source whose template of this id fits: itself or, since there are exporters that send
    /// from one port today and from another tomorrow without repeating their templates, the one of
    /// its other ports that was heard last.
    fn home(&self, key: SourceKey, id: u16) -> Option<SourceKey> {
        let knows =
            |key: &SourceKey| self.sources.get(key).filter(|source| source.templates.contains_key(&id));
        if knows(&key).is_some() {
            return Some(key);
        }
        let others = self.ports(key).into_iter();
        others.filter_map(|key| Some((knows(&key)?.heard, key))).max().map(|(_, key)| key)
    }

    /// RFC 7011, section 8.1: the id of a kind of set stands for all templates of this kind.
    fn withdraw(&mut self, key: SourceKey, id: u16, options: bool) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        let steps = &mut self.steps;
        source.templates.retain(|&known, template| {
            let keep = known != id && (id >= FIRST_DATA_SET || template.options != options);
            if !keep {
                *steps -= template.size();
            }
            keep
        });
    }

    /// A set of records.
    fn data(&mut self, key: SourceKey, id: u16, set: &[u8], sent: Sent, sink: &mut Sink<'_>) {
        let Some(home) = self.home(key, id) else { return self.wait(key, id, set, sent, sink) };
        if home != key {
            sink.log.note(Reason::OtherPort, sink.datagram, format!("template {id}").as_bytes());
        }
        let Some(source) = self.sources.get_mut(&home) else { return };
        let Some(template) = source.templates.get(&id) else { return };
        let values = &mut self.values;
        let mut system_init = source.system_init;
        if system_init.is_none() && sent.uptime.is_none() && template.by_uptime() {
            source.started = started(source.started, template, set, &sent, values);
            system_init = source.started.and_then(|time| u64::try_from(time).ok());
            if system_init.is_some() {
                sink.log.note(Reason::StartUnknown, sink.datagram, b"");
            }
        }
        let mut rest = set;
        while let Some(behind) = template.take(rest, values) {
            rest = behind;
            if template.options {
                sink.log.read += 1;
                if let Some(init) = values.get(template::Target::SystemInit) {
                    source.system_init = Some(init);
                }
                match record::sampling(values) {
                    Some((None, rate)) => source.sampling = Some(rate),
                    Some((Some(id), rate))
                        if source.samplers.len() < MAX_SAMPLERS || source.samplers.contains_key(&id) =>
                    {
                        source.samplers.insert(id, rate);
                    }
                    Some(_) | None => {}
                }
                continue;
            }
            let sampler =
                values.get(template::Target::SamplerId).or(values.get(template::Target::SelectorId));
            let known = record::own_sampling(values)
                .or_else(|| source.samplers.get(&sampler?).copied())
                .or(source.sampling);
            match record::flow(values, &sent, system_init, known.unwrap_or(1)) {
                Record::Flow(flow, reason) => {
                    // The sampler 0 is none.
                    let unknown = known.is_none() && sampler.is_some_and(|sampler| sampler != 0);
                    sink.flow(&flow, reason.or(unknown.then_some(Reason::SamplingUnknown)));
                }
                Record::Other => sink.other(),
            }
        }
    }

    /// Keeps data until its template comes, if there is room. What is too old, or has no room, is
    /// counted.
    fn wait(&mut self, key: SourceKey, id: u16, set: &[u8], sent: Sent, sink: &mut Sink<'_>) {
        let Some(source) = self.sources.get_mut(&key) else { return };
        let waiting = Waiting { id, sent, datagram: sink.datagram, set: set.to_vec() };
        let now = sent.received.unwrap_or(sent.time);
        while let Some(oldest) = source.waiting.front() {
            let since = now.saturating_sub(oldest.sent.received.unwrap_or(oldest.sent.time));
            if since <= WAITING_MS && source.waiting_bytes + waiting.size() <= MAX_WAITING {
                break;
            }
            let bytes = oldest.size();
            source.waiting_bytes -= bytes;
            self.waiting -= bytes;
            sink.no_template(oldest.id, oldest.datagram);
            source.waiting.pop_front();
        }
        if self.waiting + waiting.size() > MAX_WAITING_IN_ALL {
            return sink.no_template(id, sink.datagram);
        }
        source.waiting_bytes += waiting.size();
        self.waiting += waiting.size();
        source.waiting.push_back(waiting);
    }
}

/// When an exporter started at the latest, from the flows that it sends: each of them ended before it
/// was sent. The shortest delay so far counts. One that is longer by an hour means that the exporter
/// was started again, or that its 32 bits of milliseconds ran over.
fn started(
    before: Option<i64>,
    template: &Template,
    set: &[u8],
    sent: &Sent,
    values: &mut Values,
) -> Option<i64> {
    let mut bound: Option<i64> = None;
    let mut rest = set;
    while let Some(behind) = template.take(rest, values) {
        rest = behind;
        if let Some(last) = values.get(template::Target::LastUptime) {
            let this = sent.time.saturating_sub_unsigned(last);
            bound = Some(bound.map_or(this, |bound| bound.min(this)));
        }
    }
    match (before, bound) {
        (Some(before), Some(bound)) if bound.saturating_sub(before) <= SKEW_MS => Some(before.min(bound)),
        (_, Some(bound)) => Some(bound),
        (before, None) => before,
    }
}

impl Waiting {
    /// Bytes that it takes.
    fn size(&self) -> usize {
        size_of::<Self>() + self.set.len()
    }
}

fn no_template(log: &mut Log, waiting: &Waiting) {
    log.refuse(Reason::NoTemplate, waiting.datagram, format!("template {}", waiting.id).as_bytes());
}

fn note_skew(sent: &Sent, sink: &mut Sink<'_>) {
    if sent.received.is_some_and(|received| (received - sent.time).abs() > SKEW_MS) {
        sink.log.note(Reason::ClockSkew, sink.datagram, b"");
    }
}

/// A datagram of version 5 (Cisco, "NetFlow Export Datagram Format", tables B-3 and B-4).
fn v5(payload: &[u8], received: Option<i64>, sink: &mut Sink<'_>) {
    let word = |at| u32_at(payload, at).unwrap_or(0);
    let count = usize::from(u16_at(payload, 2).unwrap_or(0));
    let uptime = word(4);
    let time = i64::from(word(8)) * 1000 + i64::from(word(12) / 1_000_000);
    let sent = Sent { time, uptime: Some(uptime), received };
    note_skew(&sent, sink);
    // Two bits of mode, which Juniper leaves 0 although it samples, and the interval.
    let rate = record::clamp(u64::from(u16_at(payload, 22).unwrap_or(0) & 0x3fff));
    for record in payload[V5_HEADER..].chunks_exact(V5_RECORD).take(count) {
        let half = |at: usize| i32::from(u16::from_be_bytes([record[at], record[at + 1]]));
        let word =
            |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let span = sent.by_uptime(uptime, word(24), word(28));
        let (src, dst) = (Address::v4(word(0)), Address::v4(word(4)));
        let proto = i32::from(record[38]);
        let (mut src_port, mut dst_port) = (half(32), half(34));
        if proto == 1 {
            (src_port, dst_port) = record::split_icmp(dst_port);
        }
        let flow = Flow {
            src_hi: src.hi,
            src_lo: src.lo,
            dst_hi: dst.hi,
            dst_lo: dst.lo,
            src_port,
            dst_port,
            proto,
            time: span.first,
            duration: span.duration,
            packets: i64::from(word(16)) * i64::from(rate),
            bytes: i64::from(word(20)) * i64::from(rate),
            flags: i32::from(record[37]),
            sampling: rate as i32,
            ..Flow::EMPTY
        };
        sink.flow(&flow, (!span.own).then_some(Reason::ExportTime));
    }
}
