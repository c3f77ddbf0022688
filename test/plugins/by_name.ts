// A routing plugin with flags, for the tests: what docs/plugin-authors.md shows has none that refuse.
import type {
  KubeObject,
  RoutingPlugin,
  StandardSchema,
  Step,
  World,
} from "../../mod.ts";

const services = {
  apiVersion: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};

type Args = { readonly namespace: string; readonly name: string };

/** A change that outlives the process: made, and taken back by whoever finds it. */
const serviceStep: Step<Args, KubeObject, void, World> = {
  id: "by-name.service",
  describe: ({ name }) => `Service "${name}"`,
  undoCommand: ({ name, namespace }) =>
    `kubectl delete service ${name} -n ${namespace}`,
  async apply(_args, service, { kube }) {
    await kube.create(services, service);
  },
  async revert({ name, namespace }, { kube }, signal) {
    await kube.delete({ resource: services, name, namespace }, { signal });
  },
};

interface Options {
  readonly suffix?: string;
}

/** A Standard Schema: one of valibot, zod or arktype does as well. */
const options: StandardSchema<Options> = {
  "~standard": {
    version: 1,
    vendor: "by-name",
    validate(value) {
      const { suffix } = value as Record<string, string>;
      if (suffix === undefined) return { value: {} };
      if (/^[a-z0-9]+$/.test(suffix)) return { value: { suffix } };
      return { issues: [{ message: "--suffix takes a-z and 0-9" }] };
    },
  },
};

export default {
  kind: "routing",
  apiVersion: 1,
  name: "by-name",
  summary: "the marked traffic has a Service of its own",
  verbs: ["exchange", "mesh"],
  options,
  flags: [
    { name: "suffix", value: "word", summary: "of the Service's name" },
  ],
  steps: [serviceStep],
  probe: () => ({ ok: true }),
  async plan({ target, options, mark, kube, signal, refuse }) {
    const service = target.service.metadata.name;
    const name = `${service}-${options.suffix ?? mark?.value ?? "mine"}`;
    const other = await kube.find({ resource: services, name }, { signal });
    if (other !== undefined) {
      throw refuse("NAME_TAKEN", `There is a Service "${name}" already`, {
        hint: "Choose another --suffix.",
        kind: "conflict",
      });
    }
    return {
      namePrefix: service,
      config: `service=${name}`,
      fallback: false,
      takesAll: false,
      ready: "attached",
    };
  },
  async route({ scope, target, options, mark, shadowLabels, kube, log }) {
    const { name: service, namespace = kube.namespace } =
      target.service.metadata;
    const name = `${service}-${options.suffix ?? mark?.value ?? "mine"}`;
    const metadata = { namespace, name };
    await scope.run(serviceStep, metadata, {
      metadata,
      spec: { selector: { ...shadowLabels }, ports: target.service.spec.ports },
    });
    log.info(`Service "${name}" is made`);
    return { message: `The laptop is http://${name}`, details: { host: name } };
  },
} satisfies RoutingPlugin<Options>;
