//! The JSON body of an operation, which the first byte chooses: what is accepted means to Go's decoder
//! what a plugin reads.
#![no_main]

use std::sync::LazyLock;

use dockgate_fuzz::request::{Document, Operation, document::go};
use libfuzzer_sys::fuzz_target;

/// Those with a JSON body; `container-create` for every other byte, since most of the schema is its.
static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| Operation::all().filter(|one| Document::is_read_by(*one)).collect());

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    let create = || OPERATIONS.iter().find(|one| one.name() == "container-create");
    let operation = OPERATIONS.get(usize::from(*first)).or_else(create);
    go::assert_one_reading(body, *operation.expect("it has a JSON body"));
});
