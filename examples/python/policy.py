"""Containers are made from images of our registries alone, unprivileged, and with our label."""

import json

from wit_world import exports
from wit_world.exports.lifecycle import Problem
from wit_world.imports import body, edit
from wit_world.imports.types import Denial, Verdict_Abstain, Verdict_Deny

# Set by `configure`, before the first request.
registries: list[str] = []
created_by = "dockgate"


class Lifecycle(exports.Lifecycle):
    def configure(self, settings, environment, other_names):
        global registries, created_by
        settings = json.loads(settings)
        registries = settings.pop("registries", None)
        created_by = settings.pop("created-by", created_by)
        problems = [fatal(f"/{name}", "there is no such setting") for name in settings]
        if not is_list_of_names(registries):
            problems.append(fatal("/registries", 'write a list such as ["ghcr.io/acme"]'))
        if not isinstance(created_by, str):
            problems.append(fatal("/created-by", "write the value of the label, a string"))
        return problems


class OnRequest(exports.OnRequest):
    def decide(self, request):
        if request.operation != "container-create":
            return Verdict_Abstain()
        image = read("/Image") or ""
        # With the slash: ghcr.io/acme is not to stand for ghcr.io/acme-of-others.
        if not any(image.startswith(f"{registry}/") for registry in registries):
            return deny(
                "image-not-ours",
                f"the image {image} is not from a registry of ours",
                f"use one of {', '.join(registries)}",
            )
        if read("/HostConfig/Privileged"):
            return deny("privileged", "a privileged container owns its host", "leave --privileged out")
        edit.set_json("/Labels/created-by", json.dumps(created_by))
        return Verdict_Abstain()


def read(pointer):
    """What is at a place in the body; None where there is nothing."""
    value = body.get(pointer)
    return None if value is None else json.loads(value)


def deny(code, message, hint):
    return Verdict_Deny(Denial(403, code, message, hint))


def fatal(subject, message):
    return Problem(subject, message, fatal=True)


def is_list_of_names(value):
    return isinstance(value, list) and value != [] and all(isinstance(v, str) and v for v in value)
