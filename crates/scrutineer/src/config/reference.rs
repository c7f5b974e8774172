//! The reference page of the configuration, from the table of keys.

use super::keys::{Kind, ROOT, Section};

/// The page, in Markdown.
pub(crate) fn page() -> String {
    let mut page = "# Configuration\n\n\
        `scrutineer.toml` says what you defend, what is known to be good and when many people are expected. It is \
        for whoever runs Scrutineer; without it every command works, but findings cannot name your services. \
        Written by `cargo xtask docs`; edit the programme, not this page.\n\n\
        `scrutineer detect` uses the file that `--config FILE` names, else `scrutineer.toml` in the current folder, \
        else the one in a folder that it reads or beside a file that it reads; it says which. `--no-config` uses \
        none. The file is applied to rows by the detectors and never by the readers of files: rows that were \
        read once serve any configuration. A file with one fault is not used in part: `scrutineer config check` names each \
        fault with its line and its remedy.\n\n\
        ## A whole example\n\n```toml\n"
        .to_owned();
    example(&mut page, &ROOT);
    page.push_str("```\n");
    section(&mut page, &ROOT);
    page
}

fn example(page: &mut String, section: &Section) {
    if !section.title.is_empty() {
        page.extend(["\n", section.title, "\n"]);
    }
    for key in section.keys {
        if !key.example.is_empty() {
            page.extend([key.name, " = ", key.example, "\n"]);
        }
    }
    for key in section.keys {
        if let Kind::Section(inner) | Kind::Sections(inner) = key.kind {
            example(page, inner);
        }
    }
}

fn section(page: &mut String, section_: &Section) {
    let title = if section_.title.is_empty() {
        "Top of the file".to_owned()
    } else {
        format!("`{}`", section_.title)
    };
    page.extend(["\n## ", &title, "\n\n", section_.about, "\n"]);
    let (sections, plain): (Vec<_>, Vec<_>) =
        section_.keys.iter().partition(|key| matches!(key.kind, Kind::Section(_) | Kind::Sections(_)));
    if !plain.is_empty() {
        page.push_str("\n| key | value | needed | what it does |\n|---|---|---|---|\n");
        for key in plain {
            let needed = if key.needed { "yes" } else { "no" };
            page.push_str(&format!(
                "| `{}` | {}, such as `{}` | {needed} | {} |\n",
                key.name,
                key.kind.words(),
                key.example,
                key.about
            ));
        }
    }
    for key in sections {
        if let Kind::Section(inner) | Kind::Sections(inner) = key.kind {
            section(page, inner);
        }
    }
}
