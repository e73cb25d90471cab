//! What can be looked up at the daemon: reads of one thing, and nothing else.

use http::{Method, Uri};

use super::{CanonicalRequest, Operation, classify, path};

/// A kind of thing that the daemon can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A volume.
    Volume,
    /// A network.
    Network,
    /// A process that was started in a container.
    Exec,
    /// A service of a swarm.
    Service,
    /// A task of a service.
    Task,
    /// A node of a swarm.
    Node,
    /// A secret of a swarm.
    Secret,
    /// A config of a swarm.
    Config,
}

impl Resource {
    /// All kinds, by the words for them in the plugin interface.
    const ALL: [(&'static str, Self); 10] = [
        ("container", Self::Container),
        ("image", Self::Image),
        ("volume", Self::Volume),
        ("network", Self::Network),
        ("exec", Self::Exec),
        ("service", Self::Service),
        ("task", Self::Task),
        ("node", Self::Node),
        ("secret", Self::Secret),
        ("config", Self::Config),
    ];

    /// The kind that is called so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(word, _)| *word == name).map(|(_, resource)| resource)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, of)| *of == self).map_or("", |(word, _)| word)
    }

    /// The path with the name in it.
    fn path(self, name: &str) -> String {
        match self {
            Self::Container => format!("/containers/{name}/json"),
            Self::Image => format!("/images/{name}/json"),
            Self::Volume => format!("/volumes/{name}"),
            Self::Network => format!("/networks/{name}"),
            Self::Exec => format!("/exec/{name}/json"),
            Self::Service => format!("/services/{name}"),
            Self::Task => format!("/tasks/{name}"),
            Self::Node => format!("/nodes/{name}"),
            Self::Secret => format!("/secrets/{name}"),
            Self::Config => format!("/configs/{name}"),
        }
    }

    /// Where the daemon's answer has the id that the thing keeps for its life. A volume has none but
    /// its name.
    fn id_field(self) -> Option<&'static str> {
        match self {
            Self::Container | Self::Image | Self::Network => Some("/Id"),
            Self::Exec | Self::Service | Self::Task | Self::Node | Self::Secret | Self::Config => {
                Some("/ID")
            }
            Self::Volume => None,
        }
    }

    /// The id in what the daemon said of the thing.
    pub fn id(self, said: &serde_json::Value) -> Option<&str> {
        said.pointer(self.id_field()?)?.as_str()
    }
}

/// A read of one thing at the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspect {
    uri: Uri,
}

impl Inspect {
    /// Of the thing with this name or id. None where nothing can be called so: the path would be
    /// another operation's, or not canonical.
    pub fn new(resource: Resource, name: &str) -> Option<Self> {
        let path = resource.path(name);
        let encoded = path::encode(None, &path);
        let (version, clean) = path::canonical(&encoded).ok()?;
        let (route, target) = classify(&Method::GET, &clean);
        let operation = route?.operation.name();
        let is_it = version.is_none()
            && operation.strip_suffix("-inspect") == Some(resource.name())
            && clean[target?] == *name;
        is_it.then_some(())?;
        Some(Self { uri: encoded.try_into().ok()? })
    }

    /// The path to ask for.
    pub fn into_uri(self) -> Uri {
        self.uri
    }
}

impl CanonicalRequest {
    /// The kind of the target, where the daemon would take its id as well as its name, and do the
    /// same. Not for an image that is deleted, pushed or saved: by its name that is another thing.
    pub fn replaceable_target(&self) -> Option<(Resource, &str)> {
        let resource = replaceable(self.operation())?;
        Some((resource, self.target()?))
    }
}

fn replaceable(operation: Operation) -> Option<Resource> {
    let name = operation.name();
    if name.starts_with("image-") {
        let same = ["image-inspect", "image-history", "image-tag"].contains(&name);
        return same.then_some(Resource::Image);
    }
    let resource = Resource::named(name.split('-').next()?)?;
    resource.id_field().map(|_| resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_reads_the_one_thing_that_is_named() {
        for (resource, name, path) in [
            (Resource::Container, "web", Some("/containers/web/json")),
            (Resource::Container, "x/logs", Some("/containers/x/logs/json")),
            (Resource::Image, "library/nginx:1", Some("/images/library/nginx:1/json")),
            (Resource::Network, "my net", Some("/networks/my%20net")),
            (Resource::Service, "a", Some("/services/a")),
            (Resource::Exec, "0a1b", Some("/exec/0a1b/json")),
            (Resource::Container, "", None),
            (Resource::Container, "..", None),
            (Resource::Container, "a/../b", None),
            (Resource::Container, "a\0", None),
            (Resource::Service, "a/logs", None),
            (Resource::Volume, "", None),
            (Resource::Network, "", None),
        ] {
            let uri = Inspect::new(resource, name).map(|inspect| inspect.into_uri().to_string());
            assert_eq!(uri.as_deref(), path, "{name:?}");
        }
    }

    #[test]
    fn every_kind_has_a_word() {
        for (word, resource) in Resource::ALL {
            assert_eq!(Resource::named(word), Some(resource));
            assert_eq!(resource.name(), word);
            assert!(Inspect::new(resource, "x").is_some(), "{word}");
        }
        assert_eq!(Resource::named("plugin"), None);
    }
}
