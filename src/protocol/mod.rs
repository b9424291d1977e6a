//! The v3/sauc wire protocol: bytes and JSON to types and back. No sockets, no clocks, no GStreamer.
