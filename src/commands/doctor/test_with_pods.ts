import { probedImages } from "../../cluster/doctor/probe_pod.ts";
import { pullImage } from "../../cluster/doctor/pull_image.ts";
import { testLink } from "../../cluster/doctor/test_link.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { linkSettings, podOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { runSession } from "../session/session.ts";
import type { DoctorOptions } from "./doctor_options.ts";
import type { Told } from "./told.ts";

/** What takes pods: they are journalled, and taken back however it ends. */
export async function testWithPods(
  host: Host,
  { options, kube, report, tell }: {
    options: DoctorOptions;
    kube: KubeApi;
    report: Report;
    tell: (one: Told) => void;
  },
): Promise<void> {
  const pod = podOptions(options);
  const settings = linkSettings(options);
  const frame = { globals: options, kube, report, command: "doctor" };
  await runSession(host, frame, async ({ id, scope, heartbeat }) => {
    const shared = { session: id, user: host.user, pod };
    const about = "cluster";
    if (options.pull) {
      const timeoutMs = settings.podTimeoutMs;
      const pulls = probedImages(pod).map((image) =>
        pullImage(scope, image, { ...shared, timeoutMs })
      );
      for (const finding of await Promise.all(pulls)) {
        tell({ about, name: "pull", title: "Images", finding });
      }
    }
    if (options.linkTest) {
      const test = { ...shared, ...settings, heartbeat };
      for (const finding of await testLink(scope, test)) {
        tell({ about, name: "link-test", title: "Link", finding });
      }
    }
  });
}
