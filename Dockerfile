# The image is one static binary, and the authorities that it knows registries by: no shell, no libc.
#
#   docker build -t dockgate .
#   docker run -d -p 127.0.0.1:2375:2375 -e CONTAINERS=1 -v /var/run/docker.sock:/var/run/docker.sock:ro dockgate

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates musl-tools wrk
WORKDIR /source
# The image brings this toolchain: rust-toolchain.toml's request for more tools is for developers.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY . .
RUN benches/profiled-build
# The authorities are for plugins from registries.
RUN mkdir -p /image/etc/ssl/certs \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && cp "target/$(uname -m)-unknown-linux-musl/release/dockgate" /image/dockgate

FROM scratch
LABEL org.opencontainers.image.title="dockgate" \
      org.opencontainers.image.description="A programmable filter proxy for the Docker Engine API" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /image/ /
EXPOSE 2375
# It runs as root, as the image that it replaces does, since Docker's socket belongs to root. That
# is not needed: where the group of the socket has the number 998, `--user 65534:998` is enough.
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/dockgate", "healthcheck"]
# A configuration file: mount its folder at /etc/dockgate, and set DOCKGATE_CONFIG to
# /etc/dockgate/dockgate.yaml. For plugins from files and registries: DOCKGATE_CACHE, and a volume there.
ENTRYPOINT ["/dockgate"]
