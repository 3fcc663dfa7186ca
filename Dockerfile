# The images that `make image` builds without Docker: same files, users, entry points and
# labels, held to that by images/dockerfile_test.go. One target for each component:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --target webhook \
#     --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) \
#     --build-arg CREATED=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd) \
#     --tag registry.example/hardgate/webhook:0.1.0 .
ARG GO_VERSION=1.26.8

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOAMD64=v1 GOARM64=v8.0 GOFLAGS=-mod=readonly GOEXPERIMENT= GOFIPS140=off GOWORK=off GOTOOLCHAIN=local \
    go build -o /out/ -trimpath -buildvcs=true "-ldflags=-s -w" ./cmd/webhook ./cmd/controller ./cmd/nodecheck ./cmd/hardgate

FROM scratch AS base
COPY --chmod=0444 images/rootfs/etc/passwd images/rootfs/etc/group /etc/
COPY --chmod=0444 LICENSE /LICENSE
ARG VERSION=dev
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/hardgate-dev/hardgate" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

FROM base AS webhook
LABEL org.opencontainers.image.title="hardgate/webhook" \
      org.opencontainers.image.description="Admission webhook that judges workloads against hardening policies"
COPY --from=build --chmod=0555 /out/webhook /webhook
USER 65532:65532
ENTRYPOINT ["/webhook"]

FROM base AS controller
LABEL org.opencontainers.image.title="hardgate/controller" \
      org.opencontainers.image.description="Controller that taints drifted nodes and rolls policies out"
COPY --from=build --chmod=0555 /out/controller /controller
USER 65532:65532
ENTRYPOINT ["/controller"]

# The agent reads what is root's on its node; its pod says what else it may not do.
FROM base AS nodecheck
LABEL org.opencontainers.image.title="hardgate/nodecheck" \
      org.opencontainers.image.description="Agent that verifies the hardening of the node it runs on"
COPY --from=build --chmod=0555 /out/nodecheck /nodecheck
USER 0:0
ENTRYPOINT ["/nodecheck"]

FROM base AS hardgate
LABEL org.opencontainers.image.title="hardgate/hardgate" \
      org.opencontainers.image.description="Command line that judges manifests, nodes and clusters"
COPY --from=build --chmod=0555 /out/hardgate /hardgate
USER 65532:65532
ENTRYPOINT ["/hardgate"]
