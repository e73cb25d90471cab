//! Answers of the daemon: lists without what is not in scope, and refusals without the ids of others.

use dockgate_plugin::{Content, Denial, Json, Kind, Operation as Op, Request, Response, Ruling};

use crate::{
    LabelScope, Stop, creation,
    settings::Images,
    things::{self, Census},
};

/// Reviews an answer.
pub(crate) fn review(policy: &LabelScope, request: &Request, response: &Response) -> Ruling {
    if response.status() >= 400 {
        return without_ids(response);
    }
    let Some(change) = change(request.operation(), policy) else { return Ruling::Pass };
    // A list that can't be read is not passed on.
    let Content::Json(mut body) = response.body() else {
        let message = format!("{} gave no answer that can be read", request.operation_name());
        return Ruling::Refuse(Denial::new(message).with_status(502).with_code("unread"));
    };
    let view = View { policy, census: Census::new(&policy.scope, request) };
    if let Err(stop) = change(&view, &mut body) {
        return refusal(stop);
    }
    // Always: what stays as the daemon wrote it would tell that nothing was left out.
    response.set_body(&body);
    Ruling::Pass
}

/// What an answer is seen with.
struct View<'a> {
    policy: &'a LabelScope,
    census: Census<'a>,
}

type Change = fn(&View, &mut Json) -> Result<(), Stop>;

/// How the answer to an operation is changed, where it is.
fn change(operation: Op, policy: &LabelScope) -> Option<Change> {
    Some(match operation {
        Op::ContainerList => |view, body| view.keep(body, "/Labels"),
        Op::ImageList if policy.images == Images::Read => return None,
        Op::ImageList => |view, body| view.keep(body, "/Labels"),
        Op::VolumeList => |view, body| match body.get_mut("Volumes") {
            Some(volumes) => view.keep(volumes, "/Labels"),
            None => Err(unreadable()),
        },
        Op::NetworkList => |view, body| {
            view.keep(body, "/Labels")?;
            body.items_mut().into_iter().flatten().for_each(|network| view.keep_endpoints(network));
            Ok(())
        },
        Op::NetworkInspect => |view, body| {
            view.keep_endpoints(body);
            Ok(())
        },
        Op::ServiceList | Op::SecretList | Op::ConfigList | Op::NodeList => {
            |view, body| view.keep(body, "/Spec/Labels")
        }
        Op::TaskList => |view, body| view.keep_tasks(body),
        Op::SystemDataUsage => |view, body| view.keep_data_usage(body),
        Op::VolumeCreate => |view, body| view.check_volume(body),
        _ => return None,
    })
}

impl View<'_> {
    /// Leaves those things in a list that have their labels at a place, and in scope.
    fn keep(&self, list: &mut Json, labels: &str) -> Result<(), Stop> {
        keep_if(list, |item| self.policy.scope.includes(item.at(labels)))
    }

    fn keep_tasks(&self, list: &mut Json) -> Result<(), Stop> {
        keep_if(list, |task| {
            let service = task.get("ServiceID").and_then(Json::as_str).unwrap_or_default();
            self.policy.scope.includes(things::labels(Kind::Task, task))
                || self.census.is_inside(Kind::Service, service)
        })
    }

    /// The containers on a network.
    fn keep_endpoints(&self, network: &mut Json) {
        if let Some(Json::Object(endpoints)) = network.get_mut("Containers") {
            endpoints.retain(|(container, _)| self.census.is_inside(Kind::Container, container));
        }
    }

    /// The use of disks: four lists, and since API 1.52 the same four within other fields. What
    /// else a daemon may say there is left out.
    fn keep_data_usage(&self, usage: &mut Json) -> Result<(), Stop> {
        let Json::Object(fields) = usage else { return Err(unreadable()) };
        let mut kept = Vec::new();
        for (name, mut value) in fields.drain(..) {
            let list = match value {
                Json::Object(_) => value.get_mut("Items"),
                _ => Some(&mut value),
            };
            match (name.as_str(), list) {
                ("LayersSize" | "BuilderSize", _) => {}
                ("Images" | "ImagesDiskUsage" | "ImageUsage", Some(list)) => {
                    if self.policy.images == Images::Labelled {
                        self.keep(list, "/Labels")?;
                    }
                }
                (
                    "Containers"
                    | "ContainersDiskUsage"
                    | "ContainerUsage"
                    | "Volumes"
                    | "VolumesDiskUsage"
                    | "VolumeUsage",
                    Some(list),
                ) => self.keep(list, "/Labels")?,
                ("BuildCache" | "BuildCacheDiskUsage" | "BuildCacheUsage", Some(list)) => {
                    keep_if(list, |_| false)?;
                }
                _ => continue,
            }
            kept.push((name, value));
        }
        *usage = Json::Object(kept);
        Ok(())
    }

    /// A volume that was there before it was created is that one, whoever's it is.
    fn check_volume(&self, volume: &Json) -> Result<(), Stop> {
        if self.policy.scope.includes(volume.get("Labels")) {
            return Ok(());
        }
        let name = volume.get("Name").and_then(Json::as_str).unwrap_or_default();
        Err(creation::volume_conflict(name))
    }
}

fn keep_if(list: &mut Json, is_kept: impl Fn(&Json) -> bool) -> Result<(), Stop> {
    match list {
        Json::Null => Ok(()),
        Json::List(items) => {
            items.retain(is_kept);
            Ok(())
        }
        _ => Err(unreadable()),
    }
}

fn unreadable() -> Stop {
    Denial::new("the daemon's answer is not what it should be")
        .with_status(502)
        .with_code("unread")
        .into()
}

fn refusal(stop: Stop) -> Ruling {
    Ruling::Refuse(match stop {
        Stop::Refuse(denial) => denial,
        Stop::Answer(status, message) => Denial::new(message).with_status(status),
    })
}

/// Takes out of the daemon's refusal who else has the name, or uses the thing.
fn without_ids(response: &Response) -> Ruling {
    if let Some(mut body) = response.body().json()
        && let Some(message) = body.get("message").and_then(Json::as_str)
    {
        let discreet = discreet(message);
        if discreet != message {
            body.set("message", discreet);
            response.set_body(&body);
        }
    }
    Ruling::Pass
}

/// A message without ids, and without the containers that a network's refusal counts up.
fn discreet(message: &str) -> String {
    // `… is already in use by container "4f66…". …`
    let message = cut(message, " by container \"", "\"");
    // `… has active endpoints (name:"web" id:"4f66…", …)`
    let message = cut(&message, " (name:", ")");
    let mut discreet = String::new();
    let words = message.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    for word in words {
        let id = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_id = id.len() >= 12 && id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        discreet.push_str(if is_id { "…" } else { id });
        discreet.push_str(&word[id.len()..]);
    }
    discreet
}

/// A text without what is between two marks, and without these.
fn cut(text: &str, from: &str, to: &str) -> String {
    let Some((before, rest)) = text.split_once(from) else { return text.to_owned() };
    let after = rest.split_once(to).map_or("", |(_, after)| after);
    format!("{before}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_nobody_else() {
        let id = "1cad5edd7abd850d52b5233ee9935a5b0003cbafb118223cbe532b398d5204b0";
        for (said, told) in [
            (
                format!(
                    "Conflict. The container name \"/b1\" is already in use by container \"{id}\". \
                     You have to remove (or rename) that container to be able to reuse that name."
                ),
                "Conflict. The container name \"/b1\" is already in use. You have to remove (or \
                 rename) that container to be able to reuse that name.",
            ),
            (
                format!("remove bv: volume is in use - [{id}, {id}]"),
                "remove bv: volume is in use - […, …]",
            ),
            (
                format!(
                    "error while removing network: network bn id {id} has active endpoints \
                     (name:\"red-web\" id:\"{id}\")"
                ),
                "error while removing network: network bn id … has active endpoints",
            ),
            (
                "conflict: unable to remove repository reference \"busy:1\" (must force) - \
                 container 1cad5edd7abd is using its referenced image ef007c18c5ed"
                    .to_owned(),
                "conflict: unable to remove repository reference \"busy:1\" (must force) - \
                 container … is using its referenced image …",
            ),
        ] {
            assert_eq!(discreet(&said), told);
        }
    }

    #[test]
    fn other_words_stay() {
        for message in ["network with name bn already exists", "", "…", "decade, deadbeef"] {
            assert_eq!(discreet(message), message);
        }
    }
}
