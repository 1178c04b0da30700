# The controller in an image of its own: docker build -t stagingrefresh:0.1.0 .
# The second stage has the program, the libraries that it is linked with, CA
# certificates and time zones; no shell, no package manager. hack/rootfs.sh lays it out.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends \
        binutils ca-certificates cmake gcc libc6-dev libcjson-dev libcmocka-dev libcurl4-openssl-dev libmicrohttpd-dev \
        libssl-dev libwebsockets-dev libyaml-dev ninja-build pkg-config tzdata && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release && cmake --build --preset release --target stagingrefresh && hack/rootfs.sh /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /
ENV PATH=/usr/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/usr/bin/stagingrefresh"]
CMD ["controller", "--leader-elect"]
LABEL org.opencontainers.image.title="stagingrefresh" \
      org.opencontainers.image.description="Gives staging last night's production databases" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
