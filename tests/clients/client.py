"""A client: sends what it is told to, and says what came.

Its argument says where to connect and as whom, its input has a request a line, its output an answer a
line. What ends the input ends the client.
"""

import http.client
import json
import os
import socket
import ssl
import sys

TIME = 20


class Connection(http.client.HTTPConnection):
    # A connection that was closed is not silently another one.
    auto_open = 0

    def __init__(self, settings):
        super().__init__("docker")
        self.sock = connected(settings)


def connected(settings):
    kind, address = settings["address"].split("://")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIME)
        connection.connect(address)
        return connection
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), TIME)
    if not settings["certificates"]:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(settings["certificates"] + "/ca.pem")
    context.load_cert_chain(
        settings["certificates"] + "/cert.pem", settings["certificates"] + "/key.pem"
    )
    return context.wrap_socket(connection, server_hostname=host)


def ask(connection, request):
    method, path = request["line"].split(" ", 1)
    headers = {"Content-Type": "application/json"}
    connection.request(method, path, request["body"], headers)
    answer = connection.getresponse()
    body = answer.read()
    try:
        message = json.loads(body).get("message", "")
    except (ValueError, AttributeError):
        message = ""
    return {"status": answer.status, "message": message}


settings = json.loads(sys.argv[1])
if settings["user"] is not None:
    os.setgroups([])
    os.setgid(settings["user"])
    os.setuid(settings["user"])

kept = None
for line in sys.stdin:
    request = json.loads(line)
    try:
        if request["kept"]:
            kept = kept or Connection(settings)
            answer = ask(kept, request)
        else:
            connection = Connection(settings)
            answer = ask(connection, request)
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        answer = {"status": 0, "message": repr(error)}
    print(json.dumps(answer), flush=True)
