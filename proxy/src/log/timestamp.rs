use std::{
    cell::Cell,
    io::Write as _,
    time::{Duration, SystemTime},
};

use time::OffsetDateTime;

/// A time as RFC 3339 writes it, with milliseconds: `2026-11-24T15:40:22.314Z`.
#[derive(Clone, Copy)]
pub(super) struct Timestamp([u8; LENGTH]);

const LENGTH: usize = "2026-11-24T15:40:22.314Z".len();
/// Where the milliseconds stand.
const MILLIS: usize = "2026-11-24T15:40:22.".len();

thread_local! {
    /// The last one that was made, and its second: the calendar is the expensive part, and most
    /// requests of a busy proxy have the second of the one before.
    static LAST: Cell<(u64, Timestamp)> = Cell::new((0, Timestamp::at_second(0)));
}

impl Timestamp {
    /// Times before 1970 are shown as its first second.
    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let (mut second, mut timestamp) = LAST.get();
        if second != since.as_secs() {
            second = since.as_secs();
            timestamp = Self::at_second(second);
            LAST.set((second, timestamp));
        }
        let millis = since.subsec_millis();
        for (place, unit) in [100, 10, 1].into_iter().enumerate() {
            // A remainder of 10 fits into a byte.
            timestamp.0[MILLIS + place] = b'0' + (millis / unit % 10) as u8;
        }
        timestamp
    }

    pub(super) fn as_str(&self) -> &str {
        // Only digits and punctuation are ever written.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What is beyond the calendar is shown as its first second.
    fn at_second(second: u64) -> Self {
        let time = i64::try_from(second)
            .ok()
            .and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, (hour, minute, second)) = (time.date(), time.time().as_hms());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let mut bytes = [b'0'; LENGTH];
        // It fits, by the length of the array.
        let _ = write!(
            &mut bytes[..],
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z"
        );
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_says() {
        for (millis, written) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_534_822_314, "2026-11-24T15:40:22.314Z"),
            (1_795_534_822_007, "2026-11-24T15:40:22.007Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            assert_eq!(Timestamp::of(time).as_str(), written);
        }
        assert_eq!(
            Timestamp::of(SystemTime::UNIX_EPOCH - Duration::from_secs(1)).as_str(),
            "1970-01-01T00:00:00.000Z"
        );
    }
}
