#!/bin/sh
# A Docker daemon that leaves nothing behind, however its owner ends.
#
#   engine.sh FOLDER     serves on FOLDER/docker.sock, says what it does in FOLDER/engine.log
#
# It runs in mount, network and process namespaces of its own, and listens to its input:
# `start` and `kill` are obeyed, the end of the input is the end of everything. The owner
# holds the other end of that pipe, so the kernel closes it even when the owner is killed.
set -eu

folder=$1
if [ "${2:-}" != inside ]; then
    # Every daemon has cgroups of its own, so that they can be removed with it.
    cgroup=dockgate-test-$$
    unshare --mount --net --pid --fork sh "$0" "$folder" inside "$cgroup" || true
    find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
    rm -rf "$folder"
    exit 0
fi

# /proc still shows the world outside, with the number that `nsenter` has to be told.
read -r pid _ </proc/self/stat
echo "$pid" >"$folder/namespaces.pid"
mount -t proc proc /proc
# The socket is also where containers expect it, /run/docker.sock, and what is there outside is not
# touched.
mount -t tmpfs tmpfs /run
busybox ip link set lo up
# Its own, not the machine's.
echo '{}' >"$folder/daemon.json"

while read -r command; do
    case $command in
        start)
            # Only this shell may hold the pipe: dockerd gets another input.
            dockerd --config-file "$folder/daemon.json" --data-root "$folder/data" --exec-root "$folder/run" \
                --pidfile "$folder/dockerd.pid" --host "unix://$folder/docker.sock" \
                --host unix:///run/docker.sock --cgroup-parent "/$3" \
                --iptables=false --ip-forward=false \
                </dev/null >>"$folder/engine.log" 2>&1 &
            dockerd=$!
            ;;
        kill)
            kill -KILL "$dockerd"
            wait "$dockerd" || true
            rm -f "$folder/dockerd.pid"
            echo killed >>"$folder/engine.log"
            ;;
    esac
done
# This shell is the first process of its namespace: the kernel ends all others with it.
