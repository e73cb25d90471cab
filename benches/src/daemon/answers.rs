//! What the mock daemon answers, each made once at its start.

use serde_json::{Value, json};

use super::Framing;

/// Every answer of the daemon.
pub(super) struct Answers {
    ping: Answer,
    containers: Answer,
    images: Answer,
    anything_else: Answer,
}

/// One answer, ready to be written.
pub(super) struct Answer {
    bytes: Vec<u8>,
    head_length: usize,
}

impl Answers {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            ping: Answer::new("text/plain; charset=utf-8", "OK", Framing::Length),
            containers: Answer::new("application/json", &container_list(), framing),
            images: Answer::new("application/json", &image_list(), framing),
            anything_else: Answer::new("application/json", "{}\n", Framing::Length),
        }
    }

    /// The bytes that answer a request; `target` may begin with a version.
    pub(super) fn to(&self, method: &str, target: &str) -> &[u8] {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let answer = if path.ends_with("/containers/json") {
            &self.containers
        } else if path.ends_with("/images/json") {
            &self.images
        } else if path.ends_with("/_ping") {
            &self.ping
        } else {
            &self.anything_else
        };
        if method == "HEAD" { &answer.bytes[..answer.head_length] } else { &answer.bytes }
    }
}

impl Answer {
    fn new(content_type: &str, body: &str, framing: Framing) -> Self {
        let (header, body) = match framing {
            Framing::Length => (format!("Content-Length: {}", body.len()), body.to_owned()),
            Framing::Chunked => (
                "Transfer-Encoding: chunked".to_owned(),
                format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
            ),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\n\
             Api-Version: 1.47\r\n\
             Content-Type: {content_type}\r\n\
             Docker-Experimental: false\r\n\
             Ostype: linux\r\n\
             Server: Docker/27.5.1 (linux)\r\n\
             Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
             {header}\r\n\r\n"
        );
        Self { head_length: head.len(), bytes: (head + &body).into_bytes() }
    }
}

/// Three containers of a small host: 2.6 kB.
fn container_list() -> String {
    let containers = ["proxy", "dashboard", "database"].map(|service| {
        json!({
            "Id": format!("{service:0<64}"),
            "Names": [format!("/home-{service}-1")],
            "Image": format!("registry.example.org/home/{service}:3.2.1"),
            "ImageID": format!("sha256:{}", "8f".repeat(32)),
            "Command": "/usr/local/bin/entrypoint.sh serve",
            "Created": 1_767_225_600,
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 8080, "PublicPort": 8080, "Type": "tcp"}],
            "Labels": {
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.project": "home",
                "com.docker.compose.service": service,
                "com.docker.compose.version": "2.32.4",
            },
            "State": "running",
            "Status": "Up 3 weeks",
            "HostConfig": {"NetworkMode": "home_default"},
            "NetworkSettings": {"Networks": {"home_default": {
                "NetworkID": "4c".repeat(32),
                "Gateway": "172.18.0.1",
                "IPAddress": "172.18.0.4",
                "IPPrefixLen": 16,
                "MacAddress": "02:42:ac:12:00:04",
            }}},
            "Mounts": [],
        })
    });
    Value::from(containers.to_vec()).to_string() + "\n"
}

/// The images of a build host: 200 kB.
fn image_list() -> String {
    let images: Vec<Value> = (0..469)
        .map(|number| {
            json!({
                "Containers": -1,
                "Created": 1_767_225_600,
                "Id": format!("sha256:{number:064x}"),
                "Labels": {"org.opencontainers.image.revision": "2d".repeat(20)},
                "ParentId": "",
                "RepoDigests": [format!("registry.example.org/ci/app@sha256:{number:064x}")],
                "RepoTags": [format!("registry.example.org/ci/app:build-{number:05}")],
                "SharedSize": -1,
                "Size": 48_213_734,
            })
        })
        .collect();
    Value::from(images).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_the_sizes_that_the_table_names() {
        assert_eq!((container_list().len() + 50) / 100, 26);
        assert_eq!((image_list().len() + 500) / 1000, 200);
    }

    #[test]
    fn a_head_request_gets_no_body() {
        let answers = Answers::new(Framing::Length);
        assert!(answers.to("HEAD", "/_ping").ends_with(b"\r\n\r\n"));
        assert!(answers.to("GET", "/v1.41/_ping").ends_with(b"\r\n\r\nOK"));
    }
}
