# The images of the tests, for a cluster of one's own; README.md says how. On this project's own cluster
# they come from images.sh.
ARG DENO=2.9.6

FROM debian:bookworm-slim AS busybox
RUN apt-get update && apt-get install -y --no-install-recommends busybox \
  && rm -rf /var/lib/apt/lists/* \
  && for name in $(busybox --list); do command -v "$name" >/dev/null || ln -s busybox "/bin/$name"; done

FROM busybox AS client
RUN apt-get update && apt-get install -y --no-install-recommends curl iperf3 netcat-openbsd nghttp2-client wrk \
  && rm -rf /var/lib/apt/lists/* && ln -sf nc.openbsd /bin/nc
CMD ["sleep", "2147483647"]

FROM denoland/deno:${DENO} AS demo
COPY demo /demo
ENV DENO_DIR=/tmp/deno NO_COLOR=1
USER 1000
ENTRYPOINT ["/usr/bin/deno", "run", "-A", "/demo/demo.ts", "--host", "0.0.0.0", "--grpc-port", "50051"]
