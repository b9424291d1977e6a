//! What must have been heard.

use super::common::{Transcript, Word, mark_of};
use super::plan::Schedule;
use super::play::{Fed, Place, Played};

/// How many marks were checked, and how many a flush left to chance.
pub struct Marks {
    pub heard: usize,
    pub excepted: usize,
}

/// The recogniser's spikes lie 100 ms inside the mark, and last 80.
const SPIKE: (u64, u64) = (100, 180);

pub fn check(schedule: &Schedule, played: &Played) -> Result<Marks, String> {
    if let Some(error) = played.errors.first() {
        return Err(format!("an error: {error}"));
    }
    if !played.finished {
        return Err("no end".to_owned());
    }
    let mut marks = Marks {
        heard: 0,
        excepted: 0,
    };
    for (number, fed) in played.fed.iter().enumerate() {
        let number = number as u32;
        let said: Vec<_> = played.said.iter().filter(|s| s.stream == number).collect();
        each_ends_once(&said, fed)?;
        let expected = expected(schedule, fed);
        let mut heard = heard(&said, fed)?;
        if schedule.sink.two_pass && schedule.service.out_of_order {
            heard.sort_by_key(|mark| mark.1);
        }
        if fed.flushed {
            once_in_order_at_its_time(&heard, &expected)?;
            marks.excepted += expected.len();
        } else {
            all_at_their_times(&heard, &expected)
                .map_err(|failure| format!("stream {number}: {failure}"))?;
            marks.heard += expected.len();
        }
    }
    for &(flushed, before) in &played.flushes {
        if let Some(late) = played.said[before..].iter().find(|s| s.stream <= flushed) {
            return Err(format!("after the flush: {late:?}"));
        }
    }
    Ok(marks)
}

fn expected(schedule: &Schedule, fed: &Fed) -> Vec<Place> {
    let place = |&(number, start, end): &Place| match schedule.service.spikes {
        true => (number, start + SPIKE.0, start + SPIKE.1),
        false => (number, start, end),
    };
    fed.marks.iter().map(place).collect()
}

/// The marks of the final utterances, in the order in which these were posted.
fn heard(said: &[&Transcript], fed: &Fed) -> Result<Vec<Place>, String> {
    let mut heard = Vec::new();
    for utterance in said.iter().filter(|s| s.is_final) {
        if utterance.unconfirmed {
            return Err(format!("unconfirmed: {utterance:?}"));
        }
        for word in &utterance.words {
            if let Some(mark) = mark_of(word) {
                maps(word, fed)?;
                heard.push(mark);
            }
        }
    }
    Ok(heard)
}

/// Timestamp, running time and stream time say the same.
fn maps(word: &Word, fed: &Fed) -> Result<(), String> {
    let Some(timestamp) = word.timestamp else {
        return Err(format!("no time: {word:?}"));
    };
    for (mapped, offset) in [
        (word.running_time, fed.running),
        (word.stream_time, fed.time),
    ] {
        let offset = offset.wrapping_mul(1_000_000);
        if mapped != Some(timestamp.wrapping_add(offset)) {
            return Err(format!("mapped to another time: {word:?}"));
        }
    }
    Ok(())
}

fn all_at_their_times(heard: &[Place], expected: &[Place]) -> Result<(), String> {
    let same =
        heard.len() == expected.len() && heard.iter().zip(expected).all(|(h, e)| is_same(h, e));
    if same {
        return Ok(());
    }
    let at = heard.iter().zip(expected).position(|(h, e)| !is_same(h, e));
    let at = at.unwrap_or(heard.len().min(expected.len()));
    let near =
        |list: &[Place]| format!("{:?}", &list[at.min(list.len())..(at + 3).min(list.len())]);
    Err(format!(
        "{} marks of {}; from the {at}th on heard {} instead of {}",
        heard.len(),
        expected.len(),
        near(heard),
        near(expected)
    ))
}

/// What a flush cut short may end anywhere, with part of a mark.
fn once_in_order_at_its_time(heard: &[Place], expected: &[Place]) -> Result<(), String> {
    let mut rest = expected.iter();
    for mark in heard.iter().filter(|mark| mark.0 != u32::MAX) {
        if !rest.any(|expected| is_same(mark, expected)) {
            return Err(format!("{mark:?} before a flush"));
        }
    }
    Ok(())
}

/// To the millisecond: a restored connection may begin in the middle of one.
fn is_same(heard: &Place, expected: &Place) -> bool {
    heard.0 == expected.0 && heard.1.abs_diff(expected.1) <= 1 && heard.2.abs_diff(expected.2) <= 1
}

fn each_ends_once(said: &[&Transcript], fed: &Fed) -> Result<(), String> {
    let mut ended: Vec<bool> = Vec::new();
    for s in said {
        let number = s.utterance as usize;
        if number >= ended.len() {
            ended.resize(number + 1, true);
            ended[number] = false;
        }
        if std::mem::replace(&mut ended[number], s.is_final) {
            return Err(format!("after its end, or out of turn: {s:?}"));
        }
    }
    if !fed.flushed && ended.contains(&false) {
        return Err(format!("announced and not ended: {ended:?}"));
    }
    Ok(())
}
