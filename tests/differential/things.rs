//! What is made of the bodies.

use serde_json::Value;

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Container,
    Volume,
}

impl Kind {
    pub fn operation(self) -> &'static str {
        match self {
            Self::Container => "container-create",
            Self::Volume => "volume-create",
        }
    }

    pub fn create(self) -> &'static str {
        match self {
            Self::Container => "POST /containers/create",
            Self::Volume => "POST /volumes/create",
        }
    }

    pub fn inspect(self, made: &Value) -> String {
        match self {
            Self::Container => format!("GET /containers/{}/json", text(&made["Id"])),
            Self::Volume => format!("GET /volumes/{}", text(&made["Name"])),
        }
    }

    pub fn remove(self, made: &Value) -> String {
        match self {
            Self::Container => format!("DELETE /containers/{}?v=1&force=1", text(&made["Id"])),
            Self::Volume => format!("DELETE /volumes/{}", text(&made["Name"])),
        }
    }

    /// What of an inspected thing comes from the body.
    pub fn meant(self, mut inspected: Value) -> Value {
        match self {
            Self::Container => {
                let (config, host) = (inspected["Config"].take(), inspected["HostConfig"].take());
                let mut meant = config;
                meant["HostConfig"] = host;
                // The beginning of the id.
                meant["Hostname"].take();
                meant
            }
            Self::Volume => {
                inspected["DriverOpts"] = inspected["Options"].take();
                for of_its_own in ["CreatedAt", "Mountpoint", "Scope", "Options"] {
                    inspected.as_object_mut().expect("a volume").remove(of_its_own);
                }
                inspected
            }
        }
    }
}

/// Compares what a body says, read plainly, with what was made of it.
///
/// # Errors
/// Words on the first field that is not what it says.
pub fn check(shown: &Value, made: &Value) -> Result<(), String> {
    compare(shown, made, "")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Each field that the body sets is there; each that is there and set in none of the bodies' own words
/// is what the daemon gives to everything.
fn compare(shown: &Value, made: &Value, place: &str) -> Result<(), String> {
    for (name, made) in made.as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        let shown = &shown[name];
        match name.as_str() {
            "HostConfig" => compare(shown, made, &place)?,
            // The daemon fills these in, or writes them in another way.
            "Image" | "Hostname" | "LogConfig" | "MaskedPaths" | "ReadonlyPaths" | "MemorySwap"
            | "NanoCpus" | "OnBuild" | "Healthcheck" | "Isolation" | "Runtime" | "Name" => {}
            _ if is_nothing(shown) && (is_nothing(made) || is_default(name, made)) => {}
            _ if is_nothing(shown) => {
                return Err(format!("{place} is {made}, and nothing says so"));
            }
            // Beside what is from the image.
            "Env" => {
                let all = shown.as_array().into_iter().flatten();
                let has = |one: &Value| made.as_array().is_some_and(|made| made.contains(one));
                if !all.clone().all(has) {
                    return Err(format!("{place} is {made}, and not {shown}"));
                }
            }
            _ if shown != made => return Err(format!("{place} is {made}, and not {shown}")),
            _ => {}
        }
    }
    Ok(())
}

/// What a daemon takes for nothing said.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// What the daemon gives where nothing is said.
fn is_default(name: &str, made: &Value) -> bool {
    match name {
        "NetworkMode" => made == "default",
        "IpcMode" => made == "private",
        "CgroupnsMode" => made == "host" || made == "private",
        "RestartPolicy" => made["Name"] == "no",
        "ShmSize" => *made == 67_108_864,
        "Driver" => made == "local",
        "Cmd" => *made == serde_json::json!(["sh"]),
        "Env" => *made == serde_json::json!(["PATH=/bin"]),
        "StopSignal" => made == "SIGTERM",
        // What follows from `Privileged` and from the namespaces of the host.
        "SecurityOpt" => *made == serde_json::json!(["label=disable"]),
        _ => false,
    }
}
