//! Whose flags they are.

use dockgate_plugin::{
    Environment,
    schemars::{self, JsonSchema},
};
use serde::Deserialize;

use crate::flags::{FLAGS, Flag};

/// The image whose flags are reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `tecnativa/docker-socket-proxy`.
    Tecnativa,
    /// `linuxserver/socket-proxy`.
    LinuxServer,
}

impl Dialect {
    /// The flags that it reads, the important ones first.
    pub(crate) fn flags(self) -> impl Iterator<Item = &'static Flag> {
        FLAGS.iter().filter(move |flag| flag.dialects.contains(&self))
    }

    pub(crate) fn reads(self, name: &str) -> bool {
        self.flags().any(|flag| flag.name == name)
    }
}

/// The setting `dialect`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DialectSetting {
    /// LinuxServer's if a variable that only it reads is set, Tecnativa's otherwise.
    #[default]
    Auto,
    /// `tecnativa/docker-socket-proxy`.
    Tecnativa,
    /// `linuxserver/socket-proxy`.
    LinuxServer,
}

impl DialectSetting {
    /// The dialect that is meant in this environment.
    ///
    /// For `auto` a variable of LinuxServer's counts with any value, `0` and the empty one too: that
    /// somebody wrote `ALLOW_LOGS=0` tells which image the compose file was made for just as well.
    pub(crate) fn in_environment(self, environment: &Environment) -> Dialect {
        let is_linuxservers = match self {
            Self::Tecnativa => false,
            Self::LinuxServer => true,
            Self::Auto => environment.names().any(is_linuxservers_alone),
        };
        if is_linuxservers { Dialect::LinuxServer } else { Dialect::Tecnativa }
    }
}

fn is_linuxservers_alone(name: &str) -> bool {
    Dialect::LinuxServer.reads(name) && !Dialect::Tecnativa.reads(name)
}
