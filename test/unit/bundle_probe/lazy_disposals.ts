/** Bundlers wrap what is imported on demand, so that it stands for modules of that kind. */
export function lazily(
  open: (name: string) => Disposable & { use(): string },
): string {
  using resource = open("used once on demand");
  return resource.use();
}
