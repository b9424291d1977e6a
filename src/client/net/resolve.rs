//! Name look-ups that a state change need not wait for.
//!
//! `getaddrinfo` blocks and can't be cancelled. It runs on at most [`LOOKUPS`] threads; requests
//! for the same host share one look-up, and an abandoned one ends by the resolver's own timeout.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock, Mutex};

use tokio::sync::{Semaphore, watch};

use crate::client::runtime::LOOKUPS;
use crate::sync::lock;

type Answer = Option<Result<Vec<SocketAddr>, (io::ErrorKind, String)>>;
type Pending = HashMap<(String, u16), watch::Receiver<Answer>>;

/// Look-ups that have not ended.
static PENDING: LazyLock<Mutex<Pending>> = LazyLock::new(Mutex::default);

/// Resolves `host` to at least one address.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let mut answer = join_or_start(host, port);
    let answer = answer.wait_for(Option::is_some).await;
    match answer.as_deref() {
        Ok(Some(Ok(addresses))) if !addresses.is_empty() => Ok(addresses.clone()),
        Ok(Some(Err((kind, text)))) => Err(io::Error::new(*kind, text.clone())),
        _ => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )),
    }
}

fn join_or_start(host: &str, port: u16) -> watch::Receiver<Answer> {
    static FREE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LOOKUPS)));
    let key = (host.to_owned(), port);
    let mut pending = lock(&PENDING);
    if let Some(answer) = pending.get(&key) {
        return answer.clone();
    }
    let (done, answer) = watch::channel(None);
    pending.insert(key.clone(), answer.clone());
    let free = FREE.clone();
    tokio::spawn(async move {
        // Held by the thread: an abandoned look-up still occupies it.
        let permit = free.acquire_owned().await;
        let target = key.clone();
        let lookup = tokio::task::spawn_blocking(move || {
            let answer = (target.0.as_str(), target.1).to_socket_addrs();
            drop(permit);
            answer
                .map(Iterator::collect)
                .map_err(|error| (error.kind(), error.to_string()))
        });
        let answer = lookup
            .await
            .unwrap_or_else(|error| Err((io::ErrorKind::Other, error.to_string())));
        lock(&PENDING).remove(&key);
        done.send_replace(Some(answer));
    });
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_needs_no_look_up_and_a_name_that_does_not_exist_has_none() {
        let addresses = resolve("::1", 7).await.expect("an address");
        assert_eq!(addresses, ["[::1]:7".parse().expect("a constant")]);
        assert!(resolve("does-not-exist.invalid", 1).await.is_err());
    }

    #[tokio::test]
    async fn those_who_ask_together_share_one_look_up() {
        let first = join_or_start("localhost", 1);
        let second = join_or_start("localhost", 1);
        assert!(first.same_channel(&second));
        let addresses = resolve("localhost", 1).await.expect("localhost");
        assert!(addresses[0].ip().is_loopback());
        // Results are not cached: names change.
        assert!(lock(&PENDING).get(&("localhost".into(), 1)).is_none());
    }
}
