//! What plugins see of the client.

use serde_json::json;

use crate::proxy::Scene;

#[test]
fn a_process_at_a_unix_socket_has_a_number_and_nothing_else_is_made_up() {
    let settings = json!({"decide": ["client", "client-labels"], "tell": true});
    let proxy = Scene::new().probe(&json!([]), &settings).start();
    let expected = format!("dockgate: Some({}) None None; 0", std::process::id());
    assert_eq!(proxy.connect().get("/version").message(), expected);
}
