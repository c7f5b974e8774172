//! Templates of NetFlow v9 and IPFIX, and the plan that each makes for reading its records.

use super::wire::{number, u16_at, u32_at};

/// Length of a field that says for each record how long it is (RFC 7011, section 7).
const VARIABLE: u16 = 0xffff;

/// Fields of a template. A set of 64 KiB could hold 16,000; real ones have under a hundred.
const MAX_FIELDS: usize = 1024;

macro_rules! targets {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What is wanted of a record. The numbers are those of IANA's "IPFIX Information Elements".
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Target { $($(#[$doc])* $name),+ }
        const TARGETS: usize = [$(Target::$name),+].len();
    };
}

targets! {
    /// 1
    Bytes,
    /// 2
    Packets,
    /// 4
    Proto,
    /// 6, and what YAF calls initial and union flags
    Flags,
    /// 7
    SrcPort,
    /// 11
    DstPort,
    /// 8
    Src4,
    /// 12
    Dst4,
    /// 27
    Src6,
    /// 28
    Dst6,
    /// 23
    OutBytes,
    /// 24
    OutPackets,
    /// 61
    Direction,
    /// 85
    TotalBytes,
    /// 86
    TotalPackets,
    /// 231
    InitiatorBytes,
    /// 232
    ResponderBytes,
    /// 298
    InitiatorPackets,
    /// 299
    ResponderPackets,
    /// 1 of 29305
    ReverseBytes,
    /// 2 of 29305
    ReversePackets,
    /// 85 of 29305
    ReverseTotalBytes,
    /// 86 of 29305
    ReverseTotalPackets,
    /// 22
    FirstUptime,
    /// 21
    LastUptime,
    /// 150
    StartSeconds,
    /// 151
    EndSeconds,
    /// 152
    StartMillis,
    /// 153
    EndMillis,
    /// 154 and 156
    StartFraction,
    /// 155 and 157
    EndFraction,
    /// 158
    StartDelta,
    /// 159
    EndDelta,
    /// 161
    DurationMillis,
    /// 162
    DurationMicros,
    /// 160
    SystemInit,
    /// 322
    SeenSeconds,
    /// 323
    SeenMillis,
    /// 324 and 325
    SeenFraction,
    /// 32
    IcmpBoth4,
    /// 139
    IcmpBoth6,
    /// 176 and 178
    IcmpType,
    /// 177 and 179
    IcmpCode,
    /// 88
    FragmentOffset,
    /// 136
    EndReason,
    /// 233, and 40005 of Cisco's ASA
    FirewallEvent,
    /// 230
    NatEvent,
    /// 34
    SamplingInterval,
    /// 48
    SamplerId,
    /// 50
    SamplerInterval,
    /// 302
    SelectorId,
    /// 305
    SampledPackets,
    /// 306
    SkippedPackets,
    /// 309
    SampleSize,
    /// 310
    SamplePopulation,
    /// 311
    SampleProbability,
}

/// Enterprise number of IPFIX's reverse direction (RFC 5103).
const REVERSE: u32 = 29_305;
/// Enterprise number of CERT, whose YAF is.
const CERT: u32 = 6871;

impl Target {
    /// Of an information element of IANA or, where an enterprise is named, of its own.
    fn of(id: u16, enterprise: u32) -> Option<Self> {
        Some(match (enterprise, id) {
            (REVERSE, 1) => Self::ReverseBytes,
            (REVERSE, 2) => Self::ReversePackets,
            (REVERSE, 85) => Self::ReverseTotalBytes,
            (REVERSE, 86) => Self::ReverseTotalPackets,
            // initialTCPFlags and unionTCPFlags: the first packet's, and all the others'.
            (CERT, 14 | 15) => Self::Flags,
            (0, 1) => Self::Bytes,
            (0, 2) => Self::Packets,
            (0, 4) => Self::Proto,
            (0, 6) => Self::Flags,
            (0, 7) => Self::SrcPort,
            (0, 8) => Self::Src4,
            (0, 11) => Self::DstPort,
            (0, 12) => Self::Dst4,
            (0, 21) => Self::LastUptime,
            (0, 22) => Self::FirstUptime,
            (0, 23) => Self::OutBytes,
            (0, 24) => Self::OutPackets,
            (0, 27) => Self::Src6,
            (0, 28) => Self::Dst6,
            (0, 32) => Self::IcmpBoth4,
            (0, 34) => Self::SamplingInterval,
            (0, 48) => Self::SamplerId,
            (0, 50) => Self::SamplerInterval,
            (0, 61) => Self::Direction,
            (0, 85) => Self::TotalBytes,
            (0, 86) => Self::TotalPackets,
            (0, 88) => Self::FragmentOffset,
            (0, 136) => Self::EndReason,
            (0, 139) => Self::IcmpBoth6,
            (0, 150) => Self::StartSeconds,
            (0, 151) => Self::EndSeconds,
            (0, 152) => Self::StartMillis,
            (0, 153) => Self::EndMillis,
            (0, 154 | 156) => Self::StartFraction,
            (0, 155 | 157) => Self::EndFraction,
            (0, 158) => Self::StartDelta,
            (0, 159) => Self::EndDelta,
            (0, 160) => Self::SystemInit,
            (0, 161) => Self::DurationMillis,
            (0, 162) => Self::DurationMicros,
            (0, 176 | 178) => Self::IcmpType,
            (0, 177 | 179) => Self::IcmpCode,
            (0, 230) => Self::NatEvent,
            (0, 231) => Self::InitiatorBytes,
            (0, 232) => Self::ResponderBytes,
            (0, 233 | 40_005) => Self::FirewallEvent,
            (0, 298) => Self::InitiatorPackets,
            (0, 299) => Self::ResponderPackets,
            (0, 302) => Self::SelectorId,
            (0, 305) => Self::SampledPackets,
            (0, 306) => Self::SkippedPackets,
            (0, 309) => Self::SampleSize,
            (0, 310) => Self::SamplePopulation,
            (0, 311) => Self::SampleProbability,
            (0, 322) => Self::SeenSeconds,
            (0, 323) => Self::SeenMillis,
            (0, 324 | 325) => Self::SeenFraction,
            _ => return None,
        })
    }
}

/// The wanted values of one record.
#[derive(Clone, Debug)]
pub(super) struct Values {
    present: u64,
    numbers: [u64; TARGETS],
    src6: u128,
    dst6: u128,
}

impl Default for Values {
    fn default() -> Self {
        const { assert!(TARGETS <= 64) }
        Self { present: 0, numbers: [0; TARGETS], src6: 0, dst6: 0 }
    }
}

impl Values {
    pub(super) fn get(&self, target: Target) -> Option<u64> {
        (self.present >> target as u8 & 1 == 1).then(|| self.numbers[target as usize])
    }

    pub(super) fn src6(&self) -> Option<u128> {
        (self.present >> Target::Src6 as u8 & 1 == 1).then_some(self.src6)
    }

    pub(super) fn dst6(&self) -> Option<u128> {
        (self.present >> Target::Dst6 as u8 & 1 == 1).then_some(self.dst6)
    }

    /// A value of an impossible length is left out, as if the template did not have it.
    fn set(&mut self, target: Target, bytes: &[u8]) {
        match target {
            Target::Src6 | Target::Dst6 => {
                let Ok(bytes) = bytes.try_into() else { return };
                let value = u128::from_be_bytes(bytes);
                if target == Target::Src6 {
                    self.src6 = value;
                } else {
                    self.dst6 = value;
                }
            }
            Target::Flags => {
                let Some(value) = number(bytes) else { return };
                let before = self.get(target).unwrap_or(0);
                self.numbers[target as usize] = before | value;
            }
            Target::SampleProbability => {
                let probability = match *bytes {
                    [a, b, c, d] => f64::from(f32::from_be_bytes([a, b, c, d])),
                    [a, b, c, d, e, f, g, h] => f64::from_be_bytes([a, b, c, d, e, f, g, h]),
                    _ => return,
                };
                if !(probability > 0.0 && probability <= 1.0) {
                    return;
                }
                self.numbers[target as usize] = (1.0 / probability).round() as u64;
            }
            _ => {
                let Some(value) = number(bytes) else { return };
                self.numbers[target as usize] = value;
            }
        }
        self.present |= 1 << target as u8;
    }
}

/// One field that is read or, where records have no fixed layout, passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// `None`: passed over.
    target: Option<Target>,
    length: u16,
    /// From the start of a record; 0 where the layout is not fixed.
    offset: u16,
}

/// How to read the records of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    steps: Vec<Step>,
    /// Bytes of a record; the least that it can have where the layout is not fixed.
    length: usize,
    fixed: bool,
    /// Whether its records are about the exporter and not about traffic.
    pub(super) options: bool,
}

impl Template {
    /// Entries that are kept in memory.
    pub(super) fn size(&self) -> usize {
        self.steps.len() + 1
    }

    /// Whether flows end by the exporter's uptime, and nothing in the record says when that began.
    pub(super) fn by_uptime(&self) -> bool {
        let has = |target| self.steps.iter().any(|step| step.target == Some(target));
        !self.options && has(Target::LastUptime) && !has(Target::SystemInit)
    }

    /// Takes one record off the front of a set: its values are in `values`, and the rest is given
    /// back. `None` where no whole record is left, which is padding.
    pub(super) fn take<'a>(&self, set: &'a [u8], values: &mut Values) -> Option<&'a [u8]> {
        if set.len() < self.length {
            return None;
        }
        values.present = 0;
        if self.fixed {
            for step in &self.steps {
                if let Some(target) = step.target {
                    values.set(target, &set[usize::from(step.offset)..][..usize::from(step.length)]);
                }
            }
            return Some(&set[self.length..]);
        }
        let mut rest = set;
        for step in &self.steps {
            let mut length = usize::from(step.length);
            if step.length == VARIABLE {
                // RFC 7011, section 7: one byte, or 255 and two more.
                let (&first, behind) = rest.split_first()?;
                (length, rest) = (usize::from(first), behind);
                if first == 255 {
                    length = usize::from(u16_at(rest, 0)?);
                    rest = &rest[2..];
                }
            }
            let (field, behind) = rest.split_at_checked(length)?;
            if let Some(target) = step.target {
                values.set(target, field);
            }
            rest = behind;
        }
        Some(rest)
    }
}

/// What one entry of a set of templates says.
#[derive(Debug)]
pub(super) enum Entry {
    /// A template of this id.
    Template(u16, Template),
    /// The template of this id is no longer used; 2 and 3 stand for all (RFC 7011, section 8.1).
    Withdrawal(u16),
    /// A template that cannot be used.
    Unusable,
}

/// Takes one template of version 9 off the front of a set (RFC 3954, sections 5.2 and 6.1).
pub(super) fn take_v9(set: &[u8], options: bool) -> Option<(Entry, &[u8])> {
    let id = u16_at(set, 0)?;
    let (scopes, fields, header) = if options {
        let (scope, option) = (usize::from(u16_at(set, 2)?), usize::from(u16_at(set, 4)?));
        (scope / 4, scope / 4 + option / 4, 6)
    } else {
        (0, usize::from(u16_at(set, 2)?), 4)
    };
    // Padding: no template has the id 0.
    if id == 0 {
        return None;
    }
    let (list, rest) = set[header..].split_at_checked(4 * fields)?;
    let fields = list.chunks_exact(4).enumerate().map(|(at, field)| {
        let field_id = u16::from_be_bytes([field[0], field[1]]);
        let length = u16::from_be_bytes([field[2], field[3]]);
        // Scopes have numbers of their own (section 6.1).
        (if at < scopes { None } else { Target::of(field_id, 0) }, length)
    });
    Some((plan(id, fields, options), rest))
}

/// Takes one template of IPFIX off the front of a set (RFC 7011, section 3.4).
pub(super) fn take_ipfix(set: &[u8], options: bool) -> Option<(Entry, &[u8])> {
    let (id, count) = (u16_at(set, 0)?, usize::from(u16_at(set, 2)?));
    if id == 0 {
        return None;
    }
    if count == 0 {
        return Some((Entry::Withdrawal(id), &set[4..]));
    }
    let mut rest = set.get(if options { 6 } else { 4 }..)?;
    let mut fields = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        let (field, length) = (u16_at(rest, 0)?, u16_at(rest, 2)?);
        let mut enterprise = 0;
        rest = &rest[4..];
        if field & 0x8000 != 0 {
            enterprise = u32_at(rest, 0)?;
            rest = &rest[4..];
        }
        fields.push((Target::of(field & 0x7fff, enterprise), length));
    }
    Some((plan(id, fields.into_iter(), options), rest))
}

fn plan(id: u16, fields: impl ExactSizeIterator<Item = (Option<Target>, u16)>, options: bool) -> Entry {
    if id < super::wire::FIRST_DATA_SET || fields.len() > MAX_FIELDS {
        return Entry::Unusable;
    }
    let mut steps = Vec::with_capacity(fields.len());
    let (mut length, mut fixed) = (0, true);
    for (target, field) in fields {
        if field == VARIABLE {
            fixed = false;
            length += 1;
            steps.push(Step { target, length: field, offset: 0 });
            continue;
        }
        // A field without length has no value: some exporters list what they do not know.
        if field > 0 {
            steps.push(Step { target, length: field, offset: length as u16 });
            length += usize::from(field);
        }
    }
    // A record without bytes would come without end, and one longer than a datagram never.
    if length == 0 || length > usize::from(u16::MAX) {
        return Entry::Unusable;
    }
    if fixed {
        steps.retain(|step| step.target.is_some());
    }
    steps.shrink_to_fit();
    Entry::Template(id, Template { steps, length, fixed, options })
}
