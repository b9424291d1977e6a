//! The rule for poisoned locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. The data of a poisoned lock is used: no code here leaves it half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
