//! A timer that a busy connection hardly ever sets.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Rings when a time has come. It is set anew only where it would ring too late: rung too early, it
/// goes on waiting. So where every deadline is met, most of them cost nothing.
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    /// Not set yet.
    pub(super) fn new() -> Self {
        Self(Box::pin(sleep_until(Instant::now())))
    }

    /// Ready when `due` has come.
    pub(super) fn poll(&mut self, due: Instant, cx: &mut Context) -> Poll<()> {
        if self.0.deadline() > due {
            self.0.as_mut().reset(due);
        }
        while self.0.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.0.as_mut().reset(due);
        }
        Poll::Pending
    }
}
