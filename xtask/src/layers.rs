//! Which crate may depend on which. The table is the rule; `cargo xtask test` compares it with the manifests.

use crate::workspace::Package;

/// One crate and the crates of the workspace that it may name in its manifest.
struct Layer {
    name: &'static str,
    may_use: MayUse,
    /// Further crates that its tests alone may use.
    tests_may_use: &'static [&'static str],
}

enum MayUse {
    Only(&'static [&'static str]),
    AllAboveBut(&'static [&'static str]),
}

const fn layer(name: &'static str, may_use: &'static [&'static str]) -> Layer {
    Layer { name, may_use: MayUse::Only(may_use), tests_may_use: &[] }
}

/// From the nouns at the top to the binary at the bottom; a crate may only use crates above it.
const LAYERS: [Layer; 17] = [
    layer("domain", &[]),
    layer("tlog", &[]),
    layer("traffic", &["domain"]),
    layer("ingest", &["domain", "traffic"]),
    // Tests of detectors use traffic whose truth is known, which `exercise` generates.
    Layer { name: "detect", may_use: MayUse::Only(&["domain", "traffic"]), tests_may_use: &["exercise"] },
    layer("witness", &["tlog"]),
    layer("results", &["domain", "tlog"]),
    layer("channels", &["domain", "tlog", "results", "witness"]),
    layer("site", &["domain", "tlog", "results"]),
    layer("edge", &["domain", "traffic", "results"]),
    layer("readiness", &["domain"]),
    layer("response", &["domain", "tlog"]),
    layer("exchange", &["domain", "response"]),
    layer("exercise", &["domain", "tlog", "traffic", "results"]),
    layer("store", &["domain", "tlog", "traffic", "results", "response", "readiness"]),
    Layer { name: "console", may_use: MayUse::AllAboveBut(&["ingest"]), tests_may_use: &[] },
    Layer { name: "scrutineer", may_use: MayUse::AllAboveBut(&[]), tests_may_use: &[] },
];

/// The tasks stand outside: they may use every crate, and no crate may use them.
const OUTSIDE: &str = "xtask";

/// One line for each crate without a row or a purpose, and for each dependency that the table forbids.
pub(crate) fn problems(members: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for member in members {
        if member.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
            problems.push(format!("`{}` says nothing of its purpose: `description` is empty", member.name));
        }
        if member.name == OUTSIDE {
            continue;
        }
        let Some(place) = LAYERS.iter().position(|layer| layer.name == member.name) else {
            problems.push(format!("`{}` has no row in the table of layers", member.name));
            continue;
        };
        problems.extend(forbidden_edges(member, place));
    }
    problems
}

fn forbidden_edges(member: &Package, place: usize) -> impl Iterator<Item = String> {
    let layer = &LAYERS[place];
    // A crate may name itself, for instance to turn on a feature in its own tests.
    let ours = member
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some() && dependency.name != member.name);
    ours.filter_map(move |dependency| {
        let name = dependency.name.as_str();
        let for_tests = dependency.kind.as_deref() == Some("dev");
        let allowed = may_use(layer, place, name) || (for_tests && layer.tests_may_use.contains(&name));
        let what = if for_tests { "the tests of " } else { "" };
        (!allowed).then(|| format!("{what}`{}` may not use `{name}`", member.name))
    })
}

fn may_use(layer: &Layer, place: usize, name: &str) -> bool {
    match layer.may_use {
        MayUse::Only(names) => names.contains(&name),
        MayUse::AllAboveBut(not) => {
            !not.contains(&name) && LAYERS[..place].iter().any(|above| above.name == name)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::workspace::{Dependency, Workspace};

    fn member(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
        let dependency = |&(name, kind): &(&str, Option<&str>)| Dependency {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            path: Some(PathBuf::from("crates")),
        };
        Package {
            name: name.to_owned(),
            description: Some("A purpose".to_owned()),
            dependencies: uses.iter().map(dependency).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn this_workspace_keeps_to_the_table() {
        let workspace = Workspace::of_manifests().expect("cargo can read the manifests");
        assert!(workspace.members.len() > 1, "{:?}", workspace.members);
        assert_eq!(problems(&workspace.members), [""; 0]);
    }

    #[test]
    fn edges_of_the_table_pass() {
        let members = [
            member("detect", &[("domain", None), ("traffic", None), ("exercise", Some("dev"))]),
            member("console", &[("detect", None), ("store", None)]),
            member("scrutineer", &[("ingest", None), ("console", None)]),
            member("xtask", &[("detect", None), ("scrutineer", None)]),
        ];
        assert_eq!(problems(&members), [""; 0]);
    }

    #[test]
    fn other_edges_fail_by_name() {
        let members = [
            member("detect", &[("ingest", None), ("exercise", Some("build"))]),
            member("tlog", &[("domain", Some("dev"))]),
            member("console", &[("ingest", None), ("scrutineer", None)]),
            member("scrutineer", &[("xtask", None)]),
        ];
        assert_eq!(
            problems(&members),
            [
                "`detect` may not use `ingest`",
                "`detect` may not use `exercise`",
                "the tests of `tlog` may not use `domain`",
                "`console` may not use `ingest`",
                "`console` may not use `scrutineer`",
                "`scrutineer` may not use `xtask`",
            ]
        );
    }

    #[test]
    fn a_crate_without_a_row_or_a_purpose_fails() {
        let silent = Package { description: Some(" ".to_owned()), ..member("domain", &[]) };
        assert_eq!(
            problems(&[member("utils", &[]), silent]),
            [
                "`utils` has no row in the table of layers",
                "`domain` says nothing of its purpose: `description` is empty",
            ]
        );
    }

    #[test]
    fn crates_of_other_people_are_no_layers() {
        let mut outside = member("domain", &[("serde", None)]);
        outside.dependencies[0].path = None;
        assert_eq!(problems(&[outside]), [""; 0]);
    }

    #[test]
    fn the_table_itself_only_points_upwards() {
        for (place, layer) in LAYERS.iter().enumerate() {
            if let MayUse::Only(names) = layer.may_use {
                for name in names {
                    let above = LAYERS[..place].iter().any(|other| other.name == *name);
                    assert!(above, "`{}` points to `{name}`, which is not above it", layer.name);
                }
            }
        }
    }
}
