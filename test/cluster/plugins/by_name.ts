// A routing plugin as a stranger would write it: one module, types only. It gives the marked traffic
// a name of its own: Service `<service>-<mark>` beside the original.
import type {
  KubeObject,
  RoutingContext,
  RoutingPlugin,
  Step,
  World,
} from "../../../mod.ts";

const services = {
  apiVersion: "v1",
  kind: "Service",
  plural: "services",
  namespaced: true,
};

type Args = { readonly namespace: string; readonly name: string };

const serviceStep: Step<Args, KubeObject, void, World> = {
  id: "by-name.service",
  describe: ({ name }) => `create Service "${name}"`,
  undoCommand: ({ name, namespace }) =>
    `kubectl delete service ${name} -n ${namespace}`,
  async apply(_args, service, { kube }) {
    await kube.create(services, service);
  },
  async revert({ name, namespace }, { kube }, signal) {
    await kube.delete({ resource: services, name, namespace }, { signal });
  },
};

function nameOf({ target, mark }: RoutingContext): string {
  return `${target.service.metadata.name}-${mark?.value}`;
}

const plugin: RoutingPlugin = {
  kind: "routing",
  apiVersion: 1,
  name: "by-name",
  summary: "the marked traffic has a Service of its own",
  verbs: ["mesh"],
  steps: [serviceStep],
  probe: () => Promise.resolve({ ok: true }),
  plan: (context) =>
    Promise.resolve({
      namePrefix: context.target.service.metadata.name,
      config: `service=${nameOf(context)}`,
      fallback: false,
      ready: "attached",
    }),
  async attach(context) {
    const { scope, target, shadowLabels, kube } = context;
    const namespace = target.service.metadata.namespace ?? kube.namespace;
    const name = nameOf(context);
    const args = { namespace, name };
    await scope.run(serviceStep, args, {
      metadata: args,
      spec: { selector: { ...shadowLabels }, ports: target.service.spec.ports },
    });
    return { message: `The laptop is http://${name}` };
  },
};

export default plugin;
