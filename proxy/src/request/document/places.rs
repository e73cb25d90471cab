//! All places in the body of an operation, for what the schema is compared with.

use super::schema::Kind;
use crate::request::Operation;

/// One place in a body.
pub(super) struct Place {
    pub(super) operation: Operation,
    /// From the document inwards: names, `[]`, `{}`.
    pub(super) steps: Vec<&'static str>,
    pub(super) kind: &'static Kind,
}

/// The places in a body, itself the last.
pub(super) fn of(operation: Operation, kind: &'static Kind) -> Vec<Place> {
    let mut places = Vec::new();
    collect(&mut places, operation, Vec::new(), kind);
    places
}

fn collect(
    places: &mut Vec<Place>,
    operation: Operation,
    steps: Vec<&'static str>,
    kind: &'static Kind,
) {
    let below = |step| [&*steps, &[step]].concat();
    match kind {
        Kind::Nullable(of) => return collect(places, operation, steps, of),
        Kind::List(of) => collect(places, operation, below("[]"), of),
        Kind::Map(of) => collect(places, operation, below("{}"), of),
        Kind::Object(of) => {
            for field in of.all() {
                collect(places, operation, below(field.name), field.kind);
            }
        }
        _ => {}
    }
    places.push(Place { operation, steps, kind });
}
