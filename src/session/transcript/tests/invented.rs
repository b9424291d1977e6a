//! Properties that hold for every invented stream.
use proptest::prelude::*;

use super::model::{Model, Service};

fn service() -> impl Strategy<Value = Service> {
    let kind = (any::<bool>(), any::<bool>(), any::<bool>());
    let times = (
        (200i64..700, prop_oneof![Just(1i64), 1i64..1200]),
        500i64..1500,
        prop_oneof![Just(1i64), 1i64..3000],
    );
    let faults = (
        prop_oneof![Just(0u64), 1u64..20],
        prop_oneof![Just(0u64), 1u64..6],
    );
    (kind, times, faults, any::<u64>()).prop_map(|(kind, times, faults, seed)| Service {
        single: kind.0,
        merged: kind.1,
        words: kind.2,
        lag: times.0.0,
        jitter: times.0.1,
        window: times.1,
        second_pass: times.2,
        cuts: 0,
        losses: faults.0,
        rollovers: faults.1,
        replay: 1 << 40,
        seed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With a window that holds everything, no word is shown twice or disappears, and all come in
    /// order.
    #[test]
    fn nothing_is_lost_or_doubled(service in service(), confirmed in any::<bool>()) {
        Model::new(service).run(confirmed);
    }

    /// With a window that is too short, speech that left it is lost, but shown text stays.
    #[test]
    fn speech_that_left_the_window_is_not_doubled(
        mut service in service(),
        replay in 500i64..5000,
    ) {
        service.words = true;
        service.replay = replay;
        Model::new(service).run(true);
    }
}

proptest! {
    // Each is a long stream.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 100,
        ..ProptestConfig::default()
    })]

    /// Connections that cut sentences differently: what is settled in one may end in the middle of
    /// what was open in another. It comes back as another utterance, and in the end all are there,
    /// once and in order.
    #[test]
    fn differently_cut_sentences_lose_no_words(
        mut service in service(),
        cuts in 1i64..100,
        confirmed in any::<bool>(),
    ) {
        service.words = true;
        service.cuts = cuts;
        service.losses = service.losses.max(5);
        Model::new(service).run(confirmed);
    }
}

/// Cases of that property, of some in 10,000: a word that two connections put into different
/// utterances.
#[test]
fn words_that_connections_cut_differently_are_shown_once() {
    let service = Service {
        single: true,
        merged: false,
        words: true,
        lag: 657,
        jitter: 664,
        window: 1462,
        second_pass: 2961,
        cuts: 40,
        losses: 11,
        rollovers: 0,
        replay: 1 << 40,
        seed: 2_390_942_074_434_114_854,
    };
    // It begins the settled one, which the open one only touches.
    Model::new(service.clone()).run(true);
    // It ends the settled one.
    Model::new(Service {
        lag: 342,
        jitter: 583,
        window: 668,
        second_pass: 1117,
        cuts: 53,
        losses: 5,
        rollovers: 1,
        seed: 5_637_567_492_781_077_824,
        ..service.clone()
    })
    .run(false);
    // One ends with its first word, the other begins with its second.
    Model::new(Service {
        single: false,
        lag: 558,
        jitter: 1,
        window: 1105,
        second_pass: 2775,
        cuts: 77,
        losses: 5,
        rollovers: 2,
        seed: 13_469_517_528_312_174_091,
        ..service
    })
    .run(true);
}
