//! The pages: their links, the commands of the README, the settings and the programs they show.

mod page;
mod programs;
mod readme;
mod translations;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::page::{anchors, links};
use crate::common::init;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn text(page: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap_or_else(|e| panic!("{page}: {e}"))
}

/// The pages for users and contributors, relative to the repository.
fn pages() -> Vec<String> {
    let mut folders: Vec<PathBuf> = ["", "fuzz"].map(PathBuf::from).to_vec();
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(Path::new(ROOT).join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if path.starts_with("docs") && entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.display().to_string());
            }
        }
    }
    pages.sort();
    pages
}

/// `path` without its `..`, which a link may begin with.
fn resolved(page: &str, path: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in Path::new(page).with_file_name(path).iter() {
        if part == ".." {
            resolved.pop();
        } else {
            resolved.push(part);
        }
    }
    resolved
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 10, "{pages:?}");
    for page in &pages {
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
                "" => PathBuf::from(page),
                path => resolved(page, path),
            };
            let there = Path::new(ROOT).join(&linked);
            assert!(there.exists(), "{page}:{line}: {target}");
            if !anchor.is_empty() {
                let anchors = anchors(&text(&linked.display().to_string()));
                let known = anchors.iter().any(|known| known == anchor);
                assert!(known, "{page}:{line}: {target}");
            }
        }
    }
}

/// The words of a command, as a shell splits them.
fn split(command: &str) -> Vec<String> {
    let script = format!("printf '%s\\n' {command}");
    let output = Command::new("bash").args(["-c", &script]).output();
    let output = String::from_utf8(output.expect("bash").stdout).expect("UTF-8");
    output.lines().map(str::to_owned).collect()
}

/// The settings that commands give the element are ones that it takes. The commands of the
/// element's own documentation are among them.
#[test]
fn the_element_takes_the_settings_of_every_command() {
    init();
    let element = text("src/volcasrsink/mod.rs").replace("\n * ", "\n");
    let mut sources: Vec<(String, String)> = pages()
        .into_iter()
        .map(|page| (text(&page), page))
        .collect();
    sources.push((element, "src/volcasrsink/mod.rs".to_owned()));
    let mut settings = BTreeSet::new();
    for (text, page) in &sources {
        for block in page::read(text).0 {
            if !["sh", "bash"].contains(&&*block.language) {
                continue;
            }
            for command in block.commands() {
                for sink in command
                    .split(" ! ")
                    .filter(|e| e.starts_with("volcasrsink "))
                {
                    let sink = sink.split(" | ").next().unwrap_or(sink);
                    let words = split(sink);
                    // Presets are files, which `presets::` reads.
                    let words = words.iter().filter(|word| !word.starts_with("@preset="));
                    let words: Vec<&str> = words.map(String::as_str).collect();
                    if let Err(error) = gst::parse::launchv(&words) {
                        panic!("{page}:{}: {sink}: {error}", block.line);
                    }
                    settings.insert(sink.to_owned());
                }
            }
        }
    }
    assert!(settings.len() > 5, "{settings:?}");
}

/// The options in the tables of the page are ones that the loopback service takes.
#[test]
fn the_loopback_service_takes_what_its_page_shows() {
    let page = text("docs/loopback.md");
    let mut count = 0;
    let mut check = |option: &str, value: &str| {
        // These two need something beside them.
        if value != "SECONDS" && value != "scripted" {
            let options = [option, value.trim_matches('\'')];
            let taken = volcasr_loopback::cli::parse(&options);
            assert!(taken.is_ok(), "{options:?}: {:?}", taken.err());
            count += 1;
        }
    };
    // The option whose values stand in the first column.
    let mut column = None;
    for line in page.lines() {
        if !line.starts_with('|') {
            column = None;
            continue;
        }
        let codes = |text: &'_ str| -> Vec<String> {
            text.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        let values = codes(line.split(" | ").next().unwrap_or(line));
        match &column {
            None => column = Some(values.first().cloned().unwrap_or_default()),
            Some(option) if option.starts_with("--") => values
                .iter()
                .filter(|value| !value.starts_with("--"))
                .for_each(|value| check(option, value)),
            Some(_) => (),
        }
        for code in codes(line) {
            if let Some((option, value)) = code.split_once(' ').filter(|_| code.starts_with("--")) {
                check(option, value);
            }
        }
    }
    assert!(count > 20, "{count}");
}
