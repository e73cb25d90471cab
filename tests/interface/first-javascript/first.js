// A plugin for the first interface that shipped: lists are shortened, nothing else is allowed.

import client from "dockgate:filter/client@0.1.0";
import edit from "dockgate:filter/edit@0.1.0";
import log from "dockgate:filter/log@0.1.0";
import request from "dockgate:filter/request@0.1.0";

export const lifecycle = {
  configure(settings) {
    return [{ subject: "", message: `settings of ${settings.length} bytes`, fatal: false }];
  },
};

export const onRequest = {
  decide(head) {
    log.write("info", client.listener() ?? "");
    if (head.operation.endsWith("-list")) {
      edit.setQuery("limit", "5");
      return { tag: "allow" };
    }
    const query = request.queryAll().map(([name, value]) => `${name}=${value}`).join("&");
    const message = `${head.operation} of ${head.target} with ${query}`;
    return { tag: "deny", val: { status: 403, code: "no", message, hint: undefined } };
  },
};
