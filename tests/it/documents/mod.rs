//! The pages: their links, the commands of the README, the settings and the programs they show.

mod page;
mod programs;
mod readme;
mod translations;

use std::path::{Path, PathBuf};

use self::page::{anchors, links};

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
