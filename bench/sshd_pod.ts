/** A pod with Debian's sshd, beside the measured one: where `ssh -D` and sshuttle end. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLUSTER_SCRIPT } from "../test/cluster/cluster.ts";
import { run, succeeded } from "../test/cluster/command.ts";
import { obstacleWithout } from "../test/netns/packages.ts";
import type { Testbed } from "./testbed.ts";

/** The image is made the first time, from packages. */
const IMAGE_TIMEOUT_MS = 5 * 60_000;
const PORT = 2222;

export class SshdPod implements AsyncDisposable {
  readonly name = "sshd";
  readonly port = PORT;
  /** The pod's address. */
  readonly address: string;
  readonly #folder: string;

  private constructor(folder: string, address: string) {
    this.#folder = folder;
    this.address = address;
  }

  /** Rejects with the reason where it cannot be. */
  static async open({ namespace }: Testbed): Promise<SshdPod> {
    const obstacle = await obstacleWithout({
      ssh: "openssh-client",
      "ssh-keygen": "openssh-client",
    });
    if (obstacle !== undefined) throw new Error(obstacle);
    const image = [CLUSTER_SCRIPT, "sshd-image"];
    succeeded(await run("bash", image, { timeout: IMAGE_TIMEOUT_MS }));
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "ktctl-bench-sshd-"));
    stack.defer(() => rm(folder, { recursive: true }));
    for (const name of ["host", "user"]) {
      const make = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
      succeeded(await run("ssh-keygen", make));
    }
    const files = ["host", "user.pub"].map((name) =>
      `--from-file=${folder}/${name}`
    );
    const secret = ["create", "secret", "generic", "sshd", ...files];
    succeeded(await namespace.kubectl(secret));
    await namespace.apply(JSON.stringify(POD));
    const ready = ["--for=condition=Ready", "pod/sshd", "--timeout=60s"];
    succeeded(await namespace.kubectl(["wait", ...ready]));
    const get = ["get", "pod", "sshd", "-o", "jsonpath={.status.podIP}"];
    const address = succeeded(await namespace.kubectl(get));
    stack.move();
    return new SshdPod(folder, address);
  }

  /** The words that start `ssh`, where the pod's port is a port of this machine. */
  get ssh(): string[] {
    return [
      "ssh",
      ...["-F", "none", "-i", `${this.#folder}/user`],
      ...[
        "BatchMode=yes",
        "LogLevel=ERROR",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
      ].map((option) => `-o${option}`),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "sshd" },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: "sshd",
      image: "localhost/sshd:1",
      imagePullPolicy: "IfNotPresent",
      args: [
        ...["-D", "-e", "-f", "/dev/null", "-p", String(PORT)],
        ...["-h", "/keys/host"],
        ...[
          "AuthorizedKeysFile=/keys/user.pub",
          "StrictModes=no", // the key's folder is Kubernetes' own
          "PidFile=none",
          "GatewayPorts=yes", // for ssh -R
        ].map((option) => `-o${option}`),
      ],
      readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      volumeMounts: [{ name: "keys", mountPath: "/keys", readOnly: true }],
    }],
    volumes: [{
      name: "keys",
      secret: { secretName: "sshd", defaultMode: 0o400 },
    }],
  },
};
