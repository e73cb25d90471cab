//! Changes are made in office hours alone; looking is left to other plugins at any time.
//!
//! It only takes away: in office hours it abstains. What began in time goes on, such as a shell in a
//! container.

mod hours;

use dockgate_plugin::{
    Policy, Request, Setup, Verdict,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

use hours::{Day, Hours, Offset, TimeOfDay};

/// The policy.
pub struct OfficeHours {
    hours: Hours,
}

/// When changes are allowed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The days, Monday to Friday if not said.
    pub days: Vec<Day>,
    /// When hours begin, `08:00` if not said.
    pub from: TimeOfDay,
    /// When they end, `18:00` if not said. Where that is before `from`, it is on the next day.
    pub to: TimeOfDay,
    /// What the clock on the wall is ahead of UTC, `+00:00` if not said. It does not know of summer
    /// time.
    pub utc_offset: Offset,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            days: vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
            from: TimeOfDay::hour(8),
            to: TimeOfDay::hour(18),
            utc_offset: Offset::default(),
        }
    }
}

impl Policy for OfficeHours {
    type Settings = Settings;

    fn set_up(setup: &mut Setup<Settings>) -> Self {
        let Settings { days, from, to, utc_offset } = &setup.settings;
        let hours = Hours::new(days, *from, *to, *utc_offset);
        if days.is_empty() {
            setup.warn("/days", "it names no day, so nothing can be changed");
        }
        if setup.settings.from == setup.settings.to {
            setup.refuse("/to", "hours that end when they begin are none: write 00:00 to 24:00");
        }
        Self { hours }
    }

    fn decide(&self, request: &Request) -> Verdict {
        if request.only_reads() {
            return Verdict::abstain();
        }
        let now = self.hours.local(request.unix_time());
        if self.hours.include(now) {
            return Verdict::abstain();
        }
        Verdict::deny(format!("{} is not allowed on {now}", request.operation_name()))
            .with_code("outside-office-hours")
            .with_hint(format!("changes are allowed {}", self.hours))
    }
}

dockgate_plugin::export!(OfficeHours);
dockgate_plugin::manifest_test!(OfficeHours);
dockgate_plugin::requests_test!(OfficeHours);

#[cfg(test)]
mod tests {
    use dockgate_plugin::{Json, json};

    use super::*;

    fn problems(settings: &Json) -> Vec<String> {
        let settings = match settings.read() {
            Ok(settings) => settings,
            Err(misfit) => return vec![misfit.to_string()],
        };
        let mut setup = Setup::new(settings);
        OfficeHours::set_up(&mut setup);
        setup.problems().iter().map(|p| format!("{}: {}", p.subject, p.message)).collect()
    }

    #[test]
    fn settings_that_can_not_be_meant_are_refused() {
        let none = Vec::<String>::new();
        for (settings, expected) in [
            (json!({}), none.clone()),
            (json!({ "from": "00:00", "to": "24:00", "utc-offset": "-09:30" }), none),
            (
                json!({ "days": [] }),
                vec!["/days: it names no day, so nothing can be changed".to_owned()],
            ),
            (
                json!({ "from": "08:00", "to": "08:00" }),
                vec![
                    "/to: hours that end when they begin are none: write 00:00 to 24:00".to_owned(),
                ],
            ),
            (
                json!({ "from": "8" }),
                vec!["/from: `8` is no time of day: write it as 08:30".to_owned()],
            ),
            (
                json!({ "to": "24:01" }),
                vec!["/to: `24:01` is no time of day: write it as 08:30".to_owned()],
            ),
            (
                json!({ "utc-offset": "CET" }),
                vec!["/utc-offset: `CET` is no offset from UTC: write it as +01:00".to_owned()],
            ),
            (
                json!({ "days": ["monday"] }),
                vec![
                    "/days/0: unknown variant `monday`, expected one of `mon`, `tue`, `wed`, \
                      `thu`, `fri`, `sat`, `sun`"
                        .to_owned(),
                ],
            ),
        ] {
            assert_eq!(problems(&Json::from(settings.clone())), expected, "{settings}");
        }
    }
}
