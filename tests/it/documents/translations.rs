//! Links of the pages in Chinese. What else they share with those in English, the style check
//! compares.

use std::path::Path;

use super::page;
use super::{ROOT, pages, resolved, text};

/// The page in English that a page translates.
fn original(translation: &str) -> Option<String> {
    let original = translation
        .replace("docs/zh-CN/", "docs/")
        .replace("README.zh-CN.md", "README.md");
    (original != translation).then_some(original)
}

/// Pairs of a translation and its original.
fn pairs() -> Vec<(String, String)> {
    let pairs: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| original(&page).map(|original| (page, original)))
        .collect();
    assert!(pairs.len() > 4, "{pairs:?}");
    pairs
}

/// A reader who knows only Chinese sees before the click that a page is in English.
#[test]
fn links_to_pages_in_english_are_marked() {
    for (page, original) in pairs() {
        let text = text(&page);
        let (_, prose) = page::read(&text);
        let links = prose.iter().flat_map(|(number, line)| {
            let links = line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'));
            links.map(move |(target, behind)| (number, target, behind))
        });
        for (number, target, behind) in links.filter(|(_, target, _)| !target.contains("://")) {
            let path = target.split('#').next().unwrap_or(target);
            let linked = resolved(&page, path).display().to_string();
            if !linked.ends_with(".md") || linked == original || linked.contains("zh-CN") {
                continue;
            }
            let at = format!("{page}:{number}: {target}");
            assert!(behind.starts_with("（英文）"), "{at}: is in English");
            let translation = linked.replace("docs/", "docs/zh-CN/");
            let translated = translation != linked && Path::new(ROOT).join(translation).exists();
            assert!(!translated, "{at}: is there in Chinese");
        }
    }
}
