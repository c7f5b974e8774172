//! A feed of amendments, in Atom (RFC 4287).

use domain::Timestamp;

use crate::level::amendments;
use crate::page::unit_name;
use crate::words::{LANGUAGES, fill, shown};
use crate::{File, Site, path};

/// Amendments in the feed.
const ENTRIES: usize = 100;

/// The feed. While numbers are sealed it has no entries.
pub(crate) fn files<'s>(site: &'s Site<'_>) -> Vec<File<'s>> {
    vec![File::debounced("amendments.atom", || atom(site).into_bytes())]
}

fn atom(site: &Site<'_>) -> String {
    let words = LANGUAGES[0];
    let definition = &site.election().definition;
    let amendments = amendments(site);
    let updated = amendments.iter().map(|(_, _, link)| link.time).max().unwrap_or(definition.closes);
    let title = escaped(&shown(&definition.title, 80));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">\n\
         <id>{}</id>\n<title>{title}: {}</title>\n<updated>{}</updated>\n<author><name>{title}</name></author>\n\
         <link rel=\"self\" href=\"{}amendments.atom\"/>\n",
        words.code,
        urn(site, "amendments"),
        words.t.corrections,
        rfc3339(updated),
        base(site),
    );
    for (contest, unit, link) in amendments.iter().take(ENTRIES) {
        let revision = fill(words.t.revision, &[&words.n(u64::from(link.revision))]);
        xml.push_str(&format!(
            "<entry>\n<id>{}</id>\n<title>{} ({unit}): {revision}. {}</title>\n<updated>{}</updated>\n\
             <link href=\"{}{}\"/>\n</entry>\n",
            urn(site, &format!("entry:{}", link.index)),
            escaped(&unit_name(site, unit)),
            words.reason(link.reason),
            rfc3339(link.time),
            base(site),
            path::unit(words, contest, unit, 0),
        ));
    }
    xml.push_str("</feed>\n");
    xml
}

/// Ids of entries never change, wherever the tree stands.
fn urn(site: &Site<'_>, what: &str) -> String {
    format!("urn:scrutineer:{}:{what}", site.election().definition.election)
}

fn base(site: &Site<'_>) -> String {
    let address = &site.options.address;
    if address.is_empty() { String::new() } else { format!("{}/", escaped(address)) }
}

fn rfc3339(time: Timestamp) -> String {
    time.to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
