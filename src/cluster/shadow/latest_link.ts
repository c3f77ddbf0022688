import type { Link } from "../../link/client/link.ts";

/** The link that there is now, of a session whose links come and go. */
export class LatestLink {
  #link: Link | undefined;

  follow(link: Link): void {
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
