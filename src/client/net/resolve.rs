//! Name look-ups that a state change need not wait for.
//!
//! `getaddrinfo` blocks and can't be cancelled. It runs on at most [`LOOKUPS`](super::runtime)
//! threads; those who want the same host share one look-up, and one that nobody waits for any more
//! ends by the resolver's own time-out.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{Semaphore, watch};

use crate::client::runtime::LOOKUPS;

type Answer = Option<Result<Vec<SocketAddr>, (io::ErrorKind, String)>>;
type UnderWay = Mutex<HashMap<(String, u16), watch::Receiver<Answer>>>;

fn under_way() -> &'static UnderWay {
    static UNDER_WAY: OnceLock<UnderWay> = OnceLock::new();
    UNDER_WAY.get_or_init(UnderWay::default)
}

/// The addresses of `host`, at least one.
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
    static FREE: OnceLock<Arc<Semaphore>> = OnceLock::new();
    let key = (host.to_owned(), port);
    let mut lookups = under_way().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = lookups.get(&key) {
        return answer.clone();
    }
    let (done, answer) = watch::channel(None);
    lookups.insert(key.clone(), answer.clone());
    let free = FREE
        .get_or_init(|| Arc::new(Semaphore::new(LOOKUPS)))
        .clone();
    tokio::spawn(async move {
        // Held by the thread, not by whoever waits: an abandoned look-up still occupies one.
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
        under_way()
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        done.send_replace(Some(answer));
    });
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_needs_no_look_up() {
        let addresses = resolve("::1", 7).await.expect("an address");
        assert_eq!(
            addresses,
            ["[::1]:7".parse::<SocketAddr>().expect("a constant")]
        );
    }

    #[tokio::test]
    async fn those_who_ask_together_share_one_look_up() {
        let first = join_or_start("localhost", 1);
        let second = join_or_start("localhost", 1);
        assert!(first.same_channel(&second));
        assert!(
            resolve("localhost", 1).await.expect("localhost")[0]
                .ip()
                .is_loopback()
        );
        // Done look-ups are not kept: names change.
        assert!(
            under_way()
                .lock()
                .expect("not poisoned")
                .get(&("localhost".into(), 1))
                .is_none()
        );
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist() {
        assert!(resolve("does-not-exist.invalid", 1).await.is_err());
    }
}
