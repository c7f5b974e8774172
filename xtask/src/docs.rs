//! `cargo xtask docs`: writes the pages of `docs/reference/` that the programme itself knows best.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace::cargo;

/// Writes the generated reference pages.
#[derive(Debug, clap::Args)]
pub(crate) struct Docs {
    /// Writes nothing, and fails where a page differs from what would be written.
    #[arg(long)]
    pub(crate) check: bool,
}

/// The commands' own help, one section a command.
const COMMANDS: &str = "docs/reference/commands.md";

/// Every key of the configuration.
const CONFIGURATION: &str = "docs/reference/configuration.md";

/// Why a page could not be made, or is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocsError {
    #[error("could not start `{command}`")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("could not write `{page}`", page = page.display())]
    Write { page: PathBuf, source: io::Error },
    #[error("`{page}` is not what the programme says", page = page.display())]
    Stale { page: PathBuf },
}

/// Writes the pages, or compares them.
pub(crate) fn main(args: &Docs) -> Result<(), DocsError> {
    let pages = [
        (COMMANDS, commands_page(&mut |path: &[String]| says(path, &["--help"]))?),
        (CONFIGURATION, says(&["config".to_owned(), "reference".to_owned()], &[])?),
    ];
    for (name, text) in pages {
        let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        if args.check {
            if !std::fs::read_to_string(&page).is_ok_and(|there| there == text) {
                return Err(DocsError::Stale { page: name.into() });
            }
            continue;
        }
        let folder = page.parent().expect("internal error: the page's name has a folder");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&page, text))
            .map_err(|source| DocsError::Write { page: name.into(), source })?;
    }
    Ok(())
}

/// What the programme puts out for these arguments.
fn says(path: &[String], more: &[&str]) -> Result<String, DocsError> {
    let mut run = Command::new(cargo());
    run.args(["run", "--quiet", "--package", "scrutineer", "--"]).args(path).args(more);
    let command = format!("scrutineer {} {}", path.join(" "), more.join(" ")).trim().to_owned();
    let output = match run.env("NO_COLOR", "1").output() {
        Ok(output) => output,
        Err(source) => return Err(DocsError::Start { command, source }),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(DocsError::Failed { command, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

type Help<'a> = &'a mut dyn FnMut(&[String]) -> Result<String, DocsError>;

fn commands_page(help: Help) -> Result<String, DocsError> {
    let mut page = "# Commands\n\nWhat each command of Scrutineer says under `--help`. \
        Written by `cargo xtask docs`; edit the programme, not this page.\n"
        .to_owned();
    add_section(&mut page, &mut Vec::new(), help)?;
    Ok(page)
}

/// One section for the command of this path, then one for each of its subcommands.
fn add_section(page: &mut String, path: &mut Vec<String>, help: Help) -> Result<(), DocsError> {
    let text = help(path)?;
    let name: Vec<&str> = std::iter::once("scrutineer").chain(path.iter().map(String::as_str)).collect();
    page.extend(["\n## ", &name.join(" "), "\n\n```text\n"]);
    for line in text.trim().lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page.push_str("```\n");
    for subcommand in subcommands(&text) {
        path.push(subcommand.to_owned());
        add_section(page, path, help)?;
        path.pop();
    }
    Ok(())
}

/// The names under `Commands:`, each at an indent of two; a longer indent goes on with a description.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let block = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let entries = block.take_while(|line| line.starts_with("  "));
    entries
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_section_in_order() {
        let mut help = |path: &[String]| {
            Ok(match path.join(" ").as_str() {
                "" => "Looks.  \n\nCommands:\n  detect  Finds\n          more\n  help  Prints\n\nOptions:\n  -h\n",
                "detect" => "Finds.\n",
                other => panic!("`{other}` is no command"),
            }
            .to_owned())
        };
        let page = commands_page(&mut help).expect("the help is there");
        let sections = page.split_once("\n## ").expect("a section").1;
        assert_eq!(
            sections,
            "scrutineer\n\n```text\nLooks.\n\nCommands:\n  detect  Finds\n          more\n  help  Prints\n\n\
             Options:\n  -h\n```\n\n## scrutineer detect\n\n```text\nFinds.\n```\n"
        );
    }
}
