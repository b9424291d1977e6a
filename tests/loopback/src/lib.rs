//! A v3/sauc recognition service on 127.0.0.1.
