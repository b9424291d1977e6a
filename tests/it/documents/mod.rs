//! The pages: their links, the commands of the README, the settings and the programs they show.

pub mod page;
mod programs;
mod readme;

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

/// The page in English that a page translates.
fn original(page: &str) -> Option<String> {
    let original = page.replace("docs/zh-CN/", "docs/");
    let original = original.replace("README.zh-CN.md", "README.md");
    (original != page).then_some(original)
}

/// A reader who knows only Chinese sees before the click that a page is in English.
#[test]
fn every_link_leads_somewhere_and_those_to_english_are_marked() {
    let pages = pages();
    assert!(pages.len() > 10, "{pages:?}");
    for page in &pages {
        let here = text(page);
        let (_, prose) = page::read(&here);
        let links = prose
            .iter()
            .flat_map(|(n, line)| links(line).map(move |link| (n, link)));
        for (line, (target, behind)) in links.filter(|(_, (target, _))| !target.contains("://")) {
            let at = format!("{page}:{line}: {target}");
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = match path {
                "" => PathBuf::from(page),
                path => resolved(page, path),
            };
            assert!(Path::new(ROOT).join(&linked).exists(), "{at}");
            let linked = linked.display().to_string();
            if !anchor.is_empty() {
                let anchors = anchors(&text(&linked));
                assert!(anchors.iter().any(|known| known == anchor), "{at}");
            }
            let is_english = linked.ends_with(".md") && !linked.contains("zh-CN");
            if original(page).is_some_and(|original| is_english && linked != original) {
                assert!(behind.starts_with("（英文）"), "{at}: is in English");
                let translation = linked.replace("docs/", "docs/zh-CN/");
                let is_there = translation != linked && pages.contains(&translation);
                assert!(!is_there, "{at}: is there in Chinese");
            }
        }
    }
}
