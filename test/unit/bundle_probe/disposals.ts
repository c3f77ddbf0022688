/**
 * Says in which order resources are used and disposed, in every form that a bundler or a minifier may
 * change. The bundle of this file has to say the same as the file itself.
 */
const log: string[] = [];

class Resource implements Disposable, AsyncDisposable {
  #name: string;

  constructor(name: string) {
    this.#name = name;
    log.push(`open ${name}`);
  }

  get name(): string {
    return this.#name;
  }

  use(): string {
    log.push(`use ${this.#name}`);
    return this.#name;
  }

  [Symbol.dispose](): void {
    log.push(`dispose ${this.#name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    log.push(`dispose ${this.#name} later`);
  }
}

function never(): string {
  using _resource = new Resource("never used");
  return log.at(-1)!;
}

function once(): string {
  using resource = new Resource("used once");
  return resource.use();
}

function onceAsArgument(): void {
  using resource = new Resource("used once as an argument");
  log.push(String(resource.name));
}

function twice(): string {
  using resource = new Resource("used twice");
  resource.use();
  return resource.use();
}

function block(): void {
  {
    using resource = new Resource("used once in a block");
    resource.use();
  }
  log.push("after the block");
}

function branch(yes: boolean): void {
  if (yes) {
    using resource = new Resource("used once in a branch");
    resource.use();
  }
  switch (yes) {
    case true: {
      using resource = new Resource("used once in a switch");
      resource.use();
    }
  }
  log.push("after the branches");
}

function several(): void {
  using first = new Resource("first of two"),
    second = new Resource("second of two");
  first.use();
  second.use();
}

function absent(resource: Resource | undefined): void {
  using maybe = resource;
  log.push(`there: ${maybe !== undefined}`);
}

function loops(): void {
  for (const name of ["a", "b", "c"]) {
    using resource = new Resource(`round ${name}`);
    if (resource.name.endsWith("a")) continue;
    if (resource.name.endsWith("b")) break;
  }
  for (using resource of [new Resource("of a list")]) resource.use();
  for (let round = 0; round < 2; round++) {
    using _resource = new Resource(`count ${round}`);
  }
}

function failing(): void {
  try {
    using resource = new Resource("of what fails");
    throw new RangeError(resource.use());
  } catch (error) {
    log.push(`caught ${(error as Error).message}`);
  } finally {
    using resource = new Resource("used once at last");
    resource.use();
  }
}

function* generate(): Generator<number> {
  using resource = new Resource("of a generator");
  yield resource.name.length;
  yield 0;
}

async function* generateLater(): AsyncGenerator<string> {
  await using resource = new Resource("of an async generator");
  yield resource.use();
}

async function neverLater(): Promise<void> {
  await using _resource = new Resource("never used");
}

async function onceLater(): Promise<string> {
  await using resource = new Resource("used once");
  return resource.use();
}

async function onceAwaited(): Promise<number> {
  using resource = new Resource("used once in an await");
  return await Promise.resolve(resource.use().length);
}

async function loopsLater(): Promise<void> {
  for await (using resource of [new Resource("of a list")]) {
    await Promise.resolve();
    resource.use();
  }
  // deno-lint-ignore no-redeclare -- the linter does not know this form
  for (await using resource of [new Resource("of a list")]) resource.use();
}

class Owner {
  static {
    using resource = new Resource("of a static block");
    resource.use();
  }

  #open = () => {
    using resource = new Resource("of an arrow");
    return resource.use();
  };

  async #close(): Promise<string> {
    await using resource = new Resource("of a private method");
    return resource.use();
  }

  async run(): Promise<void> {
    log.push(this.#open(), await this.#close());
  }

  get opened(): string {
    using resource = new Resource("of a getter");
    return resource.use();
  }
}

log.push(never(), once(), twice());
onceAsArgument();
block();
branch(true);
several();
absent(undefined);
absent(new Resource("perhaps"));
loops();
failing();
for (const _length of generate()) break;
for await (const _name of generateLater()) log.push("one");
await neverLater();
log.push(await onceLater(), String(await onceAwaited()));
await loopsLater();
const owner = new Owner();
await owner.run();
log.push(owner.opened);
{
  await using resource = new Resource("used once at the top");
  resource.use();
}
const { lazily } = await import("./lazy_disposals.ts");
lazily((name) => new Resource(name));
console.log(log.join("\n"));
