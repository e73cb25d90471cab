//! Tables of what is refused.

use super::message::Of;
use super::peer::Peer;

/// Reads what has to be a refusal that names a rule, and the last that comes.
pub fn refusal(client: &mut Peer, rule: &str) -> Result<(), String> {
    let broken = |error: std::io::Error| error.to_string();
    let answer = client.try_message(Of::Answer).map_err(broken)?.ok_or("nothing comes")?;
    if answer.status() != 400 || answer.body.is_empty() {
        return Err(answer.head);
    }
    let words = answer.words();
    if !(words.starts_with("dockgate: ") && words.contains(rule)) {
        return Err(words);
    }
    match client.rest().map_err(broken)?.as_slice() {
        [] => Ok(()),
        more => Err(format!("after the refusal {:?}", String::from_utf8_lossy(more))),
    }
}

/// Goes through a table, and shows all that is not as expected.
pub fn complaints<C, N: std::fmt::Debug>(
    table: &'static [C],
    check: impl Fn(&'static C) -> (N, Result<(), String>),
) -> String {
    let outcomes = table.iter().map(check);
    let wrong = outcomes.filter_map(|(name, outcome)| Some((name, outcome.err()?)));
    let wrong: Vec<_> = wrong.map(|(name, problem)| format!("\n{name:?}\n    {problem}")).collect();
    wrong.concat()
}
