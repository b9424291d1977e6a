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
