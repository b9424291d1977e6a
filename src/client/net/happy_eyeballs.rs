//! Connecting to a host of several addresses as RFC 8305 ("Happy Eyeballs") says.
//!
//! IPv6 and IPv4 take turns, and each address gets a quarter of a second before the next one is
//! tried beside it. So a dead address costs that long, whether the host has one or many.
//! hyper-util's implementation is private to its connector; the crate `happy-eyeballs` orders
//! addresses itself, so the last winner could not be first.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

/// RFC 8305's "Connection Attempt Delay".
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Orders `addresses` for [`connect_any`]: `first` in front if the host still has it, then the
/// families in turn, beginning with the resolver's favourite.
pub(super) fn order(addresses: &[SocketAddr], first: Option<SocketAddr>) -> Vec<SocketAddr> {
    let favourite_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (favourites, others): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| address.is_ipv6() == favourite_is_v6);
    let in_turn = |n| [favourites.get(n), others.get(n)].into_iter().flatten();
    let mut ordered: Vec<_> = (0..addresses.len()).flat_map(in_turn).copied().collect();
    if let Some(at) = ordered.iter().position(|&address| Some(address) == first) {
        ordered[..=at].rotate_right(1);
    }
    ordered
}

/// Returns the first connection that comes about. The other attempts are dropped.
///
/// # Errors
/// The last failure, with its address, when all attempts have failed; none if there is no address.
pub(super) async fn connect_any<F, T>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Option<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>> + Send + 'static,
    T: Send + 'static,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = None;
    loop {
        if let Some(address) = waiting.next() {
            let attempt = connect(address);
            attempts.spawn(async move { attempt.await.map_err(|error| (address, error)) });
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(connection))) => return Ok(connection),
                Some(Ok(Err(failed))) => failure = Some(failed),
                // A panic in the attempt: the others go on.
                Some(Err(_)) => {}
                None if waiting.len() == 0 => return Err(failure),
                None => {}
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn families_take_turns() {
        let [a, b, c] = ["[2001:db8::a]:1", "[2001:db8::b]:1", "[2001:db8::c]:1"].map(address);
        let [x, y] = ["192.0.2.1:1", "192.0.2.2:1"].map(address);
        for (found, first, expected) in [
            (vec![a, b, c, x, y], None, vec![a, x, b, y, c]),
            (vec![x, y, a, b], None, vec![x, a, y, b]),
            (vec![x, y], None, vec![x, y]),
            (vec![], None, vec![]),
            // The address that answered last is first; the others keep their order.
            (vec![a, b, c, x, y], Some(y), vec![y, a, x, b, c]),
            (vec![x, y], Some(x), vec![x, y]),
            (vec![x, y], Some(c), vec![x, y]),
        ] {
            assert_eq!(order(&found, first), expected, "{found:?} {first:?}");
        }
    }

    /// How an address behaves: fails or connects so many milliseconds after the attempt begins, or
    /// never ends.
    #[derive(Clone, Copy)]
    enum Peer {
        Connects(u64),
        Refuses(u64),
        Swallows,
    }
    use Peer::*;

    /// Returns which address was connected to, and after how many milliseconds.
    async fn race(peers: &'static [Peer]) -> (Result<usize, Option<usize>>, u128) {
        let began = Instant::now();
        let port = |index: usize| u16::try_from(index).expect("few of them");
        let addresses = (0..peers.len()).map(|index| ([192, 0, 2, 1], port(index)).into());
        let result = connect_any(addresses.collect(), |address| async move {
            let index = usize::from(address.port());
            let (after, result) = match peers[index] {
                Connects(after) => (after, Ok(index)),
                Refuses(after) => (after, Err(io::ErrorKind::ConnectionRefused.into())),
                Swallows => std::future::pending().await,
            };
            sleep(Duration::from_millis(after)).await;
            result
        });
        let result = result
            .await
            .map_err(|failed| failed.map(|(address, _)| address.port().into()));
        (result, began.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_address_does_not_wait_for_a_dead_one() {
        for (peers, result, after) in [
            (&[Connects(30)][..], Ok(0), 30),
            (&[Swallows, Connects(30)], Ok(1), 280),
            (&[Swallows, Swallows, Swallows, Connects(30)], Ok(3), 780),
            // A slow one still may win.
            (&[Connects(300), Connects(100)], Ok(0), 300),
            (&[Connects(400), Connects(100)], Ok(1), 350),
            // A refusal makes room for the next at once.
            (&[Refuses(10), Connects(30)], Ok(1), 40),
            (&[Swallows, Refuses(10), Connects(30)], Ok(2), 290),
            (&[Refuses(900), Refuses(10)], Err(Some(0)), 900),
            (&[Refuses(10), Refuses(20)], Err(Some(1)), 30),
            (&[], Err(None), 0),
        ] {
            assert_eq!(race(peers).await, (result, after));
        }
    }
}
