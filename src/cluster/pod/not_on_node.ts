/** The affinity of a pod to any other node, where there is one: the scheduler may still count on one that is gone. */
export function notOnNode(name: string): Record<string, unknown> {
  const isNot = { key: "metadata.name", operator: "NotIn", values: [name] };
  return {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, preference: { matchFields: [isNot] } },
      ],
    },
  };
}
