// A user of a laptop who is not root, with a kubeconfig that only this user can make use of.
import {
  asUser,
  foreignFilesWords,
  HOME,
  PLACE,
  sudoScript,
  UID,
  userScript,
} from "../netns/machine_user.ts";
import { succeeded, type TestCluster } from "./cluster.ts";
import { KtctlProcess } from "./ktctl_process.ts";
import type { NetLaptop } from "./net_laptop.ts";
import { programWords } from "./tested_program.ts";

const ASKED_BY = `${HOME}/asked-by`;
const CREDENTIALS = `${HOME}/credentials`;

/** What ktctl and the credential plugin start is there. */
export const PATH_WITHOUT_SUDO = "/mnt/bin";

export class LaptopUser {
  readonly #laptop: NetLaptop;
  readonly #namespace: string;

  private constructor(laptop: NetLaptop, namespace: string) {
    this.#laptop = laptop;
    this.#namespace = namespace;
  }

  /** Has no right to use sudo yet. */
  static async add(
    laptop: NetLaptop,
    { cluster, namespace }: { cluster: TestCluster; namespace: string },
  ): Promise<LaptopUser> {
    const user = new LaptopUser(laptop, namespace);
    const device = "mknod -m 666 /mnt/tun c 10 200"; // as udev makes it
    await user.#root([
      "mount -t tmpfs tmpfs /mnt",
      ...await userScript(),
      `mkdir ${PATH_WITHOUT_SUDO}`,
      ...["id", "cat", "ip"].map((program) =>
        `ln -s "$(command -v ${program})" ${PATH_WITHOUT_SUDO}`
      ),
      `${device} && mount --bind /mnt/tun /dev/net/tun`,
    ]);
    await user.#writeKubeconfig(cluster);
    return user;
  }

  async #root(script: readonly string[], ...args: string[]): Promise<void> {
    const words = ["sh", "-euc", script.join("\n"), "sh", ...args];
    await this.#laptop.output(...words);
  }

  /** With a credential plugin, which says who asked. */
  async #writeKubeconfig({ kubectl }: TestCluster): Promise<void> {
    const view = ["config", "view", "--minify", "--raw", "--flatten"];
    const config = JSON.parse(
      succeeded(await kubectl([...view, "-o", "json"])),
    );
    const { user } = config.users[0];
    const apiVersion = "client.authentication.k8s.io/v1beta1";
    config.users[0].user = {
      exec: { apiVersion, command: CREDENTIALS, interactiveMode: "Never" },
    };
    const status = user.token === undefined
      ? {
        clientCertificateData: atob(user["client-certificate-data"]),
        clientKeyData: atob(user["client-key-data"]),
      }
      : { token: user.token };
    const answer = { apiVersion, kind: "ExecCredential", status };
    await this.#root(
      [
        `mkdir ${HOME}/.kube`,
        `printf %s "$1" > ${HOME}/.kube/config`,
        `printf %s "$2" > ${CREDENTIALS}.json`,
        `printf '#!/bin/sh\nid -u >> ${ASKED_BY}\ncat ${CREDENTIALS}.json' > ${CREDENTIALS}`,
        `chown -R ${UID}:${UID} ${HOME}/.kube ${CREDENTIALS}*`,
        `chmod 600 ${HOME}/.kube/config ${CREDENTIALS}.json`,
        `chmod 700 ${CREDENTIALS}`,
      ],
      JSON.stringify(config),
      JSON.stringify(answer),
    );
  }

  /** From now on, without a password. */
  allowSudo(): Promise<void> {
    return this.#root(sudoScript("NOPASSWD: ALL"));
  }

  /** Starts ktctl as the user, without a terminal. */
  ktctl(
    args: readonly string[],
    env: Record<string, string> = {},
  ): KtctlProcess {
    const settings = Object.entries(env).map(([name, value]) =>
      `${name}=${value}`
    );
    return new KtctlProcess(args, {
      kubeconfig: "",
      namespace: this.#namespace,
      within: [
        ...[...this.#laptop.enter, "setsid", "env", "-C", HOME],
        ...["-u", "KUBECONFIG", ...asUser, ...settings],
      ],
      program: programWords(PLACE),
    });
  }

  /** Of all that asked for the user's credentials: their uids. */
  async askers(): Promise<number[]> {
    const words = ["sort", "-un", ASKED_BY];
    return (await this.#laptop.output(...words)).split("\n").map(Number);
  }

  /** What is not the user's in the user's home. */
  foreignFiles(): Promise<string> {
    return this.#laptop.output(...foreignFilesWords);
  }

  async journals(): Promise<string> {
    const folder = `${HOME}/.local/state/ktctl/sessions`;
    return await this.#laptop.output("sh", "-c", `ls -A ${folder} || true`);
  }
}
