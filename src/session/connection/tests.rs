use super::*;
use crate::session::settings::Settings;
use crate::session::settings::tests::settings;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Opened at 100 ms, requested at 200 ms.
fn connection() -> Connection<&'static str> {
    let settings = Settings {
        max_speed: 10.0,
        ..settings()
    };
    let mut connection = Connection::new(&settings, ms(100), ms(150), (0, 0));
    connection.on_request(ms(200));
    connection.on_written(ms(200));
    connection
}

#[test]
fn packets_are_numbered_without_a_hole_and_the_finish_has_the_next() {
    let mut connection = connection();
    assert_eq!(REQUEST_SEQUENCE, 1);
    assert_eq!(connection.take_sequence(), Some(2));
    assert_eq!(connection.take_sequence(), Some(3));
    assert_eq!(connection.take_finish(), Some(4));
    connection.sequence = i32::MAX;
    assert_eq!(connection.take_sequence(), None);
}

#[test]
fn audio_waits_for_the_answer_but_not_for_long() {
    let mut connection = connection();
    assert!(!connection.may_send_audio(ms(250)));
    assert_eq!(connection.next_deadline(), Some(ms(700)));
    assert!(connection.may_send_audio(ms(700)));
    connection.on_response(ms(300));
    assert!(connection.may_send_audio(ms(301)));
}

/// The time for the next frame passes while a socket that takes none is read on.
#[test]
fn after_a_failed_write_nothing_is_due_but_the_end() {
    let mut connection = connection();
    connection.on_response(ms(300));
    for _ in 0..8 {
        connection.on_audio(ms(300), connection.sent() + 4800, None, 24_000);
    }
    connection.on_written(ms(300));
    assert!(!connection.may_send_audio(ms(300)));
    assert_eq!(connection.next_deadline(), Some(ms(360)));
    connection.on_write_failed(ms(310), "reset");
    assert_eq!(connection.next_deadline(), Some(ms(810)));
    assert_eq!(connection.expired_write(ms(809)), None);
    // Messages that are there by then are read.
    assert_eq!(connection.expired_write(ms(810)), None);
    connection.on_nothing_to_read();
    assert_eq!(
        connection.expired_write(ms(811)),
        Some(Expired::WriteFailed("reset"))
    );
}

#[test]
fn after_a_failed_write_so_many_messages_are_read_at_most() {
    let mut connection = connection();
    connection.on_write_failed(ms(300), "reset");
    let mut messages = 0;
    while connection.expired_write(ms(800)).is_none() {
        messages += 1;
    }
    assert_eq!(messages, 64);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    // When it says something, and when it is given up.
    for (messages, at, after) in [
        (&[][..], 10_300, UNACKED_TIMEOUT),
        (&[5000], 15_000, UNACKED_TIMEOUT),
        (
            &[9000, 18_000, 27_000, 36_000, 45_000, 54_000],
            60_300,
            MAX_WRITE_TIME,
        ),
    ] {
        let mut connection = connection();
        connection.on_response(ms(250));
        connection.on_audio(ms(300), 4800, None, 24_000);
        for &message in messages {
            assert_eq!(connection.expired_write(ms(message)), None);
            connection.on_message(ms(message));
        }
        assert_eq!(connection.next_deadline(), Some(ms(at)));
        assert_eq!(
            connection.expired_write(ms(at)),
            Some(Expired::Stalled(after))
        );
    }
}
