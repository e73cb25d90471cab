//! Compiling ahead.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{command::Bench, wat::Plugin};

#[test]
fn what_is_compiled_ahead_is_not_compiled_again() {
    let bench =
        Bench::new().plugin("one", &Plugin::allowing()).plugin("two", &Plugin::denying("no"));
    let said = bench.does("compile one.wasm two.wasm");
    let files: Vec<_> = said.out.lines().map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(files.len(), 2, "{said:?}");
    let run = || bench.run(&["run", "one.wasm", "--request", "GET /info"]);
    assert!(!run().is(0).out.contains("compiling"), "it is there");
    fs::remove_file(files[0]).unwrap();
    assert!(run().is(0).out.contains("compiling one.wasm"), "it is gone");
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    let bench = Bench::new().plugin("one", &Plugin::allowing());
    let open = bench.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let said = bench.refuses(&["compile", "one.wasm", "--cache", open.to_str().unwrap()]);
    assert!(said.contains("others may write the folder"), "{said}");
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
}
