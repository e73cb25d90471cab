//! What becomes of each operation.

use dockgate_plugin::Operation as Op;

use crate::{
    builds,
    case::{Case, NEVER},
    containers, networks, services, volumes,
};

/// Judges a request; what is against it is in the case.
pub(crate) fn judge(case: &mut Case) {
    match case.request.operation() {
        Op::ContainerCreate => containers::create(case),
        Op::ContainerUpdate => containers::update(case),
        Op::ContainerExec => containers::exec(case),
        Op::ExecStart => containers::exec_start(case),
        Op::ContainerStart => containers::start(case),
        // A way into a container, and so to what it may do.
        Op::ContainerAttach | Op::ContainerAttachWebsocket | Op::ContainerArchivePut => {
            containers::enter(case);
        }

        Op::ServiceCreate => services::create(case),
        Op::ServiceUpdate => services::update(case),
        Op::VolumeCreate => volumes::create(case),
        Op::NetworkCreate => networks::create(case),
        Op::NetworkConnect => networks::connect(case),
        Op::ImageBuild => builds::build(case),

        Op::Session | Op::Grpc => whole(case, case.settings.buildkit, BUILDKIT, "buildkit"),
        Op::SwarmInit
        | Op::SwarmJoin
        | Op::SwarmLeave
        | Op::SwarmUpdate
        | Op::SwarmUnlock
        // They show what makes another machine a manager.
        | Op::SwarmInspect
        | Op::SwarmUnlockkey
        | Op::NodeUpdate
        | Op::NodeDelete => whole(case, case.settings.swarm, SWARM, "swarm"),
        Op::PluginPull
        | Op::PluginCreate
        | Op::PluginUpgrade
        | Op::PluginSet
        | Op::PluginEnable
        | Op::PluginDisable
        | Op::PluginDelete
        | Op::PluginPush => whole(case, case.settings.plugins, PLUGINS, "plugins"),
        Op::VolumeUpdate => {
            let rule = "it changes volumes of a cluster";
            whole(case, case.settings.cluster_volumes, rule, "cluster-volumes");
        }
        Op::ContainerCheckpointCreate
        | Op::ContainerCheckpointList
        | Op::ContainerCheckpointDelete => {
            whole(case, case.settings.checkpoints, containers::CHECKPOINTS, "checkpoints");
        }
        Op::Unknown => {
            let rule = "this plugin can't read what it does not know";
            whole(case, case.settings.unknown_operations, rule, "unknown-operations");
        }

        // What looks, ends or deletes something, and what moves images, secrets and configs.
        _ => {}
    }
}

const BUILDKIT: &str = "what goes through it can't be seen";
const SWARM: &str = "whoever manages the swarm has all of its hosts";
const PLUGINS: &str = "plugins of Docker's run as root on the host";

/// An operation that is open or closed as a whole.
fn whole(case: &mut Case, is_open: bool, rule: &str, setting: &'static str) {
    debug_assert!(setting != NEVER);
    if !is_open {
        let place = format!("{} {}", case.request.method(), case.request.path());
        case.refuse_unshown(&place, rule, setting);
    }
}
