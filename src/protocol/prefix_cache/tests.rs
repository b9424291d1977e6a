use super::*;

const ONE: &str = r#"{"text":"a, \"b\"","start_time":0,"end_time":900,"words":[{"text":"]}"}]}"#;
const TWO: &str = r#" { "text" : "c" , "definite" : true } "#;

fn payload(before: &str, list: &str, after: &str) -> Vec<u8> {
    format!(
        r#"{{"audio_info":{{"duration":1000}},"result":{{{before}"utterances":[{list}]{after}}}}}"#
    )
    .into_bytes()
}

/// The texts that are read, and how many were left out, of a payload behind another.
fn read(first: &[u8], settled: usize, second: &[u8]) -> (Vec<String>, usize) {
    let mut cache = PrefixCache::default();
    assert_eq!(cache.decode(first, 0).expect("sound").repeated, 0);
    cache.remember(first, settled);
    let response = cache.decode(second, settled).expect("sound");
    let texts = response.utterances.iter().flatten();
    let texts = texts.map(|u| u.text.to_string()).collect();
    (texts, response.repeated)
}

#[test]
fn the_known_prefix_is_left_out_in_any_change() {
    let first = payload(r#""text":"all of it, \\\" and more","#, ONE, "");
    let both = format!("{ONE},{TWO}");
    let additions = r#""text":"x","additions":{"y":["z",1e5,{}]},"#;
    let (all, news) = (&["a, \"b\"", "c"][..], &["c"][..]);
    #[rustfmt::skip]
    let changes = [
        (1, payload("", &both, ""), news, 1),
        (1, payload(additions, &both, ""), news, 1),
        (1, payload("", &format!("{ONE} , {TWO}"), r#","text":"late""#), news, 1),
        (1, first.clone(), &[], 1),
        // Nothing is settled, something has changed, or it is shorter.
        (0, payload("", &both, ""), all, 0),
        (1, payload("", &both.replacen("900", "901", 1), ""), all, 0),
        (1, payload("", TWO, ""), news, 0),
        // The same, but not the same bytes.
        (1, payload("", &format!(" {both}"), ""), all, 0),
    ];
    for (settled, second, texts, repeated) in changes {
        let expected = (
            texts.iter().map(|&text| text.to_owned()).collect(),
            repeated,
        );
        let shown = String::from_utf8_lossy(&second);
        assert_eq!(read(&first, settled, &second), expected, "{shown}");
    }
}

#[test]
fn an_irregular_list_is_read_whole() {
    let twice = payload(
        r#""utterances":null,"#,
        ONE,
        r#","utterances":[{"text":"c"}]"#,
    );
    assert_eq!(read(&twice, 1, &twice), (vec!["c".to_owned()], 1));
    assert_eq!(read(&twice, 2, &twice).1, 0, "they are in two lists");
    for odd in ["null,", "{},", "[{}],", "\"x\","] {
        let first = payload("", &format!("{odd}{ONE}"), "");
        assert_eq!(read(&first, 1, &first).1, 0, "{odd}");
    }
    for odd in [
        r#"{"result":[{"utterances":[{"text":"c"}]}]}"#,
        r#"{"other":{"utterances":[{"text":"c"}]},"result":{"\u0075tterances":[{"text":"c"}]}}"#,
    ] {
        assert_eq!(
            read(odd.as_bytes(), 1, odd.as_bytes()),
            (vec!["c".to_owned()], 0)
        );
    }
    let behind = r#"{"result":{},"x":[{"utterances":[1]}],"result":{"utterances":[{"text":"c"}]}}"#;
    assert_eq!(read(behind.as_bytes(), 1, behind.as_bytes()).1, 1);
}

#[test]
fn broken_json_is_still_an_error() {
    let first = payload("", ONE, "");
    let mut cache = PrefixCache::default();
    for broken in [
        payload("", &format!("{ONE},"), ""),
        payload("", &format!("{ONE}{TWO}"), ""),
        payload("", &format!("{ONE}x"), ""),
        payload("nothing,", ONE, ""),
        first[..first.len() - 1].to_vec(),
        first[..first.len() - 3].to_vec(),
    ] {
        cache.decode(&first, 0).expect("sound");
        cache.remember(&first, 1);
        assert!(
            cache.decode(&broken, 1).is_err(),
            "{}",
            String::from_utf8_lossy(&broken)
        );
    }
}

#[test]
fn more_is_kept_as_more_settles_and_nothing_that_another_connection_said() {
    let both = payload("", &format!("{ONE},{TWO}"), "");
    let mut cache = PrefixCache::default();
    cache.decode(&both, 0).expect("sound");
    // Settled utterances to keep, those of the next payload, and how many are left out there.
    for (kept, settled, repeated) in [(1, 1, 1), (2, 2, 2), (2, 0, 0), (0, 2, 0)] {
        cache.remember(&both, kept);
        let response = cache.decode(&both, settled).expect("sound");
        let read = response.utterances.map_or(0, |list| list.len());
        assert_eq!((response.repeated, read), (repeated, 2 - repeated));
    }
}

#[test]
fn every_byte_counts() {
    let bytes: Vec<u8> = (0..100).collect();
    let mut seen = std::collections::BTreeSet::from([fingerprint(&bytes)]);
    for at in 0..bytes.len() {
        assert!(seen.insert(fingerprint(&bytes[..at])));
        let mut other = bytes.clone();
        other[at] ^= 0x80;
        assert!(seen.insert(fingerprint(&other)));
    }
    let mut swapped = bytes.clone();
    swapped.swap(3, 35);
    assert!(seen.insert(fingerprint(&swapped)));
}
