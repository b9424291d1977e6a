//! One runtime and one bounded pool for all elements of the process.
//!
//! It is made when the first pipeline needs it, not when the plugin is loaded (GStreamer's registry
//! scanner loads plugins too), and lives as long as the process: a runtime can't be dropped from one
//! of its own workers, where an element's last reference may well go.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

/// Threads that run applications' handlers, at most. A handler that blocks for seconds keeps one.
const JOBS: usize = 48;
/// Threads that look up names, at most: `getaddrinfo` can't be cancelled.
pub(super) const LOOKUPS: usize = 8;
/// The driver tasks never block, and cost little: more workers only move them between caches.
const WORKERS: usize = 2;

/// The runtime could not be made: the system refuses threads or descriptors.
#[derive(Debug, thiserror::Error)]
#[error("can't start the network threads: {0}")]
pub struct RuntimeError(String);

#[cfg(test)]
impl RuntimeError {
    pub(super) fn for_test() -> Self {
        RuntimeError("no threads".into())
    }
}

/// The process's runtime.
pub(super) fn handle() -> Result<&'static Handle, RuntimeError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .max_blocking_threads(JOBS + LOOKUPS)
                .thread_name("volcasr")
                .enable_io()
                .enable_time()
                .build()
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map(Runtime::handle)
        .map_err(|error| RuntimeError(error.clone()))
}

/// Runs `job` on the bounded pool, as soon as one of its threads is free.
pub fn run_job(job: impl FnOnce() + Send + 'static) -> Result<(), RuntimeError> {
    static FREE: OnceLock<Arc<Semaphore>> = OnceLock::new();
    let free = FREE.get_or_init(|| Arc::new(Semaphore::new(JOBS))).clone();
    let handle = handle()?;
    // Without waiting if a thread is free, which is the rule.
    if let Ok(permit) = free.clone().try_acquire_owned() {
        handle.spawn_blocking(move || {
            job();
            drop(permit);
        });
    } else {
        handle.spawn(async move {
            // The semaphore is never closed.
            let permit = free.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                job();
                drop(permit);
            });
        });
    }
    Ok(())
}

/// Starts a task.
pub(super) fn spawn<F>(task: F) -> Result<tokio::task::JoinHandle<F::Output>, RuntimeError>
where
    F: Future<Output: Send> + Send + 'static,
{
    Ok(handle()?.spawn(task))
}
