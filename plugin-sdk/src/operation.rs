//! The endpoints of the Docker Engine API, as one table.

use std::fmt;

use BodyKind::{Json, Nothing, Stream, Tar};

/// What kind of body an operation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyKind {
    /// None that the daemon reads.
    #[default]
    Nothing,
    /// One JSON document.
    Json,
    /// A tar archive, of any length.
    Tar,
    /// Bytes of the client's own protocol, on a connection that is taken over.
    Stream,
    /// One that this version of the crate does not know.
    Other,
}

impl BodyKind {
    /// The kind that the plugin interface calls so.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "none" => Nothing,
            "json" => Json,
            "tar" => Tar,
            "stream" => Stream,
            _ => Self::Other,
        }
    }
}

/// One route of the API: a method and paths that lead to an operation.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub operation: Operation,
    /// The method, in upper case.
    pub method: &'static str,
    /// The path as the daemon writes it: `/containers/{name:.*}/json`.
    pub pattern: &'static str,
    /// What kind of body it takes.
    pub body: BodyKind,
}

/// All routes, in the order in which the daemon tries them.
#[cfg(not(target_family = "wasm"))]
pub fn routes() -> &'static [Route] {
    ROUTES
}

impl Operation {
    /// All of them, in the daemon's order of routes, [`Operation::Unknown`] the last.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().copied().chain([Self::Unknown])
    }

    /// The operation that is called so.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(|at| ALL[at])
    }

    /// Its name, in kebab case: `container-list`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            known => NAMES[known as usize],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Makes the enum and the table of routes from one list.
macro_rules! operations {
    ($($variant:ident $name:literal: $($method:literal $pattern:literal $body:ident),+;)+) => {
        /// An endpoint of the Docker Engine API, named as the proxy's log names it:
        /// [`ContainerList`](Self::ContainerList) is `container-list`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $(
                #[doc = concat!("`", $name, "`" $(, ", ", $method, " `", $pattern, "`")+)]
                $variant,
            )+
            /// No route of the API matches, or one that is younger than this version of the crate:
            /// [`Request::operation_name`](crate::Request::operation_name) tells.
            Unknown,
        }

        const ALL: &[Operation] = &[$(Operation::$variant),+];
        const NAMES: &[&str] = &[$($name),+];
        #[cfg(not(target_family = "wasm"))]
        const ROUTES: &[Route] = &[$($(
            Route {
                operation: Operation::$variant,
                method: $method,
                pattern: $pattern,
                body: $body,
            },
        )+)+];
    };
}

// In the order in which the daemon registers its routes (moby, `api/server/router`, August 2026): it
// takes the first that matches, so `DELETE /containers/json` is `container-delete` of a container
// called `json`.
operations! {
    ImageBuild "image-build": "POST" "/build" Tar;
    BuildPrune "build-prune": "POST" "/build/prune" Nothing;
    BuildCancel "build-cancel": "POST" "/build/cancel" Nothing;
    ContainerCheckpointList "container-checkpoint-list": "GET" "/containers/{name:.*}/checkpoints" Nothing;
    ContainerCheckpointCreate "container-checkpoint-create": "POST" "/containers/{name:.*}/checkpoints" Json;
    ContainerCheckpointDelete "container-checkpoint-delete": "DELETE" "/containers/{name}/checkpoints/{checkpoint}" Nothing;
    ContainerArchiveInfo "container-archive-info": "HEAD" "/containers/{name:.*}/archive" Nothing;
    ContainerList "container-list": "GET" "/containers/json" Nothing;
    ContainerExport "container-export": "GET" "/containers/{name:.*}/export" Nothing;
    ContainerChanges "container-changes": "GET" "/containers/{name:.*}/changes" Nothing;
    ContainerInspect "container-inspect": "GET" "/containers/{name:.*}/json" Nothing;
    ContainerTop "container-top": "GET" "/containers/{name:.*}/top" Nothing;
    ContainerLogs "container-logs": "GET" "/containers/{name:.*}/logs" Nothing;
    ContainerStats "container-stats": "GET" "/containers/{name:.*}/stats" Nothing;
    ContainerAttachWebsocket "container-attach-websocket": "GET" "/containers/{name:.*}/attach/ws" Stream;
    ExecInspect "exec-inspect": "GET" "/exec/{id:.*}/json" Nothing;
    ContainerArchive "container-archive": "GET" "/containers/{name:.*}/archive" Nothing;
    ContainerCreate "container-create": "POST" "/containers/create" Json;
    ContainerKill "container-kill": "POST" "/containers/{name:.*}/kill" Nothing;
    ContainerPause "container-pause": "POST" "/containers/{name:.*}/pause" Nothing;
    ContainerUnpause "container-unpause": "POST" "/containers/{name:.*}/unpause" Nothing;
    ContainerRestart "container-restart": "POST" "/containers/{name:.*}/restart" Nothing;
    ContainerStart "container-start": "POST" "/containers/{name:.*}/start" Nothing;
    ContainerStop "container-stop": "POST" "/containers/{name:.*}/stop" Nothing;
    ContainerWait "container-wait": "POST" "/containers/{name:.*}/wait" Nothing;
    ContainerResize "container-resize": "POST" "/containers/{name:.*}/resize" Nothing;
    ContainerAttach "container-attach": "POST" "/containers/{name:.*}/attach" Stream;
    ContainerExec "container-exec": "POST" "/containers/{name:.*}/exec" Json;
    ExecStart "exec-start": "POST" "/exec/{name:.*}/start" Json;
    ExecResize "exec-resize": "POST" "/exec/{name:.*}/resize" Nothing;
    ContainerRename "container-rename": "POST" "/containers/{name:.*}/rename" Nothing;
    ContainerUpdate "container-update": "POST" "/containers/{name:.*}/update" Json;
    ContainerPrune "container-prune": "POST" "/containers/prune" Nothing;
    ContainerCommit "container-commit": "POST" "/commit" Json;
    ContainerArchivePut "container-archive-put": "PUT" "/containers/{name:.*}/archive" Tar;
    ContainerDelete "container-delete": "DELETE" "/containers/{name:.*}" Nothing;
    DistributionInspect "distribution-inspect": "GET" "/distribution/{name:.*}/json" Nothing;
    Grpc "grpc": "POST" "/grpc" Stream;
    ImageList "image-list": "GET" "/images/json" Nothing;
    ImageSearch "image-search": "GET" "/images/search" Nothing;
    ImageGetAll "image-get-all": "GET" "/images/get" Nothing;
    ImageGet "image-get": "GET" "/images/{name:.*}/get" Nothing;
    ImageHistory "image-history": "GET" "/images/{name:.*}/history" Nothing;
    ImageInspect "image-inspect": "GET" "/images/{name:.*}/json" Nothing;
    ImageAttestations "image-attestations": "GET" "/images/{name:.*}/attestations" Nothing;
    ImageLoad "image-load": "POST" "/images/load" Tar;
    ImageCreate "image-create": "POST" "/images/create" Tar;
    ImagePush "image-push": "POST" "/images/{name:.*}/push" Nothing;
    ImageTag "image-tag": "POST" "/images/{name:.*}/tag" Nothing;
    ImagePrune "image-prune": "POST" "/images/prune" Nothing;
    ImageDelete "image-delete": "DELETE" "/images/{name:.*}" Nothing;
    NetworkList "network-list": "GET" "/networks" Nothing, "GET" "/networks/" Nothing;
    NetworkInspect "network-inspect": "GET" "/networks/{id:.+}" Nothing;
    NetworkCreate "network-create": "POST" "/networks/create" Json;
    NetworkConnect "network-connect": "POST" "/networks/{id:.*}/connect" Json;
    NetworkDisconnect "network-disconnect": "POST" "/networks/{id:.*}/disconnect" Json;
    NetworkPrune "network-prune": "POST" "/networks/prune" Nothing;
    NetworkDelete "network-delete": "DELETE" "/networks/{id:.*}" Nothing;
    PluginList "plugin-list": "GET" "/plugins" Nothing;
    PluginInspect "plugin-inspect": "GET" "/plugins/{name:.*}/json" Nothing;
    PluginPrivileges "plugin-privileges": "GET" "/plugins/privileges" Nothing;
    PluginDelete "plugin-delete": "DELETE" "/plugins/{name:.*}" Nothing;
    PluginEnable "plugin-enable": "POST" "/plugins/{name:.*}/enable" Nothing;
    PluginDisable "plugin-disable": "POST" "/plugins/{name:.*}/disable" Nothing;
    PluginPull "plugin-pull": "POST" "/plugins/pull" Json;
    PluginPush "plugin-push": "POST" "/plugins/{name:.*}/push" Nothing;
    PluginUpgrade "plugin-upgrade": "POST" "/plugins/{name:.*}/upgrade" Json;
    PluginSet "plugin-set": "POST" "/plugins/{name:.*}/set" Json;
    PluginCreate "plugin-create": "POST" "/plugins/create" Tar;
    Session "session": "POST" "/session" Stream;
    SwarmInit "swarm-init": "POST" "/swarm/init" Json;
    SwarmJoin "swarm-join": "POST" "/swarm/join" Json;
    SwarmLeave "swarm-leave": "POST" "/swarm/leave" Nothing;
    SwarmInspect "swarm-inspect": "GET" "/swarm" Nothing;
    SwarmUnlockkey "swarm-unlockkey": "GET" "/swarm/unlockkey" Nothing;
    SwarmUpdate "swarm-update": "POST" "/swarm/update" Json;
    SwarmUnlock "swarm-unlock": "POST" "/swarm/unlock" Json;
    ServiceList "service-list": "GET" "/services" Nothing;
    ServiceInspect "service-inspect": "GET" "/services/{id}" Nothing;
    ServiceCreate "service-create": "POST" "/services/create" Json;
    ServiceUpdate "service-update": "POST" "/services/{id}/update" Json;
    ServiceDelete "service-delete": "DELETE" "/services/{id}" Nothing;
    ServiceLogs "service-logs": "GET" "/services/{id}/logs" Nothing;
    NodeList "node-list": "GET" "/nodes" Nothing;
    NodeInspect "node-inspect": "GET" "/nodes/{id}" Nothing;
    NodeDelete "node-delete": "DELETE" "/nodes/{id}" Nothing;
    NodeUpdate "node-update": "POST" "/nodes/{id}/update" Json;
    TaskList "task-list": "GET" "/tasks" Nothing;
    TaskInspect "task-inspect": "GET" "/tasks/{id}" Nothing;
    TaskLogs "task-logs": "GET" "/tasks/{id}/logs" Nothing;
    SecretList "secret-list": "GET" "/secrets" Nothing;
    SecretCreate "secret-create": "POST" "/secrets/create" Json;
    SecretDelete "secret-delete": "DELETE" "/secrets/{id}" Nothing;
    SecretInspect "secret-inspect": "GET" "/secrets/{id}" Nothing;
    SecretUpdate "secret-update": "POST" "/secrets/{id}/update" Json;
    ConfigList "config-list": "GET" "/configs" Nothing;
    ConfigCreate "config-create": "POST" "/configs/create" Json;
    ConfigDelete "config-delete": "DELETE" "/configs/{id}" Nothing;
    ConfigInspect "config-inspect": "GET" "/configs/{id}" Nothing;
    ConfigUpdate "config-update": "POST" "/configs/{id}/update" Json;
    Options "options": "OPTIONS" "/{anyroute:.*}" Nothing;
    SystemPing "system-ping": "GET" "/_ping" Nothing, "HEAD" "/_ping" Nothing;
    SystemEvents "system-events": "GET" "/events" Nothing;
    SystemInfo "system-info": "GET" "/info" Nothing;
    SystemVersion "system-version": "GET" "/version" Nothing;
    SystemDataUsage "system-data-usage": "GET" "/system/df" Nothing;
    SystemAuth "system-auth": "POST" "/auth" Json;
    VolumeList "volume-list": "GET" "/volumes" Nothing;
    VolumeInspect "volume-inspect": "GET" "/volumes/{name:.*}" Nothing;
    VolumeCreate "volume-create": "POST" "/volumes/create" Json;
    VolumePrune "volume-prune": "POST" "/volumes/prune" Nothing;
    VolumeUpdate "volume-update": "PUT" "/volumes/{name:.*}" Json;
    VolumeDelete "volume-delete": "DELETE" "/volumes/{name:.*}" Nothing;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_operations() {
        for operation in ALL {
            assert_eq!(Operation::from_name(operation.name()), Some(*operation));
        }
        assert_eq!(Operation::from_name("unknown"), None);
        assert_eq!(Operation::from_name("container"), None);
    }

    #[test]
    fn variants_are_the_names_in_camel_case() {
        for operation in ALL {
            let letters: String = operation.name().split('-').collect();
            assert_eq!(format!("{operation:?}").to_lowercase(), letters);
        }
        assert_eq!(Operation::Unknown.to_string(), "unknown");
    }
}
