//! One runtime and one bounded pool for all elements of the process.
//!
//! The runtime is made by the first run, not when the plugin is loaded, which GStreamer's registry
//! scanner does too. It lives as long as the process: a runtime can't be dropped on one of its own
//! workers, where an element's last reference may go.

use std::future::Future;
use std::sync::{Arc, LazyLock};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

/// Upper bound on threads that post messages. A handler that blocks keeps one of them.
const JOBS: usize = 48;
/// Upper bound on threads that look up names: `getaddrinfo` can't be cancelled.
pub(super) const LOOKUPS: usize = 8;
/// Number of workers. Drivers never block and cost little; more workers would only move them
/// between caches.
const WORKERS: usize = 2;

/// Failure to make the runtime: the system refuses threads or descriptors.
#[derive(Debug, thiserror::Error)]
#[error("can't start the network threads: {0}")]
pub struct RuntimeError(String);

#[cfg(test)]
impl RuntimeError {
    pub(super) fn for_test() -> Self {
        RuntimeError("no threads".into())
    }
}

/// Returns the process's runtime.
pub(super) fn handle() -> Result<&'static Handle, RuntimeError> {
    static RUNTIME: LazyLock<Result<Runtime, String>> = LazyLock::new(|| {
        Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(JOBS + LOOKUPS)
            .thread_name("volcasr")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| error.to_string())
    });
    let runtime = RUNTIME.as_ref().map(Runtime::handle);
    runtime.map_err(|error| RuntimeError(error.clone()))
}

/// Runs `job` on the bounded pool as soon as a thread is free.
pub fn run_job(job: impl FnOnce() + Send + 'static) -> Result<(), RuntimeError> {
    static FREE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(JOBS)));
    let free = FREE.clone();
    let handle = handle()?;
    // Needs no task if a thread is free, which is the rule.
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
