//! Options and variables that a configuration file replaces.

use std::{env, fmt};

use clap::{ArgMatches, CommandFactory as _, parser::ValueSource};

use super::Cli;
use crate::error::Error;

/// The options, and what says the same in a file.
const OPTIONS: &[(&str, &str)] = &[
    ("--listen", "listeners.NAME.address"),
    ("--upstream", "upstream.address"),
    ("--socket-mode", "listeners.NAME.mode"),
    ("--socket-owner", "listeners.NAME.owner"),
    ("--plugin", "plugins.NAME.source, and chains"),
    ("--grant-env", "plugins.NAME.environment"),
    ("--grant", "plugins.NAME.grants"),
    ("--plugin-memory", "plugins.NAME.limits.memory"),
    ("--log-level", "log.level"),
    ("--log-format", "log.format"),
    ("--min-api-version", "limits.oldest-api"),
    ("--max-connections", "limits.connections"),
    ("--max-head", "limits.head"),
    ("--max-body", "limits.body"),
    ("--max-answer", "limits.answer"),
    ("--head-timeout", "limits.head-timeout"),
    ("--idle-timeout", "limits.idle-timeout"),
    ("--connect-timeout", "upstream.connect-timeout"),
    ("--answer-timeout", "upstream.answer-timeout"),
    ("--grace", "limits.grace"),
    ("--workers", "limits.workers"),
];

/// Variables of other programs that are read as well.
const VARIABLES: &[(&str, &str)] = &[
    ("BIND_CONFIG", "listeners.NAME.address"),
    ("SOCKET_PATH", "upstream.address"),
    ("DOCKER_HOST", "upstream.address"),
    ("DOCKER_TLS_VERIFY", "upstream.tls"),
];

/// A variable that is set and has no meaning beside a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub variable: String,
    /// What says the same in a file.
    place: &'static str,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, place } = self;
        write!(
            f,
            "the variable {variable} is not read beside a configuration file: write {place} there"
        )
    }
}

/// That no such option is given.
pub(super) fn refuse_options(matches: &ArgMatches) -> Result<(), Error> {
    for (option, id, _, place) in options() {
        if matches.value_source(&id) == Some(ValueSource::CommandLine) {
            let values = matches.get_raw(&id).into_iter().flatten();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            return Err(Error::Value {
                name: option,
                value: values.join(","),
                problem: format!("is not read beside a configuration file: write {place} there"),
            });
        }
    }
    Ok(())
}

/// Such variables that are set.
pub(super) fn variables(matches: &ArgMatches) -> Vec<Unread> {
    let ours = options().filter_map(|(_, id, variable, place)| {
        let is_set = matches.value_source(&id) == Some(ValueSource::EnvVariable);
        Some(Unread { variable: variable.filter(|_| is_set)?, place })
    });
    let others = VARIABLES.iter().filter_map(|(name, place)| {
        let is_set = env::var_os(name).is_some_and(|value| !value.is_empty());
        is_set.then(|| Unread { variable: (*name).to_owned(), place })
    });
    ours.chain(others).collect()
}

/// Each option with its name among what was read, its variable, and its place in a file.
fn options() -> impl Iterator<Item = (&'static str, String, Option<String>, &'static str)> {
    let command = Cli::command();
    OPTIONS.iter().filter_map(move |(option, place)| {
        let mut arguments = command.get_arguments();
        let argument =
            arguments.find(|argument| argument.get_long() == option.strip_prefix("--"))?;
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        Some((*option, argument.get_id().to_string(), variable, *place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_for_a_file_too_or_says_so() {
        let of_files: Vec<_> = OPTIONS.iter().map(|(option, _)| *option).collect();
        for argument in Cli::command().get_arguments() {
            let option = format!("--{}", argument.get_long().unwrap_or_default());
            let is_apart = ["--config", "--cache", "--demo", "--help", "--version"];
            let is_apart = is_apart.contains(&&*option);
            assert_ne!(of_files.contains(&&*option), is_apart, "{option}");
        }
        assert_eq!(options().count(), OPTIONS.len());
    }

    #[test]
    fn every_place_is_one_of_the_configuration() {
        let schema = crate::config::schema();
        let definition = |schema: &serde_json::Value| {
            let name = schema["$ref"].as_str()?.rsplit('/').next()?.to_owned();
            Some(name)
        };
        for (_, place) in OPTIONS.iter().chain(VARIABLES) {
            let mut at = schema.clone();
            for step in place.split(',').next().unwrap().split('.') {
                at = match step {
                    "NAME" => at["additionalProperties"].clone(),
                    step => at["properties"][step].clone(),
                };
                if let Some(name) = definition(&at) {
                    at = schema["$defs"][&*name].clone();
                }
                assert!(!at.is_null(), "{place}: {step}");
            }
        }
    }
}
