"""A plugin for the first interface that shipped: lists are shortened, nothing else is allowed."""

from wit_world import exports
from wit_world.exports.lifecycle import Problem
from wit_world.imports import client, edit, log, request
from wit_world.imports.types import Denial, Verdict_Allow, Verdict_Deny


class Lifecycle(exports.Lifecycle):
    def configure(self, settings, environment, other_names):
        return [Problem("", f"settings of {len(settings)} bytes", fatal=False)]


class OnRequest(exports.OnRequest):
    def decide(self, head):
        log.write(log.Level.INFO, client.listener() or "")
        if head.operation.endswith("-list"):
            edit.set_query("limit", "5")
            return Verdict_Allow()
        query = "&".join(f"{name}={value}" for name, value in request.query_all())
        words = f"{head.operation} of {head.target} with {query}"
        return Verdict_Deny(Denial(403, "no", words, None))
