//! The error codes that the service answers with.

/// Malformed or misnumbered packet, session already over.
pub const PACKET: u32 = 45_000_000;
/// Invalid parameters, missing field, repeated request id.
pub const PARAMETERS: u32 = 45_000_001;
/// Empty audio.
pub const EMPTY: u32 = 45_000_002;
/// No request object before data.
pub const NO_REQUEST: u32 = 45_000_007;
/// No packet for too long.
pub const TIMEOUT: u32 = 45_000_081;
/// Audio format wrong.
pub const FORMAT: u32 = 45_000_151;
/// Quota exceeded.
pub const QUOTA: u32 = 45_000_292;
/// Internal; with a field's name: a wrong JSON type.
pub const INTERNAL: u32 = 55_000_000;
