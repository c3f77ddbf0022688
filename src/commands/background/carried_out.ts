/** The first argument of the process in the background; the path of its log is the second. */
export const BACKGROUND = "__background";

/** The command line has been carried out by another process, which has told all there is to tell. */
export class CarriedOut extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("carried out by another process");
    this.exitCode = exitCode;
  }
}
