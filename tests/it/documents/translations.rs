//! The pages in Chinese show the commands, programs and tables of the pages in English.

use std::path::Path;

use super::page::{self, Block};
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

/// The languages and texts of the fences, without the comments of shells.
fn fences(page: &str) -> Vec<(String, Vec<String>)> {
    let code = |line: &str| line.split(" #").next().unwrap_or(line).trim().to_owned();
    let fence = |block: Block| (block.language, block.text.lines().map(code).collect());
    page::read(&text(page)).0.into_iter().map(fence).collect()
}

/// Returns the code between two marks in a row of a table.
fn between(row: &str, mark: char) -> Vec<&str> {
    row.split(mark).skip(1).step_by(2).collect()
}

/// Returns the parts of each table row that a translation keeps: the texts of errors that its first
/// cell quotes, its numbers, and all code in it.
fn rows(page: &str) -> Vec<(Vec<String>, Vec<String>, Vec<String>)> {
    let text = text(page);
    let (_, prose) = page::read(&text);
    let rows = prose.iter().filter(|(_, line)| line.starts_with('|'));
    rows.map(|(_, row)| {
        let first = row.trim_matches('|').split(" | ").next().unwrap_or(row);
        let own = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        let mut code: Vec<String> = own(between(row, '`'));
        code.sort();
        let numbers = row.split(|c: char| !c.is_ascii_digit());
        let numbers = numbers.filter(|number| number.len() > 2).collect();
        (own(between(first, '"')), own(numbers), code)
    })
    .collect()
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

#[test]
fn commands_and_programs_are_the_same() {
    for (translation, original) in pairs() {
        assert_eq!(fences(&original), fences(&translation), "{translation}");
    }
}

#[test]
fn tables_are_the_same() {
    for (translation, original) in pairs() {
        let (expected, found) = (rows(&original), rows(&translation));
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected, found, "{translation}");
        }
        assert_eq!(expected.len(), found.len(), "{translation}");
    }
}
