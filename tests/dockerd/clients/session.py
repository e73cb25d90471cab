"""A session of docker-py with an engine that allows everything, or one that refuses everything.

    session.py allowed ADDRESS
    session.py refused ADDRESS
"""

import io
import socket
import sys
import tarfile
import threading
import time

import docker
from docker.errors import APIError, BuildError, NotFound

IMAGE = "busy:1"
LABELS = {"session": "python"}


def allowed(client):
    assert client.ping() is True
    assert client.version()["ApiVersion"] == "1.41"
    assert client.info()["OSType"] == "linux"
    assert any(IMAGE in image.tags for image in client.images.list())

    lists_and_inspects(client)
    runs_and_waits(client)
    execs(client)
    attaches(client)
    follows_logs(client)
    copies_files(client)
    follows_events(client)
    reads_stats(client)
    builds(client)
    networks_and_volumes(client)


def lists_and_inspects(client):
    container = client.containers.create(IMAGE, "true", name="py-list", labels=LABELS)
    listed = client.containers.list(all=True, filters={"label": "session=python"})
    assert [found.id for found in listed] == [container.id]
    assert client.containers.get("py-list").attrs["Config"]["Labels"] == LABELS
    container.rename("py-renamed")
    container.reload()
    assert container.name == "py-renamed"
    container.remove()
    try:
        client.containers.get("py-renamed")
    except NotFound as error:
        assert error.explanation == "No such container: py-renamed", error.explanation
    else:
        raise AssertionError("a removed container was found")


def runs_and_waits(client):
    printed = client.containers.run(
        IMAGE, ["sh", "-c", "echo out; echo err >&2"], remove=True, stdout=True, stderr=True
    )
    assert sorted(printed.splitlines()) == [b"err", b"out"], printed

    container = client.containers.create(IMAGE, "sh -c 'sleep 0.5; exit 7'")
    container.start()
    assert container.wait(timeout=30)["StatusCode"] == 7
    container.remove()


def execs(client):
    container = client.containers.run(IMAGE, "sleep 1000", detach=True, stop_signal="KILL")
    code, printed = container.exec_run(["sh", "-c", "echo out; echo err >&2; exit 3"], demux=True)
    assert (code, printed) == (3, (b"out\n", b"err\n")), (code, printed)
    code, chunks = container.exec_run(["sh", "-c", "echo 1; sleep 0.3; echo 2"], stream=True)
    assert b"".join(chunks) == b"1\n2\n"

    # A raw connection: all of the input, its end, and then the whole of the answer.
    made = client.api.exec_create(container.id, "wc -c", stdin=True)
    stream = client.api.exec_start(made["Id"], socket=True)
    connection = raw(stream)
    connection.sendall(b"x" * 300_000)
    connection.shutdown(socket.SHUT_WR)
    assert demultiplexed(read_all(connection)) == b"300000\n"
    stream.close()
    assert client.api.exec_inspect(made["Id"])["ExitCode"] == 0
    container.remove(force=True)


def attaches(client):
    container = client.containers.create(
        IMAGE, "sh -c 'cat; echo end'", stdin_open=True, detach=False
    )
    stream = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    container.start()
    connection = raw(stream)
    connection.sendall(b"typed\n")
    connection.shutdown(socket.SHUT_WR)
    assert demultiplexed(read_all(connection)) == b"typed\nend\n"
    stream.close()
    assert container.wait(timeout=30)["StatusCode"] == 0
    container.remove()


def follows_logs(client):
    container = client.containers.run(
        IMAGE, ["sh", "-c", "echo one; read line; echo $line"], detach=True, stdin_open=True
    )
    lines = container.logs(stream=True, follow=True)
    assert next(lines) == b"one\n"
    # The first line came while the container still waits for this one.
    stream = container.attach_socket(params={"stdin": 1, "stream": 1})
    raw(stream).sendall(b"two\n")
    assert list(lines) == [b"two\n"]
    stream.close()
    container.remove()


def copies_files(client):
    container = client.containers.create(IMAGE)
    archive = io.BytesIO()
    content = b"0123456789" * 100_000
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    assert container.put_archive("/tmp", archive.getvalue()) is True
    chunks, stat = container.get_archive("/tmp/file")
    assert stat["size"] == len(content), stat
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        assert tar.extractfile("file").read() == content
    container.remove()


def follows_events(client):
    seen = []
    came = threading.Event()
    events = client.events(decode=True, filters={"label": "session=events"})

    def follow():
        for event in events:
            seen.append(event["Action"])
            if event["Action"] == "destroy":
                came.set()
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    time.sleep(0.3)
    client.containers.create(IMAGE, labels={"session": "events"}).remove()
    assert came.wait(20), seen
    assert seen == ["create", "destroy"], seen
    events.close()


def reads_stats(client):
    container = client.containers.run(IMAGE, "sleep 1000", detach=True, stop_signal="KILL")
    assert container.stats(stream=False)["name"] == "/" + container.name
    stream = container.stats(stream=True, decode=True)
    assert next(stream)["id"] == container.id
    assert next(stream)["id"] == container.id
    assert container.top()["Processes"]
    container.remove(force=True)


def builds(client):
    dockerfile = io.BytesIO(f"FROM {IMAGE}\nRUN echo built > /built\n".encode())
    image, log = client.images.build(fileobj=dockerfile, tag="py-build:1", network_mode="none")
    assert any("Successfully built" in line.get("stream", "") for line in log)
    assert client.containers.run(image, "cat /built", remove=True) == b"built\n"
    saved = b"".join(image.save(named=True))
    client.images.remove("py-build:1")
    assert "py-build:1" in client.images.load(saved)[0].tags
    client.images.remove("py-build:1")
    try:
        client.images.build(fileobj=io.BytesIO(f"FROM {IMAGE}\nRUN false\n".encode()), forcerm=True)
    except BuildError as error:
        assert "returned a non-zero code: 1" in str(error)
    else:
        raise AssertionError("a build that fails was taken for a success")


def networks_and_volumes(client):
    network = client.networks.create("py-net", internal=True, labels=LABELS)
    assert [found.id for found in client.networks.list(names=["py-net"])] == [network.id]
    network.remove()
    volume = client.volumes.create("py-vol", labels=LABELS)
    assert client.volumes.list(filters={"label": "session=python"}) == [volume]
    volume.remove()


def refused(client):
    calls = {
        "container-list": client.containers.list,
        "container-create": lambda: client.api.create_container(IMAGE),
        "image-list": client.images.list,
        "info": client.info,
        # Not events: docker-py takes every error of that stream for its end.
    }
    for operation, call in calls.items():
        try:
            call()
        except APIError as error:
            assert error.status_code == 403, error
            assert error.explanation.startswith("dockgate: "), error.explanation
            assert operation == "info" or operation in error.explanation, error.explanation
        else:
            raise AssertionError(f"{operation} was not refused")


def raw(stream):
    """The socket below what docker-py returns, which differs between TCP and unix sockets."""
    return getattr(stream, "_sock", stream)


def read_all(connection):
    connection.settimeout(30)
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def demultiplexed(frames):
    """The payloads of Docker's frames: a byte for the stream, 3 zeros, 4 of length, a payload."""
    payloads = b""
    while frames:
        length = int.from_bytes(frames[4:8], "big")
        payloads += frames[8 : 8 + length]
        frames = frames[8 + length :]
    return payloads


if __name__ == "__main__":
    session, address = sys.argv[1:]
    # A version of its own: asking for the engine's is refused too.
    {"allowed": allowed, "refused": refused}[session](
        docker.DockerClient(base_url=address, version="1.41", timeout=30)
    )
    print(f"docker-py {docker.__version__}: {session} as expected")
