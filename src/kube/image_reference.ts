/**
 * What a container runtime takes for the name of an image. The grammar is that of the "distribution"
 * project (github.com/distribution/reference), which kubelet reads it by. The npm packages for it take
 * less than that, or anything.
 */
const DOMAIN_PART = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const DOMAIN =
  `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[A-Fa-f0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const NAME = new RegExp(
  `^(?:${DOMAIN}/)?${PATH_PART}(?:/${PATH_PART})*$`,
);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST =
  /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
/** Registries make images by their id, which is no name. */
const IMAGE_ID = /^[a-f0-9]{64}$/;
const MAX_NAME = 255;

/** What is wrong with an image's name; undefined where nothing is. */
export function imageFault(image: string): string | undefined {
  if (image === "") return "it is empty";
  const at = image.indexOf("@");
  const tagged = at < 0 ? image : image.slice(0, at);
  const digest = at < 0 ? undefined : image.slice(at + 1);
  if (digest !== undefined && !DIGEST.test(digest)) {
    return "what follows the @ is no digest, such as sha256: and 64 digits of 0-9 and a-f";
  }
  // The colon of a registry's port has a slash behind it.
  const [, name = "", tag] = /^(.*?)(?::([^/:]*))?$/s.exec(tagged) ?? [];
  if (tag !== undefined && !TAG.test(tag)) {
    return 'what follows the last colon is no tag: letters, digits, "_", "." and "-", at most 128, the first no "." or "-"';
  }
  if (name.length > MAX_NAME) {
    return `its name has ${name.length} characters, ${MAX_NAME} are allowed`;
  }
  if (IMAGE_ID.test(name)) return "it is an image's id, not a name";
  if (NAME.test(name)) return undefined;
  return NAME.test(name.toLowerCase())
    ? "its name must be in lower case"
    : 'it is not like "busybox", "registry.example.com:5000/team/app:1.2" or "app@sha256:…"';
}

export function imageFlagFault(
  flag: string,
  image: string,
): string | undefined {
  const fault = imageFault(image);
  return fault && `Cannot use --${flag} "${image}" as an image: ${fault}`;
}
