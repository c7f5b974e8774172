//! The configuration as its writer meets it: text in, site or faults out.

use super::*;

fn faults(text: &str) -> String {
    let faults = parse(text).expect_err("a faulty text");
    faults.iter().map(|f| format!("{}: {} -> {}\n", f.line, f.what, f.remedy)).collect()
}

const WHOLE: &str = r#"
[[assets]]
id = "results-site"
name = "Results site"
prefixes = ["192.0.2.0/28", "2001:db8:12::/48"]
hosts = ["Results.Example"]

[[assets]]
id = "upload"
prefixes = ["192.0.2.77"]

[known-good]
own = ["203.0.113.0/24"]
proxies = ["198.51.100.8"]

[[known-good.clients]]
name = "our monitor"
prefixes = ["198.51.100.64/26"]

[[known-good.embeds]]
name = "the broadcaster"
hosts = ["news.example"]
paths = ["/api/ticker.json"]

[[events]]
name = "Polls close"
from = 2026-09-13T18:00:00+02:00
until = "2026-09-13T21:30:00Z"
asset = "results-site"
"#;

#[test]
fn a_whole_text_becomes_a_site() {
    let site = parse(WHOLE).expect("a whole text").site;
    insta::assert_debug_snapshot!(site);
    assert_eq!(
        contents(&site),
        "2 assets, 1 own network, 1 proxy, 1 known client, 1 embed and 1 expected event"
    );
    assert_eq!(contents(&Site::default()), "nothing");
}

#[test]
fn an_empty_text_is_an_empty_site() {
    let parsed = parse("# nothing yet\n").expect("a whole text");
    assert!(parsed.site.assets.is_empty() && parsed.networks.is_none());
}

#[test]
fn the_example_of_the_reference_page_is_whole() {
    let page = reference_page();
    let example =
        page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let parsed = parse(example).unwrap_or_else(|faults| panic!("{faults:?}\n{example}"));
    assert_eq!(parsed.networks.map(|(_, name)| name), Some("ip2asn-combined.tsv.gz".to_owned()));
    assert_eq!(parsed.site.events[0].asset.as_deref(), Some("results-site"));
}

#[test]
fn every_fault_has_its_line_and_its_remedy() {
    let table = [
        "asn_table = \"a\"",
        "colour = 1",
        "[known-good]\nasn-table = \"a\"",
        "[[known-good.clients]]\nname = \"x\"\nprefix = [\"192.0.2.1\"]",
        "[known-good]\nevents = 3",
        "assets = \"x\"",
        "[assets]\nid = \"x\"",
        "[[assets]]\nid = \"two words\"\nhosts = [\"a.example\"]",
        "[[assets]]\nid = \"a\"",
        "[[assets]]\nid = \"a\"\nprefixes = []",
        "[[assets]]\nid = \"a\"\nhosts = [\"a.example\"]\n[[assets]]\nid = \"a\"\nhosts = [\"b.example\"]",
        "[[assets]]\nid = \"a\"\nprefixes = [\n  \"192.0.2.0/24\",\n  \"192.0.2.9/24\",\n  \"0.0.0.0/0\",\n  \"a.example\",\n  7,\n]",
        "[[assets]]\nid = \"a\"\nhosts = [\"https://a.example/\", \"*.example\", \"a.example:443\", \"a b\"]",
        "[[assets]]\nid = \"a\"\nhosts = [\"a.example\"]\npaths = [\"/results\"]",
        "[[known-good.embeds]]\nname = \"x\"\nhosts = [\"a.example\"]\npaths = [\"results\", \"/a*\", \"https://a.example/x\"]",
        "[[events]]\nname = \"polls close\"\nfrom = 2026-09-13T18:00:00\nuntil = \"tomorrow\"",
        "[[events]]\nname = \"x\"\nfrom = 2026-09-13T18:00:00Z\nuntil = 2026-09-13T18:00:00+02:00",
        "[[assets]]\nid = \"results\"\nhosts = [\"a.example\"]\n[[events]]\nname = \"x\"\n\
         from = 2026-09-13T18:00:00Z\nuntil = 2026-09-13T19:00:00Z\nasset = \"result\"",
        "[[events]]\nname = \"x\"\nfrom = 2026-09-13T18:00:00Z\nuntil = 2026-09-13T19:00:00Z\nasset = \"results\"",
        "[known-good]\nown = \"192.0.2.1\"",
        "[[assets]]\nid = \nhosts = [\"a.example\"\n",
        "[known-good]\nown = [\"192.0.2.1\"]\nown = [\"192.0.2.2\"]",
    ];
    let told: Vec<String> = table.iter().map(|text| format!("{text}\n=>\n{}", faults(text))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_table_of_networks_lies_beside_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(FILE_NAME);
    fs::write(&file, "asn-table = \"asn.tsv\"\n").expect("a file");
    assert!(matches!(load(&file), Err(ConfigError::Networks { .. })));
    fs::write(folder.path().join("asn.tsv"), "hello\nworld\n").expect("a file");
    let error = load(&file).expect_err("no range in it");
    assert!(error.details().contains(":1: `asn.tsv` has no line"), "{}", error.details());
    fs::write(folder.path().join("asn.tsv"), "192.0.2.0\t192.0.2.255\t64500\tZZ\tExample\nx\ty\n")
        .expect("a file");
    let config = load(&file).expect("a whole configuration");
    assert_eq!(config.site.networks.find("192.0.2.9".parse().expect("an address")), Some((64500, "Example")));
    assert_eq!(config.notes.len(), 1);
}
