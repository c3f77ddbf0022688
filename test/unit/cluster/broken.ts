// Records as nobody should write them: for the tests of reading.
import fc from "fast-check";

/** Fields in place of those of a good record. */
export type Break = Readonly<Record<string, unknown>>;

const STRANGE = [
  null,
  true,
  -1,
  0,
  1.5,
  1e300,
  2 ** 53,
  "",
  "1",
  "NaN",
  "a\nb",
  "__proto__",
  "constructor",
  "../x",
  [],
  {},
  [[]],
];

/** The good record with something strange at some place, with a key too many or too few, or anything at all. */
export function broken(good: unknown): fc.Arbitrary<unknown> {
  const strange = fc.oneof(
    fc.constantFrom(...STRANGE),
    fc.string({ unit: "binary" }),
    fc.jsonValue(),
  );
  const places = fc.constantFrom(...placesOf(good));
  const changed = fc.tuple(places, strange).map(([place, value]) =>
    withAt(good, place, value)
  );
  return fc.oneof({ weight: 9, arbitrary: changed }, {
    weight: 1,
    arbitrary: strange,
  });
}

type Place = readonly (string | number)[];

function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== "object" || value === null) return [place];
  const keys = Object.keys(value);
  return [
    place,
    [...place, "constructor"],
    ...keys.flatMap((key) =>
      placesOf((value as Record<string, unknown>)[key], [...place, key])
    ),
  ];
}

function withAt(value: unknown, place: Place, what: unknown): unknown {
  const copy = { whole: structuredClone(value) };
  // deno-lint-ignore no-explicit-any -- a walk through unknown JSON
  let at: any = copy;
  for (const key of ["whole", ...place].slice(0, -1)) at = at[key];
  at[["whole", ...place].at(-1)!] = what;
  return copy.whole;
}
