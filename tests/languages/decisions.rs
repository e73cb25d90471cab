//! What the policy decides, which is the same in every language.

use serde_json::{Value, json};

use crate::{
    client::Answer,
    policy::{Language, in_each_language},
    proxy::{Proxy, Scene},
};

const CREATE: &str = "/v1.41/containers/create?name=web";

fn start(language: &Language) -> Proxy {
    language.behind_open_flags(&json!({ "registries": ["ghcr.io/acme"] })).start()
}

fn create(proxy: &Proxy, body: &Value) -> Answer {
    proxy.connect().post(CREATE, &body.to_string())
}

/// What the daemon got, with nothing else.
fn the_daemon_got(proxy: &Proxy) -> Value {
    let received = proxy.daemon.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!((&*received[0].method, &*received[0].target), ("POST", CREATE));
    serde_json::from_str(&received[0].body).unwrap()
}

fn is_refused(proxy: &Proxy, body: &Value, words: &str) {
    let answer = create(proxy, body);
    assert_eq!(answer.status, 403, "{body}: {answer:?}");
    assert_eq!(answer.message(), format!("dockgate: {words}"), "{body}");
    assert_eq!(proxy.daemon.received(), [], "{body}");
}

#[test]
fn a_container_of_an_image_of_ours_is_created_with_the_label() {
    in_each_language(|language| {
        let proxy = start(language);
        let answer = create(&proxy, &json!({ "Image": "ghcr.io/acme/web:1" }));
        assert_eq!(answer.status, 200, "{}: {answer:?}", language.name);
        let labelled =
            json!({ "Image": "ghcr.io/acme/web:1", "Labels": { "created-by": "dockgate" } });
        assert_eq!(the_daemon_got(&proxy), labelled, "{}", language.name);
    });
}

#[test]
fn other_labels_stay_and_the_clients_own_gives_way() {
    in_each_language(|language| {
        let settings =
            json!({ "registries": ["quay.io/other", "ghcr.io/acme"], "created-by": "ci \"1\"" });
        let proxy = language.behind_open_flags(&settings).start();
        let labels = json!({ "team": "web", "created-by": "me" });
        let body = json!({ "Image": "ghcr.io/acme/web:1", "Labels": labels });
        assert_eq!(create(&proxy, &body).status, 200, "{}", language.name);
        let labels = json!({ "team": "web", "created-by": "ci \"1\"" });
        assert_eq!(the_daemon_got(&proxy)["Labels"], labels, "{}", language.name);
    });
}

#[test]
fn a_container_of_another_image_is_refused() {
    in_each_language(|language| {
        let proxy = start(language);
        for image in ["nginx", "ghcr.io/acme", "ghcr.io/acme-of-others/web", "x/ghcr.io/acme/web"] {
            let words = format!(
                "the image {image} is not from a registry of ours: use one of ghcr.io/acme"
            );
            is_refused(&proxy, &json!({ "Image": image }), &words);
        }
        let words = "the image  is not from a registry of ours: use one of ghcr.io/acme";
        is_refused(&proxy, &json!({}), words);
        let record = proxy.record("/v1.41/containers/create");
        assert_eq!(record["plugin"], "our-images", "{record}");
        assert_eq!(record["verdict"], "deny", "{record}");
    });
}

#[test]
fn a_privileged_container_is_refused_however_that_is_spelt() {
    in_each_language(|language| {
        let proxy = start(language);
        for host_config in [
            json!({ "HostConfig": { "Privileged": true } }),
            json!({ "hostconfig": { "PRIVILEGED": true } }),
        ] {
            let mut body = json!({ "Image": "ghcr.io/acme/web:1" });
            body.as_object_mut().unwrap().extend(host_config.as_object().unwrap().clone());
            let words = "a privileged container owns its host: leave --privileged out";
            is_refused(&proxy, &body, words);
        }
    });
}

#[test]
fn a_container_that_is_said_to_be_unprivileged_is_created() {
    in_each_language(|language| {
        for (privileged, sent) in [
            (json!(false), json!({ "Privileged": false, "Binds": ["/a:/b"] })),
            // As for the daemon, a field that is null is none.
            (json!(null), json!({ "Binds": ["/a:/b"] })),
        ] {
            let proxy = start(language);
            let host_config = json!({ "Privileged": privileged, "Binds": ["/a:/b"] });
            let body = json!({ "Image": "ghcr.io/acme/web:1", "HostConfig": host_config });
            assert_eq!(create(&proxy, &body).status, 200, "{}", language.name);
            assert_eq!(the_daemon_got(&proxy)["HostConfig"], sent, "{}", language.name);
        }
    });
}

#[test]
fn what_else_is_asked_is_left_to_others() {
    in_each_language(|language| {
        let proxy = start(language);
        assert_eq!(proxy.get("/containers/json").status, 200, "{}", language.name);
        assert_eq!(proxy.get("/images/json").status, 403, "the flags don't open it");
        assert_eq!(proxy.daemon.received_lines(), ["GET /containers/json"]);
    });
}

#[test]
fn the_policy_alone_opens_nothing() {
    in_each_language(|language| {
        let settings = json!({ "registries": ["ghcr.io/acme"] });
        let proxy = language.at_the_end_of(Scene::new(), &settings).start();
        let answer = create(&proxy, &json!({ "Image": "ghcr.io/acme/web:1" }));
        assert_eq!(answer.status, 403, "{}: {answer:?}", language.name);
        assert_eq!(proxy.daemon.received(), []);
    });
}

#[test]
fn it_does_not_start_with_settings_that_say_nothing() {
    in_each_language(|language| {
        let registries = "/registries: write a list such as [\"ghcr.io/acme\"]";
        for (settings, words) in [
            (json!({}), registries),
            (json!({ "registries": [] }), registries),
            (json!({ "registries": "ghcr.io/acme" }), registries),
            (json!({ "registries": [""] }), registries),
            (json!({ "registries": ["ghcr.io/acme", 1] }), registries),
            (
                json!({ "registries": ["ghcr.io/acme"], "created-by": 1 }),
                "/created-by: write the value of the label, a string",
            ),
            (
                json!({ "registries": ["ghcr.io/acme"], "registry": "ghcr.io" }),
                "/registry: there is no such setting",
            ),
        ] {
            let ended = language.behind_open_flags(&settings).refusal();
            assert_eq!(ended.code, Some(2), "{}", ended.words);
            let words = format!("our-images.wasm: it refuses its settings: {words}\n");
            assert!(ended.words.ends_with(&words), "{}: {}", language.name, ended.words);
        }
    });
}
