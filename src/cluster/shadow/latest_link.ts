import type { SshLink } from "../../link/client/ssh_link.ts";

/** The link that there is now, of a session whose links come and go. */
export class LatestLink {
  #link: SshLink | undefined;

  follow(link: SshLink): void {
    this.#link = link;
  }

  /** Whether the Shadow Pod reaches a host; false where there is no link to it. Never rejects. */
  async isReachable(host: string): Promise<boolean> {
    try {
      return await this.#link?.isReachable(host) ?? false;
    } catch {
      return false; // the link has just ended
    }
  }
}
