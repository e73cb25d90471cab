"""Writes the events that docker-py sees, one a line, until it is ended.

    events.py ADDRESS
"""

import json
import sys

import docker

for event in docker.DockerClient(base_url=sys.argv[1], timeout=None).events(decode=True):
    print(json.dumps(event), flush=True)
