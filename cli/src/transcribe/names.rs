//! Names of the transcripts.

use std::collections::{BTreeMap, BTreeSet};

/// Each input once, with a name of its own: its stem, or, where others have the same, with as much
/// of its path as tells them apart. So the name does not depend on the order, and the same inputs
/// have the same names in the next run.
pub fn unique(inputs: &[String]) -> Vec<(&str, String)> {
    let mut seen = BTreeSet::new();
    let mut named: Vec<(&str, usize, String)> = inputs
        .iter()
        .filter(|input| seen.insert(input.as_str()))
        .map(|input| (input.as_str(), 0, name(input, 0)))
        .collect();
    loop {
        let mut counts = BTreeMap::new();
        for (_, _, name) in &named {
            *counts.entry(key(name)).or_insert(0) += 1;
        }
        let mut is_better = false;
        for (input, detail, own) in &mut named {
            if counts[&key(own)] > 1 && *detail < most_detail(input) {
                *detail += 1;
                *own = name(input, *detail);
                is_better = true;
            }
        }
        if !is_better {
            break;
        }
    }
    // Different paths that look the same as names: `a/b.wav` and `a-b.wav`.
    let mut taken = BTreeSet::new();
    named
        .into_iter()
        .map(|(input, _, name)| {
            let mut numbered = name.clone();
            let mut number = 2;
            while !taken.insert(key(&numbered)) {
                numbered = format!("{name}-{number}");
                number += 1;
            }
            (input, numbered)
        })
        .collect()
}

/// The stem, the file's name; the same with one directory before it, with two …
fn name(input: &str, detail: usize) -> String {
    let parts = parts(input);
    let mut name = parts[parts.len().saturating_sub(1 + detail / 2)..].join("-");
    if detail.is_multiple_of(2)
        && let Some(last) = parts.last()
        // A point at the beginning hides a file, and begins no extension.
        && let Some(point) = last.rfind('.').filter(|&point| point > 0)
    {
        name.truncate(name.len() - (last.len() - point));
    }
    if name.is_empty() {
        name.push_str("input");
    }
    // Some file systems can't have these in a name.
    name.replace(|c: char| c.is_control() || r#"<>:"\|?*"#.contains(c), "_")
}

fn most_detail(input: &str) -> usize {
    (2 * parts(input).len()).saturating_sub(1)
}

/// The path's parts, a URI's host among them and its query not.
fn parts(input: &str) -> Vec<&str> {
    if input == "-" {
        return vec!["stdin"];
    }
    let path = match input.split_once("://") {
        Some((_, rest)) => {
            let path = rest.split(['?', '#']).next().unwrap_or(rest);
            // No password in a name.
            let authority = path.find('/').unwrap_or(path.len());
            let user = path[..authority].rfind('@').map_or(0, |at| at + 1);
            &path[user..]
        }
        None => input,
    };
    let parts = path.split(std::path::is_separator);
    parts
        .filter(|part| !["", ".", ".."].contains(part))
        .collect()
}

/// Names that differ in case alone are the same on some file systems.
fn key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(inputs: &[&str]) -> Vec<String> {
        let inputs: Vec<String> = inputs.iter().map(|&input| input.to_owned()).collect();
        unique(&inputs).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn names_say_no_more_than_they_must() {
        assert_eq!(named(&["-"]), ["stdin"]);
        assert_eq!(named(&["x/talk.mp3", "讲.话.wav"]), ["talk", "讲.话"]);
        assert_eq!(named(&["talk.mp3", "talk.wav"]), ["talk.mp3", "talk.wav"]);
        assert_eq!(named(&["x/talk.mp3", "y/talk.mp3"]), ["x-talk", "y-talk"]);
        assert_eq!(named(&["Talk.mp3", "x/talk.mp3"]), ["Talk.mp3", "x-talk"]);
        assert_eq!(
            named(&["1/x/a.wav", "2/x/a.wav", "3/a.wav"]),
            ["1-x-a", "2-x-a", "3-a"]
        );
        assert_eq!(
            named(&[".hidden", "no-stem", ".."]),
            [".hidden", "no-stem", "input"]
        );
    }

    #[test]
    fn names_of_addresses() {
        assert_eq!(
            named(&[
                "https://host/a/talk.mp3?token=x#y",
                "rtsp://me:secret@camera:554/"
            ]),
            ["talk", "camera_554"]
        );
    }

    /// Each input has a name of its own, and the same one in another order.
    #[test]
    fn names_are_never_the_same() {
        let inputs = [
            "a/b.wav",
            "a-b.wav",
            "./a/b.wav",
            "../a/b.wav",
            "b.wav",
            "b.mp3",
            "b",
            "b.wav",
            "A/B.wav",
            "a-b",
            "b-2",
        ];
        let names = named(&inputs);
        assert_eq!(names.len(), 10, "the same input once");
        let distinct: std::collections::BTreeSet<String> =
            names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(distinct.len(), 10, "{names:?}");
        let more = named(&["z/b.wav", "x/talk.mp3", "y/talk.mp3"]);
        let fewer = named(&["y/talk.mp3", "x/talk.mp3"]);
        assert_eq!(more[1..], [fewer[1].clone(), fewer[0].clone()]);
    }
}
