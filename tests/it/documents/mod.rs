//! The README and the pages in docs/: every command runs, and every link leads somewhere.
//!
//! Commands stand in fences marked `sh`. Each of those is run, by a shell, against a loopback service; what needs hardware is
//! replaced (`shell.rs` says by what). A comment on the line before a fence says what is special:
//!
//! - `<!-- not run: REASON -->`: it can't be;
//! - `<!-- background -->`: it goes on while the next block runs;
//! - `<!-- until words -->`: it goes on until Ctrl-C, which comes with the first words.

mod camera;
mod page;
mod shell;
mod snippets;

use std::collections::BTreeSet;
use std::path::Path;

use self::page::{Block, anchors, links};
use self::shell::Shell;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Commands that change the machine are tested by `tests/it/install.rs`, in a directory of its own.
const PAGES: [&str; 16] = [
    "README.md",
    "CONTRIBUTING.md",
    "fuzz/README.md",
    "docs/README.md",
    "docs/applications.md",
    "docs/choosing.md",
    "docs/errors.md",
    "docs/install.md",
    "docs/loopback.md",
    "docs/messages.md",
    "docs/performance.md",
    "docs/pipelines.md",
    "docs/presets.md",
    "docs/properties.md",
    "docs/times.md",
    "docs/troubleshooting.md",
];

/// What a fence may be marked with.
const LANGUAGES: [&str; 8] = [
    "sh",
    "python",
    "rust",
    "c",
    "json",
    "text",
    "bat",
    "dockerfile",
];

/// What commands begin with, to find those that are hidden from the test.
const COMMANDS: [&str; 8] = [
    "gst-",
    "cargo ",
    "make ",
    "export ",
    "python3 ",
    "/usr/bin/",
    "GST_DEBUG",
    "sudo ",
];

fn text(page: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap_or_else(|e| panic!("{page}: {e}"))
}

fn run(page: &str) {
    let text = text(page);
    let (blocks, _) = page::read(&text);
    let mut shell = Shell::new(page);
    for json in blocks.iter().filter(|block| block.language == "json") {
        shell.keep_script(&json.text);
    }
    for block in blocks.iter().filter(|block| block.language == "sh") {
        match block.reason_not_to_run() {
            Some(reason) => println!("{page}:{}: not run, {reason}", block.line),
            None => shell.run(block),
        }
    }
    shell.end();
}

#[test]
fn readme() {
    run("README.md");
}

#[test]
fn contributing() {
    run("CONTRIBUTING.md");
    run("fuzz/README.md");
}

#[test]
fn install() {
    run("docs/install.md");
}

#[test]
fn applications() {
    run("docs/applications.md");
}

#[test]
fn choosing() {
    run("docs/choosing.md");
}

#[test]
fn loopback() {
    run("docs/loopback.md");
}

#[test]
fn pipelines() {
    run("docs/pipelines.md");
}

#[test]
fn presets() {
    run("docs/presets.md");
}

#[test]
fn properties() {
    run("docs/properties.md");
}

/// The comment that GStreamer's documentation generator reads.
#[test]
fn the_element_s_own() {
    let source = text("src/volcasrsink/mod.rs");
    let from = source.find("SECTION:element-volcasrsink").expect("it");
    let comment = &source[from..from + source[from..].find("*/").expect("its end")];
    let lines: Vec<_> = comment
        .lines()
        .map(|line| line.trim_start().trim_start_matches('*'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let text = lines.join("\n");
    let (blocks, _) = page::read(&text);
    assert!(blocks.len() > 1, "{text}");
    let mut shell = Shell::new("src/volcasrsink/mod.rs");
    for block in &blocks {
        assert_eq!(block.language, "bash", "what the generator highlights");
        shell.run(block);
    }
    shell.end();
}

/// These have no commands now; whoever adds one adds a test above.
#[test]
fn pages_without_commands() {
    for page in [
        "docs/README.md",
        "docs/errors.md",
        "docs/messages.md",
        "docs/performance.md",
        "docs/times.md",
        "docs/troubleshooting.md",
    ] {
        let text = text(page);
        let (blocks, _) = page::read(&text);
        assert!(blocks.iter().all(|block| block.language != "sh"), "{page}");
    }
}

#[test]
fn every_page_is_known() {
    let there = std::fs::read_dir(Path::new(ROOT).join("docs")).expect("docs/");
    let there: BTreeSet<String> = there
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    let known: BTreeSet<String> = PAGES
        .iter()
        .filter(|page| page.starts_with("docs/"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(there, known);
}

#[test]
fn no_command_hides_from_the_test() {
    for page in PAGES {
        let text = text(page);
        let (blocks, prose) = page::read(&text);
        for Block {
            line,
            language,
            text,
            note,
        } in &blocks
        {
            assert!(
                LANGUAGES.contains(&&**language),
                "{page}:{line}: a fence is marked with one of {LANGUAGES:?}, not {language:?}"
            );
            let hidden = text
                .lines()
                .find(|line| COMMANDS.iter().any(|c| line.trim().starts_with(c)));
            assert!(
                language == "sh" || language == "bat" || hidden.is_none(),
                "{page}:{line}: {hidden:?} belongs in a fence marked sh"
            );
            let note = note.as_deref().unwrap_or("background");
            assert!(
                ["background", "until words"].contains(&note)
                    || note
                        .strip_prefix("not run: ")
                        .is_some_and(|reason| reason.len() > 10),
                "{page}:{line}: {note:?}"
            );
        }
        for pair in prose.windows(2) {
            let ((_, before), (line, text)) = (pair[0], pair[1]);
            let indented = before.trim().is_empty() && text.starts_with("    ");
            assert!(
                !indented,
                "{page}:{line}: a command belongs in a fence marked sh"
            );
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for page in PAGES {
        let here = text(page);
        let (_, prose) = page::read(&here);
        for (line, target) in prose
            .iter()
            .flat_map(|(n, line)| links(line).map(move |l| (n, l)))
        {
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = match path {
                "" => page.to_owned(),
                path => Path::new(page)
                    .with_file_name(path)
                    .to_string_lossy()
                    .replace("docs/../", ""),
            };
            let there = Path::new(ROOT).join(&linked).exists();
            assert!(there, "{page}:{line}: {target}");
            if !anchor.is_empty() {
                assert!(
                    anchors(&text(&linked)).iter().any(|a| a == anchor),
                    "{page}:{line}: {target}"
                );
            }
        }
    }
}
