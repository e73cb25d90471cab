//! What a plugin costs.

use crate::{command::Bench, wat::Plugin};

#[test]
fn a_plugin_is_measured() {
    let said = Bench::new().does("bench bundled:tecnativa --seconds 0.05");
    let line = |name: &str| said.out.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for name in ["a call ", "an instance "] {
        let line = line(name).unwrap_or_else(|| panic!("{said:?}"));
        assert!(line.contains("(median)") && line.contains("(99th percentile)"), "{line}");
    }
    assert!(line("code ").unwrap().ends_with("compiled for this machine"), "{said:?}");
}

/// An answer that rests on the head alone is remembered by the proxy; here each is a call. This
/// plugin fails when it is called for the third time.
#[test]
fn each_call_is_one() {
    let counts = Plugin::deciding(
        "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
         (if (i32.gt_u (global.get $calls) (i32.const 2)) (then unreachable))
         (call $allow)",
    )
    .with("(global $calls (mut i32) (i32.const 0))");
    let said = Bench::new().plugin("counts", &counts).refuses(&["bench", "counts.wasm"]);
    assert!(said.starts_with("dockgate: plugin counts.wasm: it failed: it trapped: "), "{said}");
}
