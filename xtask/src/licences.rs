//! Every dependency must be usable under a licence that fits the project's own, the EUPL-1.2.

use spdx::{Expression, Licensee, ParseMode};

use crate::workspace::Package;

/// Licences that a dependency may come under. Any one branch of an `OR` is enough, so a crate that
/// also offers a GPL is welcome as long as it offers one of these.
const ALLOWED: [&str; 16] = [
    "EUPL-1.2",
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "MPL-2.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "Unlicense",
    "0BSD",
];

/// One line for each package whose licence is missing, unreadable or not allowed.
pub(crate) fn problems(packages: &[Package]) -> Vec<String> {
    let allowed = allowed();
    packages
        .iter()
        .filter_map(|package| {
            let reason = refusal(package.license.as_deref(), &allowed)?;
            Some(format!("`{} {}` {reason}", package.name, package.version))
        })
        .collect()
}

fn allowed() -> Vec<Licensee> {
    ALLOWED
        .iter()
        .map(|name| Licensee::parse(name).expect("internal error: the allow list holds SPDX names"))
        .collect()
}

/// Why an expression is refused, or `None` where the allow list satisfies it.
fn refusal(expression: Option<&str>, allowed: &[Licensee]) -> Option<String> {
    let Some(text) = expression else {
        return Some("states no licence expression".to_owned());
    };
    // Old manifests write `MIT/Apache-2.0`; the registry reads the slash as OR, and so do we.
    let Ok(expression) = Expression::parse_mode(text, ParseMode::LAX) else {
        return Some(format!("states `{text}`, which is not an SPDX expression"));
    };
    let satisfied = expression.evaluate(|wanted| allowed.iter().any(|licence| licence.satisfies(wanted)));
    (!satisfied).then(|| format!("is under `{text}`, which the allow list does not satisfy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> bool {
        refusal(Some(expression), &allowed()).is_none()
    }

    #[test]
    fn one_allowed_branch_of_an_or_is_enough() {
        assert!(check("MIT OR Apache-2.0 OR LGPL-2.1-or-later"));
        assert!(check("GPL-3.0-only OR MIT"));
        assert!(check("MIT/Apache-2.0"));
        assert!(!check("GPL-2.0-only OR LGPL-3.0-or-later"));
    }

    #[test]
    fn every_branch_of_an_and_is_needed() {
        assert!(check("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!check("MIT AND GPL-3.0-only"));
        assert!(!check("(MIT OR AGPL-3.0-only) AND LGPL-2.1-only"));
    }

    #[test]
    fn the_copyleft_of_the_gnu_family_alone_is_refused() {
        for expression in
            ["GPL-2.0-only", "GPL-3.0-or-later", "AGPL-3.0-only", "LGPL-2.1-or-later", "GPL-3.0"]
        {
            assert!(!check(expression), "{expression}");
        }
    }

    #[test]
    fn an_exception_is_part_of_the_licence() {
        assert!(check("Apache-2.0 WITH LLVM-exception"));
        assert!(!check("GPL-2.0-only WITH Classpath-exception-2.0"));
    }

    #[test]
    fn a_package_without_a_readable_licence_is_named() {
        let package = |name: &str, license: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            ..Package::default()
        };
        let packages =
            [package("fine", Some("MIT")), package("silent", None), package("odd", Some("do as you like"))];
        assert_eq!(
            problems(&packages),
            [
                "`silent 1.0.0` states no licence expression",
                "`odd 1.0.0` states `do as you like`, which is not an SPDX expression",
            ]
        );
    }
}
