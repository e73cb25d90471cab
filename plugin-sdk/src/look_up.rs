/// What kind of thing is looked up at the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A volume.
    Volume,
    /// A network.
    Network,
    /// An exec: a command in a running container.
    Exec,
    /// A service of a swarm.
    Service,
    /// A task of a service.
    Task,
    /// A node of a swarm.
    Node,
    /// A secret of a swarm: its metadata, not what it holds.
    Secret,
    /// A config of a swarm.
    Config,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Container,
        Self::Image,
        Self::Volume,
        Self::Network,
        Self::Exec,
        Self::Service,
        Self::Task,
        Self::Node,
        Self::Secret,
        Self::Config,
    ];

    /// The word for it in the plugin interface: `container`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Exec => "exec",
            Self::Service => "service",
            Self::Task => "task",
            Self::Node => "node",
            Self::Secret => "secret",
            Self::Config => "config",
        }
    }
}
