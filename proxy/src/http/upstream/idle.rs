//! Connections to the daemon between two requests.
//!
//! As many are kept as were lately in use at once: with fewer, many clients would have connections opened and
//! closed all the time.

/// How many are kept at the most.
const MOST: usize = 128;

/// The connections that wait for a request. The one that came last is taken first, so those that are not
/// needed come to lie at the bottom.
pub(super) struct Idle<Link> {
    links: Vec<Link>,
    /// The fewest that there were since the last tidying: as many, at the bottom, were not touched.
    untouched: usize,
}

impl<Link> Idle<Link> {
    /// None.
    pub(super) const fn new() -> Self {
        Self { links: Vec::new(), untouched: 0 }
    }

    /// The one that came last.
    pub(super) fn take(&mut self) -> Option<Link> {
        let link = self.links.pop();
        self.untouched = self.untouched.min(self.links.len());
        link
    }

    /// Keeps a connection, or closes it where there are enough.
    pub(super) fn put(&mut self, link: Link) {
        if self.links.len() < MOST {
            self.links.push(link);
        }
    }

    /// Closes what was not touched since this was last called, and says how many those were.
    pub(super) fn tidy(&mut self) -> usize {
        let closed = self.links.drain(..self.untouched).len();
        self.untouched = self.links.len();
        closed
    }

    /// Closes all.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(links: usize) -> Idle<usize> {
        let mut idle = Idle::new();
        put_all(&mut idle, 0..links);
        idle
    }

    fn put_all(idle: &mut Idle<usize>, links: impl IntoIterator<Item = usize>) {
        for link in links {
            idle.put(link);
        }
    }

    fn take_all(idle: &mut Idle<usize>) -> Vec<usize> {
        std::iter::from_fn(|| idle.take()).collect()
    }

    #[test]
    fn as_many_as_are_in_use_at_once_are_kept() {
        let mut idle = of(64);
        assert_eq!(idle.tidy(), 0, "they have only come");
        for _ in 0..3 {
            let taken = take_all(&mut idle);
            assert_eq!(taken.len(), 64);
            put_all(&mut idle, taken);
            assert_eq!(idle.tidy(), 0);
        }
    }

    #[test]
    fn what_nobody_takes_is_closed() {
        let mut idle = of(64);
        idle.tidy();
        for _ in 0..3 {
            let taken = [idle.take().unwrap(), idle.take().unwrap()];
            put_all(&mut idle, taken);
        }
        assert_eq!(idle.tidy(), 62, "all but the two that were taken");
        let taken = idle.take().unwrap();
        assert!(taken >= 62, "those lie on top");
        idle.put(taken);
        assert_eq!(idle.tidy(), 1);
        assert_eq!(idle.tidy(), 1);
        assert_eq!(idle.take(), None);
        assert_eq!(idle.tidy(), 0);
    }

    #[test]
    fn they_do_not_grow_without_end() {
        assert_eq!(take_all(&mut of(1000)).len(), MOST);
    }
}
