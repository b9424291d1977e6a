//! Any bytes as a message of the service: read, unpacked, and read on as what it says it is.
#![no_main]

use gstvolcasr::protocol::MAX_PAYLOAD;
use gstvolcasr::protocol::compression::Inflater;
use gstvolcasr::protocol::failure::Failure;
use gstvolcasr::protocol::frame::{ServerKind, decode};
use gstvolcasr::protocol::response::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(frame) = decode(data) else { return };
    assert!(frame.payload.len() <= data.len());
    let mut inflater = Inflater::default();
    let Ok(payload) = frame.unpack(&mut inflater).map(<[u8]>::to_vec) else {
        return;
    };
    assert!(payload.len() <= MAX_PAYLOAD);
    // The state is kept from frame to frame, and must not show.
    assert_eq!(frame.unpack(&mut inflater).ok(), Some(&payload[..]));
    if let ServerKind::Error { code } = frame.kind {
        let failure = Failure::from_error_frame(code, &payload);
        let _ = (failure.retry(), failure.to_string());
    } else {
        let _ = Response::decode(&payload);
    }
});
