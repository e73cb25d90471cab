//! What has happened, as `/events` tells it.

use std::future::pending;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::containers::Container;
use crate::query::{Filters, Query};
use crate::reply::{self, Answer, Result};
use crate::{Engine, shapes};

#[derive(Clone)]
pub(crate) struct Event {
    at: OffsetDateTime,
    message: Value,
}

impl Engine {
    pub(crate) fn container_event(
        &self,
        container: &Container,
        action: &str,
        more: &[(&str, &str)],
    ) {
        let at = OffsetDateTime::now_utc();
        let image = &container.config["Image"];
        let mut attributes: Map<String, Value> =
            container.config["Labels"].as_object().cloned().unwrap_or_default();
        attributes.insert("image".into(), image.clone());
        attributes.insert("name".into(), container.name().into());
        attributes.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let message = json!({
            "status": action,
            "id": container.id,
            "from": image,
            "Type": "container",
            "Action": action,
            "Actor": { "ID": container.id, "Attributes": attributes },
            "scope": "local",
            "time": at.unix_timestamp(),
            "timeNano": i64::try_from(at.unix_timestamp_nanos()).unwrap_or(i64::MAX),
        });
        self.shared.events.push(Event { at, message });
    }
}

/// Past events when `since` or `until` is given, then those to come up to `until`.
pub(crate) fn follow(engine: &Engine, query: &Query) -> Result<Answer> {
    let filters = query.filters(&["container", "event", "image", "label", "type"])?;
    let since = shapes::unix_time(query.get("since"))?;
    let until = shapes::unix_time(query.get("until"))?;
    let events = engine.clone();
    let mut cursor = events.shared.events.oldest();
    let mut past = events.shared.events.read(&mut cursor);
    if since.is_none() && until.is_none() {
        past.clear();
    }
    Ok(reply::stream("application/json", async move |client| {
        let wanted = |event: &Event| {
            since.is_none_or(|since| event.at >= since)
                && until.is_none_or(|until| event.at <= until)
                && matches(&filters, &event.message)
        };
        let follow = async {
            let mut news = past;
            while send(&client, news.iter().filter(|event| wanted(event))).await {
                cursor.grown().await;
                news = events.shared.events.read(&mut cursor);
            }
        };
        let end = async {
            match until.map(|until| (until - OffsetDateTime::now_utc()).try_into()) {
                Some(left) => tokio::time::sleep(left.unwrap_or_default()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = follow => {}
            () = end => {}
        }
    }))
}

async fn send(client: &mpsc::Sender<Bytes>, events: impl Iterator<Item = &Event>) -> bool {
    for event in events {
        if client.send(reply::json_line(&event.message)).await.is_err() {
            return false;
        }
    }
    true
}

fn matches(filters: &Filters, message: &Value) -> bool {
    let text = |pointer| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    // An action such as `exec_create: ls` is found by its first word.
    let action = text("/Action");
    let word = action.split(':').next().unwrap_or_default();
    filters.any("type", |kind| kind == text("/Type"))
        && filters.any("event", |event| event == action || event == word)
        && filters.any("container", |name| {
            text("/id").starts_with(name) || text("/Actor/Attributes/name") == name
        })
        && filters.any("image", |image| image == text("/from"))
        && filters.labels_match(&message["Actor"]["Attributes"])
}
