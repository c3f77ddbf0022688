/** A project's file of settings, in its folder. */
export const PROJECT_FILE = ".ktctl.yaml";
