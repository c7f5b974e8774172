//! Numbers in network order, and where one datagram ends.

/// The largest payload of UDP: 65,535 less the header of UDP (RFC 768).
pub(super) const MAX_DATAGRAM: usize = 65_527;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// An unsigned number of one to eight bytes: exporters shorten fields that need fewer (RFC 7011,
/// section 6.2).
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    match *bytes {
        [a] => Some(u64::from(a)),
        [a, b] => Some(u64::from(u16::from_be_bytes([a, b]))),
        [a, b, c, d] => Some(u64::from(u32::from_be_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
        [_, ..] if bytes.len() < 8 => Some(bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte))),
        _ => None,
    }
}

/// Protocols of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Protocol {
    /// NetFlow version 5.
    V5,
    /// NetFlow version 9 (RFC 3954).
    V9,
    /// IPFIX (RFC 7011).
    Ipfix,
    /// sFlow version 5 (sflow.org, "sFlow Version 5", July 2004).
    Sflow,
}

impl Protocol {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V5 => "NetFlow v5",
            Self::V9 => "NetFlow v9",
            Self::Ipfix => "IPFIX",
            Self::Sflow => "sFlow v5",
        }
    }
}

/// Bytes of the header of NetFlow version 5, and of each of its records.
pub(super) const V5_HEADER: usize = 24;
/// See [`V5_HEADER`].
pub(super) const V5_RECORD: usize = 48;
/// Records of version 5 that fit in an Ethernet frame: more were never sent.
const V5_RECORDS: u16 = 30;
/// Bytes of the header of NetFlow version 9.
pub(super) const V9_HEADER: usize = 20;
/// Bytes of the header of an IPFIX message.
pub(super) const IPFIX_HEADER: usize = 16;
/// Bytes of the header of a set.
pub(super) const SET_HEADER: usize = 4;
/// The smallest id of a set of data.
pub(super) const FIRST_DATA_SET: u16 = 256;
/// Samples that fit in a datagram: each has a header of eight bytes.
const SFLOW_SAMPLES: u32 = (MAX_DATAGRAM / 8) as u32;

/// The protocol of a datagram, if its header is one: counts and lengths fit in what is there.
///
/// A datagram that was cut short is not one, but for version 9, whose header has no length.
pub(super) fn protocol(bytes: &[u8]) -> Result<Protocol, &'static str> {
    match u16_at(bytes, 0) {
        Some(0) => sflow_length(bytes).map(|_| Protocol::Sflow),
        Some(5) => v5_length(bytes).map(|_| Protocol::V5),
        Some(9) => first_set(bytes, V9_HEADER, bytes.len(), 0..=1).map(|()| Protocol::V9),
        Some(10) => ipfix_length(bytes).map(|_| Protocol::Ipfix),
        Some(_) => Err("its first bytes are not 5, 9 or 10, nor an sFlow version"),
        None => Err("it is shorter than a version number"),
    }
}

/// Bytes of the first datagram of several that lie one behind the other.
pub(super) fn length(bytes: &[u8]) -> Result<usize, &'static str> {
    match protocol(bytes)? {
        Protocol::V5 => v5_length(bytes),
        Protocol::V9 => Ok(v9_length(bytes)),
        Protocol::Ipfix => ipfix_length(bytes),
        Protocol::Sflow => sflow_length(bytes),
    }
}

fn v5_length(bytes: &[u8]) -> Result<usize, &'static str> {
    let count = u16_at(bytes, 2).ok_or("its NetFlow v5 header is cut short")?;
    if count == 0 || count > V5_RECORDS {
        return Err("its NetFlow v5 header counts no record, or more than 30");
    }
    let length = V5_HEADER + usize::from(count) * V5_RECORD;
    if bytes.len() < length { Err("its NetFlow v5 records are cut short") } else { Ok(length) }
}

fn ipfix_length(bytes: &[u8]) -> Result<usize, &'static str> {
    let length = usize::from(u16_at(bytes, 2).ok_or("its IPFIX header is cut short")?);
    if length < IPFIX_HEADER || length > bytes.len() {
        return Err("its IPFIX message is longer than what is there");
    }
    if length > IPFIX_HEADER {
        first_set(bytes, IPFIX_HEADER, length, 2..=3)?;
    }
    Ok(length)
}

fn first_set(
    bytes: &[u8],
    header: usize,
    end: usize,
    templates: std::ops::RangeInclusive<u16>,
) -> Result<(), &'static str> {
    let (id, length) = u16_at(bytes, header).zip(u16_at(bytes, header + 2)).ok_or("it has no set")?;
    if !templates.contains(&id) && id < FIRST_DATA_SET {
        return Err("the id of its first set is reserved");
    }
    if usize::from(length) < SET_HEADER || header + usize::from(length) > end {
        return Err("its first set does not fit");
    }
    Ok(())
}

/// Version 9 says nowhere how long a datagram is. Sets follow each other until one has a reserved
/// id, which can only be the version of the next datagram's header, or padding.
fn v9_length(bytes: &[u8]) -> usize {
    let mut at = V9_HEADER;
    while let Some((id, length)) = u16_at(bytes, at).zip(u16_at(bytes, at + 2)) {
        let length = usize::from(length);
        if (2..FIRST_DATA_SET).contains(&id) || length < SET_HEADER || at + length > MAX_DATAGRAM {
            break;
        }
        at += length;
    }
    // Zeros behind the last set belong to it.
    let zeros = bytes[at.min(bytes.len())..].iter().take_while(|&&byte| byte == 0).count();
    // The zero before a version number does not.
    let zeros = if at + zeros < bytes.len() && zeros % 2 == 1 { zeros - 1 } else { zeros };
    (at + zeros).min(bytes.len()).min(MAX_DATAGRAM)
}

fn sflow_length(bytes: &[u8]) -> Result<usize, &'static str> {
    if u32_at(bytes, 0) != Some(5) {
        return Err("its first bytes are not 5, 9 or 10, nor an sFlow version");
    }
    let agent = match u32_at(bytes, 4) {
        Some(1) => 4,
        Some(2) => 16,
        _ => return Err("its sFlow agent has no address"),
    };
    let mut at = 8 + agent + 12;
    let samples = u32_at(bytes, at).ok_or("its sFlow header is cut short")?;
    if samples > SFLOW_SAMPLES {
        return Err("its sFlow header counts more samples than fit");
    }
    at += 4;
    for _ in 0..samples {
        let length = u32_at(bytes, at + 4).ok_or("its sFlow samples are cut short")?;
        at += 8 + length as usize;
        if at > bytes.len() {
            return Err("its sFlow samples are cut short");
        }
    }
    Ok(at)
}
