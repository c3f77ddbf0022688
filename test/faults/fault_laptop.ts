// Where a run's command is started, and what may go wrong with that machine.
import type { TestCluster, TestNamespace } from "../cluster/cluster.ts";
import type { KtctlProcess, KtctlResult } from "../cluster/ktctl_process.ts";

/** What a run needs of the laptop. */
export interface FaultLaptop extends AsyncDisposable {
  /** The command, with {@link clock}. */
  start(): KtctlProcess;
  /** The same by somebody else, or, where only this machine can tell, once more. */
  startSecond(): KtctlProcess;
  /** As its user does, by the right time. */
  clean(): Promise<KtctlResult>;
  /** What is recorded as still to be undone. */
  journals(): Promise<string[]>;
  /** What ktctl changes on the machine, to compare. */
  machine(): Promise<string>;
  /** Between ktctl and the API server. */
  readonly network: {
    /** Ends every connection. */
    cut(): void | Promise<void>;
    /** Neither bytes nor an end come through. */
    setSilent(isSilent: boolean): void | Promise<void>;
    /** All comes {@link SLOW_MS} later, each way. */
    setSlow(isSlow: boolean): void | Promise<void>;
  };
  /** Of the journals. */
  readonly disk: { fill(): Promise<void>; makeRoom(): Promise<void> };
  /** Of the command: `+3600`, in seconds. Undefined where none can be set here. */
  readonly clock: { set(off: string): void } | undefined;
  /** Of the root helper, where one runs. */
  helperPid(): Promise<number | undefined>;
}

export interface FaultLaptopOptions {
  readonly cluster: TestCluster;
  readonly namespace: TestNamespace;
  /** The command line, given the local port that has a program. */
  readonly args: (localPort: number) => string[];
  /** Whether its clock may be set. */
  readonly hasClock: boolean;
}

export const CLEAN = ["clean", "--thresholdInMinus", "0"];

/** At least, of a slow network: a way round the world and back, twice. */
export const SLOW_MS = 300;
