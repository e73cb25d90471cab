//! An answer that is a stream of JSON values, of which plugins say which go on.

use std::{
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame};

use super::{
    body::Broken,
    items::{Items, Part, Value},
    upstream::Leased,
};
use crate::{
    plugin::{Asked, LookUps, Sifted},
    worker::Serving,
};

/// How much is gathered before it goes on, where more is there already.
const TOGETHER: usize = 16 << 10;

/// A stream on its way through plugins. It reads on only when what it had has gone on, so that a
/// client that reads slowly slows the daemon.
pub(super) enum Sieve {
    /// Nothing is under way.
    Resting(Box<Source>),
    /// The next bytes are being made.
    Sifting(Sifting),
    /// It is over.
    Over,
}

type Sifting = Pin<Box<dyn Future<Output = (Box<Source>, Option<Result<Bytes, Broken>>)>>>;

/// Where the values come from, and who is asked about them.
pub(super) struct Source {
    pub serving: Rc<Serving>,
    pub asked: Asked,
    /// The plugins that asked for values, in the order of asking.
    pub plugins: Vec<usize>,
    pub daemon: Leased,
    pub items: Items,
    /// Whether the last value was left out, and what separates it from the next goes with it.
    pub dropped: bool,
}

impl Sieve {
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            match std::mem::replace(self, Self::Over) {
                Self::Over => return Poll::Ready(None),
                Self::Resting(source) => *self = Self::Sifting(Box::pin(source.next())),
                Self::Sifting(mut sifting) => match sifting.as_mut().poll(cx) {
                    Poll::Pending => {
                        *self = Self::Sifting(sifting);
                        return Poll::Pending;
                    }
                    Poll::Ready((source, Some(Ok(bytes)))) => {
                        *self = Self::Resting(source);
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                    Poll::Ready((_, Some(Err(broken)))) => {
                        return Poll::Ready(Some(Err(broken)));
                    }
                    Poll::Ready((_, None)) => return Poll::Ready(None),
                },
            }
        }
    }
}

impl Source {
    /// The next bytes for the client; none at the end.
    async fn next(mut self: Box<Self>) -> (Box<Self>, Option<Result<Bytes, Broken>>) {
        let next = self.sift().await.transpose();
        (self, next)
    }

    async fn sift(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let mut sifted = BytesMut::new();
            while sifted.len() < TOGETHER
                && let Some(part) =
                    self.items.next().map_err(|_| Broken::cut("a value is larger than 1 MiB"))?
            {
                self.pass(part, &mut sifted).await?;
            }
            if !sifted.is_empty() {
                return Ok(Some(sifted.freeze()));
            }
            let daemon = &mut self.daemon;
            match poll_fn(|cx| Pin::new(&mut *daemon).poll_frame(cx)).await {
                Some(frame) => {
                    if let Ok(data) = frame.map_err(Broken::Daemon)?.into_data() {
                        self.items.push(&data);
                    }
                }
                None => return self.end().await,
            }
        }
    }

    async fn end(&mut self) -> Result<Option<Bytes>, Broken> {
        let mut sifted = BytesMut::new();
        if let Some(part) = self.items.last() {
            self.pass(part, &mut sifted).await?;
        }
        if self.items.is_in_value() {
            return Err(Broken::cut("it ended within a value"));
        }
        Ok(Some(sifted.freeze()).filter(|sifted| !sifted.is_empty()))
    }

    /// Puts what goes on of a part behind what has been sifted.
    async fn pass(&mut self, part: Part, sifted: &mut BytesMut) -> Result<(), Broken> {
        match part {
            Part::Gap(_) if self.dropped => {}
            Part::Gap(bytes) => sifted.extend_from_slice(&bytes),
            Part::Value(value) => {
                let left = self.ask(value).await?;
                self.dropped = left.is_none();
                sifted.extend_from_slice(left.as_ref().map_or(&[], |value| value.bytes()));
            }
        }
        Ok(())
    }

    /// Asks each plugin about what the one before it left.
    ///
    /// Each value is decided for itself: a stream goes on for days, and names change hands.
    async fn ask(&mut self, mut value: Value) -> Result<Option<Value>, Broken> {
        self.asked.look_ups = LookUps::new(&self.serving.daemon);
        for &plugin in &self.plugins {
            let json = value
                .json()
                .filter(|json| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok())
                .ok_or_else(|| Broken::cut("a value is not JSON"))?;
            match self.serving.instances.sift(plugin, &self.asked, json).await {
                Ok(Sifted::Keep) => {}
                Ok(Sifted::Drop) => return Ok(None),
                Ok(Sifted::Replace(json)) => value = value.with(&json),
                Err(failure) => {
                    let plugin = self.serving.policy.plugins[plugin].name();
                    return Err(Broken::cut(&format!("the plugin {plugin} failed: {failure}")));
                }
            }
        }
        Ok(Some(value))
    }
}
