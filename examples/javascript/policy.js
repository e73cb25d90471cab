// Containers are made from images of our registries alone, unprivileged, and with our label.

import body from "dockgate:filter/body@0.1.0";
import edit from "dockgate:filter/edit@0.1.0";

// Set by `configure`, before the first request.
let registries = [];
let createdBy = "dockgate";

export const lifecycle = {
  configure(settings, environment, otherNames) {
    const { registries: ours, "created-by": label = "dockgate", ...rest } = JSON.parse(settings);
    [registries, createdBy] = [ours, label];
    const problems = Object.keys(rest).map((name) => fatal(`/${name}`, "there is no such setting"));
    if (!isListOfNames(registries)) {
      problems.push(fatal("/registries", 'write a list such as ["ghcr.io/acme"]'));
    }
    if (typeof createdBy !== "string") {
      problems.push(fatal("/created-by", "write the value of the label, a string"));
    }
    return problems;
  },
};

export const onRequest = {
  decide(request) {
    if (request.operation !== "container-create") {
      return { tag: "abstain" };
    }
    const image = read("/Image") ?? "";
    // With the slash: ghcr.io/acme is not to stand for ghcr.io/acme-of-others.
    if (!registries.some((registry) => image.startsWith(`${registry}/`))) {
      return deny(
        "image-not-ours",
        `the image ${image} is not from a registry of ours`,
        `use one of ${registries.join(", ")}`,
      );
    }
    if (read("/HostConfig/Privileged")) {
      return deny("privileged", "a privileged container owns its host", "leave --privileged out");
    }
    edit.setJson("/Labels/created-by", JSON.stringify(createdBy));
    return { tag: "abstain" };
  },
};

// What is at a place in the body; null where there is nothing.
function read(pointer) {
  return JSON.parse(body.get(pointer) ?? "null");
}

function deny(code, message, hint) {
  return { tag: "deny", val: { status: 403, code, message, hint } };
}

function fatal(subject, message) {
  return { subject, message, fatal: true };
}

function isListOfNames(value) {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === "string" && v);
}
