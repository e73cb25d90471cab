#!/usr/bin/env python3
"""Writes the places in the bodies of the API's published definition, as `1.53.tsv` beside it has them.

    python3 make.py >1.53.tsv

The definition is moby's `api/swagger.yaml`, as the crate `bollard-stubs` has it: a struct for each of its
objects, generated from that file. cargo fetches the crate. A line is an operation, a place in its body, and
what stands there: `bool`, `string`, `integer`, `number`, `list`, `map`, `struct` or `any`. In a place `[]` is an
item of a list and `{}` a value of a map, whose keys are the user's own; all else are names of fields.

For a new version: CRATE, the structs of BODIES, and the test in `definition.rs`.
"""

import json
import pathlib
import re
import subprocess
import tempfile

CRATE = ("bollard-stubs", "1.53.1-rc.29.3.1")

# What the definition says that each operation takes.
BODIES = {
    "container-create": "ContainerCreateBody",
    "container-update": "ContainerUpdateBody",
    "container-commit": "ContainerConfig",
    "container-exec": "ExecConfig",
    "exec-start": "ExecStartConfig",
    "system-auth": "AuthConfig",
    "network-create": "NetworkCreateRequest",
    "network-connect": "NetworkConnectRequest",
    "network-disconnect": "NetworkDisconnectRequest",
    "volume-create": "VolumeCreateRequest",
    "plugin-pull": "Vec<PluginPrivilege>",
    "plugin-set": "Vec<String>",
    "swarm-init": "SwarmInitRequest",
    "swarm-join": "SwarmJoinRequest",
    "swarm-update": "SwarmSpec",
    "swarm-unlock": "SwarmUnlockRequest",
    "service-create": "ServiceSpec",
    "node-update": "NodeSpec",
    "secret-create": "SecretSpec",
    "config-create": "ConfigSpec",
}

PLAIN = {
    "String": "string",
    "BollardDate": "string",
    "bool": "bool",
    "f32": "number",
    "f64": "number",
    "HashMap<(), ()>": "struct",
    "Value": "any",
    "serde_json::Value": "any",
}


def source():
    """The structs and enums, by their names."""
    name, version = CRATE
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder, "Cargo.toml")
        manifest.write_text(
            f'[package]\nname = "definition"\nversion = "0.0.0"\nedition = "2024"\n'
            f'[lib]\npath = "lib.rs"\n[dependencies]\n{name} = "={version}"\n[workspace]\n'
        )
        pathlib.Path(folder, "lib.rs").touch()
        command = ["cargo", "metadata", "--format-version", "1", "--manifest-path", manifest]
        metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    [crate] = [package for package in metadata["packages"] if package["name"] == name]
    return pathlib.Path(crate["manifest_path"], "../src/models.rs").resolve().read_text()


class Definition:
    """The structs of the crate, each a list of the names of its fields and their types."""

    def __init__(self, text):
        self.enums = set(re.findall(r"^pub enum (\w+)", text, re.M))
        self.aliases = dict(re.findall(r"^pub type (\w+) = (.+);$", text, re.M))
        self.structs = {}
        for name, body in re.findall(r"^pub struct (\w+) \{\n(.*?)^\}", text, re.M | re.S):
            self.structs[name] = []
            rename = is_set = None
            for line in map(str.strip, body.splitlines()):
                if found := re.match(r'#\[serde\(rename = "([^"]+)"\)\]', line):
                    rename = found[1]
                elif "deserialize_hashmap_string_hashmap_empty" in line:
                    # The crate keeps the keys of a map without values as a list.
                    is_set = True
                elif found := re.match(r"pub (\w+): (.+),$", line):
                    kind = "HashMap<String, HashMap<(), ()>>" if is_set else found[2]
                    self.structs[name].append((rename or found[1], kind))
                    rename = is_set = None

    def places(self, place, kind):
        """This place and those in it."""
        if found := re.fullmatch(r"Option<(.+)>", kind):
            return self.places(place, found[1])
        if found := re.fullmatch(r"Vec<(.+)>", kind):
            return [(place, "list"), *self.places([*place, "[]"], found[1])]
        if found := re.fullmatch(r"HashMap<String, (.+)>", kind):
            return [(place, "map"), *self.places([*place, "{}"], found[1])]
        if kind in self.aliases and kind not in PLAIN:
            return self.places(place, self.aliases[kind])
        if kind in self.structs:
            inner = [self.places([*place, name], of) for name, of in self.structs[kind]]
            return [(place, "struct"), *sum(inner, [])]
        if kind in self.enums:
            return [(place, "string")]
        if re.fullmatch(r"[iu](8|16|32|64|size)", kind):
            return [(place, "integer")]
        return [(place, PLAIN[kind])]


definition = Definition(source())
for operation, body in BODIES.items():
    for place, kind in definition.places([], body):
        if place:
            print(operation, "/".join(place), kind, sep="\t")
