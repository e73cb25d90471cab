"""A day of a team with docker-py, behind its proxy, beside a team `theirs-py`.

    session.py day ADDRESS
"""

import io
import sys
import tarfile

import docker
from docker.errors import APIError, NotFound

IMAGE = "busy:1"


def main(client):
    own_life(client)
    others_are_not_there(client)
    lists_are_ones_own(client)
    print("day as expected")


def own_life(client):
    network = client.networks.create("py-net")
    volume = client.volumes.create("py-vol")
    container = client.containers.run(
        IMAGE,
        ["sh", "-c", "echo hello; exec sleep 1000"],
        name="py-web",
        detach=True,
        network="py-net",
        volumes={"py-vol": {"bind": "/data"}},
        stop_signal="KILL",
    )
    assert container.labels["com.example.team"] == "ours-py", container.labels
    assert next(container.logs(stream=True, follow=True)) == b"hello\n"
    assert container.exec_run(["echo", "inside"]) == (0, b"inside\n")
    assert container.top()["Processes"]
    assert container.stats(stream=False)["read"]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"text"))
    assert container.put_archive("/data", archive.getvalue())
    assert container.exec_run(["cat", "/data/file"]).output == b"text"
    container.rename("py-renamed")
    container.restart(timeout=0)
    container.stop(timeout=0)
    assert container.wait(timeout=30)["StatusCode"] == 137
    image = container.commit("localhost:1/py", tag="1")
    assert image.labels["com.example.team"] == "ours-py", image.labels
    client.images.remove("localhost:1/py:1")
    network.reload()
    container.remove()
    network.remove()
    volume.remove()


def others_are_not_there(client):
    theirs = "theirs-py-web"
    for attempt, words in [
        (lambda: client.containers.get(theirs), "No such container: theirs-py-web"),
        (lambda: client.api.stop(theirs), "No such container: theirs-py-web"),
        (lambda: client.api.logs(theirs), "No such container: theirs-py-web"),
        (lambda: client.api.exec_create(theirs, "true"), "No such container: theirs-py-web"),
        (lambda: client.api.remove_container(theirs, force=True), "No such container: theirs-py-web"),
        (lambda: client.networks.get("theirs-py-net"), "network theirs-py-net not found"),
        (lambda: client.volumes.get("theirs-py-vol"), "get theirs-py-vol: no such volume"),
        (lambda: client.images.remove("localhost:1/theirs-py:1"), "No such image: localhost:1/theirs-py:1"),
    ]:
        try:
            attempt()
        except NotFound as error:
            assert error.explanation == words, error.explanation
        else:
            raise AssertionError(f"reached: {words}")
    try:
        client.containers.run(IMAGE, "true", network_mode=f"container:{theirs}")
    except APIError as error:
        assert "No such container: theirs-py-web" in error.explanation, error.explanation
    else:
        raise AssertionError("joined")


def lists_are_ones_own(client):
    client.containers.prune()
    assert client.containers.list(all=True) == []
    assert client.containers.list(all=True, filters={"label": "com.example.team=theirs-py"}) == []
    assert client.networks.list() == []
    assert client.volumes.list() == []
    used = client.df()
    assert (used["Containers"] or []) == [] and (used["Volumes"] or []) == [], used


main(docker.DockerClient(base_url=sys.argv[2], timeout=60))
