/** What a plan says beside the objects of the cluster. */
export class PlanNotes {
  /** What would be done on this machine, as sentences without a full stop: `listen on localhost:8080`. */
  readonly machine: string[] = [];
  /** What is not known before it is done, as sentences without a full stop. */
  readonly unknown: string[] = [];
}
