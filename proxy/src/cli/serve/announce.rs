//! What the proxy says of itself when it starts.

use std::{fmt::Write as _, io::Write as _};

use crate::{log::Format, plugin::Loaded, policy::Policy};

/// Shows what is permitted, and by whom.
pub(super) fn announce(policy: &Policy, format: Format) {
    for plugin in policy.plugins.iter() {
        if !plugin.permissions().is_empty() {
            match format {
                Format::Text { .. } => print_table(plugin),
                Format::Json => log_table(plugin),
            }
        }
    }
    for (place, chain) in policy.selection.chains().iter().enumerate() {
        let plugins: Vec<_> = chain.plugins.iter().map(|p| policy.plugins[*p].name()).collect();
        let plugins = match plugins.as_slice() {
            [] => "none, so it refuses everything".to_owned(),
            plugins => plugins.join(", "),
        };
        match policy.selection.name(place) {
            None => tracing::info!("the chain of plugins: {plugins}"),
            Some(name) => tracing::info!(chain = &**name, "a chain of plugins: {plugins}"),
        }
    }
}

/// Shows what the plugins find odd in their settings.
pub(super) fn announce_problems(policy: &Policy) {
    for plugin in policy.plugins.iter() {
        for problem in plugin.problems() {
            let (plugin, subject) = (plugin.name(), &problem.subject);
            tracing::warn!(plugin, subject, "{}", problem.message);
        }
    }
}

fn print_table(plugin: &Loaded) {
    let (open, shut): (Vec<_>, Vec<_>) = plugin.permissions().iter().partition(|p| p.open);
    let width = open.iter().map(|p| p.name.len() + p.value.len() + 1).max().unwrap_or(0);
    let mut table = format!("Permitted by {}:\n", plugin.name());
    for permission in &open {
        let setting = format!("{}={}", permission.name, permission.value);
        let _ = writeln!(table, "  {setting:<width$}  {}", permission.exposes);
    }
    if open.is_empty() {
        table.push_str("  nothing\n");
    }
    let names: Vec<_> = shut.iter().map(|permission| permission.name.as_str()).collect();
    table.push_str("Not permitted:\n");
    for line in names.chunks(8) {
        let _ = writeln!(table, "  {}", line.join(" "));
    }
    // Nobody is left to tell that standard output is gone.
    let _ = std::io::stdout().lock().write_all(table.as_bytes());
}

fn log_table(plugin: &Loaded) {
    for permission in plugin.permissions().iter().filter(|permission| permission.open) {
        tracing::info!(
            plugin = plugin.name(),
            permission = permission.name,
            value = permission.value,
            "open: {}",
            permission.exposes
        );
    }
}
