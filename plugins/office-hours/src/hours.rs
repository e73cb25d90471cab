//! Days, times of day, and whether a moment is among them.

use std::{borrow::Cow, fmt, str::FromStr};

use dockgate_plugin::schemars::{self, JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A time of day, written as `08:30`; `24:00` is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub struct TimeOfDay {
    minutes: i64,
}

/// What a clock is ahead of UTC, written as `+01:00` or `-09:30`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub struct Offset {
    minutes: i64,
}

/// The hours of some days.
pub(crate) struct Hours {
    days: [bool; 7],
    from: TimeOfDay,
    to: TimeOfDay,
    offset: Offset,
}

/// A moment, as the clock on the wall shows it.
#[derive(Clone, Copy)]
pub(crate) struct Local {
    day: Day,
    time: TimeOfDay,
}

impl Hours {
    pub(crate) fn new(days: &[Day], from: TimeOfDay, to: TimeOfDay, offset: Offset) -> Self {
        Self { days: WEEK.map(|day| days.contains(&day)), from, to, offset }
    }

    /// What the clock on the wall shows at a Unix time.
    pub(crate) fn local(&self, unix_time: u64) -> Local {
        let minutes = i64::try_from(unix_time / 60).unwrap_or(i64::MAX / 2) + self.offset.minutes;
        let days = minutes.div_euclid(MINUTES_OF_DAY);
        // 1970-01-01 was a Thursday.
        let day = Day::Thu.plus(days);
        Local { day, time: TimeOfDay { minutes: minutes.rem_euclid(MINUTES_OF_DAY) } }
    }

    /// Hours that end on the next day belong to the day on which they begin.
    pub(crate) fn include(&self, Local { day, time }: Local) -> bool {
        let on = |day: Day| self.days[day as usize];
        if self.from < self.to {
            on(day) && self.from <= time && time < self.to
        } else {
            (on(day) && self.from <= time) || (on(day.plus(-1)) && time < self.to)
        }
    }
}

impl Day {
    fn plus(self, days: i64) -> Self {
        let index = (self as i64 + days.rem_euclid(7)) % 7;
        WEEK.into_iter().find(|day| *day as i64 == index).unwrap_or(self)
    }

    fn name(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }
}

const WEEK: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

const MINUTES_OF_DAY: i64 = 24 * 60;

impl TimeOfDay {
    pub(crate) const fn hour(hour: i64) -> Self {
        Self { minutes: hour * 60 }
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        minutes(text)
            .filter(|minutes| *minutes <= MINUTES_OF_DAY)
            .map(|minutes| Self { minutes })
            .ok_or_else(|| format!("`{text}` is no time of day: write it as 08:30"))
    }
}

impl FromStr for Offset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+')?),
            };
            let minutes = minutes(rest).filter(|minutes| *minutes <= 14 * 60)?;
            Some(Self { minutes: sign * minutes })
        };
        read().ok_or_else(|| format!("`{text}` is no offset from UTC: write it as +01:00"))
    }
}

/// The minutes of `08:30`.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let is_number = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| is_number)
    };
    let minute = two_digits(minutes).filter(|minute| *minute < 60)?;
    Some(two_digits(hours)? * 60 + minute)
}

impl TryFrom<Cow<'_, str>> for TimeOfDay {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<Cow<'_, str>> for Offset {
    type Error = String;

    fn try_from(text: Cow<'_, str>) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        write!(f, "{sign}{}", TimeOfDay { minutes: self.minutes.abs() })
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.day.name(), self.time)
    }
}

/// `mon, tue from 08:00 to 18:00 (UTC+01:00)`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> =
            WEEK.iter().filter(|day| self.days[**day as usize]).map(|day| day.name()).collect();
        if days.is_empty() {
            return f.write_str("on no day");
        }
        let days = days.join(", ");
        write!(f, "{days} from {} to {} (UTC{})", self.from, self.to, self.offset)
    }
}

impl JsonSchema for TimeOfDay {
    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" })
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[+-](0[0-9]|1[0-3]):[0-5][0-9]$|^[+-]14:00$" })
    }
}
