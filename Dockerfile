# syntax=docker/dockerfile:1
# The image holds the binary, the C library it is linked to, and the CA certificates; no shell, no package manager.
# glibc rather than musl: musl's allocator is slow with many threads, and distroless brings glibc and certificates in one.
# Both stages are of one Debian release, so that the binary finds the glibc that it was linked to.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin peerkeeper \
    && cp target/release/peerkeeper /peerkeeper

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="peerkeeper" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /peerkeeper /peerkeeper
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/peerkeeper"]
CMD ["run"]
