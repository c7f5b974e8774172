//! Links.

use std::net::IpAddr;

/// A link and the domain behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The normalised URL.
    pub url: String,
    /// The registrable domain by the Public Suffix List; the host where there is none.
    pub domain: String,
}

/// Bytes of the longest of them.
const LONGEST_NAME: usize = 20;

/// Query parameters that say where a reader came from and not what is read, sorted.
const TRACKING: &[&str] = &[
    "__twitter_impression",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "at_campaign",
    "at_medium",
    "dclid",
    "fb_action_ids",
    "fb_action_types",
    "fb_ref",
    "fb_source",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mibextid",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "ref_src",
    "ref_url",
    "spm",
    "srsltid",
    "ttclid",
    "twclid",
    "vero_id",
    "wbraid",
    "wt_mc",
    "yclid",
];

/// Normalises a link: scheme and host in lower case; without user, default port, `www.`, fragment,
/// tracking parameters and the slash at the end. `None` for what is no link of the web.
pub fn link(text: &str) -> Option<Link> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_lowercase();
    let site = without_www(without_port(&authority, default_port));
    let host = match site.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.trim_end_matches('.'),
        _ => site,
    };
    let is_address = host.starts_with('[');
    if host.is_empty()
        || host.starts_with('.')
        || host.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"%|^`{}\\".contains(c))
        || (!is_address && host.contains(':'))
    {
        return None;
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.trim_end_matches(|c: char| c == '/' || c.is_whitespace());
    let query: Vec<&str> =
        query.split('&').filter(|p| !p.trim().is_empty() && !is_tracking(p.as_bytes())).collect();
    let mut url = format!("{scheme}://{site}{path}");
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query.join("&"));
    }
    url.truncate(url.trim_end().len());
    if url.contains(char::is_control) {
        return None;
    }
    Some(Link { url, domain: domain_of(host) })
}

fn without_port<'a>(authority: &'a str, default_port: &str) -> &'a str {
    let mut site = authority.trim_end_matches(['.', ':']);
    while let Some(shorter) = site.strip_suffix(default_port) {
        site = shorter.trim_end_matches(['.', ':']);
    }
    site
}

/// `www.example.org` is `example.org`, but `www.org` is a domain of its own.
fn without_www(mut site: &str) -> &str {
    while let Some(shorter) = site.strip_prefix("www.").filter(|shorter| shorter.contains('.')) {
        site = shorter;
    }
    site
}

/// True for a parameter of a query, `key=value` or `key`, that says where a reader came from.
pub(crate) fn is_tracking(parameter: &[u8]) -> bool {
    let key = parameter.split(|&b| b == b'=').next().unwrap_or_default();
    // Every request with a query comes here, so the name is looked up without a copy on the heap.
    let mut lower = [0; LONGEST_NAME];
    if key.len() > LONGEST_NAME {
        return key[..4].eq_ignore_ascii_case(b"utm_");
    }
    let lower = &mut lower[..key.len()];
    lower.copy_from_slice(key);
    lower.make_ascii_lowercase();
    lower.starts_with(b"utm_") || TRACKING.binary_search_by(|known| known.as_bytes().cmp(lower)).is_ok()
}

fn domain_of(host: &str) -> String {
    if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    psl::domain_str(host).unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) -> String {
        link(text).map_or_else(|| "none".to_owned(), |link| format!("{} at {}", link.url, link.domain))
    }

    #[test]
    fn what_a_share_button_adds_makes_no_difference() {
        for text in [
            "https://example.org/a",
            "HTTPS://WWW.Example.ORG/a/",
            " https://example.org:443/a?utm_source=x&UTM_medium=y#top",
            "https://user:word@example.org./a?fbclid=1&&gclid=2",
        ] {
            assert_eq!(check(text), "https://example.org/a at example.org", "{text}");
        }
    }

    #[test]
    fn what_names_another_page_is_kept() {
        assert_eq!(
            check("https://m.example.co.uk/A?id=1&utm_id=2&p=B"),
            "https://m.example.co.uk/A?id=1&p=B at example.co.uk"
        );
        assert_eq!(check("http://example.org:8080"), "http://example.org:8080 at example.org");
        assert_eq!(check("http://192.0.2.7/x"), "http://192.0.2.7/x at 192.0.2.7");
        assert_eq!(check("http://[2001:DB8::1]:80/"), "http://[2001:db8::1] at [2001:db8::1]");
        assert_eq!(check("https://bücher.example/ä"), "https://bücher.example/ä at bücher.example");
    }

    #[test]
    fn tracking_parameters_are_sorted_and_fit() {
        assert!(TRACKING.is_sorted());
        assert!(TRACKING.iter().all(|name| name.len() <= LONGEST_NAME));
        assert!(
            is_tracking(b"FBCLID=x") && is_tracking(b"utm_") && is_tracking(b"utm_a_very_long_name_indeed=1")
        );
        assert!(
            !is_tracking(b"page=2") && !is_tracking(b"") && !is_tracking(b"a_very_long_name_indeed_it_is")
        );
    }

    #[test]
    fn what_is_no_link_is_none() {
        for text in [
            "",
            "example.org",
            "ftp://example.org",
            "https://",
            "https:///a",
            "https://a b/",
            "mailto:a@example.org",
            "http://:80",
            "https://./",
        ] {
            assert_eq!(check(text), "none", "{text}");
        }
    }

    #[test]
    fn a_domain_may_be_called_www() {
        assert_eq!(check("https://www.org/"), "https://www.org at www.org");
        assert_eq!(check("https://www.www.org/"), "https://www.org at www.org");
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(text in "(http|HTTPS)://[wW.a-c0-9:@/?#&= _é%-]{0,30}(:443|utm_x=1|/)?") {
            if let Some(link) = link(&text) {
                prop_assert_eq!(super::link(&link.url), Some(link));
            }
        }
    }
}
