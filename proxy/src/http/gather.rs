//! Bodies that are held as a whole, because a plugin reads them: within bounds for each, and for all
//! of them together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

/// How long a client may take to send a body that is held.
pub(super) const TIME: Duration = Duration::from_mins(1);

/// The room for all bodies that are held at a time.
#[derive(Clone, Debug)]
pub struct Room(Arc<AtomicUsize>);

/// A place in the room, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Room,
    bytes: usize,
}

/// Why a body can't be held.
#[derive(Debug)]
pub(super) enum NotHeld<E> {
    /// It is larger than this many bytes.
    Large(usize),
    /// There is no room for it beside others.
    NoRoom,
    /// It did not come to its end.
    Broken(E),
}

impl Room {
    /// For so many bytes.
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// Reads a body to its end.
pub(super) async fn gather<B>(
    mut body: B,
    limit: usize,
    room: &Room,
) -> Result<(Bytes, Place), NotHeld<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut place = Place { room: room.clone(), bytes: 0 };
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(NotHeld::Broken)?.into_data() else { continue };
        if whole.len() + data.len() > limit {
            return Err(NotHeld::Large(limit));
        }
        if !room.take(data.len()) {
            return Err(NotHeld::NoRoom);
        }
        place.bytes += data.len();
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), place))
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn bodies_are_held_within_bounds_and_give_their_room_back() {
        let room = Room::of(10);
        let held = gather(Full::new(Bytes::from("123456")), 6, &room).await;
        let (bytes, place) = held.unwrap();
        assert_eq!(bytes, "123456");
        let second = gather(Full::new(Bytes::from("12345")), 6, &room).await;
        assert!(matches!(second, Err(NotHeld::NoRoom)), "beside the first");
        let large = gather(Full::new(Bytes::from("1234567")), 6, &room).await;
        assert!(matches!(large, Err(NotHeld::Large(6))));
        drop(place);
        assert!(gather(Full::new(Bytes::from("123456")), 6, &room).await.is_ok());
    }
}
